"""Driving a training run from the command line: its events, its end, and how it is stopped."""

import errno
import json
import os
import signal
import threading

import pytest

from smarthdr_studio.core.errors import DeviceError, OutOfMemory, ProjectError, Remedy
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    Validated,
)
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.learning import trainer

TINY = (
    "schedule.epochs=2",
    "schedule.warmup_epochs=1",
    "schedule.steps_per_epoch=1",
    "schedule.refresh_every=1",
    "batch.crop=64",
    "batch.labelled=1",
    "batch.unlabelled=1",
    "held_out=1",
)
SET = tuple(word for setting in TINY for word in ("--set", setting))


def step(number):
    return StepReported(
        step=number,
        epoch=1,
        losses={"total": float("nan")},
        learning_rate=1e-3,
        images_per_second=1.0,
        seconds_left=1.0,
    )


class FakeTraining:
    """Stands in for `train`: takes steps, does `between` after each, and remembers its closing."""

    def __init__(self, *, steps=3, between=lambda number: None, precision_why=""):
        self.steps, self.between, self.saved = steps, between, False
        self.precision_why = precision_why

    def __call__(self, plan, project, *, resume=None):
        self.plan, self.resume = plan, resume
        yield PhaseChanged(phase="preparing", text="reading", step=0)
        yield RunStarted(
            run="run-1",
            folder=str(project / "runs" / "run-1"),
            device="cpu",
            network="light",
            total_steps=self.steps,
            total_epochs=1,
            precision_why=self.precision_why,
        )
        try:
            yield CheckpointSaved(step=0, epoch=0, folder="checkpoint-0")
            for number in range(1, self.steps + 1):
                self.between(number)
                yield step(number)
        finally:
            self.saved = True
        yield RunFinished(run="run-1", outcome="done", step=self.steps, message="trained")


@pytest.fixture
def fake(monkeypatch):
    def plant(**how):
        found = FakeTraining(**how)
        monkeypatch.setattr(trainer, "train", found)
        return found

    return plant


def test_a_finished_run_ends_with_status_0_and_one_event_a_line(run, project, fake):
    fake()
    answer = run("train", project, "--json")
    assert answer.status == 0
    assert [line["event"] for line in answer.lines] == [
        "RunStarted",
        "PhaseChanged",
        "CheckpointSaved",
        *["StepReported"] * 3,
        "RunFinished",
    ]
    assert (answer.lines[0]["run"], answer.lines[-1]["exit"]) == ("run-1", 0)
    assert answer.err == ""


def test_what_a_run_computes_in_is_told_with_the_reason(run, project, fake, monkeypatch):
    fake(precision_why="the processor is old")
    piped = run("train", project)
    assert "cpu, float32" in piped.out  # of the table at the end
    told = run("train", project, "--json").lines[0]
    assert (told["precision"], told["precision_why"]) == ("float32", "the processor is old")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if there were a terminal
    assert "computes in float32: the processor is old" in run("train", project).err
    fake()
    assert "computes in" not in run("train", project).err


def test_a_log_file_hears_of_a_run_while_it_goes(run, project, fake, monkeypatch):
    """Where stderr is no terminal there is no bar, and minutes of silence look like a hang."""
    at = {1: 9.0, 2: 12.0, 3: 20.0}
    now = [0.0]
    fake(between=lambda number: now.__setitem__(0, at[number]))
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    told = run("train", project).err.splitlines()
    steps = [line.split(":")[0] for line in told if line.startswith("step")]
    assert told[:2] == ["reading", "run run-1"]  # what is prepared is said at once
    assert steps == ["step 1 of 3", "step 3 of 3"]  # the second came 3 s after the first


def test_epochs_of_checks_are_counted_from_1_as_the_diary_counts_them(run, project, monkeypatch):
    def checked(plan, project, *, resume=None):
        for event in FakeTraining()(plan, project, resume=resume):
            if isinstance(event, RunFinished):
                yield Validated(step=3, epoch=0, psnr_mu=31.5, psnr_l=30.0, ssim_mu=0.9, ssim_l=0.9)
            yield event

    monkeypatch.setattr(trainer, "train", checked)
    assert "epoch 1: held-out PSNR-μ 31.50 dB" in run("train", project).err


def test_as_many_rounds_are_told_as_were_made(run, project, monkeypatch):
    """Rounds are counted from 1."""

    def with_rounds(plan, project, *, resume=None):
        for event in FakeTraining()(plan, project, resume=resume):
            if isinstance(event, RunFinished):
                for number in (1, 2):
                    yield RoundFinished(
                        round=number,
                        step=3,
                        epoch=1,
                        masks=MaskSettings(),
                        retained=0.5,
                        patches_retained=0.6,
                        sigma_mean=0.1,
                    )
            yield event

    monkeypatch.setattr(trainer, "train", with_rounds)
    lines = run("train", project).out.splitlines()
    assert [line.split()[1] for line in lines if line.split()[:1] == ["rounds"]] == ["2"]


def test_figures_that_are_not_finite_are_null_in_json(run, project, fake):
    fake(steps=1)
    (reported,) = (
        line for line in run("train", project, "--json").lines if line["event"] == "StepReported"
    )
    assert reported["losses"] == {"total": None}


def test_a_full_disk_that_another_thread_notices_is_told_once(run, project, fake):
    def fail(number):
        def write():
            raise OSError(errno.ENOSPC, "No space left on device")

        log = threading.Thread(target=write)
        log.start()
        log.join()
        raise ProjectError("The disk is full: free some space and resume run-1")

    before = threading.excepthook
    fake(between=fail)
    assert "Traceback" not in run("train", project).err
    assert threading.excepthook is before


@pytest.mark.parametrize(
    "number", [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
)
def test_a_signal_saves_and_says_how_to_resume(run, project, fake, number):
    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        pytest.skip("whoever started the tests, as nohup does, had this signal ignored")
    planted = fake(steps=50, between=lambda n: os.kill(os.getpid(), number) if n == 2 else None)
    answer = run("train", project, "--json")
    assert answer.status == 3
    assert planted.saved
    assert f"smarthdr-studio train {project} --resume run-1" in answer.err
    last = answer.lines[-1]
    assert (last["outcome"], last["exit"]) == ("stopped", 3)
    # A terminal that is gone hears nothing more, not even the step at hand.
    assert last["step"] == (1 if signal.Signals(number).name == "SIGHUP" else 2)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(("rank", "words"), [(0, ["Stopping", "Resume"]), (1, [])])
def test_of_several_processes_only_the_first_says_that_it_stops(
    run, project, fake, monkeypatch, rank, words
):
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.setenv(name, str(rank))
    for name in ("WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "2")
    stop = signal.SIGTERM
    fake(steps=50, between=lambda n: os.kill(os.getpid(), stop) if n == 2 else None)
    answer = run("train", project, "--json")
    assert answer.status == 3
    assert [line.split()[0] for line in answer.err.splitlines()] == words
    wrong = run("train", project, "--set", "schedule.epoch=2")
    assert (wrong.status, len(wrong.err.splitlines())) == (2, len(words[:1]))


def test_a_run_that_failed_can_be_resumed_and_says_so_with_status_4(run, project, fake):
    def fail(number):
        raise DeviceError("the device is gone; plug it in")

    fake(between=fail)
    answer = run("train", project)
    assert answer.status == 4
    assert "plug it in" in answer.err
    assert answer.err.splitlines()[-1].endswith(f"train {project} --resume run-1")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_stopped_before_the_run_has_a_name_nothing_was_begun(run, project, monkeypatch, words):
    def stop_early(plan, project, *, resume=None):
        os.kill(os.getpid(), signal.SIGINT)
        yield PhaseChanged(phase="preparing", text="reading", step=0)

    monkeypatch.setattr("smarthdr_studio.learning.trainer.train", stop_early)
    answer = run("train", project, *words)
    assert answer.status == 2
    assert "Stopped before a run began; the same command begins it." in answer.err
    assert "saving" not in answer.err
    assert "--resume" not in answer.err
    if words:
        assert (answer.lines[-1]["outcome"], answer.lines[-1]["exit"]) == ("failed", 2)


def test_a_run_that_could_not_begin_says_so_in_json_too(run, project, monkeypatch):
    def refuse(plan, project, *, resume=None):
        yield PhaseChanged(phase="preparing", text="reading", step=0)
        raise DeviceError("cuda:7: no such device; take cpu")

    monkeypatch.setattr(trainer, "train", refuse)
    answer = run("train", project, "--json")
    assert (answer.status, answer.err) == (2, "cuda:7: no such device; take cpu\n")
    (last,) = answer.lines
    assert (last["event"], last["run"], last["outcome"], last["exit"]) == (
        *("RunFinished", ""),
        *("failed", 2),
    )


def test_a_fault_of_the_program_is_not_hidden_but_ends_the_lines(run, project, fake, capfd):
    def fail(number):
        raise ZeroDivisionError("a fault of ours")

    fake(between=fail)
    with pytest.raises(ZeroDivisionError):
        run("train", project, "--json")
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["exit"] == 1


def test_what_helps_against_a_full_memory_is_a_command(run, project, fake):
    remedies = (
        Remedy(text="half the batch", changes={"batch.labelled": 4, "precision": "bfloat16"}),
        Remedy(text="no compiling", changes={"compute.checkpointing": True}),
    )

    def fail(number):
        raise OutOfMemory("cpu: memory is full; take less", remedies=remedies)

    fake(between=fail)
    answer = run("train", project, "--json")
    assert answer.status == 4
    begin = f"smarthdr-studio train {project} --resume run-1"
    half, plain, _ = answer.err.splitlines()[1:]
    assert half == f"half the batch: {begin} --set batch.labelled=4 --set 'precision=\"bfloat16\"'"
    assert plain == f"no compiling: {begin} --set compute.checkpointing=true"
    last = answer.lines[-1]
    assert (last["event"], last["outcome"], last["exit"]) == ("RunFinished", "failed", 4)
    assert [each["text"] for each in last["remedies"]] == ["half the batch", "no compiling"]


def test_settings_reach_the_plan(run, project, fake):
    planted = fake()
    run("train", project, "--preset", "quick", *SET, "--seed", 7, "--device", "cpu")
    plan = planted.plan
    assert (plan.schedule.epochs, plan.seed, plan.device, plan.batch.crop) == (2, 7, "cpu", 64)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--set", "schedule.epoch=2"), "schedule.epoch"),
        (("--set", "schedule.epochs=none"), "schedule.epochs"),
        (("--set", "nonsense"), "KEY=VALUE"),
        (("--preset", "no-such"), "quick"),
        (("--preset", "no-such.toml"), "no such file"),
        (("--preset", "plans/no-such"), "no such file"),
        (("--resume", "no-such-run"), "no-such-run"),
        (("--resume", "no-such-run", "--seed", 1), "seed"),
        (("--resume", ""), "name of a run is missing"),
        (("--resume", "last"), "no run that can be resumed"),
        (("--from", "last"), "no runs yet"),
        (("--from", "no-such-run"), "no-such-run"),
        (("--with-weights",), "--from"),
        (("--preset", "quick", "--from", "no-such-run"), "one of them"),
        (("--device", "toaster"), "device"),
    ],
)
def test_bad_settings_are_one_sentence_and_status_2(run, project, words, named):
    answer = run("train", project, *words)
    assert answer.status == 2
    assert named in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (project / "runs").exists()


@pytest.mark.slow
def test_train_label_evaluate_and_merge_work_on_one_another(run, dataset, project, tmp_path):
    trained = run("train", project, "--preset", "quick", *SET, "--device", "cpu", "--json")
    assert trained.status == 0, trained.err
    assert trained.lines[-1]["event"] == "RunFinished"
    (name,) = (line["run"] for line in trained.lines if line["event"] == "RunStarted")

    labelled = run("label", project, "--json")
    assert labelled.status == 0, labelled.err
    assert [scene["id"] for scene in labelled.json["scenes"]] == ["003", "004", "005"]

    evaluated = run("evaluate", project, "--json")
    assert evaluated.status == 0, evaluated.err
    found = evaluated.json
    assert set(found["mean"]) == set(found["merge"]) == {"psnr_mu", "psnr_l", "ssim_mu", "ssim_l"}
    assert set(found["reliability"]) == {"spearman", "ause", "ence"}
    assert [scene["id"] for scene in found["scenes"]] == ["Test-006"]
    assert "mean" in run("evaluate", project, "--split", "unlabelled").out

    frames = sorted((dataset / "Test" / "006").glob("*.tif"))
    out = tmp_path / "merged.exr"
    merged = run("merge", *frames, "-o", out, "--checkpoint", found["checkpoint"])
    assert merged.status == 0, merged.err
    assert out.is_file()

    more = ("--set", "schedule.epochs=3")
    resumed = run("train", project, "--resume", name, *more, "--json")
    assert resumed.status == 0, resumed.err
    assert [line["run"] for line in resumed.lines if line["event"] == "RunStarted"] == [name]
