"""Run after run in one window: no thread, no memory and no widget is left of them."""

import gc
import os
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from smarthdr_studio.studio.state import Activity
from smarthdr_studio.studio.training.controller import TrainingThread

RUNS = 20
FIRST = 8  # runs after which pools of threads and memory have the size they keep
OVER = (Activity.DONE, Activity.STOPPED, Activity.FAILED)
PLAN = """
[network]
name = "light"
[schedule]
epochs = 2
warmup_epochs = 1
steps_per_epoch = 1
[batch]
crop = 32
stride = 32
labelled = 1
unlabelled = 1
[loss]
perceptual_weight = 0.0
"""


PAGES = Path("/proc/self/statm")


def resident():
    """Bytes of this process that are in memory."""
    return int(PAGES.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def alive(kind):
    gc.collect()
    return sum(issubclass(type(thing), kind) for thing in gc.get_objects())


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not PAGES.exists(), reason="asks Linux for its memory")
def test_twenty_runs_in_one_window_leave_no_thread_and_no_memory(
    window, qtbot, until, fresh_project, tmp_path
):
    path = tmp_path / "tiny.toml"
    path.write_text(PLAN)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    held, widgets = [], []
    for _ in range(RUNS):
        window.session.training.train(preset=str(path), device="cpu")
        until(window.session, lambda s: s.training.activity in OVER, timeout=400000)
        assert window.session.state.training.activity is Activity.DONE
        qtbot.waitUntil(lambda: window.session.at_rest, timeout=300000)
        held.append(resident())
        widgets.append(alive(QWidget))
    qtbot.waitUntil(lambda: alive(TrainingThread) == 0, timeout=20000)
    assert min(widgets[FIRST:]) <= max(widgets[:FIRST]), widgets
    # A leak of one run would show twelve times: its networks, optimiser and crops are 20 MiB.
    assert max(held[FIRST:]) - max(held[:FIRST]) < 60 * 2**20, [size >> 20 for size in held]
