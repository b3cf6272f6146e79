"""The thread repeats what training says, holds it, stops it, and never swallows an error."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from smarthdr_studio.core.errors import DeviceError, OutOfMemory, Remedy
from smarthdr_studio.core.training.events import PhaseChanged, StepReported
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.steering import GoOn, Pause, Snapshot
from smarthdr_studio.studio.tasks import TaskRunner, plain
from smarthdr_studio.studio.training.controller import TrainingThread

training = pytest.importorskip("smarthdr_studio.learning.trainer")


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
        self.said, self.held = 0, None

    def __call__(self, plan, project, *, resume=None, wishes=None):
        try:
            for event in self.events:
                time.sleep(self.pause_s)
                while wishes.take() == (Pause(),):
                    while GoOn() not in wishes.take():
                        self.held = self.said
                        yield PhaseChanged(phase="paused", text="paused", step=0)
                        time.sleep(0.001)
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
        thread.failed.connect(lambda words, remedies: thread.failures.append((words, remedies)))
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.stop()
        qtbot.waitUntil(thread.isFinished, timeout=10000)
        thread.deleteLater()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt's own priorities act there")
def test_a_run_gives_way_to_the_window_and_to_what_a_person_waits_for(run, qtbot, qapp):
    found = {}

    def niceness(who):
        found[who] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def train(*_arguments, **_wishes):
        niceness("run")
        yield step(1)

    tasks = TaskRunner(qapp)
    tasks.start(plain(niceness, "job"))
    thread = run(train)
    qtbot.waitUntil(lambda: thread.isFinished() and tasks.at_rest, timeout=10000)
    tasks.close()
    niceness("window")
    assert found["window"] < found["job"] < found["run"]


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


def test_a_pause_takes_no_further_step_until_it_may_go_on(run, qtbot):
    course = Course([step(number) for number in range(100000)], pause_s=0.001)
    thread = run(course)
    qtbot.waitUntil(lambda: len(thread.heard) > 0, timeout=20000)
    thread.pause()
    qtbot.waitUntil(lambda: course.held is not None, timeout=20000)
    qtbot.wait(50)
    assert course.said == course.held
    thread.go_on()
    qtbot.waitUntil(lambda: course.said > course.held, timeout=20000)


def test_a_pause_that_ends_before_it_was_heard_holds_nothing_for_ever(run, qtbot):
    course = Course([step(number) for number in range(300)], pause_s=0.001)
    thread = run(course)
    for _ in range(5):
        thread.pause()
        thread.go_on()
    qtbot.waitUntil(thread.isFinished, timeout=30000)
    assert course.said == 300


def test_what_follows_a_pause_is_heard_while_it_lasts(run, qtbot):
    thread = TrainingThread(TrainingPlan(), Path("/none"), resume=None, parent=None)
    for wish in (Snapshot(), Pause(), Snapshot(), GoOn()):
        thread.wishes.ask(wish)
    assert thread.wishes.take() == (Snapshot(), Pause())
    assert thread.wishes.take() == (Snapshot(), GoOn())
    assert thread.wishes.take() == ()


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
    assert words in thread.failures[0][0]
    assert thread.heard == [step(0)]


def test_running_out_of_memory_leaves_the_thread_with_its_remedies(run, qtbot):
    remedies = (Remedy(text="Half the batch", changes={"batch.labelled": 4}),)
    thread = run(Course([step(0)], error=OutOfMemory("Out of memory.", remedies=remedies)))
    qtbot.waitUntil(lambda: bool(thread.failures), timeout=20000)
    assert thread.failures == [("Out of memory.", remedies)]
