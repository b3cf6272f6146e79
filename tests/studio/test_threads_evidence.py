"""The pool's evidence: who was asked about which scene, and what a bad scene costs."""

import numpy as np
import pytest
from made_models import UNTRAINED, leave_untrained

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.causes import clues
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.trust.reliability import Part, Sampled, error_map, squared_error_map
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.inference import run_predictor
from smarthdr_studio.learning.model_files import load_predictor
from smarthdr_studio.studio.tasks import Cancelled
from smarthdr_studio.studio.trust.evidence import measure_group
from smarthdr_studio.studio.trust.inspector import find_clues

pytestmark = pytest.mark.usefixtures("nothing_predicted_before")
POOL = ("003", "004", "005", "006")


def _nothing(_text, _done, _total):
    pass


@pytest.fixture
def trained(tiny_project):
    """The tiny project with a checkpoint of networks that learned nothing."""
    leave_untrained(tiny_project)
    return tiny_project


def _group(folder, group):
    return measure_group(_nothing, project=folder, frames=FrameStore(), group=group)


def _measured(folder, scene, *, guess):
    """σ, error and clues of one scene, the long way."""
    frames = FrameStore()
    with Project.open(folder) as project:
        of, pseudo = project.scene(scene), project.pseudo_path(scene)
    if guess:
        hdr, sigma = run_predictor(
            load_predictor(latest_checkpoint(folder), who="teacher", frames=frames), of
        )
    else:
        label = read_pseudo_label(pseudo)
        hdr, sigma = label.hdr, label.sigma
    truth = frames.ground_truth(of)
    errors = {"error": error_map(hdr, truth), "squares": squared_error_map(hdr, truth)}
    return Sampled.of(sigma, clues(frames.bracket(of)), **errors, most=40_000)


LABELS = ("Test-007", "001", "002")


@pytest.mark.parametrize(("group", "scenes"), [("pool", POOL), ("labels", LABELS)])
def test_the_pool_is_the_pool_and_labels_are_measured_apart_as_the_teacher_sees_them(
    trained, group, scenes
):
    found = _group(trained, group)
    assert found.scenes == scenes
    assert found.problems == ()
    expected = Sampled.joined(
        [_measured(trained, scene, guess=group == "labels") for scene in found.scenes]
    )
    for part in Part:
        one, other = (sampled.part(part) for sampled in (found.sampled, expected))
        np.testing.assert_array_equal(one.sigma, other.sigma)
        np.testing.assert_array_equal(one.error, other.error)
        np.testing.assert_array_equal(one.squares, other.squares)
    assert len(found.sampled.sigma) == len(scenes) * 96 * 128


def test_the_note_says_who_was_asked_and_which_figures_are_too_good(trained):
    assert _group(trained, "pool").note == "4 unlabelled scenes by their pseudo-labels."
    assert _group(trained, "labels").note == (
        f"1 test scene and 2 labelled scenes as the teacher of {UNTRAINED}, step 5 sees them. "
        "Labelled scenes were trained on, and leave-one-out is not done: figures of labelled "
        "scenes are optimistic."
    )


def test_before_a_checkpoint_the_pool_alone_can_be_measured(tiny_project):
    found = _group(tiny_project, "pool")
    assert (found.scenes, found.problems) == (POOL, ())
    with pytest.raises(ProjectError, match="train first"):
        _group(tiny_project, "labels")


def test_without_pseudo_labels_the_pool_is_not_replaced_by_other_scenes(trained):
    for path in (trained / "pseudo").iterdir():
        path.unlink()
    with pytest.raises(ProjectError, match="no scene of the pool has both"):
        _group(trained, "pool")
    assert _group(trained, "labels").scenes == LABELS


def test_promoted_and_excluded_scenes_take_no_part(trained):
    with Project.open(trained) as project:
        Decisions(project).promote(["003"])
        Decisions(project).exclude(["004"])
    assert _group(trained, "pool").scenes == ("005", "006")
    assert _group(trained, "labels").scenes == LABELS


def test_a_scene_that_cannot_be_read_costs_a_sentence_and_not_the_whole(trained):
    with Project.open(trained) as project:
        pseudo, frame = project.pseudo_path("004"), project.scene("002").frames[0]
    pseudo.write_bytes(pseudo.read_bytes()[:100])
    frame.unlink()
    pool, labels = _group(trained, "pool"), _group(trained, "labels")
    assert (pool.scenes, labels.scenes) == (("003", "005", "006"), ("Test-007", "001"))
    assert [str(pseudo) in line for line in pool.problems] == [True]
    assert [str(frame) in line for line in labels.problems] == [True]
    assert "3 unlabelled scenes" in pool.note
    assert "1 labelled scene " in labels.note


def test_with_nothing_to_measure_the_reason_is_told(fresh_project, dataset):
    for group in ("pool", "labels"):
        with pytest.raises(ProjectError, match="train first"):
            _group(fresh_project, group)
    for truth in dataset.rglob("HDRImg.hdr"):
        truth.unlink()
    with pytest.raises(ProjectError):
        _group(fresh_project, "labels")


def test_measuring_says_which_scene_it_is_at_and_is_given_up_between_tiles(trained):
    said = []

    def tell(text, done, total):
        if len(said) == 8:
            raise Cancelled
        said.append((text, done, total))

    with pytest.raises(Cancelled):
        measure_group(tell, project=trained, frames=FrameStore(), group="labels")
    assert said[0] == ("loading the teacher", 0, 0)
    assert said[1] == ("measuring scene 1 of 3", 0, 3)
    assert said[-1][0] in {f"measuring scene {k} of 3" for k in (1, 2, 3)}
    assert [done for _, done, _ in said] == sorted(done for _, done, _ in said)


def test_clues_are_those_of_the_bracket(tiny_project):
    with Project.open(tiny_project) as project:
        bracket = FrameStore().bracket(project.scene("003"))
    found, expected = find_clues(bracket=bracket), clues(bracket)
    np.testing.assert_array_equal(found.motion, expected.motion)
    np.testing.assert_array_equal(found.noise, expected.noise)
