"""Versions of labels, strokes, notes, tags and splits: decided, kept, taken back."""

import numpy as np
import pytest
from made_labels import a_project

from smarthdr_studio.core.decisions import Decisions, Status
from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.label_files import check_label
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import read_pseudo_label


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
