"""What a person decides, on a real project: statuses, frozen labels, undo, and two at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from made_labels import a_project, pseudo_label

from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import Level, MaskSettings, Range
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def decisions(project):
    return Decisions(project)


def test_a_promoted_scene_keeps_its_own_copy_of_the_label(project, decisions):
    decisions.promote(["b"])
    assert project.statuses()["b"] is Status.PROMOTED
    assert project.label_path("b") == project.folder / "labels" / "b" / "1.exr"
    write_pseudo_label(project.pseudo_path("b"), pseudo_label("b", seed=9))
    frozen = read_pseudo_label(project.label_path("b"))
    np.testing.assert_array_equal(frozen.hdr, pseudo_label("b").hdr)


def test_the_frozen_label_is_masked_with_the_thresholds_of_now(project, decisions):
    settings = MaskSettings(tau_patch=0.2, tau_pixel=0.7, patch_size=16)
    decisions.set_masks(settings)
    decisions.promote(["b"])
    of = read_pseudo_label(project.label_path("b")).provenance
    assert of.masks == settings
    assert of.patch_range == pseudo_label("b").provenance.patch_range


def test_the_pool_of_now_can_be_told_when_promoting(project, decisions):
    decisions.set_masks(MaskSettings(patch_size=16, pixels=Level(scope="pool")))
    ranges = (Range(0.0, 0.5), Range(0.0, 0.6))
    decisions.promote(["b"], ranges={"b": ranges})
    of = read_pseudo_label(project.label_path("b")).provenance
    assert (of.patch_range, of.pixel_range) == ranges


def test_the_journal_holds_who_when_what_and_with_which_weights(project, decisions):
    decisions.promote(["b"], note="sharp everywhere", who="mira@lab")
    (entry,) = decisions.history(1)
    assert (entry.who, entry.note, entry.scene) == ("mira@lab", "sharp everywhere", "b")
    assert (entry.before, entry.after) == (Status.UNLABELLED, Status.PROMOTED)
    assert (entry.run, entry.round) == ("20261122-150301-quick", 3)
    assert (entry.checkpoint, entry.label) == ("ab" * 32, "labels/b/1.exr")
    assert entry.masks == MaskSettings(patch_size=16)  # as the pseudo-label counts
    assert entry.at.endswith("+00:00")
    with Project.open(project.folder) as again:
        assert again.entries() == project.entries()


def test_whoever_is_logged_in_decides_unless_told_otherwise(decisions):
    decisions.exclude(["b"])
    assert "@" in decisions.history(1)[0].who


def test_undo_and_redo_of_a_promotion_keep_the_very_same_label(project, decisions):
    decisions.promote(["b", "c"])
    first = project.label_path("b")
    assert decisions.undo().words == "promote 2 scenes"
    assert project.label_path("b") is None
    assert project.statuses()["c"] is Status.UNLABELLED
    assert decisions.redo().words == "promote 2 scenes"
    assert project.label_path("b") == first
    assert first.is_file()


def test_each_promotion_has_a_number_of_its_own(project, decisions):
    for number in (1, 2, 3):
        decisions.promote(["b"])
        assert project.label_path("b").name == f"{number}.exr"
        decisions.demote(["b"])
    assert project.label_path("b") is None
    decisions.undo()
    assert project.label_path("b").name == "3.exr"


def test_an_excluded_promotion_comes_back_with_its_label(project, decisions):
    decisions.promote(["b"])
    decisions.exclude(["a", "b", "c"])
    assert project.label_path("b") is None
    decisions.restore(["a", "b", "c"])
    statuses = project.statuses()
    assert [statuses[name] for name in "abc"] == ["ground truth", "promoted", "unlabelled"]
    assert project.label_path("b").name == "1.exr"


def test_a_demoted_ground_truth_can_be_used_again(project, decisions):
    decisions.demote(["a"])
    assert project.statuses()["a"] is Status.UNLABELLED
    decisions.use_ground_truth(["a"])
    assert project.statuses()["a"] is Status.GROUND_TRUTH


def test_undo_outlives_the_window(project, decisions):
    decisions.set_masks(MaskSettings(tau_patch=0.1))
    decisions.exclude(["b"])
    project.close()
    with Project.open(project.folder) as reopened:
        later = Decisions(reopened)
        assert later.undo().words == "exclude b"
        assert later.undo().words == "set the thresholds to 0.1 and 0.4"
        assert later.next_undo is None
        assert later.masks() == MaskSettings()


@pytest.mark.parametrize(
    ("verb", "fine", "name"),
    [
        ("promote", "c", "a"),
        ("promote", "c", "t"),
        ("demote", "a", "b"),
        ("demote", "a", "nowhere"),
        ("exclude", "a", "t"),
        ("restore", None, "b"),
        ("use_ground_truth", None, "b"),
        ("use_ground_truth", None, "t"),
    ],
)
def test_what_is_not_allowed_is_one_sentence_and_changes_nothing(project, verb, fine, name):
    before = project.statuses()
    with pytest.raises(ProjectError) as error:
        getattr(Decisions(project), verb)([name] if fine is None else [fine, name])
    assert str(error.value).startswith(f"{name}: ")
    assert "\n" not in str(error.value)
    assert project.statuses() == before
    assert Decisions(project).next_undo is None
    assert not list(project.folder.glob("labels/*/*"))


def test_a_scene_without_a_pseudo_label_is_told_how_to_get_one(project, decisions):
    project.pseudo_path("c").unlink()
    with pytest.raises(LabelError, match="no pseudo-label yet; train, or make one with"):
        decisions.promote(["b", "c"])
    assert project.statuses()["b"] is Status.UNLABELLED
    assert not list(project.folder.glob("labels/*/*"))


def test_a_damaged_pseudo_label_or_one_of_another_size_is_never_promoted(project, decisions):
    path = project.pseudo_path("b")
    path.write_bytes(path.read_bytes()[:500])
    write_pseudo_label(project.pseudo_path("c"), pseudo_label("c", size=(8, 8)))
    for name, reason in (("b", "truncated"), ("c", "64×48")):
        with pytest.raises(LabelError, match=reason):
            decisions.promote([name])
    assert not list(project.folder.glob("labels/*/*"))


def test_deciding_about_nothing_or_twice_about_one_is_harmless(decisions):
    decisions.promote([])
    decisions.exclude(())
    assert decisions.next_undo is None
    decisions.promote(["b", "b"])
    assert decisions.next_undo.words == "promote b"


def test_a_decision_overtaken_by_another_window_is_refused_whole(project, decisions):
    real, overtaken = project.record, []

    def after_another_window(decide):
        if not overtaken:
            overtaken.append(True)
            with Project.open(project.folder) as other:
                Decisions(other).demote(["c"])
        real(decide)

    decisions.promote(["b", "c"])
    project.record = after_another_window
    with pytest.raises(ProjectError, match="c: its status is unlabelled"):
        decisions.demote(["b", "c"])
    assert project.statuses()["b"] is Status.PROMOTED
    assert project.label_path("b").is_file()


def test_two_threads_promoting_at_once_lose_nothing(project):
    """Each thread opens the project for itself, as the window and the trainer do."""

    def promote_and_demote(name):
        with Project.open(project.folder) as own:
            for _ in range(10):
                Decisions(own).promote([name])
                Decisions(own).demote([name])

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(promote_and_demote, "bc"))
    labels = [entry.label for entry in project.entries() if entry.kind == "promote"]
    assert len(labels) == len(set(labels)) == 20
    assert all((project.folder / label).is_file() for label in labels)


def test_thresholds_survive_to_the_last_bit(project, decisions):
    masks = MaskSettings(
        tau_patch=0.1 + 0.2,
        tau_pixel=1 / 3,
        patches=Level(normalisation="percentile", low_percentile=0.1, high_percentile=99.9),
        pixels=replace(MaskSettings().pixels, scope="pool"),
    )
    decisions.set_masks(masks)
    with Project.open(project.folder) as again:
        assert Decisions(again).masks() == masks
