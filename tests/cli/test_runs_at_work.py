"""Steering, resuming and continuing runs from a shell: what is asked is what happens."""

import threading

import pytest
from made_runs import a_run, log, started

from smarthdr_studio.core.training.events import RunFinished, RunStarted
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.run_index import list_rows, row_of
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.training.steering import (
    GoOn,
    LearningRate,
    NextRound,
    Pause,
    RefreshEvery,
    Snapshot,
    Stop,
    take_wishes,
)
from smarthdr_studio.learning import trainer
from smarthdr_studio.learning.run_setup import write_plan

NAME = "20261101-120000-quick"
TINY = {
    "schedule.epochs": 40,
    "schedule.warmup_epochs": 1,
    "schedule.steps_per_epoch": 1,
    "batch.crop": 64,
    "batch.labelled": 1,
    "batch.unlabelled": 1,
    "held_out": 1,
}
SET = tuple(word for key, value in TINY.items() for word in ("--set", f"{key}={value}"))


@pytest.fixture
def stopped(project):
    """A run with changed settings that was stopped."""
    folder = a_run(project, NAME)
    write_plan(folder.plan_path, load_preset("quick", changes={"schedule.epochs": 55, "seed": 7}))
    log(folder, started(), RunFinished(run=NAME, outcome="stopped", step=1, message="asked"))
    return folder


@pytest.fixture
def asked(monkeypatch):
    """What `train` was called with, instead of training."""
    calls = []

    def fake(plan, project, *, resume=None):
        calls.append((plan, resume))
        yield RunStarted(
            run=resume or "new",
            folder="",
            device="cpu",
            network="light",
            total_steps=1,
            total_epochs=1,
        )
        yield RunFinished(run=resume or "new", outcome="done", step=1, message="trained")

    monkeypatch.setattr(trainer, "train", fake)
    return calls


@pytest.mark.parametrize(
    ("words", "wishes"),
    [
        (("pause",), (Pause(),)),
        (("go-on",), (GoOn(),)),
        (("stop",), (Stop(),)),
        (("snapshot",), (Snapshot(),)),
        (("next-round",), (NextRound(),)),
        (("set", "--learning-rate", "1e-4"), (LearningRate(rate=1e-4),)),
        (
            ("set", "--learning-rate", "0.5", "--refresh-every", "3"),
            (LearningRate(rate=0.5), RefreshEvery(epochs=3)),
        ),
    ],
)
def test_a_wish_is_left_for_the_run_at_work(run, project, stopped, words, wishes):
    verb, *rest = words
    with run_lock(stopped.path):
        answer = run("runs", verb, project, *rest, "--json")
        assert answer.status == 0, answer.err
        assert answer.json["run"] == NAME
        assert len(answer.json["asked"]) == len(wishes)
        assert run("runs", verb, project, NAME, *rest).out.startswith(NAME)
    assert take_wishes(stopped.path) == wishes * 2


def test_where_two_are_at_work_one_has_to_be_named(run, project, stopped):
    other = a_run(project, "20261102-120000-quick")
    with run_lock(stopped.path), run_lock(other.path):
        assert "2 runs are at work" in run("runs", "pause", project).err
        assert run("runs", "pause", project, other.id).status == 0
    assert take_wishes(other.path) == (Pause(),)


def test_a_run_that_begins_beside_another_says_so_and_one_alone_says_nothing(
    run, project, stopped, asked
):
    assert "at work" not in run("train", project, "--preset", "quick").err
    with run_lock(stopped.path):
        answer = run("train", project, "--preset", "quick")
    assert answer.status == 0, answer.err
    assert f"{NAME} is at work in this project too" in answer.err
    assert len(asked) == 2


@pytest.mark.parametrize("verb", [("train", "--resume"), ("runs", "resume")])
@pytest.mark.parametrize("name", [NAME, "last"])
def test_a_run_is_resumed_with_its_plan_and_changes(run, project, stopped, asked, verb, name):
    first, second = verb
    words = (first, project, second, name) if first == "train" else (first, second, project, name)
    answer = run(*words, "--set", "batch.labelled=3", "--device", "cpu")
    assert answer.status == 0, answer.err
    ((plan, resume),) = asked
    assert (resume, plan.seed, plan.schedule.epochs) == (NAME, 7, 55)
    assert (plan.batch.labelled, plan.device) == (3, "cpu")


def test_the_last_run_cannot_be_resumed_while_it_is_at_work_and_that_is_why(run, project, stopped):
    with run_lock(stopped.path):
        answer = run("train", project, "--resume", "last")
    assert answer.status == 2
    assert f"its run {NAME} is at work in another process; stop it first with:" in answer.err


@pytest.mark.parametrize("verb", [("train", "--resume"), ("runs", "resume")])
def test_a_run_that_is_done_is_called_done_where_none_can_be_resumed(run, project, stopped, verb):
    log(stopped, started(), RunFinished(run=NAME, outcome="done", step=1, message="trained"))
    first, second = verb
    words = (first, project, second, "last") if first == "train" else (*verb, project, "last")
    answer = run(*words)
    assert answer.status == 2
    assert f"{NAME} is done" in answer.err
    assert "without --resume" not in answer.err


def test_a_new_run_begins_with_the_plan_of_an_earlier_one(run, project, stopped, asked):
    answer = run("train", project, "--from", NAME, "--set", "schedule.epochs=66", "--seed", 8)
    assert answer.status == 0, answer.err
    ((plan, resume),) = asked
    assert (resume, plan.seed, plan.schedule.epochs) == (None, 8, 66)
    assert plan.network.start_from is None


def test_weights_are_asked_of_a_run_that_has_some(run, project, stopped, asked):
    answer = run("train", project, "--from", "last", "--with-weights")
    assert answer.status == 2
    assert "no whole checkpoint" in answer.err
    assert asked == []


def test_the_command_that_is_printed_gives_the_same_plan(run, project, stopped, asked):
    words = ("--from", NAME, "--set", "mask.tau=1")
    assert run("train", project, *words, "--print-command").status == 2
    said = run("train", project, "--from", NAME, "--print-command").out
    run(*said.split()[1:])
    run("train", project, "--from", NAME)
    assert asked[0] == asked[1]
    said = run("train", project, "--resume", "last", "--set", "batch.labelled=3", "--print-command")
    assert said.out == f"smarthdr-studio train {project} --resume {NAME} --set batch.labelled=3\n"
    assert len(asked) == 2


def test_the_other_processes_of_torchrun_are_silent(run, project, asked, monkeypatch):
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29999")
    for words in ((), ("--json",)):
        answer = run("train", project, *words)
        assert (answer.status, answer.out, answer.err) == (0, "", "")
    monkeypatch.setenv("RANK", "0")
    assert run("train", project, "--json").lines[-1]["exit"] == 0


def test_an_estimate_says_what_it_would_take_and_writes_nothing(run, project):
    answer = run("train", project, *SET, "--device", "cpu", "--estimate", "--json")
    assert answer.status == 0, answer.err
    told = answer.json["estimate"]
    assert told["epochs"] == 40
    assert told["all_disk_bytes"] > 0
    assert not (project / "runs").exists()


@pytest.mark.slow
def test_a_run_is_paused_stopped_resumed_and_continued_from_a_shell(run, project):
    steering = threading.Thread(target=_pause_and_stop, args=(run, project), daemon=True)
    steering.start()
    answer = run("train", project, *SET, "--device", "cpu", "--json")
    steering.join()
    assert answer.status == 3, answer.err
    name = answer.lines[0]["run"]
    last = answer.lines[-1]
    assert (last["outcome"], last["exit"]) == ("stopped", 3)
    folder = RunFolder(project / "runs" / name)
    assert row_of(folder).status == "stopped"

    few = ("--set", f"schedule.epochs={last['step'] + 1}")
    resumed = run("runs", "resume", project, "last", *few, "--json")
    assert resumed.status == 0, resumed.err
    assert (resumed.lines[0]["run"], resumed.lines[0]["step"]) == (name, last["step"])

    again = ("--set", "schedule.epochs=1")
    continued = run("train", project, "--from", name, "--with-weights", *again, "--json")
    assert continued.status == 0, continued.err
    assert continued.lines[0]["run"] != name
    compared = run("runs", "compare", project, name, continued.lines[0]["run"], "--json").json
    assert "network.start_from" in compared["settings"]
    assert [each["status"] for each in _listed(project)] == ["done", "done"]


def _listed(project):
    from smarthdr_studio.core.project.project import Project

    with Project.open(project) as opened:
        return [{"status": row.status} for row in list_rows(opened)]


def _pause_and_stop(run, project):
    """Steers as another terminal would, when the run has taken a step."""
    import time

    from smarthdr_studio.core.training.run_folder import run_folders
    from smarthdr_studio.core.training.steering import leave_wish

    def row():
        runs = run_folders(project)
        return row_of(runs[0]) if runs else None

    def wait(until):
        while (now := row()) is None or not until(now):
            time.sleep(0.05)

    wait(lambda now: now.step > 0)
    leave_wish(run_folders(project)[0].path, Pause())
    wait(lambda now: now.status == "paused")
    leave_wish(run_folders(project)[0].path, Stop())
