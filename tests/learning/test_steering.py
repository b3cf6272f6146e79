"""What a person asks of a run is granted between two steps, said as an event, and kept."""

from types import SimpleNamespace

import pytest

from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    Steered,
    StepReported,
    Validated,
    events_in,
)
from smarthdr_studio.core.training.run_folder import checkpoints_of
from smarthdr_studio.core.training.steering import (
    GoOn,
    LearningRate,
    NextRound,
    Pause,
    RefreshEvery,
    Snapshot,
    Stop,
    Wishes,
    leave_wish,
)
from smarthdr_studio.learning import steering
from smarthdr_studio.learning.checkpoints import read_info
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

SCHEDULE = {"epochs": 4, "warmup_epochs": 2, "steps_per_epoch": 2, "halve_at_epoch": None}


@pytest.fixture
def plan(make_plan):
    return make_plan(schedule=SCHEDULE)


@pytest.fixture(autouse=True)
def _quick_pauses(monkeypatch):
    monkeypatch.setattr(steering, "_POLL_SECONDS", 0.0)


def _after(step):
    return lambda event: isinstance(event, StepReported) and event.step == step


def _trained(plan, project, *, asking, resume=None):
    """The events of a run in which each wish is made at the first event that its test accepts."""
    wishes, waiting, events = Wishes(), list(asking), []
    for event in train(plan, project, resume=resume, wishes=wishes):
        events.append(event)
        while waiting and waiting[0][0](event):
            wishes.ask(waiting.pop(0)[1])
    assert not waiting
    return events


def _told(events):
    return [event.text for event in events if isinstance(event, Steered)]


def _run(project):
    (run,) = (project / "runs").iterdir()
    return run


def _rates(events):
    return {e.step: e.learning_rate for e in events if isinstance(e, StepReported)}


def test_a_pause_is_told_once_and_ends_with_what_goes_on(project, plan):
    paused = []

    def long_paused(event):
        paused.append(isinstance(event, PhaseChanged) and event.phase == "paused")
        return sum(paused) == 9

    events = _trained(plan, project, asking=[(_after(3), Pause()), (long_paused, GoOn())])
    assert _told(events) == ["paused", "goes on"]
    logged = list(events_in((_run(project) / "events.jsonl").read_bytes()))
    phases = [e.phase for e in logged if isinstance(e, PhaseChanged)]
    assert phases.count("paused") == 1
    assert phases[phases.index("paused") + 1] == "warm-up"
    assert [e.step for e in logged if isinstance(e, StepReported)] == list(range(1, 9))


def test_a_pause_and_its_end_in_one_breath_leave_the_run_going(project, plan):
    asking = [(_after(3), Pause()), (_after(3), GoOn()), (_after(4), Snapshot())]
    events = _trained(plan, project, asking=asking)
    assert _told(events) == ["paused", "goes on"]
    assert events[-1].outcome == "done"


def test_a_round_can_be_paused_and_other_wishes_wait_until_it_is_done(project, plan):
    def labelling(event):
        return isinstance(event, PhaseChanged) and event.text == "labelling scene 2 of 3"

    def paused(event):
        return isinstance(event, PhaseChanged) and event.phase == "paused"

    asking = [(labelling, Snapshot()), (lambda _: True, Pause()), (paused, GoOn())]
    events = _trained(plan, project, asking=asking)
    kinds = [type(e).__name__ for e in events]
    first = kinds.index("RoundFinished")
    begun = next(i for i, e in enumerate(events) if labelling(e))
    assert kinds[begun + 1 : first].count("Steered") == 2
    assert "CheckpointSaved" not in kinds[begun:first]
    assert "CheckpointSaved" in kinds[first : kinds.index("StepReported", first)]


def test_a_stop_ends_the_run_with_a_word_in_the_middle_of_a_round_too(project, plan):
    def labelling(event):
        return isinstance(event, PhaseChanged) and event.phase == "labelling"

    events = _trained(plan, project, asking=[(labelling, Stop())])
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].outcome, events[-1].step) == ("stopped", 4)
    run = _run(project)
    assert list(events_in((run / "events.jsonl").read_bytes()))[-1] == events[-1]
    assert list(train(plan, project, resume=run.name))[-1].outcome == "done"


def test_rate_and_refresh_change_from_the_next_epoch_on_and_through_a_resume(project, plan):
    wishes = [
        (_after(1), LearningRate(rate=0.5e-3)),
        (_after(1), RefreshEvery(epochs=2)),
        (_after(5), Stop()),
    ]
    events = _trained(plan, project, asking=wishes)
    assert _told(events) == [
        "learning rate 0.0005 from epoch 2 on",
        "a round every 2 epochs from epoch 2 on",
    ]
    run = _run(project)
    events += list(train(plan, project, resume=run.name))
    rates = _rates(events)
    assert {rates[step] for step in (1, 2)} == {1e-3}
    assert {rates[step] for step in range(3, 9)} == {0.5e-3}
    assert [e.epoch for e in events if isinstance(e, RoundFinished)] == [2, 4]


def test_who_asks_for_rounds_by_epochs_ends_rounds_by_steps(project, make_plan):
    plan = make_plan(schedule=SCHEDULE | {"refresh_steps": 1})
    asking = [(lambda e: isinstance(e, RoundFinished), RefreshEvery(epochs=2))]
    events = _trained(plan, project, asking=asking)
    assert _told(events) == ["a round every 2 epochs from epoch 4 on"]
    steps = [e.step for e in events if isinstance(e, RoundFinished)]
    assert steps == [4, 5, 8]  # by steps within epoch 3, by epochs from its end on


def test_a_new_plan_has_the_last_word(project, plan, make_plan):
    asking = [(_after(1), LearningRate(rate=0.5e-3)), (_after(3), Stop())]
    _trained(plan, project, asking=asking)
    slower = make_plan(schedule=SCHEDULE | {"learning_rate": 1e-4})
    events = list(train(slower, project, resume=_run(project).name))
    assert set(_rates(events).values()) == {1e-4}
    assert _told(events) == ["resumed with schedule.learning_rate 0.0001, was 0.001"]


def test_a_wish_made_in_the_last_epoch_says_that_it_comes_too_late(project, plan):
    events = _trained(plan, project, asking=[(_after(7), LearningRate(rate=0.5))])
    assert _told(events) == [
        "learning rate 0.5 only if the run is resumed with more epochs, because this is the last"
    ]


def test_the_next_round_comes_at_once_in_the_warm_up_too(project, plan):
    events = _trained(plan, project, asking=[(_after(1), NextRound())])
    assert _told(events) == ["epoch 1 ends here, round 1 is next"]
    (first, *_) = [e for e in events if isinstance(e, RoundFinished)]
    assert (first.round, first.step, first.epoch) == (1, 1, 1)
    assert len(_rates(events)) == 7


def test_a_round_asked_for_before_the_first_step_takes_no_epoch_away(project, plan):
    def second_round(event):
        return isinstance(event, RoundFinished) and event.round == 2

    events = _trained(plan, project, asking=[(second_round, NextRound())])
    assert _told(events) == ["round 3 is next"]
    rounds = [(e.round, e.epoch) for e in events if isinstance(e, RoundFinished)]
    assert rounds == [(1, 2), (2, 3), (3, 3), (4, 4)]
    assert len(_rates(events)) == 8
    assert len([e for e in events if isinstance(e, Validated)]) == 4


def test_the_next_round_of_the_last_epoch_is_the_last_of_the_run(project, plan):
    events = _trained(plan, project, asking=[(_after(7), NextRound())])
    assert [e.round for e in events if isinstance(e, RoundFinished)] == [1, 2, 3]
    assert len(_rates(events)) == 7
    assert events[-1].outcome == "done"


def test_who_moves_rounds_is_told_how_many_are_left_to_learn_from(project, plan):
    asking = [(_after(5), RefreshEvery(epochs=2)), (_after(5), NextRound())]
    events = _trained(plan, project, asking=asking)
    asked = {event.what: event.rounds_left for event in events if isinstance(event, Steered)}
    assert asked == {"refresh every": 0, "next round": 1}
    rounds = [(e.epoch, e.rounds_left) for e in events if isinstance(e, RoundFinished)]
    assert rounds == [(2, 1), (3, 0), (4, 0)]


def test_where_labels_alone_teach_there_is_no_round_to_ask_for(project, make_plan):
    plan = make_plan(system="supervised", schedule=SCHEDULE | {"warmup_epochs": 0})
    asking = [(_after(1), NextRound()), (_after(1), RefreshEvery(epochs=2))]
    events = _trained(plan, project, asking=asking)
    assert all("labels only" in text for text in _told(events))
    assert len(_rates(events)) == 8


@pytest.mark.parametrize(
    "wish",
    [
        LearningRate(rate=0),
        LearningRate(rate=-1e-3),
        LearningRate(rate=float("nan")),
        LearningRate(rate=float("inf")),
        LearningRate(rate="fast"),
        LearningRate(rate=10**400),
        RefreshEvery(epochs=0),
        RefreshEvery(epochs=1.5),
        RefreshEvery(epochs=10**400),
        RefreshEvery(epochs=None),
    ],
    ids=lambda wish: str(wish)[:40],
)
def test_nonsense_is_refused_in_words(plan, wish):
    class Run:
        learns_from_pseudo_labels = True
        progress = SimpleNamespace(step=3, epoch=1)

    told = steering._changed(wish, Run())
    assert told.text.startswith("refused: ")
    assert told.counts_from is None


def test_wishes_are_heard_from_the_folder_but_not_those_of_before(project, plan):
    _trained(plan, project, asking=[(_after(3), Stop())])
    run = _run(project)
    leave_wish(run, Stop())  # nobody trains: it must not stop whoever resumes
    events, left = [], False
    for event in train(plan, project, resume=run.name):
        events.append(event)
        if isinstance(event, StepReported) and not left:
            left = True
            leave_wish(run, Snapshot())
    assert events[-1].outcome == "done"
    saved = [e.step for e in events if isinstance(e, CheckpointSaved)]
    assert saved[0] == 4
    assert read_info(checkpoints_of(run)[-1]).step == 8
