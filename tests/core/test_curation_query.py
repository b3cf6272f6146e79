"""The query line and the orders of the table, as laws over scenes of every kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_facts import a_scene, any_scenes, known_scenes

from smarthdr_studio.core.curation.query import FIELDS, parse
from smarthdr_studio.core.curation.scene_facts import SortKey, sorted_scenes
from smarthdr_studio.core.errors import QueryError, StudioError
from smarthdr_studio.core.project.journal import Status

TERMS = [
    *("retained<0.6", "retained>=60%", "sigma>0.01", "trend<0.5", "motion>5%", "psnr≤0.5"),
    *("saturation>0,1", "painted>0", "tag:in", 'tag:"night"', "note:tree", "reviewed:no"),
    *(
        "status:unlabelled",
        'status:"ground truth"',
        "status:pro",
        "id:00",
        "whole:y",
        "window",
        "1",
    ),
]
term = st.sampled_from(TERMS)
several = st.lists(any_scenes, max_size=8)


def meant(text, scenes):
    return [parse(text).matches(scene) for scene in scenes]


@given(term, known_scenes)
def test_a_term_and_its_negation_part_what_is_known(text, scene):
    assert parse(text).matches(scene) != parse(f"-{text}").matches(scene)


@given(st.lists(term, min_size=1, max_size=3), known_scenes)
def test_the_negation_of_all_is_one_of_the_negations(texts, scene):
    everything = parse(" ".join(texts)).matches(scene)
    anything_not = parse(" or ".join(f"-{text}" for text in texts)).matches(scene)
    assert everything != anything_not


@given(term, term, several)
def test_one_term_more_never_finds_more_and_or_never_less(one, other, scenes):
    both, first = meant(f"{one} {other}", scenes), meant(one, scenes)
    either, second = meant(f"{one} or {other}", scenes), meant(other, scenes)
    assert both == [a and b for a, b in zip(first, second, strict=True)]
    assert either == [a or b for a, b in zip(first, second, strict=True)]
    assert both == meant(f"{one} and {other}", scenes)


@given(st.lists(st.lists(term, min_size=1, max_size=3), min_size=1, max_size=3), several)
def test_choosing_many_is_asking_one_by_one(alternatives, scenes):
    query = parse(" or ".join(" ".join(terms) for terms in alternatives))
    assert list(query.chosen(scenes)) == [scene for scene in scenes if query.matches(scene)]


@given(st.text() | st.lists(st.sampled_from([*TERMS, *FIELDS, *'<>=:-" %x', "or"])).map("".join))
def test_no_line_ends_in_anything_but_a_sentence(text):
    said = ""
    try:
        assert parse(text).matches(a_scene("a")) in (True, False)
    except QueryError as error:
        said = str(error)
    assert said.endswith(".") or not said


@given(several)
def test_an_empty_line_means_every_scene(scenes):
    assert all(meant("  ", scenes))
    assert list(parse("").chosen(scenes)) == scenes


@pytest.mark.parametrize("text", ["retained<0.6", "-retained<0.6", "psnr>0", "-psnr>0", "trend<1"])
def test_what_is_not_known_meets_no_comparison(text):
    assert not parse(text).matches(a_scene("a"))


@pytest.mark.parametrize("status", Status)
def test_a_status_is_known_by_how_it_begins(status):
    scene = a_scene("a", status=status)
    begun = [f'status:"{status[:length]}"' for length in range(1, len(status) + 1)]
    assert all(meant(text, [scene]) == [True] for text in begun)
    others = [a_scene("b", status=other) for other in Status if other is not status]
    assert not any(meant(begun[0], others))


def test_a_quoted_tag_is_the_whole_tag_and_another_may_go_on():
    scene = a_scene("a", tags=("indoors",))
    assert parse("tag:Indoor").matches(scene)
    assert not parse('tag:"indoor"').matches(scene)


def test_a_word_is_looked_for_in_id_status_tags_and_note():
    scene = a_scene("007", tags=("evening",), note="Two dogs, too dark")
    for word in ("00", "UNLAB", "even", '"dogs, too"'):
        assert parse(word).matches(scene), word
    assert not parse("morning").matches(scene)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retained<", "retained<0.6"),
        ("retained:0.6", "compare it with <, <=, > or >="),
        ("retained<much", "not with “much”"),
        ("colour:red", "there are status, retained"),
        ("status:new", "ground truth, promoted, unlabelled, excluded and test"),
        ("status:", "status:unlabelled"),
        ("note<3", "note:window"),
        ("reviewed:maybe", "yes or no"),
        ('note:"too', "quotation mark"),
        ("a or", "between two terms"),
        ("or a", "between two terms"),
        ("-", "put a word behind it"),
    ],
)
def test_half_a_query_is_told_what_it_lacks(text, said):
    with pytest.raises(StudioError, match=r"\.$") as caught:
        parse(text)
    assert said in str(caught.value)


def test_a_field_that_is_nearly_one_is_told_which():
    with pytest.raises(QueryError, match=r"^retaind is no field; perhaps retained is meant\.$"):
        parse("retaind<0.5")
    with pytest.raises(QueryError, match="there are status, retained"):
        parse("colour:red")


def test_every_field_is_explained_by_an_example_that_is_understood():
    for name, words in FIELDS.items():
        examples = words.partition(": ")[2].split(", ")
        assert examples, name
        for example in examples:
            assert example.startswith(name)
            parse(example)


@given(several, st.sampled_from(SortKey), st.booleans())
def test_sorting_loses_nobody_and_puts_the_unknown_last(scenes, by, descending):
    found = sorted_scenes(scenes, by, descending=descending)
    assert sorted(map(id, found)) == sorted(map(id, scenes))
    if by in {SortKey.RETAINED, SortKey.TREND, SortKey.MOTION, SortKey.PSNR}:
        name = {"psnr": "psnr_mu"}.get(by, str(by))
        values = [getattr(scene, name) for scene in found]
        known = [value for value in values if value is not None]
        assert values == sorted(known, reverse=descending) + [None] * (len(values) - len(known))


@given(several, st.sampled_from(SortKey), st.booleans())
def test_sorting_twice_is_sorting_once_and_keeps_the_order_of_equals(scenes, by, descending):
    once = sorted_scenes(scenes, by, descending=descending)
    assert sorted_scenes(once, by, descending=descending) == once
    same = [a_scene(str(number), retained=0.5) for number in range(5)]
    assert list(sorted_scenes(same, SortKey.RETAINED, descending=descending)) == same


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "≤", "≥"])
def test_spaces_around_a_comparison_change_nothing(sign):
    scenes = [a_scene("a", retained=0.5), a_scene("b", retained=0.6), a_scene("c", retained=0.7)]
    written = meant(f"retained{sign}60% id:b", scenes)
    for text in (
        f"retained {sign} 60% id:b",
        f"retained {sign}60% id:b",
        f"retained{sign} 60% id:b",
    ):
        assert meant(text, scenes) == written


def test_what_stands_in_quotation_marks_is_only_a_word():
    scene = a_scene("a", note="not a < b")
    assert meant('"a < b"', [scene]) == meant('note:"a < b"', [scene]) == [True]
    assert meant('"not"', [scene]) == [True]


@pytest.mark.parametrize("text", ["(retained<0.6)", "0.6<retained", "not tag:in", "a<"])
def test_what_is_meant_as_more_than_a_word_is_not_searched_for_as_one(text):
    with pytest.raises(QueryError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("retained>95", "retained>95%"),
        ("retained>=250%", "retained>=100%"),
        ("trend<-10", "trend<-10%"),
        ("motion>1,5", "motion>1,5%"),
        ("painted>4000", "painted>100%"),
    ],
)
def test_a_share_of_more_than_all_is_told_as_the_percentage_that_was_meant(text, meant):
    with pytest.raises(QueryError, match=rf"at most; write {meant}\.$"):
        parse(text)
    parse(meant)


@pytest.mark.parametrize(
    "text", ["retained>=1", "retained<=100%", "trend>=-1", "psnr>95", "sigma>2"]
)
def test_what_is_no_share_may_be_large_and_all_is_a_share(text):
    ((term,),) = parse(text).alternatives
    assert term.words == text
