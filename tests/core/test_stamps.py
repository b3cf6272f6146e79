"""The pictures of a dataset are known again, and others in their place are told, never taken."""

import os
import shutil
import sqlite3
from contextlib import closing

import cv2
import numpy as np
import pytest
from made_labels import pseudo_label

from smarthdr_studio.core.errors import ProjectError, UnwritableProject
from smarthdr_studio.core.imaging.bracket import Catalogue, ExposedFrame, Scene
from smarthdr_studio.core.project import backups, integrity
from smarthdr_studio.core.project import stamps as stamping
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project, read_only_copy
from smarthdr_studio.core.project.relocation import relocate
from smarthdr_studio.core.project.repair import repair
from smarthdr_studio.core.project.stamps import CHANGED_TAG, quick_checksum
from smarthdr_studio.core.trust.pseudo_label import write_pseudo_label

HEIGHT, WIDTH = 48, 64


def paint(path, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(shade).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(path), pixels)


def scene_in(root, name, *, shade, truth=False):
    frames = tuple(root / name / f"{k}.png" for k in (1, 2, 3))
    for k, frame in enumerate(frames):
        paint(frame, shade + k)
    if truth:
        paint(root / name / "HDRImg.png", shade + 9)
    return Scene(
        id=name,
        frames=frames,
        evs=(0, 2, 4),
        height=HEIGHT,
        width=WIDTH,
        ground_truth=root / name / "HDRImg.png" if truth else None,
    )


def dataset_at(root, *, shade=0):
    scenes = tuple(
        scene_in(root, name, shade=shade + 20 * k, truth=name == "a")
        for k, name in enumerate("abcd")
    )
    return Catalogue(root=root, scenes=scenes, skipped=())


@pytest.fixture
def project(tmp_path):
    """Scenes a to d, the first with a ground truth, c promoted."""
    catalogue = dataset_at(tmp_path / "data")
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=("a",)) as made:
        write_pseudo_label(made.pseudo_path("c"), pseudo_label("c"))
        Decisions(made).promote(["c"])
        yield made


def kept(project):
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as connection:
        return stamping.read_stamps(connection)


def another_moment(path):
    now = path.stat()
    os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns + 10**9))


def test_a_new_project_knows_every_frame_and_ground_truth(project):
    assert sorted(kept(project)) == sorted(
        [*(f"{name}/{k}.png" for name in "abcd" for k in (1, 2, 3)), "a/HDRImg.png"]
    )
    found = project.compare_pictures()
    assert (found.changed, found.first, found.sentence) == ({}, 0, "")


def test_every_frame_of_a_long_bracket_is_known(tmp_path):
    plain = scene_in(tmp_path / "data", "a", shade=0)
    paint(tmp_path / "data" / "a" / "4.png", 77)
    every = tuple(
        ExposedFrame(plain.frames[0].with_name(f"{k}.png"), 2.0 * k) for k in (1, 2, 3, 4)
    )
    scene = Scene(id="a", frames=plain.frames, evs=(0, 2, 4), height=48, width=64, every=every)
    catalogue = Catalogue(root=tmp_path / "data", scenes=(scene,), skipped=())
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=()) as made:
        paint(every[3].path, 78)
        assert made.compare_pictures().changed == {"a": ("a/4.png",)}


@pytest.mark.parametrize("name", ["b/2.png", "a/HDRImg.png"])
def test_a_picture_in_the_place_of_another_is_told_until_it_is_accepted(project, name):
    paint(project.dataset / name, 99)
    for _ in range(2):  # what was told is not taken for told
        found = project.compare_pictures()
        assert found.changed == {name[0]: (name,)}
        assert str(project.dataset) in found.sentence
        assert "1 of 4 scenes (" in found.sentence
        assert "relocate" in found.sentence
        assert "accept PROJECT" in found.sentence
    assert Decisions(project).accept_pictures(found) == ()
    assert project.compare_pictures().changed == {}


def test_another_time_alone_is_no_other_picture_and_is_not_read_twice(project, monkeypatch):
    for path in project.dataset.rglob("*.png"):
        another_moment(path)
    read = []
    monkeypatch.setattr(
        stamping, "quick_checksum", lambda path: read.append(path) or quick_checksum(path)
    )
    assert project.compare_pictures().changed == {}
    assert len(read) == len(kept(project))
    read.clear()
    assert project.compare_pictures().changed == {}
    assert read == []


@pytest.mark.parametrize("place", ["beginning", "middle", "end", "size"])
def test_a_checksum_sees_both_ends_the_middle_and_the_size(tmp_path, place):
    size = 2**20
    whole, other = bytearray(size), bytearray(size)
    at = {"beginning": 100, "middle": size // 2, "end": size - 1, "size": 0}[place]
    other[at] ^= place != "size"
    if place == "size":
        other += b"\0"
    (tmp_path / "1").write_bytes(whole)
    (tmp_path / "2").write_bytes(other)
    assert quick_checksum(tmp_path / "1") != quick_checksum(tmp_path / "2")
    assert quick_checksum(tmp_path / "none") == ""


def test_a_project_beside_another_folder_of_the_same_names_does_not_adopt_it(project, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    dataset_at(elsewhere / "data", shade=500)
    shutil.copytree(project.folder, elsewhere / "p.shdr")
    with Project.open(elsewhere / "p.shdr") as copy:
        assert copy.dataset == elsewhere / "data"
        found = copy.compare_pictures()
        assert sorted(found.changed) == [*"abcd"]
        assert "all 4 scenes" in found.sentence
        relocate(copy, tmp_path / "data")
        assert copy.compare_pictures().changed == {}


def test_a_copy_of_the_dataset_with_new_times_is_the_same_dataset(project, tmp_path):
    shutil.copytree(project.dataset, tmp_path / "copy", copy_function=shutil.copyfile)
    relocate(project, tmp_path / "copy")
    assert project.compare_pictures().changed == {}


def test_a_promoted_label_of_changed_pictures_is_tagged_when_they_are_accepted(project):
    for name in "bc":
        paint(project.dataset / name / "1.png", 99)
    assert Decisions(project).accept_pictures(project.compare_pictures()) == ("c",)
    assert project.state("c").tags == (CHANGED_TAG,)
    assert project.state("b").tags == ()
    Decisions(project).undo()
    assert project.state("c").tags == ()


def test_pictures_that_show_the_same_leave_labels_untagged(project):
    paint(project.dataset / "c" / "1.png", 99)
    assert Decisions(project).accept_pictures(project.compare_pictures(), same=True) == ()
    assert project.state("c").tags == ()
    assert project.compare_pictures().changed == {}


def test_only_what_was_compared_is_accepted(project):
    paint(project.dataset / "b" / "1.png", 99)
    found = project.compare_pictures()
    paint(project.dataset / "b" / "1.png", 100)
    Decisions(project).accept_pictures(found)
    assert project.compare_pictures().changed == {"b": ("b/1.png",)}


def test_pictures_that_are_gone_or_no_files_are_not_changed(project):
    (project.dataset / "b" / "1.png").unlink()
    (project.dataset / "d" / "1.png").unlink()
    (project.dataset / "d" / "1.png").mkdir()
    assert project.compare_pictures().changed == {}
    assert "b/1.png" in kept(project)


def test_the_doctor_names_each_changed_scene_and_changes_nothing(project):
    for name in "bc":
        paint(project.dataset / name / "1.png", 99)
    before = kept(project)
    found = [f for f in check_up(project.folder).findings if f.trouble is FindingKind.DATASET]
    assert [each.what for each in found] == ["b", "c"]
    assert "promoted label was made of the earlier ones" in found[1].sentence
    assert "promoted" not in found[0].sentence
    assert all("accept" in each.remedy for each in found)
    assert kept(project) == before


def test_of_many_changed_scenes_the_doctor_tells_once(project, monkeypatch):
    monkeypatch.setattr(integrity, "_MOST_TOLD", 2)
    for name in "bcd":
        paint(project.dataset / name / "1.png", 99)
    (found,) = (f for f in check_up(project.folder).findings if f.trouble is FindingKind.DATASET)
    assert "3 of 4 scenes (b, c, d)" in found.sentence
    assert "accept" in found.remedy


def without_stamps(folder):
    """The project as the format before stamps had it."""
    with closing(sqlite3.connect(folder / "project.sqlite")) as by_hand:
        by_hand.execute("DROP TABLE stamps")
        by_hand.execute("ALTER TABLE journal DROP COLUMN reading")
        by_hand.execute("PRAGMA user_version = 5")
        by_hand.commit()


def test_a_project_of_before_stamps_takes_them_at_the_first_look(project):
    project.close()
    without_stamps(project.folder)
    troubles = {each.trouble for each in check_up(project.folder).findings}
    assert FindingKind.DATASET not in troubles
    with Project.open(project.folder) as opened:
        found = opened.compare_pictures()
        assert (found.changed, found.first) == ({}, 4)
        assert len(kept(opened)) == 13
        paint(opened.dataset / "b" / "1.png", 99)
        assert [*opened.compare_pictures().changed] == ["b"]


def test_a_project_that_is_only_looked_at_compares_and_keeps_nothing(project):
    paint(project.dataset / "b" / "1.png", 99)
    another_moment(project.dataset / "d" / "1.png")
    before = kept(project)
    looked_at = Project(project.folder, read_only_copy(project.folder / "project.sqlite"))
    with looked_at:
        assert [*looked_at.compare_pictures().changed] == ["b"]
    assert kept(project) == before


def test_a_full_disk_costs_no_comparison(project, monkeypatch):
    another_moment(project.dataset / "d" / "1.png")
    paint(project.dataset / "b" / "1.png", 99)

    def full(*_):
        raise UnwritableProject("its disk is full", why="its disk is full")

    monkeypatch.setattr(Project, "_keep_stamps", full)
    assert [*project.compare_pictures().changed] == ["b"]


def test_backups_and_salvage_keep_stamps(project):
    known = kept(project)
    project.close()
    for backup in backups.list_backups(project.folder):
        backup.unlink()
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as by_hand:
        by_hand.execute("DROP TRIGGER journal_is_never_cut")
        by_hand.execute("DROP TRIGGER journal_is_never_changed")
        by_hand.commit()
    (said,) = repair(project.folder)
    assert said.startswith("saved 4 scenes")
    assert kept(project) == known


def test_a_scene_of_changed_pictures_is_not_promoted_before_they_are_accepted(project):
    write_pseudo_label(project.pseudo_path("b"), pseudo_label("b"))
    write_pseudo_label(project.pseudo_path("d"), pseudo_label("d"))
    paint(project.dataset / "b" / "1.png", 99)
    with pytest.raises(ProjectError, match=r"1 of 4 scenes \(b\).*accept PROJECT"):
        Decisions(project).promote(["d", "b"])
    assert {project.state(name).status for name in "bd"} == {Status.UNLABELLED}
    assert [*project.labels_folder("b").glob("*")] == []
    Decisions(project).promote(["d"])
    Decisions(project).accept_pictures(project.compare_pictures())
    Decisions(project).promote(["b"])
    assert project.state("b").status is Status.PROMOTED


def test_nor_is_a_changed_ground_truth_learned_from(project):
    Decisions(project).demote(["a"])
    paint(project.dataset / "a" / "HDRImg.png", 99)
    with pytest.raises(ProjectError, match=r"other pictures .* \(a\)"):
        Decisions(project).use_ground_truth(["a"])
    assert project.state("a").status is Status.UNLABELLED


def test_a_dataset_that_is_not_there_keeps_nobody_from_promoting(project):
    write_pseudo_label(project.pseudo_path("b"), pseudo_label("b"))
    project.dataset.rename(project.dataset.with_name("away"))
    Decisions(project).promote(["b"])
    assert project.state("b").status is Status.PROMOTED


@pytest.mark.parametrize("by", ["nothing", "a pipe"])
def test_a_picture_that_is_not_there_is_told(project, by):
    frame = project.scene("b").frames[0]
    frame.unlink()
    if by == "a pipe":
        os.mkfifo(frame)
    found = project.compare_pictures()
    assert (dict(found.gone), found.changed) == ({"b": ("b/1.png",)}, {})
    (finding,) = [f for f in check_up(project.folder).findings if f.what == "b"]
    assert finding.trouble is FindingKind.DATASET
    assert "b lacks b/1.png" in finding.sentence
    assert "relocate" in finding.remedy


def test_many_scenes_that_lack_pictures_are_told_in_one_sentence(project, monkeypatch):
    monkeypatch.setattr(integrity, "_MOST_TOLD", 1)
    for name in "bc":
        project.scene(name).frames[0].unlink()
    (finding,) = [f for f in check_up(project.folder).findings if "lack" in f.sentence]
    assert "2 of 4 scenes lack pictures (b, c)" in finding.sentence
