"""Versions of labels, strokes, notes, tags and splits: decided, kept, taken back."""

import sqlite3

import numpy as np
import pytest
from made_labels import a_project

from smarthdr_studio.core.errors import LabelError, LostPainting, ProjectError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def decisions(project):
    return Decisions(project)


def test_promoting_again_makes_a_new_version_and_keeps_the_old_one(project, decisions):
    decisions.promote(["b"])
    first = project.label_path("b")
    kept = first.read_bytes()
    decisions.set_masks(MaskSettings(tau_patch=0.1))
    decisions.promote(["b"], whole=True)
    assert project.label_path("b").name == "2.exr"
    assert project.state("b").whole
    assert first.read_bytes() == kept
    decisions.undo()
    assert project.label_path("b") == first
    assert not project.state("b").whole
    decisions.promote(["b"])
    assert project.label_path("b").name == "3.exr", "a number is never used twice"


def test_a_label_frozen_as_it_is_holds_what_one_written_anew_would(project, decisions):
    decisions.set_masks(read_pseudo_label(project.pseudo_path("b")).provenance.masks)
    decisions.promote(["b"])
    first = read_pseudo_label(project.label_path("b"))
    source = project.pseudo_path("b")
    if first.provenance != read_pseudo_label(source).provenance:
        write_pseudo_label(source, first)  # what a round writes: ranges as they were found
    decisions.promote(["b"])
    copied = project.label_path("b")
    assert copied.read_bytes() == source.read_bytes()
    again = read_pseudo_label(copied)
    assert again.provenance == first.provenance
    assert (again.sigma == first.sigma).all()
    assert (again.hdr == first.hdr).all()
    write_pseudo_label(source, first)
    assert copied.stat().st_ino != source.stat().st_ino
    check_label(copied, project.state("b").checksum)


def test_the_label_carries_what_was_painted_and_its_checksum(project, decisions):
    mask = np.zeros((48, 64), np.int8)
    mask[3:9, 5:20] = 1
    mask[30:, :] = -1
    decisions.paint("b", lambda _: mask)
    decisions.promote(["b"])
    label = read_pseudo_label(project.label_path("b"))
    assert (label.person == mask).all()
    check_label(project.label_path("b"), project.state("b").checksum)
    whole = project.label_path("b").read_bytes()
    project.label_path("b").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(LabelError, match="checksum"):
        check_label(project.label_path("b"), project.state("b").checksum)


def test_strokes_are_undone_one_by_one_also_after_opening_again(project, decisions):
    first = np.zeros((48, 64), np.int8)
    first[4, 4] = 1
    decisions.paint("b", lambda _: first)
    decisions.paint("b", lambda now: now - 2 * (now > 0).astype(np.int8))
    with Project.open(project.folder) as again:
        assert again.person("b")[4, 4] == -1
        Decisions(again).undo()
        assert again.person("b")[4, 4] == 1
        Decisions(again).undo()
        assert again.person("b") is None
        Decisions(again).redo()
    assert (project.person("b") == first).all()


def test_notes_and_tags_are_kept_undone_and_redone(project, decisions):
    decisions.annotate(["b", "c"], add=["night", "car"])
    decisions.annotate(["b"], note="a ghost at the left", remove=["car"])
    assert project.state("b").tags == ("night",)
    assert project.state("b").note == "a ghost at the left"
    assert project.state("c").tags == ("car", "night")
    decisions.undo()
    assert project.state("b").tags == ("car", "night")
    assert project.state("b").note == ""
    decisions.undo()
    assert project.state("c").tags == ()
    decisions.redo()
    assert project.state("c").tags == ("car", "night")


def test_a_split_is_one_decision_and_refuses_what_it_cannot_give(project, decisions):
    before = project.statuses()
    decisions.import_split({"b": Status.EXCLUDED, "c": Status.TEST})
    assert project.statuses() == {**before, "b": Status.EXCLUDED, "c": Status.TEST}
    decisions.undo()
    assert project.statuses() == before
    with pytest.raises(ProjectError, match="b: a split cannot make it promoted"):
        decisions.import_split({"b": Status.PROMOTED})


def test_a_scene_that_a_split_excludes_comes_back_to_what_it_was(project, decisions):
    decisions.promote(["b"])
    label = project.label_path("b")
    decisions.import_split({"b": Status.EXCLUDED, "t": Status.EXCLUDED})
    decisions.restore(["b", "t"])
    assert project.label_path("b") == label
    assert project.statuses()["t"] is Status.TEST, "the test is never learned from by accident"


def test_tags_are_single_words_without_space_around_them(project, decisions):
    decisions.annotate(["b"], add=[" night", "night ", "car"])
    assert project.state("b").tags == ("car", "night")
    for none in ("", " ", "two words"):
        with pytest.raises(ProjectError, match="a tag is one word; join words with a hyphen"):
            decisions.annotate(["b"], add=[none])
    decisions.annotate(["b"], remove=["night ", "never there"])
    assert project.state("b").tags == ("car",)


def test_over_a_painted_mask_that_is_lost_one_paints_anew(tmp_path):
    first, second = np.zeros((2, 48, 64), np.int8)
    first[4], second[8] = 1, -1
    with a_project(tmp_path) as project:
        folder = project.folder
        Decisions(project).paint("b", lambda _: first)
        lost = project.state("b").person
    with sqlite3.connect(folder / "project.sqlite") as connection:
        connection.execute("UPDATE person_masks SET runs = x'00' WHERE hash = ?", (lost,))
    connection.close()
    with Project.open(folder) as project:
        with pytest.raises(LostPainting, match="undo it or paint anew"):
            project.person("b")
        Decisions(project).paint("b", lambda before: second if before is None else before)
        assert (project.person("b") == second).all()
        Decisions(project).undo()
        assert project.state("b").person == lost, "a backup may bring it back"


def test_a_damaged_file_is_told_by_what_it_is(tmp_path):
    path = tmp_path / "1.exr"
    path.write_bytes(b"other")
    with pytest.raises(LabelError, match=r"not what was promoted .* promote the scene again"):
        check_label(path, "0")
    with pytest.raises(LabelError, match=r"not the ground truth that .* import it again"):
        check_label(path, "0", imported=True)
