"""The brush, the combined mask and the reasons: who dropped what, and exactly there."""

from dataclasses import replace

import numpy as np
import pytest
from made_scenes import SETTINGS, SIZE, a_scene, light

from smarthdr_studio.core.display import DisplaySettings, LabelComes, Layer, Material, Painter
from smarthdr_studio.core.display.layers import number, refusal
from smarthdr_studio.core.display.overlay import LIGHT
from smarthdr_studio.core.trust.causes import Reason
from smarthdr_studio.core.trust.masking import MaskSettings, SoftWeights, trust


def a_brush():
    person = np.zeros(SIZE, np.int8)
    person[10:90, 20:80], person[30:70, 90:150] = 1, -1
    return person


@pytest.mark.parametrize(
    ("layer", "field", "words"),
    [
        (Layer.STUDENT, "student", "student"),
        (Layer.PROMOTED, "promoted", "frozen"),
        (Layer.OTHER_ROUND, "other_hdr", "round 2"),
    ],
)
def test_other_pictures_are_shown_as_light_and_say_where_they_are_from(layer, field, words):
    scene = replace(a_scene(), other_origin="round 2", **{field: light(9)})
    painted = Painter().paint(layer, scene, SETTINGS)
    label = Painter().paint(Layer.PSEUDO_LABEL, Material(hdr=light(9)), SETTINGS)
    assert (painted.rgb8 == label.rgb8).all()
    assert words in painted.detail


def test_the_brush_is_painted_where_a_person_decided_and_nowhere_else():
    person = a_brush()
    scene = a_scene(person=person)
    plain = Painter().paint(Layer.PSEUDO_LABEL, scene, SETTINGS).rgb8
    painted = Painter().paint(Layer.PERSON_MASK, scene, SETTINGS)
    stepped_back = (plain >> 1) + (plain >> 2)
    assert (painted.rgb8[person == 0] == stepped_back[person == 0]).all()
    for side in (-1, 1):
        assert (painted.rgb8[person == side] != stepped_back[person == side]).any(-1).mean() > 0.9
    assert len({entry.colour for entry in painted.key}) == 2
    assert len({entry.pattern for entry in painted.key}) == 2
    assert (painted.values == person).all()
    share = round(100 * (person > 0).mean())
    assert f"trust forced {share} %" in painted.detail


def test_a_brush_that_never_touched_anything_is_an_empty_view():
    for person in (None, np.zeros(SIZE, np.int8)):
        painted = Painter().paint(Layer.PERSON_MASK, a_scene(person=person), SETTINGS)
        assert painted.rgb8 is None
        assert "Nobody has painted" in painted.why_empty


def test_trusted_shows_a_persons_word_in_colours_of_its_own():
    person = a_brush()
    with_brush, without = a_scene(person=person), a_scene()
    shown = Painter().paint(Layer.TRUSTED, with_brush, SETTINGS).rgb8
    bare = Painter().paint(Layer.TRUSTED, without, SETTINGS).rgb8
    assert (shown[person == 0] == bare[person == 0]).all()
    assert (shown[person < 0] != bare[person < 0]).any(-1).mean() > 0.3
    # Forced trust is the picture itself between its dots.
    plain = Painter().paint(Layer.PSEUDO_LABEL, with_brush, SETTINGS).rgb8
    assert 0.4 < (shown[person > 0] == plain[person > 0]).all(-1).mean() < 0.8


@pytest.mark.parametrize("person", [None, a_brush()])
def test_the_combined_mask_says_who_dropped_what_without_any_picture(person):
    scene = a_scene(person=person)
    painted = Painter().paint(Layer.COMBINED_MASK, scene, SETTINGS)
    trusted = scene.trust.trusted
    by_machine = trusted if person is None else trusted & (person == 0)
    assert (painted.rgb8[by_machine] == LIGHT).all()
    assert (painted.rgb8[~trusted] != LIGHT).any(-1).all()
    assert (painted.values == trusted).all()
    other_light = replace(scene, hdr=light(77))
    assert (Painter().paint(Layer.COMBINED_MASK, other_light, SETTINGS).rgb8 == painted.rgb8).all()


def test_the_key_of_the_combined_mask_adds_up_to_what_was_dropped_by_whom():
    person = a_brush()
    scene = a_scene(person=person)
    closed = np.kron(~scene.trust.patch_mask, np.ones((64, 64), bool))[:140, :200]
    untrusted, forced = ~scene.trust.trusted, person < 0
    slow = {
        "pixel dropped": untrusted & ~closed & ~forced,
        "patch dropped": untrusted & closed & ~forced,
        "distrusted by a person": forced,
        "trusted by a person": person > 0,
        "trusted": scene.trust.trusted,
    }
    words = {entry.words for entry in Painter().paint(Layer.COMBINED_MASK, scene, SETTINGS).key}
    assert words == {f"{name} {round(100 * mask.mean())} %" for name, mask in slow.items()}


def a_weighed_scene():
    scene = a_scene()
    masks = MaskSettings(tau_patch=0.8, soft=SoftWeights(mean=0.2, variance=0.01))
    return replace(scene, masks=masks, trust=trust(scene.sigma, masks))


def test_pixels_that_are_weighed_are_shown_by_what_they_count():
    scene = a_weighed_scene()
    weight, trusted = scene.trust.weight, scene.trust.trusted
    less = trusted & (weight < 0.5)
    assert less.any()
    share = f"{round(100 * weight.mean())} %"
    painted = Painter().paint(Layer.COMBINED_MASK, scene, SETTINGS)
    assert (painted.rgb8[trusted & ~less] == LIGHT).all()
    assert (painted.rgb8[less] != LIGHT).any(-1).any()
    assert share in painted.detail
    assert "by weight" in painted.detail
    assert f"counts less than half {round(100 * less.mean())} %" in {e.words for e in painted.key}
    of_gate = Painter().paint(Layer.PIXEL_MASK, scene, SETTINGS)
    assert of_gate.detail == f"{share} retained · weighed around 0.20"
    assert any(entry.words == "counts less than half" for entry in of_gate.key)


def test_exposure_does_not_repaint_the_combined_mask_nor_a_threshold_the_reasons():
    painter, scene = Painter(), a_scene(reasons=np.ones(SIZE, np.uint8))
    flat = painter.paint(Layer.COMBINED_MASK, scene, SETTINGS)
    assert painter.paint(Layer.COMBINED_MASK, scene, DisplaySettings(exposure_ev=2.0)) is flat
    reasons = painter.paint(Layer.REASONS, scene, SETTINGS)
    moved = MaskSettings(tau_pixel=0.9)
    other = replace(scene, masks=moved, trust=trust(scene.sigma, moved))
    assert painter.paint(Layer.REASONS, other, SETTINGS) is reasons


def test_reasons_are_told_apart_and_counted():
    reasons = np.zeros(SIZE, np.uint8)
    reasons[:14], reasons[14:21] = Reason.MOVING, Reason.SATURATED
    reasons[21, :2] = Reason.DARK
    scene = a_scene(reasons=reasons)
    painted = Painter().paint(Layer.REASONS, scene, SETTINGS)
    assert [entry.words for entry in painted.key] == [
        "saturated 5 %",
        "motion 10 %",
        "dark and noisy < 1 %",
    ]
    plain = Painter().paint(Layer.PSEUDO_LABEL, scene, SETTINGS).rgb8
    trusted = reasons == Reason.TRUSTED
    assert (painted.rgb8[trusted] == ((plain >> 1) + (plain >> 2))[trusted]).all()
    assert "chiefly motion" in painted.detail


def test_reasons_that_are_still_looked_for_or_of_another_scene_are_an_empty_view():
    waiting = Painter().paint(Layer.REASONS, a_scene(), SETTINGS)
    assert "still being looked for" in waiting.why_empty
    stale = a_scene(reasons=np.ones((50, 60), np.uint8))
    assert Painter().paint(Layer.REASONS, stale, SETTINGS).rgb8 is None


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Layer.PATCH_MASK, lambda s: np.kron(s.trust.patch_mask, np.ones((64, 64)))[:140, :200]),
        (Layer.PIXEL_MASK, lambda s: s.trust.pixel_mask),
        (Layer.TRUSTED, lambda s: s.trust.trusted),
        (Layer.PSEUDO_LABEL, lambda s: s.hdr),
        (Layer.REFERENCE, lambda s: s.bracket.reference),
        (Layer.UNCERTAINTY, lambda s: s.sigma),
    ],
)
def test_a_picture_brings_the_numbers_it_was_made_from(layer, expected):
    scene = a_scene()
    values = Painter().paint(layer, scene, SETTINGS).values
    assert (values == expected(scene)).all()
    given = (scene.hdr, scene.sigma, scene.bracket.reference, scene.trust.trusted)
    assert layer is Layer.PATCH_MASK or any(
        np.shares_memory(values, array) for array in (*given, scene.trust.pixel_mask)
    )


def test_a_scene_of_one_pixel_paints_in_every_layer():
    one = np.ones((1, 1), np.uint8)
    scene = a_scene((1, 1), reasons=one, flips=one, person=one.astype(np.int8))
    for layer in Layer:
        painted = Painter().paint(layer, scene, DisplaySettings(zebra=True))
        assert painted.why_empty or painted.rgb8.shape == (1, 1, 3)
    assert Painter().paint(Layer.PERSON_MASK, scene, SETTINGS).rgb8 is not None


@pytest.mark.parametrize("layer", [Layer.PATCH_MASK, Layer.PIXEL_MASK, Layer.TRUSTED])
def test_a_picture_too_large_for_looks_is_painted_alike(layer, monkeypatch):
    usual = Painter().paint(layer, a_scene(), SETTINGS)
    monkeypatch.setattr("smarthdr_studio.core.display.painter.LARGEST_VARIANTS", 100)
    painter = Painter()
    assert (painter.paint(layer, a_scene(), SETTINGS).rgb8 == usual.rgb8).all()
    assert painter.nbytes < 6 * usual.rgb8.nbytes


def _not_there():
    """Scenes that lack one thing or another."""
    whole = replace(a_scene(person=a_brush()), promoted=light(9))
    yield whole
    for name in ("hdr", "sigma", "trust", "ground_truth", "person", "bracket", "promoted"):
        yield replace(whole, **{name: None})
    yield Material(ground_truth=light(3))


def test_a_layer_is_refused_exactly_where_choosing_it_would_not_show_it():
    made_when_looked_at = {Layer.STUDENT, Layer.REASONS}
    refused = set()
    for scene in _not_there():
        for layer in set(Layer) - made_when_looked_at:
            painted = Painter().paint(layer, scene, SETTINGS)
            shown = painted.rgb8 is not None and painted.title == layer.value
            why = refusal(layer, scene, SETTINGS)
            assert bool(why) is not shown, (layer, painted.title)
            refused |= {layer} if why else set()
    assert {Layer.PSEUDO_LABEL, Layer.ERROR, Layer.FLIPS, Layer.GROUND_TRUTH} <= refused


def test_what_stands_in_for_another_layer_says_so_and_why():
    scene = Material(bracket=a_scene().bracket, ground_truth=light(3))
    for layer, shown in ((Layer.PSEUDO_LABEL, "Ground truth"), (Layer.UNCERTAINTY, "Under frame")):
        painted = Painter().paint(layer, scene, SETTINGS)
        assert painted.title == shown
        words = f"in place of {layer.value} · no pseudo-label yet"
        assert painted.detail.startswith(words)
    own = Painter().paint(Layer.GROUND_TRUTH, scene, SETTINGS)
    assert "in place of" not in own.detail


@pytest.mark.parametrize(
    ("comes", "words"),
    [
        (LabelComes.BY_TRAINING, "no pseudo-label yet — train, or press Ctrl+T"),
        (LabelComes.BY_THIS_RUN, "no pseudo-label yet — the run at work makes it"),
        (LabelComes.NEVER, "no pseudo-label — only unlabelled scenes get one"),
    ],
)
def test_what_has_no_pseudo_label_says_how_it_gets_one_wherever_that_is_told(comes, words):
    scene = Material(bracket=a_scene().bracket, label_comes=comes)
    stands_in = Painter().paint(Layer.PSEUDO_LABEL, scene, SETTINGS)
    assert words in stands_in.detail
    told = [
        Painter().paint(Layer.TRUSTED, scene, SETTINGS).why_empty,
        Painter().difference(Layer.PSEUDO_LABEL, Layer.MERGE, scene, SETTINGS).why_empty,
        refusal(Layer.UNCERTAINTY, scene, SETTINGS),
        refusal(Layer.ERROR, scene, replace(SETTINGS, error_against=Layer.MERGE)),
    ]
    assert told == [str(comes)] * 4
    assert words == comes[0].lower() + comes[1:]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.04, "0.040"), (0.0402, "0.040"), (0.5, "0.50"), (0.998, "1"), (1.0, "1"), (12.0, "12")],
)
def test_a_number_of_a_legend_has_two_digits_or_is_whole(value, words):
    assert number(value) == words
