"""The sentence names who dropped a pixel and what makes it hard; the numbers are those used."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.trust.causes import Clues, clues
from smarthdr_studio.core.trust.explanation import ExplainedScene, explain_pixel, score_words
from smarthdr_studio.core.trust.masking import (
    ByExposure,
    MaskSettings,
    Range,
    SoftWeights,
    patch_means,
    scores,
    trust,
)

STOPS = (0.0, 2.0, 4.0)
SIZE = 8


_GIVEN = ("patch_range", "pixel_range", "exposure")


def subject(sigma, *, person=None, masks=None, **known) -> ExplainedScene:
    masks = masks or MaskSettings(patch_size=SIZE)
    means = patch_means(sigma, size=masks.patch_size)
    ranges = {key: known.pop(key) for key in _GIVEN if key in known}
    found = trust(sigma, masks, person=person, **ranges)
    return ExplainedScene(trust=found, masks=masks, sigma=sigma, means=means, **known)


def quiet(height: int, width: int, **hard) -> Clues:
    """Frames that say nothing against any pixel, but for what is given."""
    nothing, still = np.zeros((height, width), bool), np.zeros((height, width), np.float32)
    return Clues(
        saturated=(nothing, hard.get("saturated", nothing), nothing),
        motion=hard.get("motion", still),
        noise=hard.get("noise", still),
        drift=((0.0, 0.0), (0.0, 0.0)),
    )


def two_halves(height=16, width=24) -> np.ndarray:
    """σ 0.01 on the left, 0.1 in the last column of patches, a speck of 0.05 at (3, 2)."""
    sigma = np.full((height, width), 0.01, np.float32)
    sigma[:, 16:] = 0.1
    sigma[2, 3] = 0.05
    return sigma


def patch_from(value, *, where=(slice(0, 16), slice(16, 24)), share=1.0):
    picture = np.zeros((16, 24), np.float32 if value is not True else bool)
    rows = picture[where]
    rows[: round(share * len(rows))] = value
    return picture


def facts(explanation) -> dict[str, tuple[str, str, bool]]:
    return {fact.name: (fact.value, fact.beside, fact.alarming) for fact in explanation.facts}


@pytest.mark.parametrize(
    ("hard", "words"),
    [
        ({}, "S_pa 1.00 is above τ_pa 0.40; nothing in the frames explains it"),
        ({"saturated": patch_from(True)}, "all of it is saturated in the reference frame"),
        (
            {
                "saturated": patch_from(True, where=(slice(0, 8), slice(16, 24)), share=0.5),
                "motion": patch_from(0.2),
            },
            "half of it is saturated in the reference frame, and the frames disagree (motion)",
        ),
        ({"noise": patch_from(0.02)}, "all of it is dark and noisy"),
    ],
)
def test_a_dropped_patch_is_explained_by_what_lies_in_it(hard, words):
    scene = subject(two_halves(), clues=quiet(16, 24, **hard))
    found = explain_pixel(scene, (20, 3))
    assert found.sentence == f"Dropped with its patch: {words}."
    assert (found.gate, found.subject) == ("patch", "pixel 20, 3")


def test_a_doubt_between_the_networks_is_told_last():
    scene = subject(
        two_halves(), clues=quiet(16, 24, motion=patch_from(0.2)), dispute=patch_from(0.1)
    )
    assert explain_pixel(scene, (20, 3)).sentence == (
        "Dropped with its patch: the frames disagree (motion), and teacher and student differ."
    )


def test_before_the_frames_are_looked_at_only_the_scores_speak():
    assert explain_pixel(subject(two_halves()), (20, 3)).sentence == (
        "Dropped with its patch: S_pa 1.00 is above τ_pa 0.40."
    )
    assert explain_pixel(subject(two_halves()), (3, 2)).sentence == (
        "Dropped as a pixel: σ 0.05 is among the 34 % least sure of this scene."
    )


def test_a_dropped_pixel_is_explained_by_itself_or_by_its_rank():
    sigma = two_halves()
    sigma[:, 16:] = 0.01
    pool = Range(0.005, 0.1)
    scene = subject(sigma, clues=quiet(16, 24), patch_range=pool)
    found = explain_pixel(scene, (3, 2))
    assert found.gate == "pixel"
    assert found.sentence == (
        "Dropped as a pixel: σ 0.05 is among the 1 % least sure of this scene; "
        "nothing in the frames explains it."
    )
    moved = np.zeros((16, 24), np.float32)
    moved[2, 3] = 0.3
    scene = subject(sigma, clues=quiet(16, 24, motion=moved), patch_range=pool)
    assert explain_pixel(scene, (3, 2)).sentence == (
        "Dropped as a pixel: the frames disagree (motion)."
    )


@pytest.mark.parametrize(
    ("sigma", "words"),
    [
        (0.01, ": both scores are well below their thresholds"),
        (0.035, ": both scores are within their thresholds"),
        (0.049, ", but only just: S_pi 0.39 is close to τ_pi 0.40"),
    ],
)
def test_a_trusted_pixel_says_how_clearly(sigma, words):
    picture = np.full((8, 16), 0.01, np.float32)
    picture[1, 1] = sigma
    scene = subject(picture, patch_range=Range(0.005, 0.1), pixel_range=Range(0.01, 0.11))
    assert explain_pixel(scene, (1, 1)).sentence == f"Trusted{words}."


def test_what_is_trusted_although_it_is_hard_is_told():
    scene = subject(two_halves(), clues=quiet(16, 24, saturated=patch_from(True, where=...)))
    assert explain_pixel(scene, (9, 9)).sentence == (
        "Trusted: both scores are well below their thresholds, "
        "although it is saturated in the reference frame."
    )


def test_the_brush_is_named_wherever_it_overrules():
    person = np.zeros((16, 24), np.int8)
    person[5, 20], person[5, 5] = 1, -1
    scene = subject(two_halves(), person=person, clues=quiet(16, 24))
    forced, refused = explain_pixel(scene, (20, 5)), explain_pixel(scene, (5, 5))
    assert (forced.gate, refused.gate) == ("", "person")
    assert forced.sentence == ("Trusted by a person, with the brush; the patch gate would drop it.")
    assert refused.sentence == "Dropped by a person, with the brush; both gates would trust it."


def test_a_pixel_that_is_weighed_says_how_much_it_counts():
    masks = MaskSettings(tau_patch=1.0, patch_size=8, soft=SoftWeights(mean=0.0, variance=0.5))
    sigma = np.tile(np.linspace(0.01, 0.05, 24, dtype=np.float32), (16, 1))
    scene = subject(sigma, masks=masks, clues=quiet(16, 24))
    weight = float(scene.trust.weight[5, 12])
    assert 0.05 < weight < 0.95
    found = explain_pixel(scene, (12, 5))
    assert found.sentence == (
        f"Trusted and counted by {100 * weight:.0f} %: pixels are weighed by S_pi, not dropped."
    )
    assert facts(found)["weight"][0] == f"{weight:.2f}"
    assert explain_pixel(scene, (0, 5)).sentence.startswith("Trusted and counted whole")


def test_a_threshold_by_exposure_is_told_as_such():
    masks = MaskSettings(patch_size=8, tau_exposure=ByExposure(0.1, 0.2, 0.9))
    scene = subject(two_halves(), masks=masks, exposure=np.full((16, 24), 2, np.uint8))
    found = explain_pixel(scene, (3, 3))
    assert "τ_pi goes by the exposure" in found.sentence
    assert facts(found)["S_pi"][1] == "τ_pi 0.10 / 0.20 / 0.90 by exposure"


def test_a_constant_map_says_that_nothing_is_known():
    scene = subject(np.full((1, 1), 0.2, np.float32), clues=quiet(1, 1))
    assert explain_pixel(scene, (0, 0)).sentence == (
        "Trusted: σ is the same everywhere, so nothing is known to be worse than anything else."
    )


def test_a_sigma_that_is_no_number_is_named():
    sigma = two_halves()
    sigma[9, 9] = np.nan
    scene = subject(sigma, patch_range=Range(0.01, 0.1), pixel_range=Range(0.01, 0.1))
    assert explain_pixel(scene, (9, 9)).sentence == (
        "Dropped with its patch: σ is not a number in some of it."
    )


@given(
    seed=st.integers(0, 2**16),
    size=st.sampled_from([1, 5, 8, 64]),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    taus=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=60)
def test_every_number_is_the_one_that_was_used(seed, size, shape, taus):
    rng = np.random.default_rng(seed)
    masks = MaskSettings(tau_patch=taus[0], tau_pixel=taus[1], patch_size=size)
    sigma = rng.choice([0.01, 0.02, 0.05], shape).astype(np.float32)
    error, dispute = rng.uniform(0, 0.1, (2, *shape)).astype(np.float32)
    frames = rng.integers(40000, 65536, (3, *shape, 3)).astype(np.uint16)
    bracket = Bracket(*frames, STOPS)
    known = {"bracket": bracket, "clues": clues(bracket), "dispute": dispute, "error": error}
    scene = subject(sigma, masks=masks, **known)
    x, y = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
    found, told = explain_pixel(scene, (x, y)), facts(explain_pixel(scene, (x, y)))
    top, left = y // size * size, x // size * size
    patch = (slice(top, top + size), slice(left, left + size))
    score = float(
        scores(patch_means(sigma, size=size), scene.trust.patch_range)[y // size, x // size]
    )
    assert told["S_pa"][0] == score_words(score, taus[0])
    assert told["S_pa"][2] == (not scene.trust.patch_mask[y // size, x // size])
    assert float(told["σ"][0]) == pytest.approx(float(sigma[y, x]), rel=5e-3)
    assert float(told["error"][0]) == pytest.approx(float(error[y, x]), rel=1e-2)
    shares = [100 * (frame[patch] >= 0.98 * 65535).any(2).mean() for frame in frames]
    shown = told["saturated"][0].removesuffix(" %").split(" / ")
    for share, words in zip(shares, shown, strict=True):
        assert words == {0 < share < 0.5: "<1", 99.5 <= share < 100: ">99"}.get(
            True, f"{share:.0f}"
        )
    where = patch if found.gate == "patch" and size > 1 else (y, x)
    assert float(told["teacher − student"][0]) == pytest.approx(
        float(dispute[where].mean()), rel=1e-2
    )
    assert float(told["motion"][0]) == pytest.approx(
        float(scene.clues.motion[where].mean()), rel=1e-2, abs=1e-9
    )
    assert (found.gate == "") == bool(scene.trust.trusted[y, x])
    assert "<" not in found.sentence


def test_the_frames_that_disagree_are_named_where_they_are_at_hand():
    reference = np.full((16, 24, 3), 0.1)
    for under, over, words in (
        (0.4, 0.1, "under and reference"),
        (0.1, 0.01, "over and reference"),
        (0.4, 0.01, "all three frames"),
    ):
        light = (reference * under / 0.1, reference, reference * over / 0.1)
        stops = (0.0, 1.0, 2.0)
        frames = [
            np.rint(np.clip(part * 2**s, 0, 1) ** (1 / 2.2) * 65535).astype(np.uint16)
            for part, s in zip(light, stops, strict=True)
        ]
        bracket = Bracket(*frames, stops)
        scene = subject(two_halves(), bracket=bracket, clues=clues(bracket))
        assert f"{words} disagree (motion)" in explain_pixel(scene, (20, 3)).sentence


def test_a_score_is_told_apart_from_its_threshold():
    assert score_words(0.71, 0.4) == "0.71"
    assert score_words(0.4, 0.4) == "0.40"
    assert score_words(0.4004, 0.4) == "0.4004"
    assert score_words(0.403, 0.4) == "0.403"


def test_saturation_is_told_from_the_frames_alone_while_the_clues_are_not_there():
    frames = [np.full((16, 24, 3), 30000, np.uint16) for _ in range(3)]
    frames[1][:8, 16:20] = 65535
    found = explain_pixel(subject(two_halves(), bracket=Bracket(*frames, STOPS)), (20, 3))
    assert found.sentence == (
        "Dropped with its patch: half of it is saturated in the reference frame."
    )
    assert facts(found)["saturated"][0] == "0 / 50 / 0 %"
    assert "motion" not in facts(found)
