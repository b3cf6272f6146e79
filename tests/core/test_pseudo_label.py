"""A pseudo-label on disk: what comes back, what any viewer sees, and what is refused."""

from dataclasses import replace

import numpy as np
import OpenEXR
import pytest

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.imaging.image_files import read_layers, write_layers
from smarthdr_studio.core.trust.masking import Level, MaskSettings, Range, trust
from smarthdr_studio.core.trust.pseudo_label import (
    Provenance,
    PseudoLabel,
    read_pseudo_label,
    remasked,
    write_pseudo_label,
)

HEIGHT, WIDTH = 75, 100


@pytest.fixture
def label():
    random = np.random.default_rng(3)
    sigma = random.gamma(2.0, 0.01, (HEIGHT, WIDTH)).astype(np.float32)
    sigma[:32, :32] *= 5
    person = np.zeros((HEIGHT, WIDTH), np.int8)
    person[:5], person[-5:] = 1, -1
    return PseudoLabel(
        scene="Tag-012",
        hdr=random.random((HEIGHT, WIDTH, 3)).astype(np.float16),
        sigma=sigma,
        person=person,
        provenance=Provenance(
            run="20261122-150301-quick",
            round=4,
            epoch=7,
            checkpoint="ab" * 32,
            network="light",
            masks=MaskSettings(tau_patch=0.1 + 0.2, tau_pixel=0.35, patch_size=16),
            patch_range=Range(1 / 3, 0.1 / 3 + 1),
            pixel_range=Range(0.0012, 0.087),
            made="2026-11-22T15:03:01.000+00:00",
        ),
    )


@pytest.fixture
def path(tmp_path, label):
    path = tmp_path / "pseudo" / "Tag-012.exr"
    write_pseudo_label(path, label)
    return path


def test_what_was_written_comes_back_to_the_last_bit(path, label):
    found = read_pseudo_label(path, expect=(HEIGHT, WIDTH))
    for name in ("hdr", "sigma", "person"):
        assert getattr(found, name).dtype == getattr(label, name).dtype
        np.testing.assert_array_equal(getattr(found, name), getattr(label, name))
    assert found.scene == label.scene
    assert found.provenance == label.provenance


def test_a_label_nobody_painted_on_has_no_brush_layer_in_memory(path, label):
    write_pseudo_label(path, replace(label, person=None))
    assert read_pseudo_label(path).person is None


def test_any_viewer_sees_the_layers_and_where_they_are_from(path):
    with OpenEXR.File(str(path), separate_channels=True) as file:
        kinds = {name: channel.pixels.dtype for name, channel in file.channels().items()}
        header = dict(file.header())
    assert set(kinds) == {
        *("R", "G", "B", "uncertainty.Y", "score.patch", "score.pixel"),
        *("mask.patch", "mask.pixel", "mask.person"),
    }
    assert {kinds[name] for name in "RGB"} == {np.dtype(np.float16)}
    assert kinds["uncertainty.Y"] == np.float32
    assert header["smarthdr.run"] == "20261122-150301-quick"
    assert header["smarthdr.round"] == 4
    assert '"tau_pixel": 0.35' in header["smarthdr.masks"]


def test_the_masks_in_the_file_are_the_trust_of_the_loss(path, label):
    of = label.provenance
    expected = trust(
        label.sigma,
        of.masks,
        patch_range=of.patch_range,
        pixel_range=of.pixel_range,
        person=label.person,
    )
    layers, _ = read_layers(path)
    gates = (layers["mask.patch"] > 0) & (layers["mask.pixel"] > 0)
    in_file = (gates | (layers["mask.person"] > 0)) & (layers["mask.person"] >= 0)
    np.testing.assert_array_equal(in_file, expected.trusted)


def test_scores_lie_between_0_and_1(path):
    layers, _ = read_layers(path, only=("score.patch", "score.pixel"))
    for score in layers.values():
        assert 0 <= score.min() <= score.max() <= 1


def test_new_thresholds_change_the_masks_and_nothing_else(label):
    other = remasked(label, MaskSettings(tau_patch=0.2, patch_size=16))
    np.testing.assert_array_equal(other.hdr, label.hdr)
    np.testing.assert_array_equal(other.sigma, label.sigma)
    assert other.provenance.run == label.provenance.run
    assert other.provenance.masks.tau_patch == 0.2


def test_a_range_of_the_pool_is_kept_and_a_range_of_the_scene_is_measured_again(label):
    pool, pixels = Range(0.0, 0.1), Range(0.0, 0.2)
    per_scene = remasked(label, MaskSettings(patch_size=16), ranges=(pool, None))
    own = trust(label.sigma, MaskSettings(patch_size=16), patch_range=pool).pixel_range
    assert per_scene.provenance.patch_range == pool
    assert per_scene.provenance.pixel_range == own
    settings = MaskSettings(patch_size=16, pixels=Level(scope="pool"))
    pooled = remasked(label, settings, ranges=(pool, pixels))
    assert pooled.provenance.pixel_range == pixels


def test_masking_twice_with_the_same_settings_is_masking_once(label):
    once = remasked(label, MaskSettings(patch_size=16))
    assert remasked(once, MaskSettings(patch_size=16)).provenance == once.provenance


def test_uncertainty_that_is_no_number_is_refused(path, label):
    sigma = label.sigma.copy()
    sigma[0, 0] = np.nan
    write_pseudo_label(path, replace(label, sigma=sigma))
    with pytest.raises(LabelError, match=r"no numbers; make it anew"):
        read_pseudo_label(path)


def test_a_newer_format_is_told_to_update(path, label):
    newer = replace(label, provenance=replace(label.provenance, format=99))
    write_pseudo_label(path, newer)
    with pytest.raises(LabelError, match=r"newer version \(format 99.*update"):
        read_pseudo_label(path)


def test_another_size_than_the_scene_is_told_in_width_times_height(path):
    with pytest.raises(LabelError, match="100×75 pixels, but the scene has 8×6"):
        read_pseudo_label(path, expect=(6, 8))


def test_an_exr_of_something_else_is_no_pseudo_label(tmp_path):
    path = tmp_path / "photo.exr"
    write_layers(path, {name: np.zeros((4, 4), np.float16) for name in "RGB"}, header={})
    with pytest.raises(LabelError, match=r"uncertainty\.Y.*no pseudo-label"):
        read_pseudo_label(path)


NONSENSE = [
    *[(name, "[1, 2, 3]") for name in ("masks", "patch_range", "round")],
    # Of these every pixel would be trusted, or none, and of none it could be told why.
    *[("pixel_range", f"[0, {end}]") for end in ("NaN", "Infinity", "null", "[1]")],
    *[("sigma_scale", word) for word in ("nan", "0", "-1", "inf", "much")],
    ("masks", '{"patches": {}, "pixels": {}, "tau_exposure": [0.1, 0.2, 0.3]}'),  # no such layer
]


@pytest.mark.parametrize(("spoilt", "nonsense"), NONSENSE)
def test_a_header_that_makes_no_sense_is_one_sentence(path, spoilt, nonsense):
    layers, header = read_layers(path)
    write_layers(path, layers, header={**header, f"smarthdr.{spoilt}": nonsense})
    with pytest.raises(LabelError) as error:
        read_pseudo_label(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
