"""Jobs off the GUI thread: who hears of them, in which order, and how they end."""

import os
import sys
import threading
import time
import weakref

import pytest

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.studio.tasks import (
    How,
    LatestTask,
    Priority,
    RepeatedTask,
    TaskQueue,
    TaskRunner,
    Work,
    plain,
)


class Slow:
    """A job that answers when it is let go; with `reports` it can be given up on the way."""

    def __init__(self, answer=None, *, error=None):
        self.begun, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()
        self._answer, self._error = answer, error

    def __call__(self, report):
        self.begun.set()
        assert self.go.wait(20)
        self.ended.set()
        if self._error is not None:
            raise self._error
        return self._answer

    @property
    def let_go(self):
        self.go.set()
        return self


class Reporting(Slow):
    """The same, but it reports while it waits."""

    def __call__(self, report):
        self.begun.set()
        while not self.go.wait(0.005):
            report("working", 1, 4)
        self.ended.set()
        return self._answer


@pytest.fixture
def tasks(qapp, qtbot):
    runner = TaskRunner(qapp)
    yield runner
    runner.shut_down()
    qtbot.waitUntil(lambda: runner.at_rest, timeout=20000)
    runner.close()
    runner.deleteLater()


@pytest.fixture
def rest(qtbot, tasks):
    """Waits until no job is at work."""
    return lambda: qtbot.waitUntil(lambda: tasks.at_rest, timeout=20000)


def test_a_job_works_on_another_thread_and_answers_on_this_one(tasks, rest):
    told = []
    tasks.start(
        plain(threading.get_ident), lambda thread: told.append((thread, threading.get_ident()))
    )
    rest()
    ((worked, answered),) = told
    assert answered == threading.main_thread().ident != worked


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt's own priorities act there")
def test_a_job_gives_way_to_the_thread_that_paints_and_so_does_whom_it_starts(tasks, rest):
    def niceness(_report):
        found = []
        helper = threading.Thread(target=lambda: found.append(niceness_here()))
        helper.start()
        helper.join()
        return niceness_here(), *found

    told = []
    for _ in range(2):  # a thread that has given way once gives no more by its next job
        tasks.start(niceness, told.append)
        rest()
    painter = niceness_here()
    assert told == [(painter + 3, painter + 3)] * 2


def niceness_here():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_refusal_is_told_in_the_one_place(tasks, rest):
    refused, answered = [], []
    tasks.refused.connect(refused.append)
    tasks.start(Slow(error=ProjectError("p: is full; make room")).let_go, answered.append)
    rest()
    assert (refused, answered) == (["p: is full; make room"], [])


def test_an_error_nobody_thought_of_is_a_refusal_with_its_name(tasks, rest):
    refused = []
    tasks.refused.connect(refused.append)
    tasks.start(Slow(error=ValueError("seven")).let_go)
    rest()
    assert refused == ["ValueError: seven"]


def test_whoever_wants_to_hear_of_a_refusal_hears_it_alone(tasks, rest):
    everywhere, here = [], []
    tasks.refused.connect(everywhere.append)
    tasks.start(Slow(error=ProjectError("no")).let_go, on_refused=here.append)
    rest()
    assert (everywhere, here) == ([], ["no"])


def test_only_the_newest_answer_is_told(tasks, rest, qtbot):
    latest, told = LatestTask(tasks), []
    first, second, third = Slow("first"), Slow("second"), Slow("third")
    latest.start(first, told.append)
    qtbot.waitUntil(first.begun.is_set)
    for job in (second, third):
        latest.start(job, told.append)
    for job in (first, second, third):
        job.go.set()
    rest()
    assert told == ["third"]
    assert not second.begun.is_set()  # nobody waited for it when its turn came


def test_the_newest_begins_when_the_one_before_has_left_its_thread(tasks, rest, qtbot):
    latest, told = LatestTask(tasks), []
    first, second = Slow("first"), Slow("second")
    latest.start(first, told.append)
    qtbot.waitUntil(first.begun.is_set)
    latest.start(second, told.append)
    qtbot.wait(50)
    assert latest.at_work
    assert not second.begun.is_set()
    first.go.set()
    qtbot.waitUntil(second.begun.is_set)
    second.go.set()
    rest()
    assert told == ["second"]
    assert not latest.at_work


def test_a_late_refusal_is_dropped_as_well(tasks, rest, qtbot):
    latest, told = LatestTask(tasks), []
    tasks.refused.connect(told.append)
    late = Slow(error=ProjectError("late"))
    latest.start(late, told.append)
    qtbot.waitUntil(late.begun.is_set)
    latest.start(Slow("now").let_go, told.append)
    late.go.set()
    rest()
    assert told == ["now"]


def test_a_cancelled_job_stops_at_its_next_report_and_is_not_heard(tasks, rest, qtbot):
    latest, told, given_up = LatestTask(tasks), [], []
    job = Reporting("answer")
    latest.start(job, told.append, told.append, on_given_up=lambda: given_up.append(True))
    qtbot.waitUntil(job.begun.is_set)
    latest.cancel()
    assert not latest.at_work
    assert given_up == []  # not before it has left its thread
    rest()
    assert (told, given_up) == ([], [True])
    assert not job.ended.is_set()


def test_leaving_the_project_forgets_what_was_asked_for_it(tasks, rest, qtbot):
    told = []
    of_project, of_person = LatestTask(tasks), LatestTask(tasks, outlives_project=True)
    jobs = [Slow("project"), Slow("person"), Slow("file")]
    of_project.start(jobs[0], told.append)
    of_person.start(jobs[1], told.append)
    tasks.start(jobs[2], told.append)
    qtbot.waitUntil(lambda: all(job.begun.is_set() for job in jobs))
    tasks.forget()
    for job in jobs:
        job.go.set()
    rest()
    assert sorted(told) == ["file", "person"]


def test_asked_again_meanwhile_a_question_is_told_and_asked_once_more(tasks, rest, qtbot):
    jobs, told = [Slow(1), Slow(2), Slow(3)], []
    waiting = iter(jobs)
    repeated = RepeatedTask(tasks, lambda: next(waiting), told.append)
    repeated.ask()
    qtbot.waitUntil(jobs[0].begun.is_set)
    repeated.ask()
    repeated.ask()
    for job in jobs:
        job.go.set()
    rest()
    assert told == [1, 2]
    assert not jobs[2].begun.is_set()


def test_a_question_that_was_refused_can_be_asked_again(tasks, rest):
    refused, told = [], []
    jobs = iter([Slow(error=ProjectError("no")).let_go, Slow(2).let_go])
    repeated = RepeatedTask(tasks, lambda: next(jobs), told.append, refused.append)
    repeated.ask()
    rest()
    repeated.ask()
    rest()
    assert (refused, told) == (["no"], [2])


def test_a_question_for_the_next_project_waits_for_the_thread_of_the_last(tasks, rest, qtbot):
    jobs, told = [Slow("old"), Slow("new").let_go], []
    waiting = iter(jobs)
    repeated = RepeatedTask(tasks, lambda: next(waiting), told.append)
    repeated.ask()
    qtbot.waitUntil(jobs[0].begun.is_set)
    tasks.forget()
    repeated.ask()
    jobs[0].go.set()
    rest()
    assert told == ["new"]


def test_nothing_to_ask_is_no_question(tasks):
    repeated = RepeatedTask(tasks, lambda: None, pytest.fail)
    repeated.ask()
    assert tasks.at_rest


def test_a_shown_job_is_busy_until_it_is_over_or_cancelled(tasks, rest, qtbot):
    said = []
    tasks.busy.connect(lambda *words: said.append(words))
    tasks.idle.connect(lambda: said.append("idle"))
    latest, job = LatestTask(tasks, how=How(shown=True)), Reporting()
    latest.start(job, said.append)
    qtbot.waitUntil(lambda: ("working", 1, 4) in said)
    latest.cancel()
    assert said[-1] == "idle"
    rest()
    assert said[-1] == "idle"  # whatever it still reported
    assert said.count("idle") == 1


def test_the_bar_is_empty_before_the_answer_is_told(tasks, rest):
    said = []
    tasks.idle.connect(lambda: said.append("idle"))
    tasks.start(Slow("done").let_go, said.append, how=How(shown=True))
    rest()
    assert said == ["idle", "done"]


def test_progress_comes_in_order_before_the_answer(tasks, rest):
    said = []

    def job(report):
        for done in range(5):
            report("", done, 5)
        return "answer"

    LatestTask(tasks).start(
        job, said.append, on_progress=lambda _text, done, _of: said.append(done)
    )
    rest()
    assert said == [0, 1, 2, 3, 4, "answer"]


def test_a_queue_does_one_thing_after_the_other(tasks, rest, qtbot):
    queue, said, slow = TaskQueue(tasks), [], Slow("slow")
    queue.take(lambda: Work(job=slow, on_done=said.append, on_refused=said.append))
    queue.call(lambda: said.append("quick"))
    queue.afterwards(lambda: said.append("closed"))
    qtbot.waitUntil(slow.begun.is_set)
    assert not queue.at_rest
    assert said == []
    slow.go.set()
    rest()
    assert said == ["slow", "quick", "closed"]
    assert queue.at_rest


def test_a_queue_goes_on_after_a_refusal(tasks, rest):
    queue, said = TaskQueue(tasks), []
    failing = Slow(error=ProjectError("no")).let_go
    queue.take(lambda: Work(job=failing, on_done=said.append, on_refused=said.append))
    queue.call(lambda: said.append("next"))
    rest()
    assert said == ["no", "next"]


def test_a_persons_job_comes_before_those_in_the_background(tasks, rest, monkeypatch):
    tasks._pool.setMaxThreadCount(1)
    order, first = [], Slow()
    tasks.start(first)
    for number in range(2):
        tasks.start(
            plain(order.append, f"background {number}"), how=How(priority=Priority.BACKGROUND)
        )
    tasks.start(plain(order.append, "person"))
    first.go.set()
    rest()
    assert order == ["person", "background 0", "background 1"]


def test_who_only_watches_is_nobodys_work_until_all_is_to_end(tasks, qtbot):
    look = Slow()
    tasks.start(look, how=How(priority=Priority.WATCHING))
    qtbot.waitUntil(look.begun.is_set)
    assert tasks.at_rest
    tasks.shut_down()
    assert not tasks.at_rest
    look.go.set()
    qtbot.waitUntil(lambda: tasks.at_rest)


def test_the_end_waits_for_what_was_decided_and_cancels_the_rest(tasks, qtbot):
    told, rested = [], []
    tasks.rested.connect(lambda: rested.append(True))
    lasting, other = Slow("kept"), Reporting("lost")
    tasks.start(lasting, told.append, how=How(lasting=True))
    tasks.start(other, told.append)
    qtbot.waitUntil(lambda: lasting.begun.is_set() and other.begun.is_set())
    tasks.shut_down()
    tasks.start(Slow("never begun"), told.append)
    qtbot.wait(50)
    assert not tasks.at_rest
    assert not rested
    lasting.go.set()
    qtbot.waitUntil(lambda: tasks.at_rest)
    assert (told, rested) == (["kept"], [True])
    assert not other.ended.is_set()


def test_closing_returns_when_the_threads_are_done(qapp):
    runner = TaskRunner(qapp)
    done = []

    def job(report):
        while True:
            time.sleep(0.01)
            try:
                report("", 0, 0)
            except BaseException:
                done.append(True)
                raise

    runner.start(job, how=How(priority=Priority.WATCHING))
    time.sleep(0.05)
    runner.close()
    assert done == [True]
    runner.deleteLater()


def test_work_is_not_over_before_its_answer_was_heard(tasks, rest):
    seen = []
    tasks.start(plain(int), lambda _answer: seen.append(tasks.at_rest))
    rest()
    assert seen == [False]


def test_nothing_of_a_job_is_kept_when_it_is_over(tasks, rest):
    class Large:
        """Something nobody wants to hold for long."""

    large, latest = Large(), LatestTask(tasks)
    held = weakref.ref(large)
    latest.start(plain(list, (large,)), plain(str))
    del large
    rest()
    latest.start(plain(int), plain(str))
    rest()
    assert held() is None
