"""A process that trains all day gives back what each run has held."""

import gc
import threading
from pathlib import Path

import pytest

from smarthdr_studio.core.errors import OutOfMemory
from smarthdr_studio.core.training.events import StepReported
from smarthdr_studio.learning import mean_teacher as learners
from smarthdr_studio.learning.compute import memory_in_use, pick_device
from smarthdr_studio.learning.trainer import train

RUNS, SETTLED = 20, 8
MIB = 2**20
# Weights, optimiser and frames of twelve runs that stayed would be more; a cache that grows a
# little until it is full is less.
ROOM_MIB = 16


@pytest.fixture
def plan(make_plan):
    return make_plan(schedule={"epochs": 2, "warmup_epochs": 1, "steps_per_epoch": 1})


def _open_files():
    """What this process has open; None where the system does not tell."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return None
    return {path.readlink() for path in folder.iterdir() if path.is_symlink()}


@pytest.mark.slow
def test_twenty_runs_in_one_process_leave_nothing_behind(project, plan):
    cpu = pick_device("cpu")
    held, threads, files = [], [], []
    for _ in range(RUNS):
        assert list(train(plan, project))[-1].outcome == "done"
        gc.collect()
        held.append(memory_in_use(cpu))
        threads.append(threading.active_count())
        files.append({str(path) for path in _open_files() or () if str(project) in str(path)})
    assert threads[-1] == threads[0]
    assert not files[-1]
    if held[-1] is not None:
        assert held[-1] - held[SETTLED - 1] < ROOM_MIB * MIB


def test_who_hears_of_an_error_does_not_hold_the_run(project, plan, monkeypatch):
    import weakref

    alive = []

    class Watched(learners.MeanTeacher):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            alive.append(weakref.ref(self))

        def step(self, *_, **__):
            raise MemoryError

    monkeypatch.setattr("smarthdr_studio.learning.run_setup.MeanTeacher", Watched)
    events = train(plan, project)
    with pytest.raises(OutOfMemory) as failure:
        list(events)
    gc.collect()
    assert failure.value.remedies
    assert alive[0]() is None


def test_a_run_that_was_closed_is_let_go(project, plan):
    events = train(plan, project)
    for event in events:
        if isinstance(event, StepReported):
            break
    events.close()
    assert not [path for path in _open_files() or () if "events" in str(path)]
