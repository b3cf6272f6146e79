"""Everything counted in a region is what counting the whole scene under its mask gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.imaging.metrics import psnr
from smarthdr_studio.core.imaging.radiometry import mu_law
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.trust.causes import Clues, Reason, part_in_words, reason_map
from smarthdr_studio.core.trust.explanation import ExplainedScene
from smarthdr_studio.core.trust.masking import (
    MaskSettings,
    Trust,
    expand,
    patch_means,
    scores,
    trust,
)
from smarthdr_studio.core.trust.region_statistics import explain_region, region_report

WHOLE = Region.rectangle((0, 0), (24, 16))


def scene_of(sigma, *, person=None, size=8, taus=(0.4, 0.4), clues=None) -> ExplainedScene:
    masks = MaskSettings(tau_patch=taus[0], tau_pixel=taus[1], patch_size=size)
    found = trust(sigma, masks, person=person)
    means = patch_means(sigma, size=size)
    return ExplainedScene(trust=found, masks=masks, sigma=sigma, means=means, clues=clues)


def clues_of(motion: np.ndarray) -> Clues:
    nothing = np.zeros(motion.shape, bool)
    return Clues(
        saturated=(nothing,) * 3,
        motion=motion,
        noise=np.zeros_like(motion),
        drift=((0.0, 0.0), (0.0, 0.0)),
    )


def counted(values) -> np.ndarray:
    return np.histogram(values, 50, (0, 1))[0]


corners = st.tuples(st.floats(-3, 23), st.floats(-3, 23))


@given(
    seed=st.integers(0, 2**16),
    outline=st.lists(corners, min_size=1, max_size=7),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    size=st.sampled_from([1, 5, 8, 64]),
    taus=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=80)
def test_a_report_is_the_whole_scene_counted_under_the_mask(seed, outline, shape, size, taus):
    rng = np.random.default_rng(seed)
    sigma = rng.choice([0.01, 0.02, 0.05], shape).astype(np.float32)
    person = rng.integers(-1, 2, shape).astype(np.int8)
    clues = clues_of(rng.uniform(0, 0.1, shape).astype(np.float32))
    scene = scene_of(sigma, person=person, size=size, taus=taus, clues=clues)
    hdr, truth = rng.uniform(size=(2, *shape, 3)).astype(np.float16)
    reasons = reason_map(scene.trust.trusted, clues, person=person)
    region = Region(kind="lasso", points=tuple(outline))
    report = region_report(
        region,
        subject=scene,
        layers={"Pseudo-label": hdr, "σ": sigma},
        hdr=hdr,
        truth=truth,
        reasons=reasons,
    )
    mask = region.mask(width=shape[1], height=shape[0])
    assert (report.pixels, report.region) == (mask.sum(), region)
    if not mask.any():
        assert (report.layers, report.retained, report.psnr_mu) == ((), None, None)
        assert report.explanation.sentence == "It lies outside the picture."
        return
    slow = {"Pseudo-label": hdr.astype(float).mean(2)[mask], "σ": sigma.astype(float)[mask]}
    for figures in report.layers:
        values = slow[figures.name]
        found = (figures.mean, figures.p5, figures.median, figures.p95)
        assert found == pytest.approx((values.mean(), *np.percentile(values, (5, 50, 95))))
    whole = tuple(mu_law(part.astype(np.float32))[mask] for part in (hdr, truth))
    assert report.psnr_mu == pytest.approx(psnr(*whole))
    assert report.retained == pytest.approx(scene.trust.trusted[mask].mean())
    touched = [
        mask[r * size : r * size + size, c * size : c * size + size].any()
        for r, c in np.ndindex(scene.means.shape)
    ]
    of_patches = scores(scene.means, scene.trust.patch_range).ravel()[touched]
    assert np.array_equal(report.patch_counts, counted(of_patches))
    kept = expand(scene.trust.patch_mask, size=size, height=shape[0], width=shape[1])
    of_pixels = scores(sigma, scene.trust.pixel_range)[mask & kept]
    assert np.array_equal(report.pixel_counts, counted(of_pixels))
    assert dict(report.reasons) == {
        reason: pytest.approx((reasons[mask] == reason).mean())
        for reason in Reason
        if (reasons[mask] == reason).any()
    }
    dropped = {
        "patch": (~scene.trust.trusted & ~kept)[mask].sum(),
        "pixel": (~scene.trust.trusted & kept & ~scene.trust.pixel_mask)[mask].sum(),
        "person": (~scene.trust.trusted & kept & scene.trust.pixel_mask)[mask].sum(),
    }
    gate = report.explanation.gate
    assert (gate == "") == (sum(dropped.values()) == 0)
    assert gate == "" or dropped[gate] == max(dropped.values())


def half_trusted(**hard) -> ExplainedScene:
    sigma = np.full((16, 24), 0.01, np.float32)
    sigma[:, 16:] = 0.1
    return scene_of(sigma, **hard)


def test_a_region_says_how_much_is_trusted_and_who_dropped_the_rest_and_why():
    motion = np.zeros((16, 24), np.float32)
    motion[:4, 16:] = 0.2
    found = explain_region(half_trusted(clues=clues_of(motion)), WHOLE)
    assert found.sentence == (
        "67 % of this region is trusted; all of the rest was dropped with its patches (motion)."
    )
    assert (found.gate, found.subject) == ("patch", "rectangle of 384 pixels")
    found = explain_region(half_trusted(), Region.rectangle((17, 0), (20, 3)))
    assert found.sentence == (
        "None of this region is trusted; all of it was dropped with its patches."
    )


@pytest.mark.parametrize(("moves", "why"), [(1, "no visible cause"), (5, "motion")])
def test_what_was_dropped_pixel_by_pixel_is_named_by_what_explains_most_of_it(moves, why):
    sigma = np.full((8, 8), 0.01, np.float32)
    sigma[0] = 0.1
    motion = np.zeros((8, 8), np.float32)
    motion[0, :moves] = 0.2
    found = explain_region(
        scene_of(sigma, taus=(1.0, 0.4), clues=clues_of(motion)), Region.rectangle((0, 0), (7, 7))
    )
    assert found.sentence.endswith(f"all of the rest was dropped pixel by pixel ({why}).")


def test_three_pixels_without_a_cause_are_not_called_trusted():
    still = clues_of(np.zeros((16, 24), np.float32))
    found = explain_region(half_trusted(clues=still), Region.rectangle((17, 0), (20, 1)))
    assert found.sentence.endswith("dropped with its patches (no visible cause).")


def test_who_dropped_most_is_named_even_where_three_share_it():
    kept = np.array([[True, False]])
    passed, trusted = np.ones((8, 16), bool), np.ones((8, 16), bool)
    trusted[:, 8:] = False
    passed[:3, :8] = False
    trusted[:3, :8] = False
    trusted[3:6, :8] = False
    sigma = np.full((8, 16), 0.01, np.float32)
    plain = scene_of(sigma)
    one = plain.trust.patch_range
    scene = ExplainedScene(
        trust=Trust(kept, passed, trusted, one, one),
        masks=plain.masks,
        sigma=sigma,
        means=plain.means,
    )
    found = explain_region(scene, Region.rectangle((0, 0), (16, 8)))
    assert found.sentence.startswith("12 % of this region is trusted; most of the rest was dropped")
    found = explain_region(scene, Region.rectangle((0, 0), (8.0, 6)))
    assert "the largest part of it was dropped" in found.sentence
    found = explain_region(scene, Region.rectangle((0, 3), (8, 6)))
    assert found.sentence.endswith("all of it was dropped by a person, with the brush.")


def test_a_region_of_one_trusted_pixel_is_trusted():
    found = explain_region(half_trusted(), Region(kind="lasso", points=((2.2, 2.2),)))
    assert (found.sentence, found.gate) == ("All of this region is trusted.", "")
    assert found.subject == "lasso of 1 pixel"


def test_a_scene_without_a_pseudo_label_is_counted_all_the_same():
    frame = np.full((16, 24, 3), 0.25)
    frame[0, 0] = np.nan
    report = region_report(
        WHOLE,
        subject=None,
        layers={"frame": frame, "empty": np.full((16, 24), np.inf)},
        hdr=None,
        truth=None,
        reasons=None,
    )
    assert [(layer.name, layer.mean, layer.p95) for layer in report.layers] == [
        ("frame", 0.25, 0.25)
    ]
    assert (report.retained, report.patch_counts, dict(report.reasons)) == (None, None, {})
    assert "no pseudo-label" in report.explanation.sentence


def test_a_scene_without_anything_cannot_be_counted():
    with pytest.raises(ValueError, match="without a single layer"):
        region_report(WHOLE, subject=None, layers={}, hdr=None, truth=None, reasons=None)


def test_a_larger_share_has_words_of_its_own():
    shares = (0.1, 0.25, 0.33, 0.5, 0.7, 0.95, 1.0)
    words = [part_in_words(share) for share in shares]
    assert words == ["a part", "a quarter", "a third", "half", "most", "nearly all", "all"]
