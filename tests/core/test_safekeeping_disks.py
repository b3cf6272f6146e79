"""Disks that are full and folders that cannot be written: one sentence, and nothing is lost."""

import os
import resource
import shutil
import signal
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest
from made_labels import HEIGHT, WIDTH, a_project
from made_users import as_nobody, fill_up, in_child, small_disk

from smarthdr_studio.core.errors import LabelError, ProjectError, StudioError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs Unix permissions")


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def locked():
    """A project no one but root may write, with a decision in its log that is not yet in it."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        root.chmod(0o755)
        with a_project(root) as project:
            Decisions(project).exclude(["b"])
            shutil.copytree(project.folder, root / "locked.shdr")  # the log as well
        folder = root / "locked.shdr"
        assert (folder / "project.sqlite-wal").stat().st_size > 0
        (folder / "project.sqlite-shm").unlink()
        every = [folder, *folder.rglob("*")]
        for path in every:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder
        for path in every:
            path.chmod(0o755)


def one_sentence(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_project_that_cannot_be_written_can_be_looked_at_with_its_latest_decision(locked):
    def look():
        with Project.open(locked) as project:
            assert project.read_only == "it cannot be written"
            assert project.statuses()["b"] is Status.EXCLUDED
            assert project.warnings == ()
            copy = Path(project._opened.copy.name)
            assert copy.is_dir()
        assert not copy.exists()

    as_nobody(look)


def test_what_a_project_that_is_looked_at_is_asked_to_keep_it_forgets_or_refuses(locked):
    before = {path.name: path.stat().st_mtime_ns for path in locked.iterdir()}

    def decide():
        with Project.open(locked) as project:
            project.keep_figures("clues", {"b": ("stamp", b"1")})
            project.mark_reviewed(["b"])
            assert project.figures("clues") == {}
            assert project.reviewed() == {}
            for decision in (
                lambda d: d.promote(["c"]),
                lambda d: d.exclude(["c"]),
                lambda d: d.undo(),
                lambda d: d.paint("c", lambda _: np.ones((HEIGHT, WIDTH), np.int8)),
            ):
                with pytest.raises(ProjectError, match="nothing can be decided") as error:
                    decision(Decisions(project))
                assert one_sentence(error)

    as_nobody(decide)
    assert {path.name: path.stat().st_mtime_ns for path in locked.iterdir()} == before


def test_a_project_that_may_not_even_be_read_is_one_sentence(locked):
    (locked / "project.sqlite").chmod(0)

    def look():
        with pytest.raises(ProjectError, match="cannot be") as error:
            Project.open(locked)
        assert one_sentence(error)

    as_nobody(look)


def test_a_full_disk_is_one_sentence_and_leaves_everything_as_it_was(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=2048) as disk, a_project(disk) as project:
        decisions = Decisions(project)
        decisions.promote(["b"])
        ballast = fill_up(disk)
        before, files = project.statuses(), sorted(project.folder.glob("labels/*/*"))
        for attempt in (
            lambda: decisions.promote(["c"]),
            lambda: decisions.promote(["b", "c", "d"]),
        ):
            with pytest.raises(StudioError, match=r"free some space|see to the disk") as error:
                attempt()
            assert one_sentence(error)
        assert sorted(p for p in project.folder.glob("labels/*/*") if p.is_file()) == files
        assert project.statuses() == before
        ballast.unlink()
        decisions.promote(["c"])
        assert project.statuses()["c"] is Status.PROMOTED


def test_decisions_on_a_disk_that_fills_up_are_whole_or_not_there(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=2048) as disk, a_project(disk) as project:
        decisions, ballast = Decisions(project), fill_up(disk)
        kept = [""]

        def write_on():
            for k in range(10_000):
                decisions.annotate(["b"], note=f"{k}" + "x" * 20_000)
                kept.append(f"{k}" + "x" * 20_000)

        with pytest.raises(ProjectError, match=r"disk is full|see to the disk") as error:
            write_on()
        assert one_sentence(error)
        assert project.state("b").note == kept[-1]
        ballast.unlink()
        with Project.open(project.folder) as again:
            assert again.entries() == project.entries()
            assert again._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            Decisions(again).exclude(["b"])


def test_a_full_disk_still_opens_a_project_to_be_looked_at(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=2048) as disk:
        with a_project(disk) as project:
            Decisions(project).exclude(["b"])
        ballast = fill_up(disk)
        with Project.open(project.folder) as opened:
            assert opened.statuses()["b"] is Status.EXCLUDED
            if opened.read_only:
                assert "disk" in opened.read_only
        ballast.unlink()


def test_a_database_that_may_not_grow_refuses_in_one_sentence(project):
    (pages,) = project._connection.execute("PRAGMA page_count").fetchone()
    project._connection.execute(f"PRAGMA max_page_count = {pages}")
    before = project.entries()

    def write_on():
        for k in range(100):
            Decisions(project).annotate(["b", "c"], note="x" * 9000 + str(k))

    with pytest.raises(ProjectError, match=r"its disk is full.*free some space") as error:
        write_on()
    assert one_sentence(error)
    assert project.entries()[: len(before)] == before
    with Project.open(project.folder) as again:
        assert again.entries() == project.entries()


def test_a_promotion_that_the_journal_has_no_room_for_leaves_no_label(project):
    (pages,) = project._connection.execute("PRAGMA page_count").fetchone()
    project._connection.execute(f"PRAGMA max_page_count = {pages}")

    def promote_on():
        for _ in range(200):
            Decisions(project).promote(["b", "c", "d"])

    with pytest.raises(ProjectError, match="its disk is full"):
        promote_on()
    spoken_of = {entry.label for entry in project.entries() if entry.label}
    lying = {p.relative_to(project.folder).as_posix() for p in project.folder.glob("labels/*/*")}
    assert lying == spoken_of


def test_a_label_that_does_not_fit_is_one_sentence_and_leaves_no_trace(project):
    def promote():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        with pytest.raises(LabelError, match="free some space") as error:
            Decisions(project).promote(["b"])
        assert one_sentence(error)

    in_child(promote)
    assert not [path for path in project.folder.glob("labels/*/*") if path.is_file()]
    assert project.statuses()["b"] is Status.UNLABELLED


def test_a_disk_that_fails_at_the_last_moment_keeps_the_label_for_the_doctor(project, monkeypatch):
    def fails(connection, path):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    def decided(decide, painted=dict):
        from smarthdr_studio.core.project import database

        with database.as_project_error(project.folder):
            decide(project.ledger())
            fails(None, None)

    monkeypatch.setattr(project, "record", decided)
    with pytest.raises(ProjectError, match="see what was kept"):
        Decisions(project).promote(["b"])
    assert (project.folder / "labels" / "b" / "1.exr").is_file()
