"""What is closed is gone, and dies on the thread that paints."""

import gc
import sys
import threading
import weakref
from types import ModuleType

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.environment import collect_garbage
from smarthdr_studio.studio.application import GarbageCollector
from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.state.inspection import Workspace
from smarthdr_studio.studio.tasks import TaskRunner

TIMES = 5


class Circle:
    """Garbage that only a collector finds."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def tasks(qapp):
    runner = TaskRunner(qapp)
    yield runner
    runner.close()
    runner.deleteLater()


def where_it_dies(told):
    """Makes garbage that says on which thread it is collected."""
    weakref.finalize(Circle(), lambda: told.append(threading.get_ident()))


def test_a_job_that_makes_many_objects_never_collects_what_the_window_left(tasks, qtbot):
    told, made, answers = [], [], []
    where_it_dies(told)

    def work(_report):
        made.extend([number] for number in range(200_000))
        return len(made)

    tasks.start(work, answers.append)
    qtbot.waitUntil(lambda: answers == [200_000], timeout=20000)
    qtbot.waitUntil(lambda: bool(told), timeout=20000)
    assert told == [threading.main_thread().ident]


def test_a_job_that_wants_garbage_collected_has_it_done_by_the_window(tasks, qtbot):
    told, answers = [], []
    where_it_dies(told)

    def work(_report):
        collect_garbage()
        return tuple(told)

    tasks.start(work, answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=20000)
    assert answers == [(threading.main_thread().ident,)]


def test_who_waited_for_a_job_is_forgotten_on_the_thread_of_the_window(tasks, qtbot):
    told = []

    def ask():
        waiting = Circle()
        weakref.finalize(waiting, lambda: told.append(threading.get_ident()))
        waiting.itself = None
        tasks.start(lambda _report: 1, lambda _answer: waiting)

    for _ in range(50):
        ask()
    qtbot.waitUntil(lambda: tasks.at_rest, timeout=20000)
    qtbot.waitUntil(lambda: len(told) == 50, timeout=20000)
    assert set(told) == {threading.main_thread().ident}


def left_after(open_and_close):
    """How many widgets there are more after each time."""
    counts = []
    for _ in range(TIMES):
        open_and_close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        counts.append(len(QApplication.allWidgets()))
    return [count - counts[0] for count in counts]


def shares():
    return np.linspace(0, 1, 33 * 33).reshape(33, 33)


def curve():
    made = Curve("Loss", "dB", across="round")
    made.extend("loss", np.arange(50.0), np.arange(50.0))
    return made


def histogram():
    made = ThresholdHistogram("τ_pa, patches")
    made.set_counts(np.linspace(0, 1, 65), np.arange(64, 0, -1))
    return made


def retention_map():
    made = RetentionMap()
    made.set_shares(shares())
    return made


@pytest.mark.parametrize("make", [curve, histogram, retention_map])
def test_a_chart_that_is_gone_leaves_no_widget(make, qapp):
    def open_and_close():
        chart = make()
        chart.show()
        assert chart.plot.isVisible()
        chart.figure()
        chart.make_menu().close()
        chart.close()
        chart.deleteLater()

    assert left_after(open_and_close) == [0] * TIMES


def test_a_window_that_is_closed_leaves_no_widget(qapp, qtbot, build_window, until, tiny_project):
    def open_and_close():
        window = build_window()
        window.show()
        window.session.take(tiny_project)
        until(window.session, lambda s: s.shown == "003" and s.charts is not None)
        for workspace in Workspace:
            window.session.work_in(workspace)
            qapp.processEvents()
        for chart in window.page.findChildren(RetentionMap):
            assert chart.plot
        window.session.shut_down()
        qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
        window.close()
        window.deleteLater()

    assert left_after(open_and_close) == [0] * TIMES


def test_what_came_with_many_modules_is_spared_once_no_more_of_them_come(qapp, monkeypatch):
    spared = []
    monkeypatch.setattr(gc, "freeze", lambda: spared.append(len(sys.modules)))
    for kept in (GarbageCollector(qapp), GarbageCollector(qapp, spares_modules=True)):
        for number in range(250):
            name = f"of_{id(kept)}_{number}"
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
            if number % 100 == 0:
                kept._look()
        assert spared == []
        for _ in range(3):
            kept._look()
        kept.deleteLater()
    assert spared == [len(sys.modules)]
