"""Decisions are carried out in the order they were taken, whatever takes its time."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QInputDialog

from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Kind, Status
from smarthdr_studio.core.project.labels import frozen_share
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.learning.crops import read_promoted_label
from smarthdr_studio.studio.project import decisions
from smarthdr_studio.studio.project.decisions import promote_many
from smarthdr_studio.studio.tasks import TaskQueue, Work


class Runner(QObject):
    """Keeps what takes its time until it is told that it is over."""

    def __init__(self):
        super().__init__()
        self.running = []

    def run(self, task):
        assert not self.running
        self.running.append(task)

    def end(self):
        self.running.pop().on_done(None)


@given(st.lists(st.sampled_from(["quick", "slow", "over"]), max_size=30))
def test_every_decision_is_carried_out_once_and_in_order(steps):
    runner, done, taken, idle = Runner(), [], [], []
    queue = TaskQueue(runner)

    def begin(number, *, slow):
        assert not runner.running
        done.append(number)
        return Work(job=None, on_done=str, on_refused=str) if slow else None

    for number, step in enumerate(steps):
        if step == "over":
            if runner.running:
                runner.end()
        else:
            taken.append(number)
            queue.take(lambda n=number, s=step == "slow": begin(n, slow=s))
    queue.afterwards(lambda: idle.append(len(done)))
    while runner.running:
        runner.end()
    assert done == taken
    assert idle == [len(taken)]
    assert queue.at_rest


def test_what_a_decision_decides_itself_comes_after_it():
    runner, done = Runner(), []
    queue = TaskQueue(runner)

    def first():
        queue.call(lambda: done.append("second"))
        done.append("first")

    queue.call(first)
    assert done == ["first", "second"]


@pytest.fixture
def at_work(session, until, tiny_project):
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.pool is not None)
    return session


@pytest.fixture
def gate(monkeypatch):
    """Promotions that begin and do not end before they may."""
    may = threading.Event()

    def slowly(tell, **how):
        assert may.wait(30)
        promote_many(tell, **how)

    monkeypatch.setattr(decisions, "promote_many", slowly)
    yield may
    may.set()


def done_in_order(folder):
    with Project.open(folder) as project:
        groups = dict.fromkeys((e.group, e.kind) for e in project.entries())
    return [kind for _, kind in groups if kind is not Kind.CREATED]


def test_what_is_decided_while_a_label_is_frozen_waits_for_it(at_work, until, gate, tiny_project):
    at_work.curating.promote(("003",))
    at_work.curating.exclude(("003",))
    at_work.curating.write_note(("004",), "look again")
    at_work.curating.settle_masks(MaskSettings(tau_patch=0.3))
    at_work.curating.promote(("005", "006"))
    at_work.curating.undo()
    assert at_work.state.undo == "promote 003"  # of what is under way one can say so already
    assert done_in_order(tiny_project) == []
    gate.set()
    until(at_work, lambda _: at_work.curating.at_rest)
    assert done_in_order(tiny_project) == [
        Kind.PROMOTE,
        Kind.EXCLUDE,
        Kind.ANNOTATE,
        Kind.SET_MASKS,
        Kind.PROMOTE,
        Kind.UNDO,
    ]
    assert at_work.state.row("003").status is Status.EXCLUDED
    assert at_work.state.row("005").status is Status.UNLABELLED
    assert at_work.state.busy == ""


def test_leaving_waits_until_everything_is_in_the_journal(
    at_work, qtbot, gate, tiny_project, dataset
):
    at_work.curating.promote(("003",))
    at_work.curating.exclude(("004",))
    at_work.shut_down()
    assert not at_work.at_rest
    gate.set()
    qtbot.waitUntil(lambda: at_work.at_rest, timeout=20000)
    assert done_in_order(tiny_project) == [Kind.PROMOTE, Kind.EXCLUDE]


def test_another_project_waits_as_well(at_work, until, gate, tiny_project):
    at_work.curating.promote(("003",))
    at_work.close_project()
    at_work.curating.exclude(("004",))
    assert at_work.state.folder is not None
    gate.set()
    until(at_work, lambda s: s.folder is None)
    assert done_in_order(tiny_project) == [Kind.PROMOTE, Kind.EXCLUDE]


def test_a_promotion_that_fails_is_told_and_the_next_decision_goes_on(
    at_work, until, monkeypatch, tiny_project
):
    def fails(tell, **how):
        raise OSError("no room")

    monkeypatch.setattr(decisions, "promote_many", fails)
    told = []
    at_work.changed.connect(lambda old, new: told.append(new.notice and new.notice.text))
    at_work.curating.promote(("003",))
    at_work.curating.exclude(("004",))
    until(at_work, lambda _: at_work.curating.at_rest)
    assert any(text and "no room" in text for text in told)
    assert done_in_order(tiny_project) == [Kind.EXCLUDE]
    assert at_work.state.undo == "exclude 004"


def test_promoting_again_makes_a_new_version_only_when_all_are_promoted(
    at_work, until, tiny_project
):
    def promote(*scenes, **how):
        at_work.curating.promote(scenes, **how)
        until(at_work, lambda _: at_work.curating.at_rest)
        with Project.open(tiny_project) as project:
            return {name: project.state(name) for name in ("003", "004")}

    first = promote("003")["003"].label
    both = promote("003", "004")
    assert both["003"].label == first
    assert both["004"].status is Status.PROMOTED
    again = promote("003", "004")
    assert again["003"].label != first
    assert (tiny_project / first).is_file()
    whole = promote("003", whole=True)
    assert whole["003"].whole
    assert not whole["004"].whole
    mixed = promote("003", "004", whole=True)
    assert mixed["003"].label == whole["003"].label
    assert mixed["004"].whole


def test_a_promoted_scene_is_shown_as_it_was_frozen_whatever_pool_it_leaves(
    at_work, until, tiny_project
):
    """006 has the largest σ of the pool, so without it the pool has other ranges."""
    at_work.screen.pick("006")
    until(at_work, lambda s: s.shown == "006" and at_work.at_rest)
    before, range_before = at_work.state.retained, at_work.screen.stage.material.trust.patch_range
    assert 0 < before < 1
    at_work.curating.promote(("006",))
    until(at_work, lambda s: s.row("006").status is Status.PROMOTED and s.pool.scenes == 3)
    until(at_work, lambda _: at_work.screen.stage.frozen_ranges is not None and at_work.at_rest)
    trust = at_work.screen.stage.material.trust
    assert at_work.screen._retention.patch_range != range_before
    assert trust.patch_range == range_before
    with Project.open(tiny_project) as project:
        label = project.folder / project.state("006").label
    frozen = read_promoted_label(
        label, scene=at_work.screen.stage.loaded.files.scene, pixels="trusted"
    )
    assert np.array_equal(trust.trusted, frozen.trusted)
    assert at_work.state.retained == before == pytest.approx(frozen_share(label))
    at_work.curating.promote(("006",))
    until(at_work, lambda _: at_work.curating.at_rest)
    with Project.open(tiny_project) as project:
        again = project.folder / project.state("006").label
    assert again != label
    assert frozen_share(again) == frozen_share(label)


def test_the_whole_picture_is_promoted_by_its_key(opened, until, qtbot, tiny_project):
    qtbot.keyClick(opened, Qt.Key.Key_P, Qt.KeyboardModifier.AltModifier)
    until(opened.session, lambda s: s.row("003").whole)
    with Project.open(tiny_project) as project:
        assert project.state("003").whole


def test_a_note_goes_with_a_promotion(opened, until, qtbot, tiny_project):
    opened.menus._actions["promote_with_note"].trigger()
    dialog = opened.findChild(QInputDialog)
    assert dialog.width() >= 400, "a sentence is read whole"
    dialog.setTextValue("clean sky")
    dialog.accept()
    until(opened.session, lambda s: s.row("003").status is Status.PROMOTED)
    with Project.open(tiny_project) as project:
        assert Decisions(project).history(1)[0].note == "clean sky"


def test_everything_another_process_does_appears_within_a_second(at_work, until, tiny_project):
    with Project.open(tiny_project) as project:
        pen = Decisions(project)
        pen.exclude(["004"])
        pen.annotate(["005"], note="from elsewhere", add=["night"])
        pen.paint("003", lambda _: painted())
    until(
        at_work,
        lambda s: (
            s.row("004").status is Status.EXCLUDED
            and s.row("005").note == "from elsewhere"
            and at_work.screen.stage.person is not None
        ),
    )
    assert at_work.state.row("005").tags == ("night",)


def painted():
    import numpy as np

    mask = np.zeros((96, 128), np.int8)
    mask[:20, :20] = -1
    return mask


def test_a_stroke_waits_its_turn_like_any_decision(at_work, until, gate, tiny_project):
    from smarthdr_studio.core.trust.brush import Dabs, Ink

    at_work.curating.promote(("003",))
    stroke = Dabs(points=((20.0, 20.0),), radius=8.0, hardness=1.0, ink=Ink.DISTRUST)
    at_work.inspection.painting.stroke_ended(stroke)
    at_work.curating.exclude(("004",))
    assert done_in_order(tiny_project) == []
    gate.set()
    until(at_work, lambda _: at_work.curating.at_rest)
    assert done_in_order(tiny_project) == [Kind.PROMOTE, Kind.PAINT, Kind.EXCLUDE]
    with Project.open(tiny_project) as project:
        assert (project.person("003") == -1).any()


def test_what_is_taken_back_out_of_sight_is_told_and_so_is_a_label_made_anew(at_work, until):
    at_work.screen.pick("003")
    until(at_work, lambda s: s.shown == "003" and at_work.at_rest)
    for told in (None, "003 is promoted anew, with the masks of now."):
        at_work.curating.promote(("003",))
        until(at_work, lambda _: at_work.curating.at_rest)
        assert (at_work.state.notice and at_work.state.notice.text) == told
    at_work.curating.exclude(("005",))
    at_work.curating.undo()
    assert at_work.state.notice.text == "Undone: exclude 005."
    at_work.curating.redo()
    assert at_work.state.notice.text == "Decided again: exclude 005."
    at_work.curating.exclude(("003",))
    at_work.curating.undo()
    assert at_work.state.notice is None
