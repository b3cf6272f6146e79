"""Where a disk has no file locks, a run is held by a lease that is renewed."""

import errno
import json
import os
import platform
import subprocess
import sys
import threading
import time

import pytest
from made_runs import a_run, log, started

from smarthdr_studio.core.errors import LostRun, ProjectError
from smarthdr_studio.core.training import run_lock as locking
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.core.training.run_lock import STALE_S, is_at_work, run_lock

fcntl = pytest.importorskip("fcntl")

OVER = "import os; print(os.getpid())"


@pytest.fixture
def run(tmp_path):
    run = a_run(tmp_path)
    log(run, started())
    return run


@pytest.fixture(params=[errno.ENOLCK, errno.ENOSYS, "no flock at all"])
def no_locks(request, monkeypatch):
    """A disk without locks, as a cluster has them, or a system without the call."""
    monkeypatch.setattr(locking, "_WATCHED_S", 0.01)
    if isinstance(request.param, str):
        monkeypatch.delattr(fcntl, "flock")
        return

    def refused(*_):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refused)


def lease_of(run, *, host="another", pid=1, age=0.0):
    (run.path / "at-work.json").touch()
    path = run.path / "at-work.lease"
    path.write_text(json.dumps({"host": host, "pid": pid, "lease": "x"}), encoding="utf-8")
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def hand_over(run):
    """Another machine finds the lease stale and takes it."""
    (run.path / "at-work.json").write_text(json.dumps({"host": "another", "pid": 1}))
    lease_of(run)


@pytest.fixture
def clock(monkeypatch):
    """The time of day, which a machine that sleeps is suddenly late by."""

    class Clock:
        late = 0.0

        def sleep(self, seconds):
            self.late += seconds

    clock = Clock()
    monkeypatch.setattr(locking, "_now", lambda: time.time() + clock.late)
    monkeypatch.setattr(locking, "HEARTBEAT_S", 3600.0)  # its thread sleeps too
    return clock


def gone_pid():
    """The number of a process that has ended."""
    return int(subprocess.run([sys.executable, "-c", OVER], capture_output=True, check=True).stdout)


@pytest.mark.usefixtures("no_locks")
def test_a_run_is_held_once_and_told_and_is_over_when_it_is_over(run):
    assert not is_at_work(run.path)
    with run_lock(run.path) as hold:
        assert "has no file locks" in hold.told
        assert "every 10 s" in hold.told
        assert "2 minutes" in hold.told
        hold.refuse_lost()
        assert is_at_work(run.path)
        assert row_of(run).status == "running"
        with pytest.raises(ProjectError, match="at work in another process"), run_lock(run.path):
            pass
    assert not is_at_work(run.path)
    assert row_of(run).status == "interrupted"
    assert not (run.path / "at-work.lease").exists()


def test_a_disk_with_locks_tells_nothing_and_leaves_no_lease(run, clock):
    with run_lock(run.path) as hold:
        assert hold.told == ""
        clock.sleep(3600)
        hold.refuse_lost()
        assert not (run.path / "at-work.lease").exists()


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("age", [0.0, STALE_S / 2, -3600.0])
def test_a_lease_that_another_machine_renews_is_respected(run, age):
    lease = lease_of(run, age=age)
    assert is_at_work(run.path)
    with pytest.raises(ProjectError, match="at work in another process"), run_lock(run.path):
        pass
    assert json.loads(lease.read_text())["host"] == "another"


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("wrong_by", [-86400.0, 86400.0])
def test_a_machine_whose_clock_is_wrong_reads_leases_like_any_other(run, monkeypatch, wrong_by):
    lease_of(run)
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + wrong_by)
    assert is_at_work(run.path)
    with pytest.raises(ProjectError, match="at work in another process"), run_lock(run.path):
        pass
    long_ago = true() - STALE_S - 1
    os.utime(run.path / "at-work.lease", (long_ago, long_ago))
    assert not is_at_work(run.path)
    with run_lock(run.path) as hold:
        hold.refuse_lost()


@pytest.mark.usefixtures("no_locks")
def test_a_lease_nobody_renews_is_taken_over_after_the_stated_time(run):
    lease = lease_of(run, age=STALE_S + 1)
    assert not is_at_work(run.path)
    with run_lock(run.path):
        assert json.loads(lease.read_text())["pid"] == os.getpid()
        assert is_at_work(run.path)
    assert sorted(p.name for p in run.path.iterdir() if "lease" in p.name) == []


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("host", ["another", platform.node()])
def test_a_lease_that_a_clock_makes_look_stale_is_watched_before_it_is_taken(
    run, host, monkeypatch
):
    monkeypatch.setattr(locking, "_WATCHED_S", 600.0)
    monkeypatch.setattr(locking, "_LOOKS", 60000)
    path = lease_of(run, host=host, pid=os.getpid(), age=86400.0)
    ended = threading.Event()

    def beat():
        long_ago = time.time() - 86400
        while not ended.wait(0.05):
            long_ago += 1
            os.utime(path, (long_ago, long_ago))

    holder = threading.Thread(target=beat)
    holder.start()
    try:
        with pytest.raises(ProjectError, match="at work in another process"), run_lock(run.path):
            pass
    finally:
        ended.set()
        holder.join()
    assert json.loads(path.read_text())["lease"] == "x"


@pytest.mark.usefixtures("no_locks")
def test_a_run_whose_holder_ends_while_its_lease_is_watched_is_free(run, monkeypatch):
    path = lease_of(run, age=86400.0)
    monkeypatch.setattr(time, "sleep", lambda _: path.unlink(missing_ok=True))
    with run_lock(run.path):
        assert is_at_work(run.path)


@pytest.mark.usefixtures("no_locks")
def test_a_lease_of_a_process_of_this_machine_that_was_killed_waits_for_nothing(run, monkeypatch):
    monkeypatch.setattr(locking, "_WATCHED_S", 86400.0)
    lease_of(run, host=platform.node(), pid=gone_pid())
    assert not is_at_work(run.path)
    with run_lock(run.path):
        assert is_at_work(run.path)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b'{"host": 3, "pid": "x"}'])
def test_a_lease_that_holds_nonsense_is_in_force_until_it_is_stale(run, content):
    path = lease_of(run)
    path.write_bytes(content)
    assert is_at_work(run.path)
    os.utime(path, (1, 1))
    assert not is_at_work(run.path)
    with run_lock(run.path):
        pass


@pytest.mark.usefixtures("no_locks")
def test_a_lease_is_renewed_while_it_is_held(run, monkeypatch):
    monkeypatch.setattr(locking, "HEARTBEAT_S", 0.01)
    path = run.path / "at-work.lease"
    with run_lock(run.path):
        os.utime(path, (1, 1))
        deadline = time.monotonic() + 60
        while path.stat().st_mtime < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > 2
        # Asleep for too long, another has it: it is neither renewed nor taken away.
        path.write_text(json.dumps({"host": "another", "lease": "y"}), encoding="utf-8")
    assert json.loads(path.read_text())["host"] == "another"


@pytest.mark.usefixtures("no_locks")
def test_a_lock_of_a_machine_that_has_locks_is_respected_where_it_cannot_be_seen(run):
    (run.path / "at-work.json").write_text(json.dumps({"host": "another", "pid": 1}))
    with pytest.raises(ProjectError, match="at work in another process"), run_lock(run.path):
        pass
    os.utime(run.events_path, (1, 1))
    with run_lock(run.path):
        pass


def test_a_lease_is_seen_where_there_are_locks(run):
    lease_of(run)
    assert is_at_work(run.path)
    with pytest.raises(ProjectError, match="at work in another process"), run_lock(run.path):
        pass


@pytest.mark.usefixtures("no_locks")
def test_of_two_who_find_a_stale_lease_one_gets_it(run, monkeypatch):
    """The slower one has read the stale lease, and renames the new one of the quicker away."""
    path = lease_of(run, age=STALE_S + 1)
    real = locking._is_alive

    def quicker(place, lease):
        alive = real(place, lease)
        if lease is not None and lease.get("lease") == "x":
            path.write_text(json.dumps({"host": "another", "pid": 1, "lease": "quick"}))
        return alive

    monkeypatch.setattr(locking, "_is_alive", quicker)
    with pytest.raises(ProjectError, match="at work in another process"), run_lock(run.path):
        pass
    assert json.loads(path.read_text())["lease"] == "quick"


@pytest.mark.usefixtures("no_locks")
def test_who_slept_while_another_took_the_lease_is_refused_before_writing(run, clock):
    with run_lock(run.path) as hold:
        clock.sleep(STALE_S + 1)
        hand_over(run)
        for _ in range(2):
            with pytest.raises(LostRun, match="another process has it by now") as refused:
                hold.refuse_lost()
        assert str(run.path) in str(refused.value)
        assert not hold.is_held()
    # What is there is the other's, and stays.
    assert json.loads((run.path / "at-work.lease").read_text())["host"] == "another"
    assert json.loads((run.path / "at-work.json").read_text())["host"] == "another"


@pytest.mark.usefixtures("no_locks")
def test_who_slept_and_nobody_came_goes_on_and_has_it_renewed(run, clock):
    with run_lock(run.path) as hold:
        path = run.path / "at-work.lease"
        os.utime(path, (1, 1))
        clock.sleep(STALE_S + 1)
        assert not is_at_work(run.path)
        hold.refuse_lost()
        assert is_at_work(run.path)
    assert not path.exists()


@pytest.mark.usefixtures("no_locks")
def test_a_clock_that_is_set_back_costs_a_look_and_no_run(run, clock):
    with run_lock(run.path) as hold:
        clock.sleep(-86400)
        hold.refuse_lost()
        hand_over(run)
        clock.sleep(-86400)
        with pytest.raises(LostRun):
            hold.refuse_lost()


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize(("asleep", "held"), [(STALE_S / 2, True), (STALE_S + 1, False)])
def test_a_disk_that_is_away_for_a_moment_is_waited_for_two_minutes(
    run, clock, monkeypatch, asleep, held
):
    with run_lock(run.path) as hold:
        clock.sleep(asleep)

        def away(*_, **__):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

        with monkeypatch.context() as patch:
            patch.setattr(locking, "read_json", away)
            assert hold.is_held() is held


@pytest.mark.usefixtures("no_locks")
def test_a_heartbeat_that_finds_the_lease_of_another_ends_and_says_so(run, monkeypatch):
    monkeypatch.setattr(locking, "HEARTBEAT_S", 0.01)
    with run_lock(run.path) as hold:
        hand_over(run)
        deadline = time.monotonic() + 60
        while hold.is_held() and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(LostRun):
            hold.refuse_lost()
