"""The pixels a person sees: tone maps, colours, masks, the lens and what the painter keeps."""

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.display import (
    DisplaySettings,
    Layer,
    Looks,
    Material,
    Painter,
    ToneMap,
    frame_rgb8,
    masked_rgb8,
    to_rgb8,
    tone_table,
    toned,
)
from smarthdr_studio.core.display.tabled import tabled_error, tabled_merge
from smarthdr_studio.core.masking import MaskSettings, trust
from smarthdr_studio.core.radiance import exposure_weighted_merge, mu_law
from smarthdr_studio.core.reliability import error_map

SETTINGS = DisplaySettings()


def some_picture(height=70, width=101, seed=0):
    rng = np.random.default_rng(seed)
    return np.exp(rng.uniform(-9, 0, (height, width, 3))).astype(np.float32)


def some_material(tau_patch=0.4, **changes):
    rng = np.random.default_rng(1)
    sigma = cv2.GaussianBlur(rng.random((140, 200), np.float32), (0, 0), 9)
    masks = MaskSettings(tau_patch=tau_patch)
    frames = [rng.integers(0, 65536, (140, 200, 3)).astype(np.uint16) for _ in range(3)]
    return Material(
        bracket=Bracket(*frames, (0.0, 2.0, 4.0)),
        hdr=changes.get("hdr", some_picture(140, 200).astype(np.float16)),
        sigma=sigma,
        trust=trust(sigma, masks),
        masks=masks,
        ground_truth=some_picture(140, 200, seed=2).astype(np.float16),
        origin="round 3",
    )


@pytest.mark.parametrize("tone_map", ToneMap)
@pytest.mark.parametrize("exposure_ev", [-3.0, 0.0, 0.5, 4.0])
def test_the_table_is_within_one_code_of_the_formula(tone_map, exposure_ev):
    picture = some_picture()
    shown = to_rgb8(picture.astype(np.float16), tone_table(tone_map, exposure_ev=exposure_ev))
    exact = toned(picture, tone_map, exposure_ev=exposure_ev) * 255
    assert np.abs(shown - exact).max() <= 1.0


@pytest.mark.parametrize("tone_map", ToneMap)
def test_more_radiance_is_never_darker_and_the_ends_are_black_and_white(tone_map):
    rising = np.arange(0x7C00, dtype=np.uint16).view(np.float16)  # 0 to the largest half
    shown = tone_table(tone_map)[rising.view(np.uint16)].astype(int)
    assert (np.diff(shown) >= 0).all()
    assert shown[0] == 0
    assert shown[-1] == 255


@pytest.mark.parametrize("tone_map", ToneMap)
def test_radiance_that_is_no_number_has_a_defined_colour(tone_map):
    odd = np.array([[[np.nan, np.inf, -np.inf], [-1, -0.0, 0]]], np.float16)
    assert to_rgb8(odd, tone_table(tone_map)).tolist() == [[[0, 255, 0], [0, 0, 0]]]


def test_the_mu_law_on_the_screen_is_the_mu_law_of_the_loss():
    picture = some_picture()
    np.testing.assert_allclose(toned(picture, ToneMap.MU_LAW), mu_law(picture), atol=1e-6)


def test_one_stop_of_exposure_is_twice_the_radiance():
    picture = some_picture() / 4
    np.testing.assert_allclose(
        toned(picture, ToneMap.FILMIC, exposure_ev=1.0),
        toned(picture * 2, ToneMap.FILMIC),
        atol=1e-6,
    )


def test_a_frame_at_0_ev_is_the_file_itself():
    eight_bit = np.arange(256, dtype=np.uint16).reshape(16, 16, 1).repeat(3, 2)
    assert (frame_rgb8(eight_bit * 257) == eight_bit).all()


def test_a_frame_one_stop_up_has_twice_the_radiance():
    frame = np.full((2, 2, 3), 20000, np.uint16)
    brighter = frame_rgb8(frame, exposure_ev=1.0)[0, 0, 0] / 255
    assert brighter**2.2 == pytest.approx(2 * (20000 / 65535) ** 2.2, rel=0.02)


def test_pictures_are_contiguous_even_from_a_strided_one():
    picture = some_picture().astype(np.float16)[::2, ::-1]
    shown = to_rgb8(picture, tone_table(ToneMap.SRGB))
    assert shown.flags.c_contiguous
    assert (shown == to_rgb8(picture.copy(), tone_table(ToneMap.SRGB))).all()


def test_a_picture_without_16_bits_is_refused():
    with pytest.raises(ValueError, match="float32"):
        to_rgb8(some_picture(), tone_table(ToneMap.SRGB))


def grey_looks(height=96, width=96, strength=0.7):
    return Looks.of(np.full((height, width, 3), 128, np.uint8), strength=strength)


def test_dropped_areas_differ_from_kept_ones_without_any_hue():
    looks = grey_looks()
    left = np.zeros((96, 96), bool)
    left[:, :48] = True
    for name in ("patch_dropped", "pixel_dropped"):
        grey = cv2.cvtColor(masked_rgb8(looks, **{name: left}), cv2.COLOR_RGB2GRAY)
        assert len(np.unique(grey[:, :48])) == 2  # stripes
        assert len(np.unique(grey[:, 48:])) == 1  # the picture alone


def test_patches_and_pixels_are_hatched_in_opposite_directions():
    looks = grey_looks()
    assert (looks.patch[1:, :-1] == looks.patch[:-1, 1:]).all()  # rising to the right
    assert (looks.pixel[1:, 1:] == looks.pixel[:-1, :-1]).all()  # falling to the right
    assert not (looks.patch[1:, 1:] == looks.patch[:-1, :-1]).all()


def test_masks_leave_the_picture_they_are_painted_on_alone():
    picture = np.full((32, 32, 3), 200, np.uint8)
    looks = Looks.of(picture, strength=1.0)
    masked_rgb8(looks, patch_dropped=np.ones((32, 32), bool), dimmed=False)
    assert (picture == 200).all()
    assert (masked_rgb8(looks, dimmed=False) == picture).all()


def test_looks_painted_over_older_ones_are_as_good_as_new():
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 256, (33, 47, 3), dtype=np.uint8) for _ in range(2))
    reused = Looks.of(second, strength=0.4, over=Looks.of(first, strength=1.0))
    fresh = Looks.of(second, strength=0.4)
    for name in ("plain", "kept", "patch", "pixel", "shut"):
        assert (getattr(reused, name) == getattr(fresh, name)).all()


def test_a_patch_dropped_covers_the_pixels_dropped_in_it():
    everything = np.ones((96, 96), bool)
    looks = grey_looks()
    both = masked_rgb8(looks, patch_dropped=everything, pixel_dropped=everything)
    assert (both == looks.patch).all()


def test_every_layer_paints_or_says_why_not():
    painter, full, nothing = Painter(), some_material(), Material()
    for layer in Layer:
        painted = painter.paint(layer, full, SETTINGS)
        assert painted.rgb8.shape == (140, 200, 3)
        assert painted.rgb8.dtype == np.uint8
        assert painted.rgb8.flags.c_contiguous
        assert painted.title == layer.value
        assert not painted.why_empty
        empty = painter.paint(layer, nothing, SETTINGS)
        assert empty.rgb8 is None
        assert empty.why_empty
        assert layer.tip


def test_a_moved_threshold_repaints_the_masks_and_nothing_else():
    painter, half = Painter(), some_picture(140, 200).astype(np.float16)
    first, second = some_material(0.4, hdr=half), some_material(0.2, hdr=half)
    # The same scene: only trust and thresholds moved.
    second = Material(hdr=half, sigma=first.sigma, trust=second.trust, masks=second.masks,
                      bracket=first.bracket, origin=first.origin)  # fmt: skip
    before = {layer: painter.paint(layer, first, SETTINGS) for layer in Layer}
    after = {layer: painter.paint(layer, second, SETTINGS) for layer in Layer}
    for layer in (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.REFERENCE, Layer.MERGE):
        assert after[layer] is before[layer]
    assert (after[Layer.PATCH_MASK].rgb8 != before[Layer.PATCH_MASK].rgb8).any()
    assert "0.20" in after[Layer.PATCH_MASK].detail


def test_a_painter_with_a_past_paints_what_a_fresh_one_paints():
    old, moves = Painter(), (0.0, 1.0, 0.0, -2.5)
    for ev in moves:
        for visible in (True, False):
            settings = DisplaySettings(exposure_ev=ev, mask_visible=visible)
            for layer in Layer:
                kept = old.paint(layer, some_material(), settings)
                fresh = Painter().paint(layer, some_material(), settings)
                assert (kept.rgb8 == fresh.rgb8).all()
                assert kept.detail == fresh.detail


def test_masks_hidden_are_the_pseudo_label_itself():
    painter, material = Painter(), some_material()
    hidden = DisplaySettings(mask_visible=False)
    label = painter.paint(Layer.PSEUDO_LABEL, material, hidden)
    masked = painter.paint(Layer.PATCH_MASK, material, hidden)
    assert masked.rgb8 is label.rgb8
    assert "hidden" in masked.detail


def test_the_trusted_layer_shows_the_picture_exactly_where_the_loss_counts():
    painter, material = Painter(), some_material()
    plain = painter.paint(Layer.PSEUDO_LABEL, material, SETTINGS).rgb8
    shown = painter.paint(Layer.TRUSTED, material, SETTINGS).rgb8
    trusted = material.trust.trusted
    assert (shown[trusted] == plain[trusted]).all()
    assert (shown[~trusted] != plain[~trusted]).any(-1).mean() > 0.95


def test_the_words_say_the_share_that_is_kept():
    material = some_material()
    share = round(100 * material.trust.trusted.mean())
    assert f"{share} %" in Painter().paint(Layer.PIXEL_MASK, material, SETTINGS).detail


def test_the_tables_answer_what_the_formulas_answer():
    material = some_material()
    merged = exposure_weighted_merge(material.bracket.frames, stops=material.bracket.stops)
    np.testing.assert_allclose(tabled_merge(material.bracket), merged, atol=6e-4)
    np.testing.assert_allclose(
        tabled_error(material.hdr, material.ground_truth),
        error_map(material.hdr, material.ground_truth),
        atol=1e-6,
    )


def test_forgetting_gives_the_pictures_back():
    painter, material = Painter(), some_material()
    before = painter.paint(Layer.PSEUDO_LABEL, material, SETTINGS)
    painter.forget()
    assert painter.paint(Layer.PSEUDO_LABEL, material, SETTINGS) is not before


def test_the_size_of_a_scene_is_known_from_whatever_is_there():
    assert some_material().size == (200, 140)
    assert Material().size is None


def test_a_scene_without_pseudo_label_is_shown_by_what_there_is():
    whole = some_material()
    bare = Material(bracket=whole.bracket, ground_truth=whole.ground_truth)
    painter = Painter()
    shown = [painter.paint(layer, bare, SETTINGS) for layer in list(Layer)[:4]]
    assert [p.title for p in shown] == [
        "Ground truth",
        "Under frame",
        "Reference frame",
        "Over frame",
    ]
    merged = painter.paint(Layer.PSEUDO_LABEL, Material(bracket=whole.bracket), SETTINGS)
    assert merged.title == "Plain merge"
    assert "Ctrl+T" in merged.detail
    assert "Ctrl+T" not in shown[0].detail
    assert "Ctrl+T" not in painter.paint(Layer.MERGE, bare, SETTINGS).detail
    again = painter.paint(Layer.PSEUDO_LABEL, Material(bracket=whole.bracket), SETTINGS)
    assert again is merged
    assert painter.paint(Layer.TRUSTED, bare, SETTINGS).rgb8 is None
