"""A project folder: made whole, opened fast, moved freely, and refused in one sentence."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.bracket import Catalogue, Scene
from smarthdr_studio.core.project import formats
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project


def scene_in(root, name, *, split="train", truth=True):
    folder = root / "Training" / name
    return Scene(
        id=name,
        frames=(folder / "1.tif", folder / "2.tif", folder / "3.tif"),
        evs=(-2.0, 0.1, 2.0),
        height=40,
        width=60,
        split=split,
        ground_truth=folder / "HDRImg.hdr" if truth else None,
        ground_truth_gain=0.3,
        layout="kalantari",
    )


def catalogue_in(root, count=8):
    root.mkdir(parents=True, exist_ok=True)
    train = [scene_in(root, f"{index:03d}") for index in reversed(range(count))]
    return Catalogue(root=root, scenes=(*train, scene_in(root, "T-001", split="test")), skipped=())


@pytest.fixture
def catalogue(tmp_path):
    return catalogue_in(tmp_path / "data")


@pytest.fixture
def project(tmp_path, catalogue):
    with Project.create(tmp_path / "Küche.shdr", catalogue, labelled=("001", "004")) as project:
        yield project


def sentence(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_project_knows_the_scenes_it_was_made_with(project, catalogue):
    assert project.name == "Küche"
    assert project.scenes == tuple(sorted(catalogue.scenes, key=lambda scene: scene.id))
    assert project.scene("003") == scene_in(catalogue.root, "003")
    with Project.open(project.folder) as again:
        assert again.scenes == project.scenes
        assert again.dataset == catalogue.root


def test_scenes_begin_labelled_unlabelled_or_for_testing(project):
    statuses = project.statuses()
    assert list(statuses) == [scene.id for scene in project.scenes]
    assert statuses.pop("T-001") is Status.TEST
    labelled = {name for name, status in statuses.items() if status is Status.GROUND_TRUTH}
    assert labelled == {"001", "004"}
    assert {statuses[name] for name in set(statuses) - labelled} == {Status.UNLABELLED}


def test_how_scenes_began_cannot_be_undone(project):
    assert Decisions(project).undo() is None
    assert [entry.kind for entry in project.entries()] == ["created"] * 9


def test_a_folder_that_holds_something_is_never_touched(tmp_path, catalogue):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    with pytest.raises(ProjectError, match="not empty; choose another name"):
        Project.create(tmp_path / "full", catalogue, labelled=())
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_an_empty_folder_becomes_the_project(tmp_path, catalogue):
    (tmp_path / "empty.shdr").mkdir()
    Project.create(tmp_path / "empty.shdr", catalogue, labelled=()).close()
    with Project.open(tmp_path / "empty.shdr") as project:
        assert {scene.id for scene in project.scenes} == {scene.id for scene in catalogue.scenes}


def test_a_project_that_could_not_be_made_leaves_nothing(tmp_path, catalogue):
    with pytest.raises(ProjectError):
        Project.create(tmp_path / "data" / "x" / "p.shdr", catalogue, labelled=("999",))
    twice = replace(catalogue, scenes=(catalogue.scenes[0],) * 2)
    with pytest.raises(ProjectError):
        Project.create(tmp_path / "p.shdr", twice, labelled=())
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("labelled", "reason"),
    [("nowhere", "is no scene"), ("T-001", "testing only"), ("bare", "no ground truth")],
)
def test_a_scene_that_cannot_be_labelled_is_named(tmp_path, catalogue, labelled, reason):
    bare = scene_in(catalogue.root, "bare", truth=False)
    catalogue = replace(catalogue, scenes=(*catalogue.scenes, bare))
    with pytest.raises(ProjectError, match=reason) as error:
        Project.create(tmp_path / "p.shdr", catalogue, labelled=(labelled,))
    assert labelled in sentence(error)


def test_what_is_no_project_is_told_so(tmp_path):
    with pytest.raises(ProjectError, match="smarthdr-studio new"):
        Project.open(tmp_path)
    (tmp_path / "project.sqlite").write_text("not a database " * 100)
    with pytest.raises(ProjectError, match="not a project"):
        Project.open(tmp_path)
    (tmp_path / "project.sqlite").unlink()
    with closing(sqlite3.connect(tmp_path / "project.sqlite")) as foreign:
        foreign.execute("CREATE TABLE recipes (name)")
    with pytest.raises(ProjectError, match="not a SmartHDR Studio project"):
        Project.open(tmp_path)


def test_a_project_of_a_newer_version_is_told_to_update(project):
    project.close()
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as future:
        future.execute("PRAGMA user_version = 99")
    with pytest.raises(ProjectError, match=r"newer version \(format 99.*update"):
        Project.open(project.folder)


def test_an_older_project_climbs_to_the_program_and_keeps_its_journal(project, monkeypatch):
    Decisions(project).exclude(["002"])
    project.close()
    rung = ("ALTER TABLE scenes ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'",)
    monkeypatch.setattr(formats, "MIGRATIONS", (*formats.MIGRATIONS, rung))
    with Project.open(project.folder) as climbed:
        assert climbed.statuses()["002"] is Status.EXCLUDED
        assert Decisions(climbed).undo().words == "exclude 002"
    monkeypatch.undo()
    with pytest.raises(ProjectError, match="newer version"):
        Project.open(project.folder)


def test_a_climb_that_fails_leaves_the_project_as_it_was(project, monkeypatch):
    project.close()
    broken = ("ALTER TABLE scenes ADD COLUMN mood TEXT", "ALTER TABLE nowhere ADD COLUMN x")
    monkeypatch.setattr(formats, "MIGRATIONS", (*formats.MIGRATIONS, broken))
    with pytest.raises(ProjectError, match="nowhere"):
        Project.open(project.folder)
    monkeypatch.undo()
    with Project.open(project.folder) as unharmed:
        assert len(unharmed.scenes) == 9


def test_the_journal_cannot_be_rewritten_even_by_hand(project):
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as by_hand:
        for tampering in ("DELETE FROM journal", "UPDATE journal SET who = 'nobody'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                by_hand.execute(tampering)


def test_the_file_promises_durability(project):
    connection = project._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_project_opens_when_its_dataset_is_gone(project):
    shutil.rmtree(project.dataset)
    with Project.open(project.folder) as orphan:
        assert len(orphan.statuses()) == 9
        assert not orphan.scene("000").frames[0].exists()


def test_project_and_dataset_moved_together_still_find_each_other(tmp_path):
    home, away = tmp_path / "home", tmp_path / "away"
    catalogue = catalogue_in(home / "sets" / "data")
    Project.create(home / "p.shdr", catalogue, labelled=()).close()
    shutil.copytree(home, away)
    with Project.open(away / "p.shdr") as moved:
        assert moved.dataset == away / "sets" / "data"
        assert moved.scene("000") == scene_in(away / "sets" / "data", "000")


def test_a_project_moved_alone_finds_the_dataset_where_it_was(tmp_path, project):
    project.close()
    away = tmp_path / "far" / "away" / "p.shdr"
    shutil.copytree(project.folder, away)
    with Project.open(away) as moved:
        assert moved.dataset == project.dataset


def test_a_frame_outside_the_dataset_keeps_its_own_place(tmp_path, catalogue):
    stray = scene_in(tmp_path / "elsewhere", "stray")
    catalogue = replace(catalogue, scenes=(stray,))
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=()) as project:
        assert project.scene("stray").frames == stray.frames


def test_the_data_version_changes_when_another_window_decides(project):
    before = project.data_version()
    with Project.open(project.folder) as other:
        Decisions(other).exclude(["000"])
    assert project.data_version() != before
    assert project.statuses()["000"] is Status.EXCLUDED


def test_an_unknown_scene_is_named(project):
    with pytest.raises(ProjectError, match="999: no such scene"):
        project.pseudo_path("999")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs Unix permissions")
def test_a_folder_that_cannot_be_written_can_be_looked_at():
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        catalogue = catalogue_in(root / "data")
        Project.create(root / "p.shdr", catalogue, labelled=()).close()
        for path in (root, root / "p.shdr", root / "p.shdr" / "project.sqlite"):
            path.chmod(0o555)
        am_root = os.geteuid() == 0
        if am_root:
            os.seteuid(65534)
        try:
            with Project.open(root / "p.shdr") as looked_at:
                assert looked_at.read_only == "it cannot be written"
                assert len(looked_at.statuses()) == 9
                with pytest.raises(ProjectError, match="nothing can be decided") as deciding:
                    Decisions(looked_at).exclude(["001"])
            with pytest.raises(ProjectError, match="cannot be made") as making:
                Project.create(root / "q.shdr", catalogue, labelled=())
        finally:
            if am_root:
                os.seteuid(0)
            for path in (root, root / "p.shdr"):
                path.chmod(0o755)
        assert sentence(deciding)
        assert sentence(making)
