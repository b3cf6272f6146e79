"""Two processes learn what one with twice the batch learns; only the first is heard and writes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from smarthdr_studio.core.environment import (
    SINGLE_PROCESS,
    ProcessRank,
    is_first_process,
    process_rank,
)
from smarthdr_studio.core.training.events import StepReported, Validated
from smarthdr_studio.core.training.run_folder import checkpoints_of
from smarthdr_studio.core.training.steering import LearningRate, NextRound, Wishes
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.checkpoints import read_info
from smarthdr_studio.learning.run_setup import write_plan
from smarthdr_studio.learning.trainer import train

# Sums are added up in another order; after some steps of Adam that is all the difference there is.
RELATIVE = 2e-3
WORKER = Path(__file__).with_name("one_of_several.py")
TORCHRUN = {
    "RANK": "1",
    "WORLD_SIZE": "4",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "a",
    "MASTER_PORT": "9",
}


@pytest.fixture
def plan(make_plan):
    return make_plan()


@pytest.fixture
def together(project, plan, tmp_path):
    """Trains in two processes; the exit status, and what the first process heard."""

    def run(*more: str, plan=plan) -> tuple[int, dict]:
        write_plan(tmp_path / "plan.toml", plan)
        answer = tmp_path / "answer.json"
        answer.unlink(missing_ok=True)
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
        command += [f"--master-port={_free_port()}", str(WORKER), str(project)]
        command += [str(tmp_path / "plan.toml"), str(answer), *more]
        alone = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, env=alone, capture_output=True, timeout=300, check=False)
        assert answer.is_file(), done.stderr.decode()[-4000:]
        return done.returncode, json.loads(answer.read_text(encoding="utf-8"))

    return run


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _losses(events) -> list[dict[str, float]]:
    return [event["losses"] for event in events if event["event"] == "StepReported"]


def _same(found, wanted) -> None:
    assert len(found) == len(wanted)
    for step, other in zip(found, wanted, strict=True):
        assert step == pytest.approx(other, rel=RELATIVE)


@pytest.fixture
def doubled(make_project, make_plan, tmp_path):
    """Trains one process with twice the batch; its project and the events."""
    plan = make_plan(batch={"labelled": 4, "unlabelled": 4})

    def run(*, round_after: int = 0) -> tuple[Path, list]:
        folder = tmp_path / "alone"
        folder.mkdir()
        project, events, wishes = make_project(folder), [], Wishes()
        for event in train(plan, project, wishes=wishes):
            events.append(event)
            if isinstance(event, StepReported) and event.step == round_after:
                wishes.ask(NextRound())
                wishes.ask(LearningRate(rate=5e-4))
        return project, events

    return run


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_with_twice_the_batch(
    together, project, make_plan, doubled
):
    # In two parts each, and with another rate and a round that the first alone is asked for.
    status, heard = together("--round-after=3", plan=make_plan(compute={"accumulate": 2}))
    assert (status, heard["error"]) == (0, "")
    other, events = doubled(round_after=3)
    rates = [e.learning_rate for e in events if isinstance(e, StepReported)]
    assert [e["learning_rate"] for e in heard["events"] if "learning_rate" in e] == rates
    _same(_losses(heard["events"]), [e.losses for e in events if isinstance(e, StepReported)])
    (started,) = [event for event in heard["events"] if event["event"] == "RunStarted"]
    assert started["processes"] == 2
    checks = [event["psnr_mu"] for event in heard["events"] if event["event"] == "Validated"]
    assert checks == pytest.approx(
        [e.psnr_mu for e in events if isinstance(e, Validated)], abs=0.02
    )
    for name in "uvw":
        ours, theirs = (read_pseudo_label(p / "pseudo" / f"{name}.exr") for p in (project, other))
        np.testing.assert_allclose(ours.hdr.astype(float), theirs.hdr, atol=5e-3)
        np.testing.assert_allclose(ours.sigma, theirs.sigma, rtol=5e-2)
    (run,) = (project / "runs").iterdir()
    assert len(list((run / "tensorboard").iterdir())) == 1


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on_in_any_number(together, project, plan, doubled):
    status, heard = together("--stop-after=3")
    assert (status, heard["error"]) == (0, "")
    (run,) = (project / "runs").iterdir()
    assert read_info(checkpoints_of(run)[-1]).step == 3
    first = _losses(heard["events"])
    _, again = together(f"--resume={run.name}", "--stop-after=4")
    first += _losses(again["events"])
    # One process alone sees half as many crops in a step; what was learned together stays.
    last = [e for e in train(plan, project, resume=run.name) if isinstance(e, StepReported)]
    assert [event.step for event in last] == [5, 6]
    _, events = doubled()
    _same(first, [e.losses for e in events if isinstance(e, StepReported)][:4])


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_in_a_sentence_and_it_can_go_on(together, project, plan):
    status, heard = together("--die-at=3")
    assert status != 0
    assert len(_losses(heard["events"])) == 3
    # Either the first missed the other, or torchrun has asked it to stop before it did.
    assert "Another process of this run has ended" in heard["error"] or not heard["error"]
    (run,) = (project / "runs").iterdir()
    assert read_info(checkpoints_of(run)[-1]).step == 3
    again = list(train(plan, project, resume=run.name))
    assert [event.step for event in again if isinstance(event, StepReported)] == [4, 5, 6]


def test_the_place_of_a_process_is_what_torchrun_says():
    assert process_rank(TORCHRUN) == ProcessRank(rank=1, size=4, local_rank=1)
    assert process_rank({"RANK": "1"}) == SINGLE_PROCESS
    assert process_rank({}) == SINGLE_PROCESS


def test_only_the_first_process_talks(monkeypatch):
    assert is_first_process()
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert not is_first_process()
