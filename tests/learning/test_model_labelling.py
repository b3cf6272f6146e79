"""A model that is at hand labels a project as a run would, and loses nothing that is there."""

from contextlib import closing

import pytest

from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.imaging.bracket import Catalogue
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.round_files import round_path
from smarthdr_studio.core.training.run_folder import new_run
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.trust.masking import MaskSettings, trust
from smarthdr_studio.core.trust.pseudo_label import read_provenance, read_pseudo_label
from smarthdr_studio.learning.bundle import write_bundle
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.model_files import read_weights
from smarthdr_studio.learning.model_labelling import label_scenes
from smarthdr_studio.learning.trainer import train


@pytest.fixture
def bundle(make_project, make_plan, tmp_path):
    """A model of another project, as a file."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = make_project(elsewhere)
    list(train(make_plan(schedule={"epochs": 1, "steps_per_epoch": 1}), other))
    path = tmp_path / "other.shdrmodel"
    write_bundle(path, *read_weights(latest_checkpoint(other)))
    return path


@pytest.fixture
def project_without_labels(project):
    """The small project in which no scene has a ground truth that counts."""
    with Project.open(project) as opened:
        catalogue = Catalogue(root=project.parent / "data", scenes=opened.scenes, skipped=())
    bare = project.with_name("bare.shdr")
    Project.create(bare, catalogue, labelled=[]).close()
    return bare


def _files(project):
    return {path.name: path.read_bytes() for path in (project / "pseudo").iterdir()}


def test_a_project_without_any_label_gets_pseudo_labels_that_can_be_promoted(
    project_without_labels, bundle
):
    project = project_without_labels
    *_, finished = label_scenes(project, model=bundle, device="cpu")
    assert [scene.id for scene in finished.scenes] == list("abcuvw")
    label = read_pseudo_label(project / "pseudo" / "u.exr")
    with Project.open(project) as opened:
        Decisions(opened).promote(["u"])
        (entry,) = Decisions(opened).history(1)
        assert opened.statuses()["u"] is Status.PROMOTED
    of = label.provenance
    assert of.checkpoint == read_weights(bundle)[0].weights
    assert (of.round, of.network) == (0, "light")
    assert (entry.run, entry.round, entry.checkpoint) == (of.run, 0, of.checkpoint)


def test_its_masks_are_those_of_the_thresholds_over_the_whole_pool(project, bundle):
    *_, finished = label_scenes(project, model=bundle, device="cpu")
    for scene in finished.scenes:
        label = read_pseudo_label(project / "pseudo" / f"{scene.id}.exr")
        of = label.provenance
        found = trust(label.sigma, of.masks, patch_range=of.patch_range, pixel_range=of.pixel_range)
        assert scene.retained == found.trusted.mean()
    means = [
        read_pseudo_label(project / "pseudo" / f"{name}.exr").provenance.patch_range
        for name in "uvw"
    ]
    assert len(set(means)) == 1


def test_what_it_replaces_is_in_the_trash_unless_its_run_keeps_the_round(
    project, bundle, make_plan
):
    list(train(make_plan(schedule={"epochs": 2, "warmup_epochs": 0}), project))
    of = read_provenance(project / "pseudo" / "u.exr")
    assert of.round > 0
    run = project / "runs" / of.run
    kept = round_path(run, number=of.round)
    assert kept.is_file()
    list(label_scenes(project, model=bundle, device="cpu"))
    assert not (project / "trash").exists()
    assert kept.is_file()

    once = _files(project)
    list(label_scenes(project, model=latest_checkpoint(project), ids=["u"], device="cpu"))
    (trashed,) = (project / "trash").glob("*/pseudo/u.exr")
    assert trashed.read_bytes() == once["u.exr"]
    now = _files(project)
    assert now["u.exr"] != once["u.exr"]
    assert {n: b for n, b in now.items() if n[0] != "u"} == {
        n: b for n, b in once.items() if n[0] != "u"
    }


@pytest.mark.parametrize("word", ["labelling", "writing"])
def test_given_up_while_it_predicts_or_writes_it_leaves_the_old_labels(project, bundle, word):
    list(label_scenes(project, model=bundle, device="cpu"))
    before = _files(project)
    with closing(label_scenes(project, model=bundle, device="cpu")) as events:
        for event in events:
            if isinstance(event, PhaseChanged) and event.text.startswith(f"{word} scene 3"):
                break
    assert _files(project) == before


def test_a_scene_promoted_while_it_is_labelled_keeps_its_pseudo_label(project, bundle):
    list(label_scenes(project, model=bundle, device="cpu"))
    before = _files(project)
    with Project.open(project) as opened:
        Decisions(opened).set_masks(MaskSettings(tau_pixel=0.9))
    for event in label_scenes(project, model=bundle, device="cpu"):
        if isinstance(event, PhaseChanged) and event.text.startswith("writing scene 3"):
            with Project.open(project) as opened:
                Decisions(opened).promote(["u"])
    assert event.changes == ("u: was decided about meanwhile; its pseudo-label stays",)
    after = _files(project)
    assert (after["u.exr"], after["u.npz"]) == (before["u.exr"], before["u.npz"])
    assert after["v.exr"] != before["v.exr"]


def test_it_can_be_given_up_between_two_tiles(project, bundle):
    class Enough(Exception):
        """Somebody pressed cancel."""

    def said(done, total):
        raise Enough

    with pytest.raises(Enough):
        list(label_scenes(project, model=bundle, device="cpu", said=said))
    assert not any((project / "pseudo").glob("*"))


def test_while_a_run_is_at_work_nothing_is_labelled(project, bundle):
    run = new_run(project, "fast")
    with (
        run_lock(run.path),
        pytest.raises(ProjectError, match=f"{run.id} is at work .*stop it first"),
    ):
        list(label_scenes(project, model=bundle, device="cpu"))
    assert not any((project / "pseudo").glob("*"))


def test_a_disk_that_takes_no_file_is_told_in_a_sentence(project, bundle, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("smarthdr_studio.learning.model_labelling.move", refuse)
    with pytest.raises(LabelError, match=r"No space left.*label again"):
        list(label_scenes(project, model=bundle, device="cpu"))
