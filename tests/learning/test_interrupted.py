"""Whatever interrupts a run, and however often, it ends as if nothing had happened, bit for bit."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from by_night import SEED
from killed import copied_as_killed

from smarthdr_studio.core.training.events import PhaseChanged, RunFinished, StepReported, events_in
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.run_folder import RunFolder, checkpoints_of
from smarthdr_studio.core.training.steering import GoOn, Pause, Snapshot, Stop, Wishes, leave_wish
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning import steering
from smarthdr_studio.learning.checkpoints import load_state
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.slow

RUNS, INTERRUPTIONS, KILLS = 8, 6, 3  # 51 in all

TRAIN = """
import sys
from pathlib import Path
import torch
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.learning import compute
from smarthdr_studio.learning.trainer import train
torch.set_num_threads(1)
compute.has_bfloat16_arithmetic = lambda: False  # as in every test
plan, project, resume = sys.argv[1:]
for event in train(load_preset(plan), Path(project), resume=resume or None):
    pass
"""


@pytest.fixture(scope="module")
def plan(make_plan):
    schedule = {"epochs": 4, "warmup_epochs": 1, "steps_per_epoch": 3, "refresh_every": 2}
    return make_plan(schedule=schedule | {"final_decay": "cosine", "early_stop": 9})


@pytest.fixture(scope="module")
def uninterrupted(make_project, plan, tmp_path_factory):
    """How many events the whole run has, the loss terms of each step, and what it leaves."""
    project = make_project(tmp_path_factory.mktemp("uninterrupted"))
    events = list(train(plan, project))
    return len(events), _losses(events), _left_by(project)


@pytest.fixture(autouse=True)
def _quick_pauses(monkeypatch):
    monkeypatch.setattr(steering, "_POLL_SECONDS", 0.0)


def _losses(events):
    return {e.step: (e.losses, e.learning_rate) for e in events if isinstance(e, StepReported)}


def _run_of(project):
    (run,) = (project / "runs").iterdir()
    return RunFolder(run)


def _left_by(project):
    """Weights, optimiser, sources of chance and all else of the last checkpoint; pseudo-labels."""
    checkpoint = checkpoints_of(_run_of(project).path)[-1]
    weights = [(checkpoint / f"{part}.safetensors").read_bytes() for part in ("student", "teacher")]
    labels = {name: read_pseudo_label(project / "pseudo" / f"{name}.exr") for name in "uvw"}
    pictures = {name: (label.hdr, label.sigma) for name, label in labels.items()}
    return {"weights": weights, "state": load_state(checkpoint), "labels": pictures}


def _same(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    return first == second


class _Trainee:
    """A run that is driven event by event and interrupted in every way there is."""

    def __init__(self, project, plan):
        self.project, self.plan = project, plan
        self.told, self.done, self.resume, self.copies = [], False, None, 0
        self._begin()

    def _begin(self):
        self.wishes = Wishes()
        self.events = train(self.plan, self.project, resume=self.resume, wishes=self.wishes)

    def _resume(self):
        runs = sorted((self.project / "runs").glob("*"))
        self.resume = runs[0].name if runs else None
        self._begin()

    def go_on(self, count):
        """Takes so many events, or as many as there are."""
        for _ in range(count):
            event = next(self.events, None)
            if event is None:
                return
            self.told.append(event)
            self.done = self.done or isinstance(event, RunFinished)

    def pause(self):
        self.wishes.ask(Pause())
        paused = False
        for event in self.events:
            self.told.append(event)
            if isinstance(event, RunFinished):
                self.done = True  # too late to be heard
            elif isinstance(event, PhaseChanged) and event.phase == "paused" and not paused:
                paused = True
                self.wishes.ask(Snapshot())
                self.wishes.ask(GoOn())
            elif paused and isinstance(event, PhaseChanged) and event.phase != "paused":
                return

    def stop(self):
        if self.resume is None:
            self.wishes.ask(Stop())
        else:
            self.go_on(3)  # a wish is heard only by a run that has begun
            leave_wish(_run_of(self.project).path, Stop())
        rest = list(self.events)
        self.told += [event for event in rest if not isinstance(event, RunFinished)]
        self.done = any(isinstance(e, RunFinished) and e.outcome == "done" for e in rest)
        if not self.done:
            self._resume()

    def close(self):
        self.events.close()
        self._resume()

    def kill(self):
        """Goes on with what is on disk at this moment: nothing was closed before copying."""
        self.copies += 1
        copy = self.project.with_name(f"killed-{self.copies}.shdr")
        copied_as_killed(self.project, copy)
        self.events.close()
        self.project = copy
        self._resume()


@pytest.mark.parametrize("seed", range(RUNS))
def test_interrupted_at_random_moments_it_ends_the_same(
    project, plan, uninterrupted, seed, record_property
):
    count, losses, left = uninterrupted
    chance = random.Random(seed + RUNS * SEED)
    trainee = _Trainee(project, plan)
    for _ in range(INTERRUPTIONS):
        trainee.go_on(chance.randrange(count // (INTERRUPTIONS + 1)))
        assert not trainee.done
        getattr(trainee, chance.choice(["pause", "stop", "close", "kill"]))()
    trainee.go_on(10**6)
    assert trainee.done
    # After a kill steps are taken again: each time as the first time.
    told = [e for e in trainee.told if isinstance(e, StepReported)]
    assert all((e.losses, e.learning_rate) == losses[e.step] for e in told)
    assert {e.step for e in told} == losses.keys()
    assert _same(_left_by(trainee.project), left)
    record_property("trainings interrupted", 1)
    record_property("interruptions", INTERRUPTIONS)


def test_a_process_that_is_killed_loses_at_most_an_epoch(
    project, plan, uninterrupted, tmp_path, record_property
):
    _, losses, left = uninterrupted
    chance = random.Random(SEED)
    run = None
    for number in range(KILLS):
        steps = 2 + 3 * number + chance.randrange(2)
        run = _killed_after(steps, project, plan, run=run, tmp_path=tmp_path)
    written = load_preset(str(project / "runs" / run / "plan.toml"))
    assert _losses(train(written, project, resume=run)).items() <= losses.items()
    log = events_in((project / "runs" / run / "events.jsonl").read_bytes())
    assert _losses(log) == losses
    assert _same(_left_by(project), left)
    record_property("trainings interrupted", 1)
    record_property("interruptions", KILLS)


def _killed_after(steps, project, plan, *, run, tmp_path):
    """Trains in a process of its own until it has told so many steps; its run."""
    from smarthdr_studio.learning.run_setup import write_plan

    write_plan(tmp_path / "plan.toml", plan)
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "plan.toml"), str(project), run or ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and _steps_told(project) < steps:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    return _run_of(project).id


def _steps_told(project):
    logs = list((project / "runs").glob("*/events.jsonl"))
    return len(_losses(events_in(logs[0].read_bytes()))) if logs else 0
