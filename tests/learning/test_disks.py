"""A disk that is full, a project that is gone, a scene that cannot be read: told, and gone on."""

import errno
import os
import pkgutil
import shutil
import time
from pathlib import Path

import pytest

from smarthdr_studio.core.errors import LostRun, ProjectError, StudioError
from smarthdr_studio.core.training import run_lock as locking
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RunStarted,
    Steered,
    StepReported,
    events_in,
)
from smarthdr_studio.core.training.run_folder import RunFolder, checkpoints_of
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.core.training.run_lock import is_at_work, run_lock
from smarthdr_studio.core.training.steering import Stop, Wishes
from smarthdr_studio.learning import run_setup
from smarthdr_studio.learning.checkpoints import read_info
from smarthdr_studio.learning.event_log import RunLog
from smarthdr_studio.learning.failures import explain_failure
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

SCHEDULE = {"epochs": 2, "warmup_epochs": 1, "steps_per_epoch": 3}


@pytest.fixture
def plan(make_plan):
    return make_plan(schedule=SCHEDULE)


def _fails(plan, project, *, resume=None, kind=StudioError):
    """The events until the run fails, and its one sentence."""
    events = []
    with pytest.raises(kind) as failure:
        events.extend(train(plan, project, resume=resume))
    assert len(str(failure.value).splitlines()) == 1
    return events, failure.value


def _meanwhile(plan, project, *, step, do):
    """Trains, and does something after a step."""
    for event in train(plan, project):
        if isinstance(event, StepReported) and event.step == step:
            do()


def _run(project):
    (run,) = (project / "runs").iterdir()
    return run


def _last_line(run):
    return list(events_in((run / "events.jsonl").read_bytes()))[-1]


def _stopped_after_a_step(plan, project):
    """The folder of a run that was closed."""
    stopped = train(plan, project)
    for event in stopped:
        if isinstance(event, StepReported):
            break
    stopped.close()
    return _run(project)


def _full():
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


WRITERS = [
    "smarthdr_studio.learning.checkpoints._write",
    "smarthdr_studio.learning.pseudo_labelling.write_round",
    "smarthdr_studio.learning.pseudo_labelling.write_previews",
    "smarthdr_studio.learning.event_log.RunLog._append",
    "smarthdr_studio.learning.event_log.TensorboardLog._write",
]


@pytest.mark.parametrize("writer", WRITERS, ids=lambda path: path.rpartition(".")[2])
def test_a_full_disk_is_told_and_the_run_goes_on_once_there_is_room(
    project, plan, monkeypatch, writer
):
    left = list(range(4 if "_log" in writer else 0))

    with monkeypatch.context() as patched:
        real = pkgutil.resolve_name(writer)

        def full(*args, **kwargs):
            if left:
                left.pop()
                return real(*args, **kwargs)
            raise _full()

        patched.setattr(writer, full)
        _, error = _fails(plan, project, kind=ProjectError)
    assert "disk is full; free some space and resume " in str(error)
    run = _run(project)
    events = list(train(plan, project, resume=run.name))
    assert events[-1].outcome == "done"
    assert not list((run / "checkpoints").glob(".*"))


def test_what_was_saved_is_not_told_lost_because_the_log_is_full(project, plan, monkeypatch):
    wishes, events = Wishes(), []

    def full(*_):
        raise _full()

    for event in train(plan, project, wishes=wishes):
        events.append(event)
        if isinstance(event, StepReported) and event.step == 2:
            monkeypatch.setattr("smarthdr_studio.learning.event_log.RunLog._append", full)
            wishes.ask(Stop())
    assert events[-1].message == "stopped by the person; resume to go on"
    assert read_info(checkpoints_of(_run(project))[-1]).step == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
def test_a_log_on_a_disk_that_is_really_full_is_one_sentence(tmp_path):
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    log = RunLog(tmp_path, step=0)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as failure:
        log.write(PhaseChanged(phase="preparing", text="x", step=0))
    log.close()
    said = str(explain_failure(failure.value, run="r", folder=tmp_path))
    assert said == f"{tmp_path}: its disk is full; free some space and resume r"


def test_libraries_that_tell_a_full_disk_in_words_are_understood():
    for words in ("I/O error: No space left on device (os error 28)", "Disk quota exceeded"):
        assert "disk is full" in str(explain_failure(RuntimeError(words), run="r"))
    assert explain_failure(RuntimeError("something else"), run="r") is None


def test_a_line_that_a_kill_has_cut_swallows_nothing(project, plan):
    run = _stopped_after_a_step(plan, project)
    with (run / "events.jsonl").open("ab") as log:
        log.write(b'{"event": "StepRep')
    list(train(plan, project, resume=run.name))
    starts = [
        e for e in events_in((run / "events.jsonl").read_bytes()) if isinstance(e, RunStarted)
    ]
    assert [e.step for e in starts] == [0, 1]


def test_a_project_that_is_taken_away_is_told_and_not_made_anew(project, plan):
    elsewhere = project.with_name("elsewhere.shdr")
    with pytest.raises(ProjectError, match="put the project back where it was") as failure:
        _meanwhile(plan, project, step=5, do=lambda: project.rename(elsewhere))
    assert str(project) in str(failure.value)
    assert not project.exists()
    elsewhere.rename(project)
    run = _run(project)
    assert list(train(plan, project, resume=run.name))[-1].outcome == "done"


def test_a_project_that_is_deleted_is_told(project, plan):
    with pytest.raises(ProjectError, match="gone"):
        _meanwhile(plan, project, step=2, do=lambda: shutil.rmtree(project))
    assert not project.exists()


@pytest.mark.parametrize("moment", ["epoch", "round"])
def test_a_scene_that_cannot_be_read_ends_the_run_until_it_is_back(
    project, make_plan, monkeypatch, moment
):
    # Nothing is kept in memory, so that every crop is read from the disk.
    monkeypatch.setattr(run_setup, "FrameStore", lambda: _Forgetful())
    frame = project.parent / "data" / ("u" if moment == "round" else "b") / "1.png"
    away = frame.with_name("away.png")
    plan = make_plan(schedule=SCHEDULE, held_out=0, batch={"labelled": 8})
    with pytest.raises(StudioError, match=r"1\.png"):
        _meanwhile(plan, project, step=2, do=lambda: frame.rename(away))
    run = _run(project)
    assert _last_line(run).outcome == "failed"
    _fails(plan, project, resume=run.name)
    away.rename(frame)
    assert list(train(plan, project, resume=run.name))[-1].outcome == "done"


class _Forgetful(run_setup.FrameStore):
    def bracket(self, scene):
        self.drop(scene.id)
        return super().bracket(scene)


def test_a_run_that_another_process_has_is_told_before_anything_is_read(project, plan, monkeypatch):
    run = _stopped_after_a_step(plan, project)

    def read(*_, **__):
        raise AssertionError

    monkeypatch.setattr(run_setup, "read_label_set", read)
    monkeypatch.setattr(run_setup, "load_state", read)
    with run_lock(run), pytest.raises(ProjectError, match="at work in another process"):
        list(train(plan, project, resume=run.name))


@pytest.mark.parametrize("refusing", ["run_setup.replacing", "trainer.RunLog"])
def test_a_run_that_cannot_be_written_down_is_one_sentence(
    project, make_plan, monkeypatch, refusing
):
    def refuse(path, **_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(f"smarthdr_studio.learning.{refusing}", refuse)
    with pytest.raises(ProjectError, match=r"runs.*Read-only file system.*; .*allow") as error:
        list(train(make_plan(), project, resume=None))
    assert len(str(error.value).splitlines()) == 1


@pytest.fixture
def no_locks(monkeypatch):
    """A disk without file locks, as a cluster has them."""
    fcntl = pytest.importorskip("fcntl")

    def refused(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)


@pytest.mark.usefixtures("no_locks")
def test_a_run_on_a_disk_without_locks_says_so_once_and_is_over_when_it_is_over(project, make_plan):
    at_work = []
    events = []
    for event in train(make_plan(), project):
        events.append(event)
        if isinstance(event, StepReported):
            at_work.append(is_at_work(_run(project)))
    told = [event.text for event in events if isinstance(event, Steered)]
    assert len(told) == 1
    assert "has no file locks" in told[0]
    assert at_work
    assert all(at_work)
    assert not is_at_work(_run(project))
    assert row_of(RunFolder(_run(project))).status == "done"


def _everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("ends", ["goes on", "is stopped", "is closed"])
@pytest.mark.parametrize("moment", ["learning", "writing"])
def test_a_run_that_slept_until_another_went_on_with_it_writes_nothing_more(
    project, plan, monkeypatch, moment, ends
):
    late = [0.0]
    monkeypatch.setattr(locking, "_now", lambda: time.time() + late[0])
    monkeypatch.setattr(locking, "HEARTBEAT_S", 3600.0)  # its thread sleeps too
    wishes = Wishes()
    events = train(plan, project, wishes=wishes)
    for event in events:
        if isinstance(event, StepReported) if moment == "learning" else _is_writing(event):
            break
    run = _run(project)
    late[0] = locking.STALE_S + 1
    (run / "at-work.lease").write_text('{"host": "another", "pid": 1, "lease": "theirs"}')
    (run / "wishes").mkdir(exist_ok=True)
    (run / "wishes" / "theirs.json").write_text('{"wish": "pause"}')
    before = _everything(project)
    if ends == "is closed":
        events.close()
    else:
        if ends == "is stopped":
            wishes.ask(Stop())
        with pytest.raises(LostRun, match="another process has it by now"):
            list(events)
    assert _everything(project) == before


def _is_writing(event):
    return isinstance(event, PhaseChanged) and event.text.startswith("writing scene")
