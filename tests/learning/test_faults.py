"""Whatever goes wrong is one sentence, and the run can be gone on with."""

import json

import pytest
import torch
from safetensors.torch import load_file

from smarthdr_studio.core.errors import DeviceError, OutOfMemory, StudioError
from smarthdr_studio.core.training.events import (
    RunFinished,
    Steered,
    StepReported,
    StepSkipped,
    events_in,
)
from smarthdr_studio.core.training.plan import load_preset, parse_plan
from smarthdr_studio.core.training.plan_schema import flat, nested
from smarthdr_studio.core.training.run_folder import checkpoints_of
from smarthdr_studio.learning import inference
from smarthdr_studio.learning import mean_teacher as learners
from smarthdr_studio.learning.checkpoints import read_info
from smarthdr_studio.learning.failures import memory_remedies
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

SCHEDULE = {"epochs": 2, "warmup_epochs": 1, "steps_per_epoch": 3}


@pytest.fixture
def plan(make_plan):
    return make_plan(schedule=SCHEDULE, loss={"nll_gradient": "judge"})


@pytest.fixture
def broken(monkeypatch):
    """Makes one call of a function, or all from some call on, fail with an error."""

    def break_call(owner, name, error, *, at, times=1):
        real, calls = getattr(owner, name), []

        def fails(*args, **kwargs):
            calls.append(1)
            if at <= len(calls) < at + times:
                raise error
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, fails)
        return lambda: monkeypatch.setattr(owner, name, real)

    return break_call


def _fails(plan, project, *, resume=None, kind=StudioError):
    """The events until the run fails, and its one sentence."""
    events = []
    with pytest.raises(kind) as failure:
        events.extend(train(plan, project, resume=resume))
    assert len(str(failure.value).splitlines()) == 1
    return events, failure.value


def _run(project):
    (run,) = (project / "runs").iterdir()
    return run


def _last_line(run):
    return list(events_in((run / "events.jsonl").read_bytes()))[-1]


def _changed(plan, changes):
    return parse_plan(nested(flat(plan) | dict(changes)))


@pytest.mark.parametrize(
    ("owner", "name", "at", "step", "first"),
    [
        (learners, "half_loss", 4, 3, "compute.accumulate"),  # one half in the warm-up, two later
        (inference, "predict_tiled", 2, 3, "tile"),  # after one validation, the first of a round
        (inference, "predict_tiled", 1, 3, "tile"),
    ],
)
def test_memory_that_runs_out_is_told_with_remedies_and_nothing_is_lost(
    project, plan, broken, owner, name, at, step, first
):
    mend = broken(owner, name, torch.OutOfMemoryError("CUDA out of memory."), at=at)
    plan = _changed(plan, {"tile": 128})
    _, error = _fails(plan, project, kind=OutOfMemory)
    assert next(iter(error.remedies[0].changes)) == first
    assert f"{first}=" in str(error)
    run = _run(project)
    said = _last_line(run)
    assert (said.outcome, said.step, said.remedies) == ("failed", step, error.remedies)
    assert read_info(checkpoints_of(run)[-1]).step == step
    mend()
    events = list(train(_changed(plan, error.remedies[0].changes), project, resume=run.name))
    assert isinstance(events[-1], RunFinished)
    assert [e.step for e in events if isinstance(e, StepReported)] == list(range(step + 1, 7))
    (steered,) = [e for e in events if isinstance(e, Steered)]
    assert steered.text.startswith(f"resumed with {first} ")


def test_every_remedy_can_be_applied_and_is_remembered(project, make_plan, broken):
    plan = make_plan(schedule=SCHEDULE, batch={"labelled": 3, "unlabelled": 2}, tile=128)
    mend = broken(learners, "half_loss", MemoryError(), at=6)
    _fails(plan, project, kind=OutOfMemory)
    mend()
    both = (True, False)
    changes = {
        key: value
        for predicting in both
        for remedy in memory_remedies(plan, predicting=predicting, could_bfloat16=False)
        for key, value in remedy.changes.items()
    }
    assert len(changes) == 5
    run = _run(project)
    lighter = _changed(plan, changes)
    assert list(train(lighter, project, resume=run.name))[-1].outcome == "done"
    assert load_preset(str(run / "plan.toml")) == lighter


def test_remedies_end_where_nothing_smaller_is_left(make_plan):
    plan = make_plan(batch={"labelled": 8, "unlabelled": 8}, tile=256)
    seen = []
    for _ in range(40):
        found = memory_remedies(plan, predicting=False, could_bfloat16=plan.precision == "auto")
        if not found:
            break
        seen.append(next(iter(found[0].changes)))
        plan = _changed(plan, found[0].changes)
    assert not found
    assert (plan.compute.accumulate, plan.batch.labelled, plan.batch.unlabelled) == (8, 1, 1)
    assert seen[:4] == ["compute.accumulate"] * 3 + ["compute.checkpointing"]
    tiles = memory_remedies(make_plan(tile=64), predicting=True, could_bfloat16=True)
    assert [dict(remedy.changes) for remedy in tiles] == [{"precision": "bfloat16"}]


def test_a_failed_step_holds_nothing_when_it_is_saved(project, plan, monkeypatch):
    import gc
    import weakref

    from smarthdr_studio.learning import trainer

    real, held, alive = learners.half_loss, [], []

    def half_loss(prediction, *args, **kwargs):
        held.append(weakref.ref(prediction.hdr))
        if len(held) == 3:
            raise MemoryError
        return real(prediction, *args, **kwargs)

    def snapshot(*args):
        gc.collect()
        alive.append([ref for ref in held if ref() is not None])
        return save(*args)

    save = trainer.snapshot
    monkeypatch.setattr(learners, "half_loss", half_loss)
    monkeypatch.setattr(trainer, "snapshot", snapshot)
    _fails(plan, project, kind=OutOfMemory)
    assert alive == [[]]


def _poisoned(monkeypatch, *, steps):
    """Makes the loss of these steps no number; steps are counted by their backward passes."""
    real, calls = learners.total_loss, []

    def total_loss(*args, **kwargs):
        calls.append(1)
        total = real(*args, **kwargs)
        return total * float("nan") if len(calls) in steps else total

    monkeypatch.setattr(learners, "total_loss", total_loss)


def test_a_step_without_a_number_teaches_nothing_and_keeps_its_batch(project, plan, monkeypatch):
    _poisoned(monkeypatch, steps={2, 5})
    events = list(train(plan, project))
    skipped = [e for e in events if isinstance(e, StepSkipped)]
    assert [(e.step, e.count) for e in skipped] == [(2, 1), (5, 2)]
    assert [e.step for e in events if isinstance(e, StepReported)] == [1, 3, 4, 6]
    assert events[-1].outcome == "done"
    batch = _run(project) / "faults" / "step-00000005.safetensors"
    assert skipped[1].batch == str(batch)
    told = json.loads(batch.with_suffix(".json").read_text())
    assert (told["step"], told["why"]) == (5, skipped[1].why)
    assert {half: len(crops) for half, crops in told["crops"].items()} == {
        "labelled": 2,
        "unlabelled": 2,
    }
    assert {crop["scene"] for crop in told["crops"]["unlabelled"]} <= {"u", "v", "w"}
    kept = load_file(batch)
    assert kept["labelled/under"].shape == kept["unlabelled/over"].shape == (2, 6, 32, 32)
    assert torch.isfinite(kept["labelled/hdr"]).all()


def test_too_many_of_them_in_a_row_end_the_run_also_across_a_stop(project, make_plan, monkeypatch):
    plan = make_plan(schedule=SCHEDULE, faults={"skipped_steps": 2, "kept_batches": 2})
    _poisoned(monkeypatch, steps={2, 3, 4, 5})
    stopped = train(plan, project)
    for event in stopped:
        if isinstance(event, StepSkipped):
            break
    stopped.close()
    run = _run(project)
    events, error = _fails(plan, project, resume=run.name, kind=DeviceError)
    assert [e.count for e in events if isinstance(e, StepSkipped)] == [2, 3]
    assert "set loss.nll_gradient to beta or lower schedule.learning_rate" in str(error)
    assert str(run / "faults" / "step-00000004.safetensors") in str(error)
    kept = sorted(path.name for path in (run / "faults").glob("*.safetensors"))
    assert kept == ["step-00000003.safetensors", "step-00000004.safetensors"]
    assert _last_line(run).outcome == "failed"
    assert list(train(plan, project, resume=run.name))[-1].outcome == "done"


def test_a_run_of_which_no_step_taught_anything_is_not_called_trained(
    project, make_plan, monkeypatch
):
    _poisoned(monkeypatch, steps=set(range(1, 100)))
    _, error = _fails(make_plan(schedule=SCHEDULE), project, kind=DeviceError)
    assert "in every step, so that nothing was learned" in str(error)
    assert _last_line(_run(project)).outcome == "failed"


def test_memory_that_runs_out_again_while_saving_is_the_same_sentence(
    project, plan, broken, monkeypatch
):
    from smarthdr_studio.learning import trainer

    broken(learners, "half_loss", MemoryError(), at=3)
    broken(trainer, "snapshot", MemoryError(), at=1)
    _, error = _fails(plan, project, kind=OutOfMemory)
    assert _last_line(_run(project)).message == str(error)


@pytest.mark.parametrize("change", [{"batch.unlabelled": 0}, {"system": "supervised"}])
def test_a_run_goes_on_with_labels_only_where_a_new_plan_says_so(project, make_plan, change):
    plan = make_plan(schedule=SCHEDULE | {"warmup_epochs": 0})
    going = train(plan, project)
    while not isinstance(next(going), StepReported):
        pass
    going.close()
    events = list(train(_changed(plan, change), project, resume=_run(project).name))
    assert events[-1].outcome == "done"
    losses = [event.losses for event in events if isinstance(event, StepReported)]
    assert len(losses) == 5
    assert not any(name.startswith("unlabelled") for each in losses for name in each)
