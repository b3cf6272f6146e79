"""A scene is read as far as it can be; what cannot is one sentence, until the file is back."""

import errno
import os
from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.files import file_stamp
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.imaging.image_files import read_layers, write_layers
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label
from smarthdr_studio.studio.project.scene_loader import SceneFiles, load_scene


def _nothing(_text, _done, _total):
    pass


def _files(folder, scene="003"):
    with Project.open(folder) as project:
        return SceneFiles.of(
            project.scene(scene),
            pseudo=project.pseudo_path(scene),
            label=project.label_path(scene),
        )


def _load(folder, scene="003", *, frames=None):
    return load_scene(files=_files(folder, scene), frames=frames or FrameStore())


@pytest.fixture
def promoted_project(tiny_project):
    """The tiny project with one scene promoted."""
    with Project.open(tiny_project) as project:
        Decisions(project).promote(["003"])
    return tiny_project


def test_everything_there_is_of_a_scene_is_read(promoted_project):
    scene = _load(promoted_project)
    assert scene.problems == ()
    assert scene.bracket.reference.shape == (96, 128, 3)
    assert scene.label.scene == scene.promoted.scene == scene.id == "003"
    assert scene.ground_truth.shape == (96, 128, 3)


def test_a_scene_without_labels_has_no_problem(tiny_project):
    scene = _load(tiny_project, "001")
    assert scene.problems == ()
    assert scene.label is None
    assert scene.promoted is None
    assert scene.files.stamp == ((), ())


def test_the_promoted_label_is_the_frozen_one_not_the_latest(promoted_project, label_again):
    with Project.open(promoted_project) as project:
        label_again(project, "003", at_round=9)
    scene = _load(promoted_project)
    assert scene.label.provenance.round == 9
    assert scene.promoted.provenance.round == 3


def test_memory_is_counted_to_the_last_array(promoted_project):
    path = _files(promoted_project).pseudo
    label = read_pseudo_label(path)
    brush = np.zeros(label.sigma.shape, np.int8)
    brush[:5] = 1
    write_pseudo_label(path, replace(label, person=brush))
    scene = _load(promoted_project)
    held = [
        *scene.bracket.frames,
        scene.ground_truth,
        scene.label.hdr,
        scene.label.sigma,
        scene.label.person,
        scene.promoted.hdr,
        scene.promoted.sigma,
    ]
    assert scene.nbytes == sum(array.nbytes for array in held)
    assert replace(scene, bracket=None, ground_truth=None, label=None).nbytes == sum(
        array.nbytes for array in held[-2:]
    )
    assert replace(scene, bracket=None, ground_truth=None, label=None, promoted=None).nbytes == 0


def _truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _of_newer_version(path):
    layers, header = read_layers(path)
    write_layers(path, layers, header=header | {"smarthdr.format": 99})


def _of_another_size(path):
    label = read_pseudo_label(path)
    write_pseudo_label(path, replace(label, hdr=label.hdr[:64], sigma=label.sigma[:64]))


def _foreign(path):
    path.write_text("no picture")


def _delete(path):
    path.unlink()


FAULTS = {
    "truncated": (_truncate, "truncated"),
    "of a newer version": (_of_newer_version, "newer version"),
    "of another size": (_of_another_size, "128×64 pixels, but the scene has 128×96"),
    "foreign": (_foreign, "not an EXR image"),
    "deleted": (_delete, "no such file"),
}


@pytest.mark.parametrize("which", ["pseudo", "label"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_label_is_one_sentence_until_it_is_back(promoted_project, fault, which):
    damage, words = FAULTS[fault]
    before = _files(promoted_project)
    path = getattr(before, which)
    content = path.read_bytes()
    damage(path)
    scene = _load(promoted_project)
    assert scene.files.stamp != before.stamp
    (sentence,) = scene.problems
    assert sentence.startswith(str(path))
    assert words in sentence
    assert "\n" not in sentence
    lost, other = ("label", "promoted") if which == "pseudo" else ("promoted", "label")
    assert getattr(scene, lost) is None
    assert getattr(scene, other) is not None
    assert scene.bracket is not None
    assert scene.ground_truth is not None
    path.write_bytes(content)
    again = _load(promoted_project)
    assert again.problems == ()
    assert again.files.stamp != scene.files.stamp
    assert getattr(again, lost) is not None


def test_a_label_deleted_after_it_was_looked_for_is_one_sentence(tiny_project):
    files = _files(tiny_project)
    files.pseudo.unlink()
    files.pseudo.with_suffix(".npz").unlink()
    scene = load_scene(files=files, frames=FrameStore())
    assert len(scene.problems) == 1
    assert "no such file" in scene.problems[0]
    assert _load(tiny_project).problems == ()  # nothing says any more that there was one


def test_a_dataset_that_vanished_is_one_sentence_until_it_is_back(promoted_project, dataset):
    away = dataset.with_name("unplugged")
    dataset.rename(away)
    scene = _load(promoted_project)
    assert scene.problems == (f"{dataset}: is not there any more; put it back or plug in its disk",)
    assert scene.bracket is None
    assert scene.ground_truth is None
    assert scene.label is not None
    assert scene.promoted is not None
    away.rename(dataset)
    again = _load(promoted_project)
    assert again.problems == ()
    assert again.bracket is not None
    assert again.ground_truth is not None


def test_what_is_decoded_outlives_the_dataset(tiny_project, dataset):
    frames = FrameStore()
    whole = _load(tiny_project, frames=frames)
    dataset.rename(dataset.with_name("unplugged"))
    scene = _load(tiny_project, frames=frames)
    assert scene.problems == ()
    assert scene.bracket is whole.bracket


def test_a_frame_and_a_truth_that_are_bad_are_a_sentence_each(tiny_project):
    of = _files(tiny_project).scene
    of.frames[2].write_bytes(b"")
    of.ground_truth.unlink()
    scene = _load(tiny_project)
    assert [str(path) in line for path, line in zip(
        (of.frames[2], of.ground_truth), scene.problems, strict=True
    )] == [True, True]  # fmt: skip
    assert scene.label is not None


def test_a_disk_that_answers_no_more_is_told_and_the_rest_is_read(tiny_project):
    class Broken(FrameStore):
        def bracket(self, scene):
            raise OSError(errno.EIO, "Input/output error", str(scene.frames[0]))

    scene = _load(tiny_project, frames=Broken())
    (sentence,) = scene.problems
    assert sentence.endswith("1.tif: cannot be read (Input/output error); look at the disk")
    assert scene.label is not None
    assert scene.ground_truth is not None


def _write(path, content, *, at):
    """Writes whole, as every writer of the house does: a new file takes the place of the old."""
    draft = path.with_name("draft")
    draft.write_bytes(content)
    os.utime(draft, ns=(at, at))
    draft.replace(path)


def test_a_file_replaced_within_the_same_second_is_noticed(tmp_path):
    path, at = tmp_path / "a.exr", 1_800_000_000 * 10**9
    stamps = {file_stamp(path)}
    assert stamps == {()}
    for content, later in ((b"one", 0), (b"two", 0), (b"longer", 0), (b"longer", 1)):
        _write(path, content, at=at + later)
        stamps.add(file_stamp(path))
    assert len(stamps) == 5
    assert file_stamp(path) == file_stamp(path)


def test_a_new_promoted_label_changes_the_stamp_too(promoted_project):
    before = _files(promoted_project)
    assert _files(promoted_project).stamp == before.stamp
    content = before.label.read_bytes()
    _write(before.label, content, at=before.label.stat().st_mtime_ns)
    after = _files(promoted_project)
    assert after.stamp[0] == before.stamp[0]
    assert after.stamp[1] != before.stamp[1]
