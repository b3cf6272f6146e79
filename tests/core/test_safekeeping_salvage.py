"""A damaged database never costs a good backup, and what is left of it can be saved row by row."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_labels import HEIGHT, WIDTH, a_project

from smarthdr_studio.core import files
from smarthdr_studio.core.curation.project_facts import read_project_facts
from smarthdr_studio.core.errors import ProjectError, StudioError
from smarthdr_studio.core.project import backups, database, formats
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.places import DATABASE_NAME
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import repair, restore_database
from smarthdr_studio.core.reporting.tables import write_text

NOTE = "a note that nobody else has written"


@pytest.fixture
def project(tmp_path):
    """A closed project of a few decisions, whose one backup knows all of them."""
    with a_project(tmp_path) as project:
        decisions = Decisions(project)
        decisions.exclude(["b"], note=NOTE)
        decisions.promote(["c"])
        decisions.paint("d", lambda _: np.ones((HEIGHT, WIDTH), np.int8))
        (backup,) = backups.list_backups(project.folder)
        backup.unlink()
    Project.open(project.folder).close()
    return project.folder


def grow_old(folder):
    """As if the backups had been made long ago and the database a moment ago."""
    for backup in backups.list_backups(folder):
        then = time.time() - 5 * backups.FRESH_SECONDS
        os.utime(backup, (then, then))
    os.utime(folder / "project.sqlite")


def rot(folder, text, *, by=b"\xff"):
    """One byte of a text in the database is no longer what it was."""
    path = folder / "project.sqlite"
    whole = path.read_bytes()
    at = whole.index(text.encode())
    path.write_bytes(whole[:at] + by + whole[at + 1 :])


def opened_if_possible(folder):
    """The warnings of opening it, or the sentence that refuses it."""
    try:
        with Project.open(folder) as project:
            project.ledger()
            return project.warnings
    except ProjectError as error:
        return (str(error),)


@pytest.mark.parametrize("text", [NOTE, "exclude", "unlabelled", "promoted", "ground truth"])
def test_opening_a_rotten_database_leaves_the_good_backup_and_repair_restores_it(project, text):
    (good,) = backups.list_backups(project)
    before = good.read_bytes()
    rot(project, text)
    grow_old(project)
    assert opened_if_possible(project)
    assert backups.list_backups(project) == (good,)
    assert good.read_bytes() == before
    (said, *_) = repair(project)
    assert f"restored project.sqlite from backups/{good.name}" in said
    with Project.open(project) as again:
        assert again.state("b").status is Status.EXCLUDED
        assert again.entries()[5].note == NOTE


def test_rot_that_still_reads_is_kept_beside_the_good_backup_and_told(project):
    (good,) = backups.list_backups(project)
    before = good.read_bytes()
    rot(project, NOTE, by=b"A")
    grow_old(project)
    (warning,) = opened_if_possible(project)
    assert f"does not go on from backups/{good.name}" in warning
    assert "\n" not in warning
    newest, oldest = backups.list_backups(project)
    assert (oldest, oldest.read_bytes()) == (good, before)
    assert newest.name == good.name.replace(".sqlite", "-2.sqlite")


def test_an_older_copy_of_the_database_does_not_take_the_place_of_a_backup(project, tmp_path):
    (good,) = backups.list_backups(project)
    with closing(sqlite3.connect(project / "project.sqlite")) as database:
        database.execute("DROP TRIGGER journal_is_never_cut")
        database.execute("DELETE FROM journal WHERE seq > 5")
        database.execute(
            "CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
        database.commit()
    for _ in range(8):
        grow_old(project)
        opened_if_possible(project)
    assert good in backups.list_backups(project)
    assert backups.verified(good) == 8


def test_several_backups_of_a_day_are_kept_and_those_before_thinned_out(project, monkeypatch):
    for k in range(7):
        with Project.open(project) as opened:
            Decisions(opened).annotate(["b"], note=f"{k}")
        grow_old(project)
        Project.open(project).close()
    kept = backups.list_backups(project)
    assert [backups.verified(each) for each in kept] == [15, 14, 13, 8]
    monkeypatch.setattr(backups, "utc_day", lambda: "29990101")
    Project.open(project).close()
    assert [backups.verified(each) for each in backups.list_backups(project)] == [15, 15]


def lose_backups(folder):
    shutil.rmtree(folder / "backups")


def test_without_a_backup_every_row_that_reads_is_saved_and_the_rest_is_named(project):
    lose_backups(project)
    rot(project, "promote")
    (finding,) = (f for f in check_up(project).findings if f.trouble is FindingKind.DATABASE)
    assert finding.mendable
    assert "no backup is good" in finding.remedy
    (said, *_) = repair(project)
    assert "saved 5 scenes and 7 entries" in said
    assert "missing: 1 entry of the journal (7 about c)" in said
    with Project.open(project) as again:
        assert [entry.seq for entry in again.entries()] == [1, 2, 3, 4, 5, 6, 8]
        assert again.state("b").status is Status.EXCLUDED
        assert (again.person("d") == 1).all()
        assert Decisions(again).undo().words == "paint on d"
    assert any(path.name == "project.sqlite" for path in files.trash_contents(project))
    lost = FindingKind.DATABASE, FindingKind.JOURNAL
    assert not [f for f in check_up(project).findings if f.trouble in lost]


def test_a_rotten_note_costs_nothing_but_its_letter(project):
    lose_backups(project)
    rot(project, NOTE)
    (said, *_) = repair(project)
    assert "nothing is missing" in said
    with Project.open(project) as again:
        assert again.entries()[5].note == NOTE.replace("a", "�", 1)


def test_a_scene_the_journal_has_lost_begins_anew(project):
    lose_backups(project)
    rot(project, "created")
    (said, *_) = repair(project)
    assert "all that was decided about t, which begin anew without a label" in said
    with Project.open(project) as again:
        assert again.statuses()["t"] is Status.TEST, "and is never learned from"


@pytest.mark.parametrize("statement", ["DELETE FROM facts", "UPDATE facts SET value = x'ff00'"])
def test_a_database_that_forgot_its_dataset_is_told_and_mended(project, statement):
    with closing(sqlite3.connect(project / "project.sqlite")) as database:
        database.execute(statement)
        database.commit()
    kept = project.parent / "kept"
    shutil.copytree(project / "backups", kept)
    lose_backups(project)
    with pytest.raises(ProjectError, match="dataset is"):
        Project.open(project)
    (finding,) = (f for f in check_up(project).findings if f.trouble is FindingKind.DATABASE)
    assert "does not say where its dataset is" in finding.sentence
    (said, *_) = repair(project)
    assert "relocate" in said
    with Project.open(project) as again:
        assert again.dataset == project.parent
        assert len(again.entries()) == 8


@pytest.mark.parametrize("version", [0, 1, 2, 3, len(formats.MIGRATIONS) + 1, 2**30, -5])
def test_a_flipped_number_of_the_format_is_told_and_mended_where_it_can_be(project, version):
    with closing(sqlite3.connect(project / "project.sqlite")) as database:
        database.execute(f"PRAGMA user_version = {version}")
    grow_old(project)
    before = {path.read_bytes() for path in backups.list_backups(project)}
    sentences = []
    for deed in (lambda: check_up(project), lambda: repair(project)):
        try:
            deed()
        except StudioError as error:
            sentences.append(str(error))
    if version > 4:
        assert all("update SmartHDR Studio" in sentence for sentence in sentences)
        assert len(sentences) == 2
    else:
        assert not sentences
        with Project.open(project) as again:
            assert len(again.entries()) == 8
    assert {path.read_bytes() for path in backups.list_backups(project)} >= before


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_wherever_the_damage_is_repair_saves_a_project_or_says_why_not(data, tmp_path_factory):
    home = tmp_path_factory.mktemp("lived-in")
    with a_project(home) as lived_in:
        for k in range(30):
            Decisions(lived_in).annotate(["b", "c"], note=f"{k} " + "words " * 100)
    folder = lived_in.folder
    lose_backups(folder)
    whole = bytearray((folder / "project.sqlite").read_bytes())
    start = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.sampled_from([1, 100, 4096]))
    whole[start : start + length] = b"\xa5" * len(whole[start : start + length])
    (folder / "project.sqlite").write_bytes(whole)
    try:
        repair(folder)
        with Project.open(folder) as again:
            assert set(again.statuses()) <= set("abcdt")
    except ProjectError as error:
        refused = str(error)
        assert "\n" not in refused


DRAFTS = (
    *(f"labels/b/draft-{'a' * 32}.exr", f"labels/b/.1.{'b' * 32}.exr"),
    *(f"pseudo/.c.{'0' * 32}.npz", f"backups/.project-20260101.{'1' * 32}.sqlite"),
)


def debris_in(folder, *, seconds_ago):
    for relative in DRAFTS:
        draft = folder / relative
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(b"left by a kill")
        then = time.time() - seconds_ago
        os.utime(draft, (then, then))


def test_old_debris_is_swept_when_the_project_is_opened(project):
    debris_in(project, seconds_ago=5000)
    grow_old(project)
    Project.open(project).close()
    assert not [relative for relative in DRAFTS if (project / relative).exists()]
    assert {path.name for path in files.trash_contents(project)} == {Path(d).name for d in DRAFTS}


def test_debris_stays_while_somebody_is_at_work(project, monkeypatch):
    debris_in(project, seconds_ago=5000)
    fresh = project / "labels" / "c" / f"draft-{'c' * 32}.exr"
    fresh.parent.mkdir(exist_ok=True)
    fresh.write_bytes(b"somebody promotes a thousand scenes")
    grow_old(project)
    true = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: true() + 86400)  # of this machine, not of the disk
        Project.open(project).close()
    assert all((project / relative).is_file() for relative in DRAFTS)
    fresh.unlink()
    grow_old(project)
    with closing(sqlite3.connect(project / "project.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        Project.open(project).close()
        other.execute("ROLLBACK")
    assert all((project / relative).is_file() for relative in DRAFTS)


def test_what_an_export_left_is_swept_by_the_next_one_and_by_repair(project):
    beside = project.parent
    page = beside / f".page.{'d' * 32}.html"
    curated = beside / f".p-curated.{'e' * 32}"
    foreign = beside / f".somebody.{'f' * 32}"
    young = beside / f".p-curated.{'0' * 32}"
    for folder in (curated, foreign, young):
        (folder / "Training").mkdir(parents=True)
        (folder / "Training" / "1.tif").write_bytes(b"half")
    page.write_text("half")
    for path in (page, *curated.rglob("*"), curated, *foreign.rglob("*"), foreign):
        os.utime(path, (1, 1))
    write_text(beside / "page.html", "whole")
    assert not page.exists()
    an_hour_ago = time.time() - 3600
    slept = beside / f".page.{'1' * 32}.html"
    slept.write_text("its machine sleeps")
    os.utime(slept, (an_hour_ago, an_hour_ago))
    write_text(beside / "page.html", "whole")
    assert slept.exists()
    found = [f.what for f in check_up(project).findings if f.trouble is FindingKind.LEFTOVER]
    assert found == [str(curated)]
    assert any(str(curated) in sentence for sentence in repair(project))
    assert (curated.exists(), foreign.exists(), young.exists()) == (False, True, True)
    (kept,) = project.glob(f"trash/*/{curated.name}/Training/1.tif")
    assert kept.read_bytes() == b"half"


HOLDS_IT_OPEN = """
import sys, pathlib
from smarthdr_studio.core.project.places import DATABASE_NAME
from smarthdr_studio.core.project.project import Project
project = Project.open(pathlib.Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_a_database_that_another_process_has_open_is_not_taken_away(project):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_IT_OPEN, str(project)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(ProjectError, match="another program has it open"):
            restore_database(project)
        other.stdin.close()
    assert restore_database(project).startswith("restored")


def test_opening_with_a_backup_due_reads_the_journal_once(project, monkeypatch):
    with Project.open(project) as opened:
        entries, ledger = opened.entries(), opened.ledger()
    for backup in backups.list_backups(project):
        backup.unlink()
    decoded = []
    entry_in = database.entry_in

    def counted(row):
        decoded.append(row[0])
        return entry_in(row)

    monkeypatch.setattr(database, "entry_in", counted)
    with Project.open(project) as opened:
        assert opened.entries() == entries
        assert opened.ledger() == ledger
        assert decoded == [entry.seq for entry in entries]
        Decisions(opened).restore(["b"])
        assert len(opened.entries()) == len(entries) + 1
    assert len(backups.list_backups(project)) == 1


def test_the_doctor_needs_no_room_for_a_copy(project, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    whole = check_up(project)
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    assert check_up(project) == whole
    with closing(sqlite3.connect(project / "project.sqlite")) as writer:
        writer.execute("INSERT INTO reviews VALUES ('b', 'now', 'me')")
        writer.commit()
        assert check_up(project).entries == whole.entries, "with a log that is not written back"


def test_a_folder_that_may_not_be_looked_into_is_told_and_the_rest_works():
    if not hasattr(os, "seteuid"):
        pytest.skip("needs Unix permissions")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        with a_project(root) as project:
            Decisions(project).exclude(["b"])
        (project.folder / "runs").mkdir()
        (project.folder / "labels").mkdir(exist_ok=True)
        root.chmod(0o755)
        shut = [project.folder / name for name in ("labels", "pseudo", "runs")]
        for folder in shut:
            folder.chmod(0)
        was = os.geteuid()
        os.seteuid(65534 if was == 0 else was)
        try:
            found = check_up(project.folder)
            with Project.open(project.folder) as opened:
                facts = read_project_facts(opened)
        finally:
            os.seteuid(was)
            for folder in shut:
                folder.chmod(0o755)
    told = [each.what for each in found.findings if each.trouble is FindingKind.UNREADABLE]
    assert told == ["labels", "pseudo", "runs"]
    assert found.entries == 6
    assert len(facts.facts) == 5
    assert facts.problems


IMPOSSIBLE = {
    "ev_under": (1e999, -1e999, 9.0, "four"),
    "ev_over": (-9.0,),
    "height": (0, -5, 2.5, "tall"),
    "ground_truth_gain": (0.0, 1e999, -1.0),
    "ground_truth_gamma": (0.0, 1e999),
    "bracket": ('[["a.tif", 1e999], ["b.tif", 2]]',),
}


@pytest.mark.parametrize(
    ("column", "value"), [(name, each) for name, values in IMPOSSIBLE.items() for each in values]
)
def test_numbers_of_a_scene_that_cannot_be_are_never_counted_with(project, column, value):
    with closing(sqlite3.connect(project / "project.sqlite")) as opened, opened:
        opened.execute(f"UPDATE scenes SET {column} = ? WHERE id = 'c'", (value,))
    with pytest.raises(ProjectError, match=r"its database is damaged, .* of scene c ") as refused:
        Project.open(project)
    assert "doctor" in str(refused.value)
    (finding,) = [each for each in check_up(project).findings if "scene c" in each.sentence]
    assert finding.mendable
    repair(project, quiet=0)  # the backup knows what the numbers were
    with Project.open(project) as mended:
        assert mended.scene("c").ground_truth_gain == 1.0
        assert NOTE in {entry.note for entry in mended.entries()}


def test_without_a_backup_a_scene_whose_numbers_cannot_be_is_left_behind(project):
    for backup in backups.list_backups(project):
        backup.unlink()
    with closing(sqlite3.connect(project / "project.sqlite")) as opened, opened:
        opened.execute("UPDATE scenes SET ev_over = 1e999 WHERE id = 'd'")
    repair(project, quiet=0)
    with Project.open(project) as mended:
        assert "d" not in {scene.id for scene in mended.scenes}
        assert NOTE in {entry.note for entry in mended.entries()}


def test_one_rotten_word_costs_no_later_decision_where_the_backup_is_older(project):
    with Project.open(project) as opened:
        Decisions(opened).annotate(["b"], note="that one")
        Decisions(opened).annotate(["c"], note="this one")
        seen = opened.entries()
    rot(project, "that one", by=b"\xff")
    (said, *_) = repair(project)
    (good,) = backups.list_backups(project)
    assert f"of project.sqlite and backups/{good.name}; nothing is missing" in said
    with Project.open(project) as again:
        kept = again.entries()
        assert [each.seq for each in kept] == [each.seq for each in seen]
        assert kept[-1] == seen[-1]
        assert kept[-2].note == "�hat one"


@pytest.mark.parametrize(
    "text", ["TRIGGER journal_is_never_cut", "TABLE figures", "TABLE stamps", "TABLE journal"]
)
@pytest.mark.parametrize("at", [0, 3])
def test_a_flipped_bit_in_how_a_table_is_made_costs_nothing(project, text, at):
    with Project.open(project) as opened:
        seen = opened.entries()
    lose_backups(project)
    path = project / DATABASE_NAME
    whole = bytearray(path.read_bytes())
    whole[whole.index(f"CREATE {text}".encode()) + at] ^= 4
    path.write_bytes(whole)
    (finding,) = (f for f in check_up(project).findings if f.trouble is FindingKind.DATABASE)
    assert finding.mendable
    (said, *_) = repair(project)
    assert "nothing is missing" in said
    with Project.open(project) as again:
        assert again.entries() == seen


@pytest.mark.parametrize("backed_up", [True, False])
def test_another_programs_mark_on_our_tables_is_damage_and_mended(project, backed_up):
    with Project.open(project) as opened:
        seen = opened.entries()
    if not backed_up:
        lose_backups(project)
    path = project / DATABASE_NAME
    whole = bytearray(path.read_bytes())
    whole[68] ^= 1
    path.write_bytes(whole)
    (finding,) = (f for f in check_up(project).findings if f.trouble is FindingKind.DATABASE)
    assert finding.mendable
    repair(project)
    with Project.open(project) as again:
        assert again.entries() == seen


def test_the_database_of_another_program_is_refused_and_never_touched(project):
    path = project / DATABASE_NAME
    path.unlink()
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE journal (day TEXT)")
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="not a SmartHDR Studio project"):
        repair(project)
    assert path.read_bytes() == before


def test_what_a_backup_does_not_know_and_nobody_can_read_is_told_by_number(project):
    with Project.open(project) as opened:
        for note in ("one", "two"):
            Decisions(opened).annotate(["b"], note=note)
    with closing(sqlite3.connect(project / DATABASE_NAME)) as by_hand:
        by_hand.execute("DROP TRIGGER journal_is_never_changed")
        by_hand.execute("UPDATE journal SET kind = 'rubbish' WHERE seq > 8")
        by_hand.commit()
    (said, *_) = repair(project)
    assert said.endswith("(8 entries); missing: 2 entries (from 9 on)")


def test_what_was_looked_at_since_the_backup_is_known_after_it_came_back(project):
    with Project.open(project) as opened:
        opened.mark_reviewed(["b", "d"])
        seen = opened.reviewed()
    with closing(sqlite3.connect(project / DATABASE_NAME)) as by_hand:
        (page,) = by_hand.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'figures'"
        ).fetchone()
    path = project / DATABASE_NAME
    whole = bytearray(path.read_bytes())
    whole[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(whole)
    (said, *_) = repair(project)
    assert said.startswith("restored project.sqlite from backups/")
    with Project.open(project) as again:
        assert again.reviewed() == seen
