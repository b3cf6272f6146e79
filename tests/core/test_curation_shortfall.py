"""Where a rule proposes nothing, the sentence names the best scene; else there is no sentence."""

from hypothesis import given
from hypothesis import strategies as st
from made_facts import a_scene

from smarthdr_studio.core.curation.proposals import CurrentPool, Rule, propose, shortfall
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.masking import MaskSettings

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
    assert words == "No scene retained 95 % for 3 rounds and now; the best, 002, retained 93.3 %."


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
