"""An estimate: it measures real steps, counts what a run counts, and leaves no trace."""

import hashlib
import threading
from pathlib import Path

import pytest

from smarthdr_studio.core.errors import DeviceError, OutOfMemory, StudioError
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunStarted,
    StepReported,
)
from smarthdr_studio.core.training.run_estimate import (
    Estimate,
    disk_warning,
    memory_warning,
    size_in_words,
)
from smarthdr_studio.learning import estimate as estimating
from smarthdr_studio.learning import estimate as learning_estimate
from smarthdr_studio.learning.estimate import estimate
from smarthdr_studio.learning.mean_teacher import MeanTeacher
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Steps are repeated for a moment only, however small."""
    monkeypatch.setattr(learning_estimate, "_STEPS_S", 0.02)
    monkeypatch.setattr(learning_estimate, "_PATIENCE_S", 1e6)


def estimated(plan, project):
    *words, last = estimate(plan, project)
    assert all(isinstance(event, PhaseChanged) for event in words)
    assert len(words) >= 2
    assert isinstance(last, Estimate)
    return last


def everything(folder: Path):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_it_says_what_it_will_take_and_writes_nothing(project, make_plan):
    Project.open(project).close()  # which may make the backup of the day
    before = everything(project)
    told = estimated(make_plan(), project)
    assert everything(project) == before
    assert (told.device, told.precision, told.epochs) == ("cpu", "float32", 3)
    assert told.total_seconds > 0
    assert told.warmup_epoch_seconds > 0
    assert told.learning_epoch_seconds > 0
    assert told.round_seconds > 0
    assert told.all_disk_bytes == sum(told.disk_bytes.values())
    assert told.measured.endswith("steps and a tile")
    assert told.warnings == ()


def test_epochs_for_which_crops_are_too_few_are_told_by_estimate_and_run(project, make_plan):
    masks = {"tau_patch": 1.0, "tau_pixel": 1.0}
    plan = make_plan(schedule={"steps_per_epoch": 5000, "epochs": 2}, masks=masks)
    (warning,) = estimated(plan, project).warnings
    began, *events = [e for e in train(plan, project) if isinstance(e, RunStarted | StepReported)]
    assert began.short_epochs == warning
    steps = [sum(each.epoch == epoch for each in events) for epoch in range(2)]
    assert warning == (
        f"an epoch on labels alone has {steps[0]} steps and one with pseudo-labels at most "
        f"{steps[1]} steps, not 5,000 (schedule.steps_per_epoch), as a pass over the crops there "
        "are ends it"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"schedule": {"steps_per_epoch": None, "epochs": 2}},
        {"schedule": {"refresh_every": 2, "epochs": 4, "validate_every": 2}},
        {"system": "supervised"},
        {"held_out": 0},
    ],
)
def test_it_counts_steps_rounds_and_checks_as_the_run_does(project, make_plan, changes):
    # With thresholds of 1 every crop counts, which is what an estimate assumes.
    plan = make_plan(**changes, masks={"tau_patch": 1.0, "tau_pixel": 1.0})
    told = estimated(plan, project)
    events = list(train(plan, project))
    count = dict.fromkeys((StepReported, RoundFinished), 0)
    for event in events:
        if type(event) in count:
            count[type(event)] += 1
    assert told.steps == count[StepReported]
    assert told.rounds == count[RoundFinished]


@pytest.mark.slow
def test_its_disk_is_within_reach_of_what_a_run_takes(project, make_plan):
    plan = make_plan()
    told = estimated(plan, project)
    (saved,) = [e for e in list(train(plan, project)) if isinstance(e, CheckpointSaved)][-1:]
    run = Path(saved.folder).parents[1]
    kept = {
        "checkpoints": sum(p.stat().st_size for p in run.glob("checkpoints/*/*")),
        "rounds": sum(p.stat().st_size for p in run.glob("rounds/*")),
        "pseudo-labels": sum(p.stat().st_size for p in (project / "pseudo").glob("*")),
    }
    for part, size in kept.items():
        assert size / 3 < told.disk_bytes[part] < 3 * size, part


def test_a_step_that_takes_too_long_is_told_from_a_smaller_one(project, make_plan, monkeypatch):
    sizes = []
    honest = MeanTeacher.step

    def counted(self, labelled, unlabelled, **how):
        sizes.append(len(labelled.sigma) + (0 if unlabelled is None else len(unlabelled.sigma)))
        return honest(self, labelled, unlabelled, **how)

    monkeypatch.setattr(MeanTeacher, "step", counted)
    monkeypatch.setattr(learning_estimate, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(learning_estimate, "_AT_ONCE_S", 0.0)
    told = estimated(make_plan(batch={"labelled": 6, "unlabelled": 2}), project)
    assert sizes == [2]
    assert "a step of 2 crops, scaled" in told.measured
    assert told.warmup_epoch_seconds == pytest.approx(told.learning_epoch_seconds * 6 / 8)


def test_closing_it_stops_it_before_the_next_step(project, make_plan, monkeypatch):
    steps = []
    honest = MeanTeacher.step
    monkeypatch.setattr(
        MeanTeacher, "step", lambda self, *a, **k: (steps.append(1), honest(self, *a, **k))[1]
    )
    going = estimate(make_plan(), project)
    while "first step" not in next(going).text:
        pass
    going.close()
    assert steps == []


def test_what_a_run_would_refuse_is_refused(project, make_plan):
    with pytest.raises(StudioError, match=r"batch\.crop is 512"):
        list(estimate(make_plan(batch={"crop": 512}), project))
    with pytest.raises(DeviceError, match="cuda:9"):
        list(estimate(make_plan(device="cuda:9"), project))


def test_too_little_memory_in_the_probe_is_told(project, make_plan, monkeypatch):
    def greedy(self, *args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(MeanTeacher, "step", greedy)
    with pytest.raises(OutOfMemory, match=r"start again with compute\.accumulate=2, or") as failure:
        list(estimate(make_plan(), project))
    assert failure.value.remedies


def test_no_run_begins_while_one_is_measured(project, make_plan):
    plan, events = make_plan(), []
    going = train(plan, project)
    events.append(next(going))
    beginning = threading.Thread(target=lambda: events.append(next(going)))
    measuring = estimate(plan, project)
    while "first step" not in next(measuring).text:
        pass
    beginning.start()
    beginning.join(0.2)
    assert len(events) == 1  # chance is shared by all threads: the run would not be the same
    measuring.close()
    beginning.join()
    assert isinstance(events[1], RunStarted)
    going.close()


def test_what_will_not_fit_is_warned_of(project, make_plan, monkeypatch):
    monkeypatch.setattr(estimating, "free_memory", lambda device: 1)
    monkeypatch.setattr(
        estimating.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1})
    )
    told = estimated(make_plan(), project)
    memory, disk = told.warnings
    assert "memory" in memory
    assert "compute.checkpointing" in memory
    assert "disk" in disk
    assert memory_warning(None, 1, device="mps") == ""
    assert disk_warning(5, None) == ""


def test_missing_weights_of_the_perceptual_term_are_told_not_fetched(
    project, make_plan, monkeypatch, tmp_path
):
    monkeypatch.setattr(estimating.torch.hub, "get_dir", lambda: str(tmp_path))
    told = estimated(make_plan(loss={"perceptual_weight": 0.01}), project)
    assert "VGG-16" in told.warnings[0]


def test_sizes_are_read_at_a_glance():
    sizes = {0: "0", 700: "1 KiB", 5 * 2**20: "5 MiB", 300 * 2**20: "300 MiB"}
    assert {n: size_in_words(n) for n in sizes} == sizes
    assert size_in_words(3 * 2**29) == "1.5 GiB"
