"""Laws of the walk: it stays in the queue, never meets a decided scene, and never jumps back."""

from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.studio.curation.queue import first_unseen, listed, neighbour

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
