"""A backup is made at open, verified, kept for ten days of use, and costs little."""

import os
import sqlite3
import time
from contextlib import closing

import pytest
from made_labels import a_project

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project import backups
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.integrity import check_up, newest_good_backup
from smarthdr_studio.core.project.project import Project


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


def on_day(monkeypatch, day):
    monkeypatch.setattr(backups, "utc_day", lambda: day)


def last_changed(path, *, seconds_ago):
    then = time.time() - seconds_ago
    os.utime(path, (then, then))


def test_every_day_of_use_has_a_backup_of_the_whole_journal(project, monkeypatch):
    Decisions(project).exclude(["b"])
    on_day(monkeypatch, "20270101")
    with Project.open(project.folder) as opened:
        assert opened.warnings == ()
    (newest, *_) = backups.list_backups(project.folder)
    assert newest.name == "project-20270101.sqlite"
    assert backups.verified(newest) == len(project.entries())


def test_a_backup_is_one_file_that_opens_as_a_project_where_it_is_put(project, tmp_path):
    Decisions(project).exclude(["b"])
    (tmp_path / "again.shdr").mkdir()
    copy = tmp_path / "again.shdr" / "project.sqlite"
    backups.back_up(project._connection, project.folder / "project.sqlite", to=copy)
    assert [path.name for path in copy.parent.iterdir()] == ["project.sqlite"]
    with Project.open(tmp_path / "again.shdr") as again:
        assert again.entries() == project.entries()
        Decisions(again).undo()
        assert again._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_backups_of_the_last_ten_days_of_use_stay(project, monkeypatch):
    for day in range(10, 25):
        on_day(monkeypatch, f"202701{day}")
        Project.open(project.folder).close()
    names = [path.name for path in backups.list_backups(project.folder)]
    assert names == [f"project-202701{day}.sqlite" for day in range(24, 14, -1)]


def test_days_a_wrong_clock_had_never_cost_the_backup_of_today(project, monkeypatch):
    for day in range(10, 25):
        on_day(monkeypatch, f"209901{day}")
        Project.open(project.folder).close()
    Decisions(project).exclude(["b"])
    for day in range(10, 22):
        on_day(monkeypatch, f"202701{day}")
        Project.open(project.folder).close()
        assert (project.folder / "backups" / f"project-202701{day}.sqlite").exists()
    names = [path.name for path in backups.list_backups(project.folder)]
    assert names == [f"project-202701{day}.sqlite" for day in range(21, 11, -1)]


@pytest.mark.parametrize("wrong", ["20990101", "19700101"])
def test_what_knows_most_comes_back_where_a_clock_was_or_is_wrong(project, monkeypatch, wrong):
    for day in ("20270101", wrong) if wrong < "2000" else (wrong, "20270101"):
        Decisions(project).exclude(["b"])
        Decisions(project).undo()
        on_day(monkeypatch, day)
        Project.open(project.folder).close()
    newest = newest_good_backup(project.folder)
    assert newest.name == f"project-{day}.sqlite"
    assert newest != backups.list_backups(project.folder)[0]
    assert backups.verified(newest) == len(project.entries())


def test_opening_again_soon_costs_no_second_backup_and_later_brings_it_up_to_date(project):
    (backup,) = backups.list_backups(project.folder)
    before = backup.stat().st_mtime_ns
    Decisions(project).exclude(["b"])
    Project.open(project.folder).close()
    assert backup.stat().st_mtime_ns == before
    last_changed(backup, seconds_ago=2 * backups.FRESH_SECONDS)
    Project.open(project.folder).close()
    newest, oldest = backups.list_backups(project.folder)
    assert backups.verified(newest) == len(project.entries())
    assert (oldest, oldest.stat().st_size) == (backup, len(backup.read_bytes()))


def test_a_project_that_nobody_changed_is_not_backed_up_again(project):
    (backup,) = backups.list_backups(project.folder)
    for path in project.folder.glob("project.sqlite*"):
        last_changed(path, seconds_ago=5 * backups.FRESH_SECONDS)
    last_changed(backup, seconds_ago=4 * backups.FRESH_SECONDS)
    before = backup.stat().st_mtime_ns
    Project.open(project.folder).close()
    assert backup.stat().st_mtime_ns == before


def test_a_project_opens_without_its_backup_and_says_so(project, monkeypatch):
    on_day(monkeypatch, "20270101")
    for path in (project.folder / "backups").iterdir():
        path.unlink()
    (project.folder / "backups").rmdir()
    (project.folder / "backups").write_text("a file in the way")
    with Project.open(project.folder) as opened:
        (warning,) = opened.warnings
        assert "backup could not be made" in warning
        assert "\n" not in warning
        assert len(opened.statuses()) == 5


def test_a_backup_that_failed_leaves_the_one_before_and_no_draft(project, monkeypatch):
    (backup,) = backups.list_backups(project.folder)
    before = backup.read_bytes()

    def half(path):
        raise ProjectError(f"{path}: damaged")

    monkeypatch.setattr(backups, "_verified", half)
    last_changed(backup, seconds_ago=2 * backups.FRESH_SECONDS)
    Decisions(project).exclude(["b"])
    with Project.open(project.folder) as opened:
        assert "damaged" in opened.warnings[0]
    assert backup.read_bytes() == before
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]


def test_a_damaged_backup_is_not_taken_for_a_good_one(project):
    (backup,) = backups.list_backups(project.folder)
    whole = backup.read_bytes()
    for damaged in (whole[:5000], whole[:4096] + b"\xff" * 4096 + whole[8192:], b"", b"x" * 9000):
        backup.write_bytes(damaged)
        with pytest.raises(ProjectError) as error:
            backups.verified(backup)
        assert "\n" not in str(error.value)
    with closing(sqlite3.connect(backup.parent / "foreign.sqlite")) as foreign:
        foreign.execute("CREATE TABLE journal (x)")
    with pytest.raises(ProjectError, match="no backup of a project"):
        backups.verified(backup.parent / "foreign.sqlite")


def test_two_who_open_at_once_both_end_with_a_whole_backup(project):
    (backup,) = backups.list_backups(project.folder)
    last_changed(backup, seconds_ago=2 * backups.FRESH_SECONDS)
    Decisions(project).exclude(["b"])
    with Project.open(project.folder) as one, Project.open(project.folder) as two:
        assert one.warnings == two.warnings == ()
    newest, *_ = backups.list_backups(project.folder)
    assert backups.verified(newest) == len(project.entries())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.timeout(120)
def test_a_pipe_among_the_backups_is_none_and_is_not_waited_for(project):
    for name in ("project-20260101.sqlite", "before-format-6-20260101.sqlite"):
        os.mkfifo(project.folder / "backups" / name)
    kept = backups.list_backups(project.folder)
    assert all(path.is_file() for path in kept)
    assert len(check_up(project.folder).backups) == len(kept)
    Project.open(project.folder).close()
