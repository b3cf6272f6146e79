"""The thread repeats what training says, holds it, stops it, and never swallows an error."""

import threading
import time
from pathlib import Path

import pytest

from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.events import PhaseChanged, StepReported
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.studio.threads.training import TrainingThread

training = pytest.importorskip("smarthdr_studio.learning.training")


def step(number):
    return StepReported(
        step=number,
        epoch=0,
        losses={"total": 1.0},
        learning_rate=1e-3,
        images_per_second=1.0,
        seconds_left=1.0,
    )


class Course:
    """Stands in for train(): says these events and remembers that it was closed."""

    def __init__(self, events, *, error=None, pause_s=0.0):
        self.events, self.error, self.pause_s = events, error, pause_s
        self.closed = threading.Event()
        self.said = 0

    def __call__(self, plan, project, *, resume=None):
        try:
            for event in self.events:
                time.sleep(self.pause_s)
                self.said += 1
                yield event
            if self.error is not None:
                raise self.error
        finally:
            self.closed.set()


@pytest.fixture
def run(monkeypatch, qapp, qtbot):
    """Starts a thread over a course; waits for it at the end."""
    threads = []

    def start(course):
        monkeypatch.setattr(training, "train", course)
        thread = TrainingThread(TrainingPlan(), Path("/none"), resume=None, parent=qapp)
        thread.heard, thread.failures, thread.signals = [], [], []
        thread.reported.connect(thread.heard.extend)
        thread.reported.connect(thread.signals.append)
        thread.failed.connect(thread.failures.append)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.stop()
        qtbot.waitUntil(thread.isFinished, timeout=10000)
        thread.deleteLater()


def test_every_event_arrives_in_order_and_fast_steps_travel_together(run, qtbot):
    events = [step(number) for number in range(2000)]
    thread = run(Course(events))
    qtbot.waitUntil(lambda: len(thread.heard) == 2000, timeout=10000)
    assert thread.heard == events
    assert len(thread.signals) < 100


def test_a_phase_is_told_at_once(run, qtbot):
    phase = PhaseChanged(phase="labelling", text="labelling", step=0)
    thread = run(Course([step(0), step(1), phase, *map(step, range(2, 500))], pause_s=0.001))
    qtbot.waitUntil(lambda: phase in thread.heard, timeout=20000)
    assert len(thread.heard) < 400


def test_a_pause_asks_for_no_further_event(run, qtbot):
    course = Course([step(number) for number in range(100000)], pause_s=0.001)
    thread = run(course)
    qtbot.waitUntil(lambda: len(thread.heard) > 0, timeout=20000)
    thread.pause()
    qtbot.wait(50)
    held = course.said
    qtbot.wait(100)
    assert course.said == held
    assert len(thread.heard) == held
    thread.resume()
    qtbot.waitUntil(lambda: course.said > held, timeout=20000)


@pytest.mark.parametrize("paused", [False, True])
def test_a_stop_closes_the_generator_so_that_it_saves(run, qtbot, paused):
    course = Course([step(number) for number in range(100000)], pause_s=0.001)
    thread = run(course)
    qtbot.waitUntil(lambda: len(thread.heard) > 0, timeout=20000)
    if paused:
        thread.pause()
    thread.stop()
    qtbot.waitUntil(thread.isFinished, timeout=20000)
    assert course.closed.is_set()
    assert thread.failures == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DeviceError("cuda:3: no such device; choose cpu"), "cuda:3: no such device; choose cpu"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "ran out of memory"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_an_error_leaves_the_thread_as_words(run, qtbot, error, words):
    thread = run(Course([step(0)], error=error))
    qtbot.waitUntil(lambda: bool(thread.failures), timeout=20000)
    assert words in thread.failures[0]
    assert thread.heard == [step(0)]
