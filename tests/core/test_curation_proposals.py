"""What a rule would promote, and what would be left; over shares made up and pools counted."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_facts import a_scene

from smarthdr_studio.core.curation.proposals import CurrentPool, Rule, propose, shortfall
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics

MASKS = MaskSettings(patch_size=16)
shares_of_rounds = st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=5)


def a_pool(names, *, retained=1.0, **known):
    facts = [a_scene(name, retained=retained, pixels=32 * 48) for name in names]
    facts += known.pop("more", [])
    return CurrentPool(facts=facts, masks=MASKS, statistics=statistics_of(tuple(names)), **known)


@cache
def statistics_of(names):
    made = {}
    for seed, name in enumerate(names):
        sigma = np.random.default_rng(seed).lognormal(-4, 0.8, (32, 48)).astype(np.float32)
        made[name] = SceneStatistics.of(sigma, size=16)
    return made


@given(st.dictionaries(st.sampled_from("abcd"), shares_of_rounds), st.floats(0.01, 1), st.data())
def test_a_scene_is_proposed_exactly_when_every_last_round_kept_enough(shares, share, data):
    rounds = data.draw(st.integers(1, 4))
    found = propose(Rule(share=share, rounds=rounds), shares, a_pool("abcd"))
    for name in "abcd":
        last = shares.get(name, [])[-rounds:]
        kept = len(last) == rounds and all(value >= share for value in last)
        assert (name in found.scenes) == kept


@settings(max_examples=30)
@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=3, max_size=3))
def test_a_stricter_rule_never_proposes_more(rows):
    shares, pool = dict(zip("abc", rows, strict=True)), a_pool("abc")
    for share in (0.3, 0.6, 0.9):
        loose = propose(Rule(share=share, rounds=2), shares, pool)
        for stricter in (Rule(share=share + 0.1, rounds=2), Rule(share=share, rounds=3)):
            assert set(propose(stricter, shares, pool).scenes) <= set(loose.scenes)


def test_what_is_left_is_the_pool_without_those_that_leave():
    pool = a_pool("abcde", retained=0.96)
    kept = dict.fromkeys("bd", (0.97, 0.98, 0.99))
    found = propose(Rule(), kept, pool)
    rest = PoolStatistics({name: pool.statistics[name] for name in "ace"}).retention(MASKS)
    assert found.scenes == ("b", "d")
    assert found.before.retained == PoolStatistics(pool.statistics).retention(MASKS).retained
    assert found.after.retained == rest.retained
    assert (found.before.pool, found.after.pool) == (5, 3)
    assert found.pixels == 2 * round(0.96 * 32 * 48)
    assert "97 %, 98 %, 99 % retained" in found.candidates[0].reason
    assert "3 of 5 stay in the pool" in found.words


def test_a_pool_that_is_laid_out_already_gives_the_same_answer():
    pool, shares = a_pool("abc"), dict.fromkeys("ab", (1.0, 1.0, 1.0))
    laid_out = a_pool("abc", laid_out=PoolStatistics(pool.statistics))
    assert propose(Rule(), shares, pool) == propose(Rule(), shares, laid_out)


def test_a_large_pool_is_counted_with_fewer_bins_and_nearly_the_same_answer():
    names = [f"{number:03}" for number in range(260)]
    pool = a_pool(names)
    exact = PoolStatistics(pool.statistics).retention(MASKS).retained
    assert pool.retained() == pytest.approx(exact, abs=0.005)


def test_labels_grow_by_what_is_proposed():
    labelled = [
        a_scene("t", status=Status.GROUND_TRUTH, pixels=1000),
        a_scene("p", status=Status.PROMOTED, retained=0.5, pixels=1000),
        a_scene("w", status=Status.PROMOTED, retained=0.5, pixels=1000, whole=True),
    ]
    shares = dict.fromkeys("abptw", (1.0, 1.0, 1.0))
    found = propose(Rule(), shares, a_pool("ab", more=labelled))
    assert found.scenes == ("a", "b"), "labelled scenes are not proposed"
    assert (found.before.labelled, found.before.labelled_pixels) == (3, 2500)
    assert found.after.labelled == 5
    assert found.after.labelled_pixels == found.before.labelled_pixels + found.pixels


def test_all_may_leave_and_none_may():
    everyone = propose(Rule(), dict.fromkeys("ab", (1.0, 1.0, 1.0)), a_pool("ab"))
    assert (everyone.after.pool, everyone.after.retained) == (0, 0)
    nobody = propose(Rule(), {}, a_pool("ab"))
    assert nobody.before == nobody.after
    assert "No scene has at least 95 % retained" in nobody.words


def test_who_was_trusted_but_is_not_with_the_thresholds_of_now_stays():
    shares = dict.fromkeys("ab", (1.0, 1.0, 1.0))
    assert propose(Rule(), shares, a_pool("ab", retained=0.9)).scenes == ()


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1.1}, {"rounds": 0}])
def test_a_rule_that_makes_no_sense_is_refused_at_birth(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rule(**wrong)


NAN = float("nan")
rows = st.lists(st.floats(0, 1) | st.just(NAN), max_size=5)


@given(
    shares=st.dictionaries(st.sampled_from("abc"), rows),
    retained=st.dictionaries(st.sampled_from("abc"), st.floats(0, 1)),
    rule=st.builds(Rule, share=st.floats(0.01, 1), rounds=st.integers(1, 4)),
)
def test_there_is_a_sentence_exactly_where_nothing_is_proposed(shares, retained, rule):
    facts = [a_scene(name, retained=retained.get(name), pixels=10) for name in "abc"]
    now = CurrentPool(facts=facts, masks=MaskSettings(), statistics={})
    proposed = propose(rule, shares, now).candidates
    assert bool(proposed) == (shortfall(rule, shares, facts) == "")


def test_the_best_scene_is_named_with_what_it_kept():
    facts = [a_scene("001", retained=0.95), a_scene("002", retained=0.97)]
    shares = {"001": (0.9, 0.92, 0.94), "002": (0.99, 0.933, 0.96)}
    words = shortfall(Rule(share=0.95, rounds=3), shares, facts)
    best = "the best, 002, retained 93.3 % throughout."
    assert words == f"No scene retained 95 % for 3 rounds and now; {best}"


def test_what_falls_just_short_never_reads_as_enough():
    words = shortfall(
        Rule(share=0.95, rounds=1), {"001": (0.94999,)}, [a_scene("001", retained=1.0)]
    )
    assert "retained 94.9 %" in words


def test_thresholds_that_keep_less_now_are_said_to_be_the_reason():
    words = shortfall(Rule(share=0.9, rounds=1), {"001": (0.99,)}, [a_scene("001", retained=0.5)])
    assert "99 % in the rounds but 50 % with the thresholds of now" in words


def test_too_few_rounds_are_told():
    words = shortfall(Rule(rounds=3), {"001": (0.99, 0.99)}, [a_scene("001", retained=1.0)])
    assert words == "The rule asks for 3 rounds in a row, and a scene has taken part in 2 at most."
    none = shortfall(Rule(rounds=1), {}, [a_scene("001", retained=1.0)])
    assert (
        none
        == "The rule asks for 1 round in a row, and no round is on record: train first (Ctrl+T)."
    )


def test_without_unlabelled_scenes_there_is_nothing_to_propose():
    facts = [a_scene("001", status=Status.PROMOTED)]
    assert shortfall(Rule(), {}, facts).startswith("No scene is unlabelled")


def test_shares_that_read_alike_are_told_once():
    words = shortfall(
        Rule(share=0.9, rounds=1), {"001": (0.0594,)}, [a_scene("001", retained=0.0591)]
    )
    assert words.endswith("the best, 001, retained 5.9 % throughout.")
