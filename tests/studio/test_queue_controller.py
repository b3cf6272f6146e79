"""The controller behind the queues: on a thread where there are many scenes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.curation import queue as curation_queue
from smarthdr_studio.studio.curation.queue import first_unseen, listed, neighbour
from smarthdr_studio.studio.state import QueueKind


@pytest.fixture
def ready(session, until, tiny_project):
    """A session with the pool read and a scene on the screen."""
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.charts is not None)
    return session


@pytest.fixture
def threaded(monkeypatch):
    """Every ranking is done on a thread, as of thousands of scenes."""
    monkeypatch.setattr(curation_queue, "RANKED_AT_ONCE", 0)


def test_a_ranking_on_a_thread_lists_the_scenes_at_once_and_in_order_later(threaded, ready, until):
    seen = []
    ready.changed.connect(lambda _old, new: seen.append(new.queue))
    ready.recommendations.queue.pick(QueueKind.SAFEST)
    assert set(ready.state.queue.scenes) == {"003", "004", "005", "006"}
    assert ready.state.queue.preliminary
    assert ready.state.queue.work
    until(ready, lambda s: not s.queue.preliminary)
    assert ready.state.queue.scenes == ("003", "004", "005", "006")
    assert all(ready.state.queue.reasons)
    assert any(queue.work.startswith("looking at frames: ") for queue in seen)
    assert ready.state.queue.work == ""


def test_space_pressed_before_the_order_is_known_is_not_lost(threaded, ready, until):
    ready.recommendations.queue.pick(QueueKind.SAFEST)
    ready.recommendations.queue.step(1)
    until(ready, lambda s: s.current == "004")


def test_frames_that_cannot_be_read_end_the_search_all_the_same(
    ready, until, dataset, tiny_project
):
    (dataset / "Training" / "005" / "2.tif").write_bytes(b"")
    ready.recommendations.queue.pick(QueueKind.WORTH)
    until(ready, lambda s: not s.queue.preliminary)
    assert "005" in ready.state.queue.scenes
    assert "005" not in ready.inspection.facts.records


def test_the_order_is_that_of_the_settled_thresholds_while_a_slider_moves(ready, until):
    controller = ready.recommendations.queue
    controller.pick(QueueKind.SAFEST)
    until(ready, lambda s: not s.queue.preliminary)
    reasons = ready.state.queue.reasons
    tried = ready.state.masks.__class__(tau_patch=0.05, tau_pixel=0.05)
    ready.screen.move_masks(tried)
    until(ready, lambda s: s.row("003").retained is not None and s.row("003").retained < 0.3)
    controller.rank_anew()
    assert ready.state.queue.reasons == reasons
    ready.curating.settle_masks(tried)
    assert ready.state.queue.reasons != reasons


def test_a_mark_that_cannot_be_written_is_told_and_the_walk_goes_on(ready, until, monkeypatch):
    ready.recommendations.queue.pick(QueueKind.SAFEST)
    until(ready, lambda s: not s.queue.preliminary)

    def refuse(_project, _ids):
        raise ProjectError("tiny.shdr: the disk is full; free some space")

    monkeypatch.setattr(Project, "mark_reviewed", refuse)
    told = []
    ready.changed.connect(lambda _old, new: told.append(new.notice))
    ready.recommendations.queue.step(1)
    until(ready, lambda s: s.current == "004")
    assert any(notice and "the disk is full" in notice.text for notice in told)
    assert ready.state.queue.reviewed == 0


def test_closing_the_project_forgets_the_queue(ready, until):
    ready.recommendations.queue.pick(QueueKind.SAFEST)
    ready.close_project()
    until(ready, lambda s: s.folder is None)
    assert ready.state.queue.kind is QueueKind.ALL
    ready.recommendations.queue.step(1)
    assert ready.state.notice is None


scenes = st.lists(st.sampled_from([f"{n:03}" for n in range(12)]), unique=True)
some = st.frozensets(st.sampled_from([f"{n:03}" for n in range(12)]))
anyone = st.none() | st.sampled_from([f"{n:03}" for n in range(12)])


@given(order=scenes, waiting=some, current=anyone)
def test_what_is_listed_is_in_order_and_waits_or_is_on_the_screen(order, waiting, current):
    shown = listed(order, waiting=waiting, current=current)
    assert list(shown) == [name for name in order if name in shown]
    assert set(shown) <= waiting | {current}
    assert set(order) & waiting <= set(shown)


@given(order=scenes, waiting=some, current=anyone)
def test_the_next_scene_waits_and_stands_behind_the_current_one(order, waiting, current):
    wanted = neighbour(order, waiting=waiting, current=current, by=1)
    behind = order[order.index(current) + 1 :] if current in order else order
    assert wanted == next((name for name in behind if name in waiting), None)


@given(order=scenes, waiting=some)
def test_walking_on_meets_every_waiting_scene_once_in_order(order, waiting):
    met, current = [], None
    while (current := neighbour(order, waiting=waiting, current=current, by=1)) is not None:
        met.append(current)
    assert met == [name for name in order if name in waiting]


@given(order=scenes, waiting=some, current=anyone)
def test_a_step_back_from_the_next_scene_never_passes_a_waiting_one(order, waiting, current):
    wanted = neighbour(order, waiting=waiting, current=current, by=1)
    if wanted is not None and current in order:
        back = neighbour(order, waiting=waiting, current=wanted, by=-1)
        assert back == (current if current in waiting else back)


@given(order=scenes, waiting=some, current=anyone)
def test_a_decision_about_the_current_scene_does_not_change_where_it_goes_on(
    order, waiting, current
):
    decided = waiting - {current}
    for by in (-1, 1):
        before = neighbour(order, waiting=waiting, current=current, by=by)
        after = neighbour(order, waiting=decided, current=current, by=by)
        assert before == after or current not in order


@given(order=scenes, waiting=some, reviewed=some)
def test_a_walk_starts_at_the_best_scene_nobody_has_seen(order, waiting, reviewed):
    start = first_unseen(order, waiting=waiting, reviewed=reviewed)
    unseen = [name for name in order if name in waiting and name not in reviewed]
    assert start == (unseen[0] if unseen else None)
