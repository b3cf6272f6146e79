"""A run belongs to one process, and whoever wishes something of it is heard in order."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import a_run, log, started

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.training import run_lock as locking
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.core.training.run_lock import is_at_work, run_lock
from smarthdr_studio.core.training.steering import (
    GoOn,
    LearningRate,
    NextRound,
    Pause,
    RefreshEvery,
    Snapshot,
    Stop,
    Wishes,
    leave_wish,
    take_wishes,
)

HOLD = """
import sys, time
from pathlib import Path
from smarthdr_studio.core.training.run_lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""

WISHES = st.lists(
    st.one_of(
        st.sampled_from([Snapshot(), NextRound(), Pause(), GoOn(), Stop()]),
        st.floats(1e-9, 1.0).map(lambda rate: LearningRate(rate=rate)),
        st.integers(1, 99).map(lambda epochs: RefreshEvery(epochs=epochs)),
    ),
    max_size=6,
)


@pytest.fixture
def run(tmp_path):
    run = a_run(tmp_path)
    log(run, started())
    return run


def test_a_run_is_at_work_while_its_process_lives_and_interrupted_when_it_is_killed(run):
    assert not is_at_work(run.path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        assert row_of(run).status == "running"
        with pytest.raises(ProjectError, match="another process"), run_lock(run.path):
            pass
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    assert row_of(run).status == "interrupted"
    with run_lock(run.path):
        assert is_at_work(run.path)
    assert not is_at_work(run.path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no lock that is shared")
def test_two_who_ask_at_the_same_moment_do_not_mislead_each_other(run, monkeypatch):
    with run_lock(run.path):
        pass
    real, meanwhile = json.loads, []

    def loads(text):  # called while the lock is held by who asks
        if not meanwhile:
            meanwhile.append(None)
            meanwhile.append(is_at_work(run.path))
        return real(text)

    monkeypatch.setattr(locking.json, "loads", loads)
    assert not is_at_work(run.path)
    assert meanwhile == [None, False]


def test_a_lock_that_holds_nonsense_is_nobodys(run):
    (run.path / "at-work.json").write_text("[1]", encoding="utf-8")
    assert not is_at_work(run.path)


def test_a_run_of_another_machine_lives_while_it_is_heard_of(run, monkeypatch):
    lock = run.path / "at-work.json"
    lock.write_text(json.dumps({"host": "another", "pid": 1}), encoding="utf-8")
    assert is_at_work(run.path)
    true = time.time()
    monkeypatch.setattr(time, "time", lambda: true + 86400)
    assert is_at_work(run.path), "by the clock of the disk"
    long_ago = true - 600
    os.utime(run.events_path, (long_ago, long_ago))
    assert not is_at_work(run.path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a plain user")
def test_a_run_of_another_person_is_seen_at_work(run):
    with run_lock(run.path):
        (run.path / "at-work.json").chmod(0o444)
        assert is_at_work(run.path)


@given(WISHES)
def test_wishes_left_in_a_folder_are_taken_once_and_in_order(tmp_path_factory, wishes):
    folder = tmp_path_factory.mktemp("run")
    for wish in wishes:
        leave_wish(folder, wish)
    assert take_wishes(folder) == tuple(wishes)
    assert take_wishes(folder) == ()


@given(WISHES)
def test_wishes_of_this_process_are_taken_once_and_in_order(wishes):
    inbox = Wishes()
    for wish in wishes:
        inbox.ask(wish)
    assert inbox.take() == tuple(wishes)
    assert inbox.take() == ()


def test_a_damaged_wish_is_passed_over_and_gone(run):
    leave_wish(run.path, Pause())
    (run.path / "wishes" / "0-damaged.json").write_bytes(b"\xff{")
    for number, text in enumerate(['{"wish": "Sing"}', "[1]", "null", '"Stop"']):
        (run.path / "wishes" / f"{number}.json").write_text(text, encoding="utf-8")
    assert take_wishes(run.path) == (Pause(),)
    assert not list((run.path / "wishes").iterdir())


def test_a_wish_for_a_run_that_was_discarded_makes_no_folder(tmp_path):
    with pytest.raises(ProjectError, match="no such run"):
        leave_wish(tmp_path / "gone", Stop())
    assert not (tmp_path / "gone").exists()
