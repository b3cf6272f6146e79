"""The doctor finds what is wrong, mends what it can without losing anything, and says so."""

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from unittest.mock import Mock

import numpy as np
import pytest
from made_labels import HEIGHT, WIDTH, a_project

from smarthdr_studio.core import files
from smarthdr_studio.core.environment import time_words
from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.project import backups, integrity, labels
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind, misplaced_findings
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.journal import decision_history
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import repair
from smarthdr_studio.core.reporting.report_scenes import decisions_by_scene
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics


@pytest.fixture
def project(tmp_path):
    """A project with which nothing is wrong."""
    for name in "abcdt":
        (tmp_path / name).mkdir()
        for frame in "123":
            (tmp_path / name / f"{frame}.tif").write_bytes(b"not looked into")
    with a_project(tmp_path) as project:
        for scene in project.scenes:
            if scene.ground_truth is not None:
                scene.ground_truth.write_bytes(b"not looked into")
        for name in "bcd":
            sigma = np.ones((HEIGHT, WIDTH), np.float32)
            SceneStatistics.of(sigma).save(project.statistics_path(name))
        yield project


@pytest.fixture
def decisions(project):
    return Decisions(project)


def troubles(project):
    return [(each.trouble, each.what) for each in check_up(project.folder, quiet=0).findings]


def mend(project):
    """Repair, and see that nothing that can be mended is left and no byte is gone."""
    before = sum(path.is_file() for path in project.folder.rglob("*.exr"))
    done = repair(project.folder, quiet=0)
    assert all("\n" not in sentence for sentence in done)
    assert not any(each.mendable for each in check_up(project.folder, quiet=0).findings)
    assert sum(path.is_file() for path in project.folder.rglob("*.exr")) == before
    return done


def flip(path, at=-1):
    whole = bytearray(path.read_bytes())
    whole[at] ^= 1
    path.write_bytes(whole)


def test_a_healthy_project_is_well_whatever_was_decided(project, decisions):
    decisions.promote(["b", "c"])
    decisions.promote(["b"])
    decisions.exclude(["b"])
    decisions.paint("c", lambda _: np.ones((HEIGHT, WIDTH), np.int8))
    decisions.undo()
    assert troubles(project) == []
    found = check_up(project.folder)
    assert (found.scenes, found.entries) == (5, len(project.entries()))
    assert [each.entries for each in found.backups] == [5]


def test_a_checkup_changes_nothing(project, decisions):
    decisions.promote(["b"])
    flip(project.label_path("b"))
    (project.labels_folder("b") / "9.exr").write_bytes(b"stray")
    before = {p: p.stat().st_mtime_ns for p in project.folder.rglob("*") if p.is_file()}
    assert len(troubles(project)) == 2
    assert {p: p.stat().st_mtime_ns for p in project.folder.rglob("*") if p.is_file()} == before


def test_what_belongs_to_nobody_moves_to_the_trash(project, decisions):
    decisions.promote(["b"])
    drafts = [f"draft-{'a' * 32}.exr", f".1.{'b' * 32}.exr", "2.exr", "mine.txt"]
    for name in drafts:
        (project.labels_folder("b") / name).write_bytes(b"left by a kill")
    (project.folder / "pseudo" / f".c.{'0' * 32}.npz").write_bytes(b"so is this")
    assert len(troubles(project)) == 5
    assert len(mend(project)) == 5
    assert troubles(project) == []
    assert {path.name for path in files.trash_contents(project.folder)} == {
        *drafts,
        f".c.{'0' * 32}.npz",
    }
    assert project.label_path("b").is_file()


def test_what_may_be_in_the_making_is_left_alone(project):
    draft = project.labels_folder("b") / f"draft-{'a' * 32}.exr"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"somebody is writing")
    assert check_up(project.folder).findings == ()
    assert repair(project.folder) == ()
    assert draft.is_file()
    os.utime(draft, (1, 1))
    (finding,) = check_up(project.folder).findings
    assert finding.trouble is FindingKind.LEFTOVER


def test_a_damaged_label_in_use_comes_back_from_the_trash_if_its_twin_is_there(project, decisions):
    decisions.promote(["b"])
    label = project.label_path("b")
    twin = project.folder / "trash" / "20260101" / "labels" / "b" / "1.exr"
    twin.parent.mkdir(parents=True)
    shutil.copy(label, twin)
    flip(label)
    assert troubles(project) == [(FindingKind.FILE_IN_USE, "labels/b/1.exr")]
    (said,) = mend(project)
    assert "brought labels/b/1.exr back" in said
    check_label(label, project.state("b").checksum)
    label.unlink()
    assert troubles(project) == [(FindingKind.FILE_IN_USE, "labels/b/1.exr")]


def test_a_label_that_may_not_be_read_is_to_be_allowed_and_not_to_be_made_again(
    project, decisions, monkeypatch
):
    decisions.promote(["b"])
    label, checksum = project.label_path("b"), project.state("b").checksum
    refused = PermissionError(errno.EACCES, "Permission denied", str(label))
    monkeypatch.setattr(labels, "file_checksum", Mock(side_effect=refused))
    with pytest.raises(LabelError) as told:
        check_label(label, checksum)
    assert str(told.value) == f"{label}: cannot be read (Permission denied); allow reading it"


def test_a_label_that_is_lost_is_told_with_what_a_person_can_do(project, decisions):
    decisions.promote(["b"])
    decisions.exclude(["b"])
    (project.labels_folder("b") / "1.exr").unlink()
    (finding,) = check_up(project.folder).findings
    assert finding.sentence == "labels/b/1.exr is missing, and b needs it"
    assert "promote b again" in finding.remedy
    assert repair(project.folder) == ()


def test_a_damaged_older_version_is_put_away(project, decisions):
    decisions.promote(["b"])
    decisions.promote(["b"])
    flip(project.labels_folder("b") / "1.exr")
    assert troubles(project) == [(FindingKind.OLDER_VERSION, "labels/b/1.exr")]
    mend(project)
    assert troubles(project) == []
    with pytest.raises(Exception, match="tidied away for good"):
        decisions.undo()


def test_a_lost_mask_comes_back_from_a_backup(project, decisions):
    painted = np.zeros((HEIGHT, WIDTH), np.int8)
    painted[5:9, 5:9] = -1
    decisions.paint("b", lambda _: painted)
    (backup,) = backups.list_backups(project.folder)
    backup.unlink()
    Project.open(project.folder).close()
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as by_hand, by_hand:
        by_hand.execute("UPDATE person_masks SET runs = x'00'")
    assert [trouble for trouble, _ in troubles(project)] == [FindingKind.PAINTING]
    mend(project)
    with Project.open(project.folder) as again:
        assert (again.person("b") == painted).all()


def test_pseudo_labels_are_looked_at_and_left_to_whoever_makes_them(project):
    project.pseudo_path("b").write_bytes(project.pseudo_path("b").read_bytes()[:500])
    project.statistics_path("c").unlink()
    project.statistics_path("d").write_bytes(b"damaged")
    found = [each for each in check_up(project.folder).findings if not each.mendable]
    assert [each.what for each in found] == ["pseudo/b.exr", "pseudo/c.exr", "pseudo/d.exr"]
    assert {each.trouble for each in found} == {FindingKind.PSEUDO_LABEL}


def test_a_backup_that_does_not_open_is_put_away_and_made_anew(project):
    (backup,) = backups.list_backups(project.folder)
    backup.write_bytes(b"damaged")
    assert troubles(project) == [(FindingKind.BACKUP, f"backups/{backup.name}")]
    mend(project)
    assert backups.verified(backup) == 5


def test_a_journal_that_does_not_add_up_is_told_and_mended_from_a_backup(project, decisions):
    (backup,) = backups.list_backups(project.folder)
    decisions.exclude(["b"])
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as by_hand, by_hand:
        by_hand.execute(
            "INSERT INTO journal (action, at, who, kind, scene, note, undoes) "
            "VALUES ('x', '', '', 'undo', 'b', '', 'no such group')"
        )
    (finding,) = check_up(project.folder).findings
    assert (finding.trouble, finding.mendable) == (FindingKind.JOURNAL, True)
    assert "entry after 6" in finding.sentence
    with pytest.raises(ProjectError, match="does not add up"), Project.open(project.folder) as odd:
        odd.statuses()
    (said, *_) = repair(project.folder)
    assert f"restored project.sqlite from backups/{backup.name}" in said
    with Project.open(project.folder) as again:
        assert again.statuses()["b"] == "excluded"


def test_what_is_no_project_is_one_sentence(tmp_path):
    with pytest.raises(ProjectError, match="not a project"):
        check_up(tmp_path)


RUN = "runs/20261129-100000-quick"
FOLDERS = (
    *("backups", "labels", "labels/b", "pseudo", "alignment", "runs", RUN, "trash/20261129"),
    *(f"{RUN}/{name}" for name in ("checkpoints", "checkpoints/step-00000001", "wishes")),
    *(f"{RUN}/{name}" for name in ("history", "rounds", "previews", "previews/00001", "stages")),
    *(f"{RUN}/{name}" for name in ("faults", "evaluations", "tensorboard")),
)
FILES = (
    *("window.json", "backups/project-20261129.sqlite", "labels/b/1.exr", "pseudo/b.exr"),
    *("pseudo/b.npz", "alignment/b.json"),
    *(f"{RUN}/{name}" for name in ("plan.toml", "events.jsonl", "start.json", "note.txt")),
    *(f"{RUN}/{name}" for name in ("at-work.json", "at-work.lease", "digest.json", "window.json")),
    *(f"{RUN}/{name}" for name in ("history/0001.npz", "previews/00001/b.jpg")),
    *(f"{RUN}/checkpoints/step-00000001/{name}" for name in ("checkpoint.json", "state.pt")),
)


def put(path, kind):
    """A pipe, a file or a folder in the place of what is there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "a pipe":
            os.mkfifo(path)
        case "a file":
            path.write_bytes(b"of somebody")
        case "a folder":
            path.mkdir()


NO_PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")


@NO_PIPES
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["a pipe", "a file", "a folder"])
def test_what_is_of_another_kind_than_belongs_in_its_place_is_told(project, kind):
    project.close()
    for place in (*FOLDERS, *FILES):
        belongs = "a folder" if place in FOLDERS else "a file"
        if kind != belongs:
            folder = shutil.copytree(project.folder, project.folder.with_name("spoilt.shdr"))
            put(folder / place, kind)
            assert (place, f"{place} is {kind} where {belongs} belongs", True) in [
                (each.what, each.sentence, each.mendable) for each in misplaced_findings(folder)
            ]
            shutil.rmtree(folder)


@NO_PIPES
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        *(("labels", "a pipe"), ("pseudo", "a file"), ("runs", "a pipe"), ("backups", "a file")),
        *(("labels/b/1.exr", "a pipe"), ("labels/b", "a file"), (RUN, "a pipe")),
    ],
)
def test_beside_what_is_no_file_or_no_folder_the_rest_works_until_it_is_moved_away(
    project, decisions, place, kind
):
    decisions.promote(["b"])
    project.close()
    put(project.folder / place, kind)
    assert place in [each.what for each in check_up(project.folder).findings]
    with Project.open(project.folder) as opened:
        Decisions(opened).exclude(["c"])
        assert opened.statuses()["c"] == "excluded"
    assert f"moved {place} to the trash" in repair(project.folder)
    assert "misplaced" not in [each.trouble for each in check_up(project.folder).findings]


@NO_PIPES
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["project.sqlite", "project.sqlite-wal", "project.sqlite-shm"])
@pytest.mark.parametrize("kind", ["a pipe", "a folder"])
def test_a_database_that_is_no_file_is_not_waited_for_and_comes_back(project, name, kind):
    project.close()
    put(project.folder / name, kind)
    with pytest.raises(ProjectError, match=f"its {name} is {kind} where a file belongs"):
        Project.open(project.folder)
    told = [each.sentence for each in check_up(project.folder).findings]
    assert f"{name} is {kind} where a file belongs" in told
    repair(project.folder)
    assert not check_up(project.folder).findings
    with Project.open(project.folder) as opened:
        assert opened.statuses()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["project.sqlite", "project.sqlite-wal", "project.sqlite-shm"])
def test_a_link_from_the_database_to_a_device_without_end_is_not_read(project, name):
    project.close()
    (project.folder / name).unlink(missing_ok=True)
    (project.folder / name).symlink_to("/dev/zero")
    with pytest.raises(ProjectError, match=f"its {name} is a link that leads out of it, to"):
        Project.open(project.folder)
    told = [each.sentence for each in check_up(project.folder).findings]
    assert f"{name} is a link that leads out of the project, to /dev/zero" in told
    assert repair(project.folder) == ()


@NO_PIPES
def test_a_pipe_of_any_name_is_told(project):
    os.mkfifo(project.folder / "pseudo" / ".draft")
    (found,) = check_up(project.folder).findings
    assert (found.what, found.sentence) == ("pseudo/.draft", "pseudo/.draft is a pipe")


def dated(project, seq, at):
    """Puts another date into an entry of the journal, as somebody with an editor may."""
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as database:
        ((trigger,),) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'journal_is_never_changed'"
        )
        database.execute("DROP TRIGGER journal_is_never_changed")
        database.execute("UPDATE journal SET at = ? WHERE seq = ?", (at, seq))
        database.execute(trigger)
        database.commit()


@pytest.mark.parametrize("at", ["banana", "", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59"])
def test_a_date_that_is_none_is_told_with_its_row_and_stops_nothing(project, decisions, at):
    decisions.exclude(["b"])
    dated(project, 3, at)
    project.mark_reviewed(["c"])
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as database:
        database.execute("UPDATE reviews SET at = ?", (at,))
        database.commit()
    told = check_up(project.folder).findings
    assert [each.what for each in told] == ["entry 3 of the journal", "the review of c"]
    assert {each.trouble for each in told} == {FindingKind.DATE}
    assert all(at in each.sentence for each in told)
    assert not any(each.mendable for each in told)
    repair(project.folder)
    with Project.open(project.folder) as again:
        Decisions(again).exclude(["c"])
        assert time_words(again.entries()[2].at) == at
        lines = decision_history(again.entries())
        decisions_by_scene(again.entries())
    assert [line.scenes for line in lines[:2]] == [("c",), ("b",)]


def test_dates_that_are_all_none_are_told_in_one_sentence(project, monkeypatch):
    monkeypatch.setattr(integrity, "_MOST_TOLD", 2)
    for seq in (1, 2, 3, 4):
        dated(project, seq, "banana")
    (told,) = check_up(project.folder).findings
    assert told.sentence == (
        "entry 1 of the journal says “banana” where its date belongs, and so 3 more"
    )


def test_a_date_that_is_no_text_is_damage_and_is_mended(project, decisions):
    decisions.exclude(["b"])
    dated(project, 3, b"\xff\x00")
    assert troubles(project)[0][0] is FindingKind.JOURNAL
    with pytest.raises(ProjectError, match="does not add up"), Project.open(project.folder) as odd:
        odd.ledger()
    shutil.rmtree(project.folder / "backups")
    repair(project.folder)
    assert [each.trouble for each in check_up(project.folder).findings] == [FindingKind.DATE]
    with Project.open(project.folder) as again:
        assert str(again.state("b").status) == "excluded"
