"""Numbers as people read and type them."""

import pytest

from smarthdr_studio.core.words import (
    counted,
    number,
    percent,
    plain_hyphens,
    tau_words,
    telling,
    unbroken,
    unit_for,
)


def test_one_of_anything_is_told_as_one():
    assert [counted(n, "scene") for n in (0, 1, 2, 1200)] == [
        "0 scenes",
        "1 scene",
        "2 scenes",
        "1,200 scenes",
    ]
    assert counted(2, "match", more="matches") == "2 matches"
    assert counted(1, "match", more="matches") == "1 match"


def test_no_line_ends_within_the_name_of_a_metric():
    words = "best so far: PSNR-μ 34.0 dB, SSIM-l 0.98; well-known"
    shown = unbroken(words)
    assert shown.count("-") == 1
    assert "34.0\u00a0dB, " in shown
    assert unbroken("retained 3 % (−25), 12 scenes") == "retained 3\u00a0% (−25), 12 scenes"
    assert plain_hyphens(shown) == words


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("1", "scenes", "scene"),
        ("1", "batches", "batch"),
        ("2", "scenes", "scenes"),
        ("auto", "scenes", "scenes"),
        ("1", "px", "px"),
        ("1", "epoch", "epoch"),
    ],
)
def test_the_unit_behind_one_is_of_one(text, unit, words):
    assert unit_for(text, unit) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.5, "0.500"),
        (1, "1.00"),
        (0.00123, "0.00123"),
        (1.234e-5, "1.23e-05"),
        (120, "120"),
    ],
)
def test_a_small_number_is_never_told_as_nothing(value, words):
    assert telling(value) == words


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.25", 0.25), ("0,25", 0.25), (" ,5 ", 0.5), ("−2,5", -2.5), ("2e-4", 2e-4)],
)
def test_a_number_may_have_a_decimal_comma(text, value):
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "x", "1,2,3", "1.2,3", "nan", "inf"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="is no number"):
        number(text)


@pytest.mark.parametrize(
    ("share", "whole", "exact"),
    [
        (0, "0 %", "0.0 %"),
        (1e-5, "< 1 %", "< 0.1 %"),
        (0.004, "< 1 %", "0.4 %"),
        (0.012, "1 %", "1.2 %"),
        (0.374, "37 %", "37.4 %"),
        (0.9951, "> 99 %", "99.5 %"),
        (0.99999, "> 99 %", "> 99.9 %"),
        (1, "100 %", "100.0 %"),
    ],
)
def test_a_share_that_is_neither_nothing_nor_all_never_reads_so(share, whole, exact):
    assert (percent(share), percent(share, decimals=1)) == (whole, exact)


def test_a_threshold_has_all_the_decimals_that_count_and_two_at_least():
    told = [tau_words(tau) for tau in (0, 0.4, 0.305, 1 / 3, 0.29999999999, 1)]
    assert told == ["0.00", "0.40", "0.305", "0.3333", "0.30", "1.00"]
