"""Stopped and resumed equals uninterrupted, bit for bit."""

from contextlib import closing

import pytest
import torch
from killed import copied_as_killed

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunStarted,
    StepReported,
)
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.run_folder import checkpoints_of
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.model_files import load_model
from smarthdr_studio.learning.run_setup import prepare_run
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

SCHEDULE = {"epochs": 5, "warmup_epochs": 1, "steps_per_epoch": 2, "refresh_every": 2}


@pytest.fixture(scope="module")
def plan(make_plan):
    return make_plan(schedule=SCHEDULE | {"final_decay": "cosine"})


def _outcome(project):
    checkpoint = latest_checkpoint(project)
    teacher, _ = load_model(checkpoint)
    labels = {name: read_pseudo_label(project / "pseudo" / f"{name}.exr") for name in "uvw"}
    return teacher.state_dict(), labels


def _steps(events):
    return [
        (e.step, e.epoch, e.losses, e.learning_rate) for e in events if isinstance(e, StepReported)
    ]


def _same(first, second):
    weights, labels = first
    other_weights, other_labels = second
    assert all(torch.equal(weights[name], other_weights[name]) for name in weights)
    for name, label in labels.items():
        assert (label.hdr == other_labels[name].hdr).all()
        assert (label.sigma == other_labels[name].sigma).all()


@pytest.fixture(scope="module")
def uninterrupted(make_project, plan, tmp_path_factory):
    """Losses, weights and labels of the whole run."""
    project = make_project(tmp_path_factory.mktemp("uninterrupted"))
    events = list(train(plan, project))
    return _steps(events), _outcome(project)


def _stop_when(project, plan, *, stop, resume=None):
    """Events up to and with the first that `stop` accepts, then closed."""
    events = []
    with closing(train(plan, project, resume=resume)) as running:
        for event in running:
            events.append(event)
            if stop(event):
                return events, True
    return events, False


def _after(step):
    return lambda event: isinstance(event, StepReported) and event.step == step


def _during(words, *, step):
    return lambda e: isinstance(e, PhaseChanged) and words in e.text and e.step == step


STEPS = {f"after step {number}": _after(number) for number in range(1, 11)}
AMID = {
    "while saving": lambda e: isinstance(e, CheckpointSaved) and e.step == 2,
    "while labelling": _during("labelling scene 2", step=2),
    "while writing labels": _during("writing scene 3", step=2),
    "directly after labelling": lambda e: isinstance(e, RoundFinished),
    "in the middle of a round": _after(5),
    "while validating": _during("validating", step=6),
    "in the last labelling": _during("labelling scene 1", step=10),
}


@pytest.mark.parametrize("moments", [STEPS, AMID], ids=["every step", "amid other work"])
def test_stopped_and_resumed_equals_uninterrupted(project, plan, uninterrupted, moments):
    """A run is stopped at each moment in turn; what went wrong at one is seen at the next."""
    steps, outcome = uninterrupted
    taken, run = [], None
    for moment, stop in {**moments, "at its end": lambda event: False}.items():
        of = plan if run is None else load_preset(str(run / "plan.toml"))
        events, stopped = _stop_when(project, of, stop=stop, resume=run and run.name)
        assert stopped is (moment in moments), moment
        (started,) = [e for e in events if isinstance(e, RunStarted)]
        assert started.step == len(taken)
        assert started.total_steps == 10
        taken += _steps(events)
        assert taken == steps[: len(taken)], moment
        (run,) = (project / "runs").iterdir()
        torch.rand(7)  # what happens in between must not matter
    assert taken == steps
    _same(_outcome(project), outcome)


def test_after_a_kill_the_last_epoch_goes_on(project, plan, uninterrupted):
    # What is on disk at this moment is what a kill would leave: nothing is closed before copying.
    killed = project.with_name("killed.shdr")
    with closing(train(plan, project)) as running:
        for event in running:
            if isinstance(event, StepReported) and event.step == 5:
                copied_as_killed(project, killed)
                break
    (run,) = (killed / "runs").iterdir()
    events = list(train(plan, killed, resume=run.name))
    steps, outcome = uninterrupted
    assert _steps(events) == steps[4:]
    _same(_outcome(killed), outcome)


def test_after_a_kill_before_the_first_checkpoint_the_run_begins_again(
    project, plan, uninterrupted
):
    killed = project.with_name("killed.shdr")
    with closing(train(plan, project)) as running:
        for event in running:
            if isinstance(event, StepReported):
                copied_as_killed(project, killed)
                break
    (run,) = (killed / "runs").iterdir()
    steps, _ = uninterrupted
    assert _steps(list(train(plan, killed, resume=run.name))) == steps


def test_after_an_error_inside_a_step_the_run_goes_on_as_if_there_was_none(
    project, plan, uninterrupted, monkeypatch
):
    from smarthdr_studio.learning import mean_teacher as learners

    real, calls = learners.total_loss, []

    def total_loss(*args, **kwargs):
        calls.append(1)
        if len(calls) == 4:
            raise MemoryError
        return real(*args, **kwargs)

    monkeypatch.setattr(learners, "total_loss", total_loss)
    events = []
    with pytest.raises(Exception, match="Out of memory"):
        events.extend(train(plan, project))
    (run,) = (project / "runs").iterdir()
    steps, outcome = uninterrupted
    assert _steps(list(train(plan, project, resume=run.name))) == steps[3:]
    _same(_outcome(project), outcome)


def test_a_finished_run_goes_on_when_it_is_given_more_epochs(project, plan, make_plan):
    list(train(plan, project))
    (run,) = (project / "runs").iterdir()
    longer = make_plan(schedule=SCHEDULE | {"epochs": 6})
    events = list(train(longer, project, resume=run.name))
    assert [e.step for e in events if isinstance(e, StepReported)] == [11, 12]
    assert [e.round for e in events if isinstance(e, RoundFinished)] == [4, 5]


def test_only_the_checkpoints_and_rounds_that_can_be_needed_are_kept(project, plan):
    with closing(train(plan, project)) as running:
        for event in running:
            if isinstance(event, CheckpointSaved) and event.epoch == 4:
                break
    (run,) = (project / "runs").iterdir()
    assert 2 <= len(checkpoints_of(run)) <= 3
    assert [p.stem for p in sorted((run / "rounds").iterdir())] == ["0001", "0002"]


def test_a_run_that_is_not_there_is_refused(project, plan):
    with pytest.raises(CheckpointError, match="no such run"):
        list(train(plan, project, resume="nowhere"))


def test_preparing_writes_nothing(project, plan):
    prepare_run(plan, project)
    assert not (project / "runs").exists()
