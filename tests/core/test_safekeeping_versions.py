"""Projects of older and newer formats, and climbs that are interrupted at any statement."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from made_labels import a_project

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project import backups, formats
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project

# What the first release wrote, by hand, so that no change of the program changes it.
FORMAT_1 = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE scenes (
    id TEXT PRIMARY KEY,
    under TEXT NOT NULL, reference TEXT NOT NULL, over TEXT NOT NULL,
    ev_under REAL NOT NULL, ev_reference REAL NOT NULL, ev_over REAL NOT NULL,
    height INTEGER NOT NULL, width INTEGER NOT NULL,
    split TEXT NOT NULL CHECK (split IN ('train', 'test')),
    ground_truth TEXT, ground_truth_gain REAL NOT NULL, layout TEXT NOT NULL
);
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
    scene TEXT REFERENCES scenes (id), before TEXT, after TEXT, masks TEXT,
    run TEXT, round INTEGER, checkpoint TEXT, label TEXT, note TEXT NOT NULL, undoes TEXT
);
CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
PRAGMA application_id = 1397245010;
PRAGMA user_version = 1;
INSERT INTO facts VALUES ('dataset', '/somewhere/data');
INSERT INTO scenes VALUES
    ('a', 'a/1.tif', 'a/2.tif', 'a/3.tif', 0, 2, 4, 48, 64, 'train', 'a/HDRImg.hdr', 1, 'folder'),
    ('b', 'b/1.tif', 'b/2.tif', 'b/3.tif', 0, 2, 4, 48, 64, 'train', NULL, 1, 'folder');
INSERT INTO journal (action, at, who, kind, scene, before, after, label, note) VALUES
    ('1', '2026-01-01', 'mira@lab', 'created', 'a', NULL, 'ground truth', NULL, ''),
    ('1', '2026-01-01', 'mira@lab', 'created', 'b', NULL, 'unlabelled', NULL, ''),
    ('2', '2026-01-02', 'mira@lab', 'exclude', 'b', 'unlabelled', 'excluded', NULL, 'blurred');
"""


@pytest.fixture
def first_format(tmp_path):
    folder = tmp_path / "old.shdr"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "project.sqlite")) as by_hand:
        by_hand.execute("PRAGMA journal_mode = WAL")
        by_hand.executescript(FORMAT_1)
    return folder


def version(folder):
    with closing(sqlite3.connect(folder / "project.sqlite")) as by_hand:
        return by_hand.execute("PRAGMA user_version").fetchone()[0]


def test_a_project_of_the_first_format_opens_climbs_and_leaves_a_backup_of_itself(first_format):
    with Project.open(first_format) as project:
        assert project.warnings == ()
        assert project.statuses() == {"a": Status.GROUND_TRUTH, "b": Status.EXCLUDED}
        assert Decisions(project).undo().words == "exclude b"
        Decisions(project).annotate(["a"], note="new in the second format")
    assert version(first_format) == len(formats.MIGRATIONS)
    (before,) = first_format.glob("backups/before-format-*.sqlite")
    assert before.name.startswith(f"before-format-{len(formats.MIGRATIONS)}-")
    assert backups.verified(before) == 3
    with closing(sqlite3.connect(before)) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (1,)
    troubles = {each.trouble for each in check_up(first_format).findings}
    assert troubles == {FindingKind.DATASET}


def test_a_project_of_the_first_format_can_be_looked_over_without_climbing(first_format):
    assert {each.trouble for each in check_up(first_format).findings} == {FindingKind.DATASET}
    assert version(first_format) == 1


def test_a_climb_without_room_for_a_backup_says_so(first_format):
    (first_format / "backups").write_text("a file in the way")
    with Project.open(first_format) as project:
        assert any("before the project was brought up to date" in w for w in project.warnings)
        assert all("\n" not in warning for warning in project.warnings)
        assert project.statuses()["b"] is Status.EXCLUDED


def test_a_newer_project_is_refused_and_not_one_byte_of_it_changes(tmp_path):
    with a_project(tmp_path) as project:
        pass
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as future:
        future.execute(f"PRAGMA user_version = {len(formats.MIGRATIONS) + 1}")
    before = {p: p.read_bytes() for p in project.folder.rglob("*") if p.is_file()}
    for refusing in (Project.open, check_up):
        with pytest.raises(ProjectError, match=r"newer version.*update SmartHDR Studio") as error:
            refusing(project.folder)
        assert "\n" not in str(error.value)
    assert {p: p.read_bytes() for p in project.folder.rglob("*") if p.is_file()} == before


# Opens the project FOLDER of each line in a child that is killed before its AT-th statement, and
# says whether it was. A small program forks in a fraction of the time that all of the tests take.
_OPENED_BY_CHILDREN = """
import os, signal, sqlite3, sys
from pathlib import Path
from smarthdr_studio.core.project.project import Project

def open_and_die(folder, *, at):
    counted = iter(range(10**6))

    def count(_):
        if next(counted) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    connect = sqlite3.connect

    def traced(*arguments, **settings):
        connection = connect(*arguments, **settings)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = traced
    Project.open(folder).close()

for line in sys.stdin:
    at, folder = line.rstrip().split(" ", 1)
    child = os.fork()
    if child == 0:
        open_and_die(Path(folder), at=int(at))
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    print("killed" if code else "whole", flush=True)
"""


@pytest.fixture
def open_and_die():
    """Opens in a child that is killed before its `at`-th statement; False if it had fewer."""
    program = [sys.executable, "-c", _OPENED_BY_CHILDREN]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, text=True) as opener:

        def do(folder, *, at):
            print(at, folder, file=opener.stdin, flush=True)
            return {"killed\n": True, "whole\n": False}[opener.stdout.readline()]

        yield do
        opener.stdin.close()
    assert opener.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a Unix matter")
def test_a_climb_killed_at_any_statement_is_finished_by_the_next_opening(
    first_format, tmp_path, open_and_die
):
    at, killed = 0, 0
    while True:
        folder = tmp_path / f"{at}.shdr"
        shutil.copytree(first_format, folder)
        if not open_and_die(folder, at=at):
            break
        killed += version(folder) == 1
        with Project.open(folder) as project:
            assert project.warnings == ()
            assert project.statuses() == {"a": Status.GROUND_TRUTH, "b": Status.EXCLUDED}
            assert project._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            Decisions(project).annotate(["a"], add=["well"])
        at += 1
    assert killed > len(formats.MIGRATIONS[1]), "the climb itself was never interrupted"
