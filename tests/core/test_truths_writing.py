"""A ground truth that was brought is whole on disk before it counts, and says where it is from."""

import hashlib

import numpy as np
import pytest
from made_truths import put_scene, view

from smarthdr_studio.core.datasets.ground_truth import TruthFix
from smarthdr_studio.core.errors import LabelError, ProjectError, UnreadableImage
from smarthdr_studio.core.imaging.bracket import Catalogue
from smarthdr_studio.core.imaging.image_files import read_layers, read_radiance, write_radiance_hdr
from smarthdr_studio.core.project.labels import provenance_of, truth_draft
from smarthdr_studio.core.project.project import Project

EXACT = view(size=(64, 80))
FIX = TruthFix(gain=0.25, shift=(-1, 0))


@pytest.fixture
def project(tmp_path):
    scene, _ = put_scene(tmp_path / "dataset", EXACT)
    catalogue = Catalogue(root=tmp_path / "dataset", scenes=(scene,), skipped=())
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=()) as made:
        yield made


@pytest.fixture
def provenance(tmp_path):
    path = tmp_path / "brought.hdr"
    write_radiance_hdr(path, EXACT)
    return provenance_of([path], FIX)


def test_a_draft_that_takes_its_number_stays_and_says_where_it_is_from(
    tmp_path, project, provenance
):
    with truth_draft(project, "a", EXACT, provenance=provenance) as draft:
        assert draft.path.is_file()
        final = draft.take_number()
    assert final == project.labels_folder("a") / "1.exr"
    assert list(final.parent.iterdir()) == [final]
    assert hashlib.sha256(final.read_bytes()).hexdigest() == draft.checksum
    layers, header = read_layers(final)
    assert set(layers) == {"R", "G", "B"}
    assert {layer.dtype for layer in layers.values()} == {np.dtype(np.float16)}
    source = hashlib.sha256((tmp_path / "brought.hdr").read_bytes()).hexdigest()
    told = {name: header[f"smarthdr.{name}"] for name in ("kind", "scene", "source", "gain")}
    assert told == {"kind": "ground truth", "scene": "a", "source": "brought.hdr", "gain": 0.25}
    assert header["smarthdr.source_sha256"] == source
    assert header["smarthdr.shift"] == "-1 0"


def test_it_is_read_back_as_any_ground_truth(project, provenance):
    with truth_draft(project, "a", EXACT, provenance=provenance) as draft:
        final = draft.take_number()
    np.testing.assert_array_equal(read_radiance(final), EXACT.astype(np.float16))


def test_a_draft_without_a_number_leaves_nothing(project, provenance):
    with truth_draft(project, "a", EXACT, provenance=provenance):
        pass
    with (
        pytest.raises(RuntimeError),
        truth_draft(project, "a", EXACT, provenance=provenance),
    ):
        raise RuntimeError
    assert list(project.labels_folder("a").iterdir()) == []


@pytest.mark.parametrize("wrong", [EXACT[1:], EXACT * 4 + 1, EXACT - 1, EXACT * np.nan])
def test_what_does_not_fit_is_never_written(project, provenance, wrong):
    with (
        pytest.raises(LabelError),
        truth_draft(project, "a", wrong.astype(np.float32), provenance=provenance),
    ):
        pytest.fail("it was written")
    assert not project.labels_folder("a").exists()


def test_an_unknown_scene_and_a_lost_file_are_told(tmp_path, project, provenance):
    with (
        pytest.raises(ProjectError),
        truth_draft(project, "b", EXACT, provenance=provenance),
    ):
        pytest.fail("it was written")
    with pytest.raises(UnreadableImage, match="lost"):
        provenance_of([tmp_path / "lost.hdr"], FIX)


def test_the_provenance_of_a_bracket_names_every_frame(tmp_path, project):
    paths = [tmp_path / name for name in ("1.hdr", "2.hdr")]
    for path in paths:
        write_radiance_hdr(path, EXACT)
    several = provenance_of(paths, TruthFix())
    with truth_draft(project, "a", EXACT, provenance=several) as draft:
        _, header = read_layers(draft.path)
    assert header["smarthdr.source"] == "1.hdr, 2.hdr"
    assert header["smarthdr.source_sha256"] == ", ".join(several.checksums)
