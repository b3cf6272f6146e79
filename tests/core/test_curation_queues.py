"""Which scenes come first and why, over made-up scenes whose worth is known."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from made_facts import a_scene, any_scenes

from smarthdr_studio.core.curation.clues import DESCRIPTOR_LENGTH, ClueRecord, pixels_per_patch
from smarthdr_studio.core.curation.queues import (
    RankingInput,
    hardness,
    most_worth,
    progress,
    safest,
    waiting,
)
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.masking import Level, MaskSettings, limit, span

HEIGHT, WIDTH = 100, 200  # 2×4 patches, those at the border smaller
PATCHES = 8


def a_look(place, *, seed=0, spread=0.001):
    """A look near one of some far-apart places."""
    centre = np.random.default_rng(1000 + place).normal(0, 0.05, DESCRIPTOR_LENGTH)
    return (centre + np.random.default_rng(seed).normal(0, spread, DESCRIPTOR_LENGTH)).astype(
        np.float16
    )


def a_record(saturated=0, moving=0, look=None):
    """Shares from 0 to 255, one for all patches or one each."""
    shares = [np.full(PATCHES, each, np.uint8) for each in (0, 0)]
    shares[0][:], shares[1][:] = saturated, moving
    weights = pixels_per_patch(HEIGHT, WIDTH) / (HEIGHT * WIDTH)
    saturation, motion = (float(each / 255 @ weights) for each in shares)
    return ClueRecord(
        height=HEIGHT,
        width=WIDTH,
        saturated=shares[0],
        moving=shares[1],
        saturation=saturation,
        motion=motion,
        look=a_look(0) if look is None else look,
    )


def material(facts, **known):
    return RankingInput(facts=facts, masks=known.pop("masks", MaskSettings()), **known)


def names(items):
    return [item.scene for item in items]


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(5, 9))
def test_the_first_five_come_from_five_different_places(seed, places):
    rng = np.random.default_rng(seed)
    place_of = {f"{k:03}": int(k % places) for k in range(4 * places)}
    facts = [a_scene(name, retained=float(rng.uniform(0.5, 0.8))) for name in place_of]
    records = {
        name: a_record(100, 30, a_look(place, seed=k))
        for k, (name, place) in enumerate(place_of.items())
    }
    found = most_worth(material(facts, records=records))
    assert len({place_of[name] for name in names(found)[:5]}) == 5


def test_what_looks_like_a_labelled_scene_comes_later_and_says_so():
    facts = [a_scene(name, retained=0.6) for name in ("near", "far", "away")]
    facts.append(a_scene("old", status=Status.GROUND_TRUTH))
    places = {"near": 1, "old": 1, "far": 2, "away": 3}
    records = {name: a_record(100, 0, a_look(place)) for name, place in places.items()}
    found = most_worth(material(facts, records=records))
    assert names(found)[-1] == "near"
    assert "much like old, which is labelled" in found[-1].reason
    assert found[-1].nearest == "old"
    assert "unlike anything labelled" in found[0].reason


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_untrusted_or_harder_is_worth_more(untrusted, less, hard, easier):
    less, easier = less * untrusted, easier * hard
    facts = [
        a_scene("more", retained=1 - untrusted, motion=hard, saturation=0.0),
        a_scene("less", retained=1 - less, motion=easier, saturation=0.0),
    ]
    scores = {item.scene: item.score for item in most_worth(material(facts))}
    assert scores["more"] >= scores["less"]


@settings(max_examples=50)
@given(st.lists(any_scenes, max_size=12, unique_by=lambda scene: scene.id), st.integers(0, 4))
def test_both_queues_hold_exactly_who_waits_best_first(facts, apart):
    expected = sorted(scene.id for scene in waiting(facts))
    for found in (safest(material(facts)), most_worth(material(facts), apart=apart)):
        assert sorted(names(found)) == expected
        scores = [item.score for item in found]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        for item in found:
            assert re.match(r"(\d+|< 1|> 99) % is (not )?trusted", item.reason)
    labelled = {Status.GROUND_TRUTH, Status.PROMOTED, Status.EXCLUDED, Status.TEST}
    assert not {each.id for each in facts if each.status in labelled} & set(expected)


quality = st.tuples(*[st.floats(0, 1)] * 4)


@given(st.lists(quality, min_size=2, max_size=8))
def test_the_safest_is_never_below_one_that_is_worse_in_every_respect(qualities):
    facts = [
        a_scene(
            f"{k}",
            retained=retained,
            sigma_mean=sigma,
            motion=motion,
            saturation=0.0,
            rounds=(0.5, 0.5 + wobble / 2),
        )
        for k, (retained, sigma, motion, wobble) in enumerate(qualities)
    ]
    place = {scene: index for index, scene in enumerate(names(safest(material(facts))))}
    for better in range(len(facts)):
        for worse in range(len(facts)):
            (r1, *costs1), (r2, *costs2) = qualities[better], qualities[worse]
            clearly = all(a + 1e-6 < b for a, b in zip(costs1, costs2, strict=True))
            if r1 > r2 + 1e-6 and clearly:
                assert place[f"{better}"] < place[f"{worse}"]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["pool", "scene"]), st.booleans())
def test_shares_of_a_part_are_those_of_its_patches_pixel_by_pixel(seed, scope, trusted):
    rng = np.random.default_rng(seed)
    masks = MaskSettings(patches=Level(scope=scope))
    means = {name: rng.lognormal(-4, 1, PATCHES).astype(np.float32) for name in "ab"}
    records = {name: a_record(rng.integers(0, 256, PATCHES), 9) for name in "ab"}
    facts = [a_scene(name, retained=0.5) for name in "ab"]
    known = material(facts, masks=masks, patch_means=means, records=records)
    found = hardness(known, facts, trusted=trusted)
    for index, name in enumerate("ab"):
        pool = np.concatenate(list(means.values())) if scope == "pool" else means[name]
        kept = means[name] <= limit(span(pool, masks.patches), masks.tau_patch)
        part = kept if trusted else ~kept
        weights = pixels_per_patch(HEIGHT, WIDTH) * (part if part.any() else 1)
        assert np.isclose(
            found.saturated[index], records[name].saturated / 255 @ weights / weights.sum()
        )
        assert np.isclose(found.moving[index], 9 / 255)


def test_where_the_hard_part_is_trusted_labelling_gains_less():
    low, high = np.float32(0.001), np.float32(0.1)
    half = np.arange(PATCHES) < PATCHES // 2
    facts = [a_scene(name, retained=0.5) for name in ("inside", "outside")]
    known = material(
        facts,
        patch_means=dict.fromkeys(("inside", "outside"), np.where(half, low, high)),
        records={"inside": a_record(200 * half), "outside": a_record(200 * ~half)},
    )
    assert names(most_worth(known)) == ["outside", "inside"]
    assert names(safest(known)) == ["outside", "inside"]
    assert "mostly saturated" in most_worth(known)[0].reason


def test_a_queue_without_anybody_is_empty():
    facts = [a_scene("a"), a_scene("b", status=Status.EXCLUDED, retained=0.9)]
    assert safest(material(facts)) == most_worth(material(facts)) == ()


def test_progress_counts_what_was_there_to_choose_from():
    seen = progress(["a", "b", "c"], reviewed=["b", "elsewhere"], decided=["b", "c"])
    assert (seen.reviewed, seen.total) == (2, 3)
    assert seen.words == "2 of 3 reviewed"
