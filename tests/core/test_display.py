"""What the painter answers for every layer, what it makes again, and what it lets go."""

from dataclasses import replace

import cv2
import numpy as np

from smarthdr_studio.core.display import DisplaySettings, Layer, Material, Painter
from smarthdr_studio.core.display.layer_data import tabled_error, tabled_merge
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge
from smarthdr_studio.core.trust.masking import MaskSettings, trust
from smarthdr_studio.core.trust.reliability import error_map

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


def whole_material():
    """A scene of which everything is known."""
    scene, rng = some_material(), np.random.default_rng(5)
    person = np.zeros((140, 200), np.int8)
    person[10:40, 20:80], person[60:90, 100:150] = 1, -1
    return replace(
        scene,
        trust=trust(scene.sigma, scene.masks, person=person),
        person=person,
        student=some_picture(140, 200, seed=6).astype(np.float16),
        promoted=some_picture(140, 200, seed=7).astype(np.float16),
        reasons=rng.integers(0, 7, (140, 200)).astype(np.uint8),
        flips=rng.integers(0, 5, (3, 4)).astype(np.uint8),
        other_hdr=some_picture(140, 200, seed=8).astype(np.float16),
        other_sigma=scene.sigma * np.float32(0.5),
        other_origin="round 2",
    )


def test_every_layer_paints_or_says_why_not():
    painter, full, nothing = Painter(), whole_material(), Material()
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
    second = replace(first, trust=second.trust, masks=second.masks)
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
            scene = whole_material()  # the same one, read again: nothing of it is the same object
            for layer in Layer:
                kept = old.paint(layer, scene, settings)
                fresh = Painter().paint(layer, scene, settings)
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
    assert "in place of" in shown[0].detail
    assert "Ctrl+T" not in painter.paint(Layer.MERGE, bare, SETTINGS).detail
    again = painter.paint(Layer.PSEUDO_LABEL, Material(bracket=whole.bracket), SETTINGS)
    assert again is merged
    assert painter.paint(Layer.TRUSTED, bare, SETTINGS).rgb8 is None
