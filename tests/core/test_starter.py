"""Which scenes are unlike those a model has learned from, and which model a word means."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.training import starter
from smarthdr_studio.core.training.starter import (
    Traits,
    meant_model,
    ranges_of,
    starter_card,
    starter_model,
    traits_of,
    unlike,
)

RANGES = {"span": (2.0, 6.0), "clipped": (0.02, 0.1), "sigma": (0.01, 0.03)}
INSIDE = Traits(span=4.0, clipped=0.05, sigma=0.02)


def test_traits_are_the_span_the_clipped_share_and_the_mean_sigma():
    reference = np.full((4, 5, 3), 30000, np.uint16)
    reference[0, :2, 1] = 65535  # one channel of two of twenty pixels
    frame = np.zeros_like(reference)
    sigma = np.full((4, 5), 0.01, np.float32)
    sigma[0] = 0.05
    found = traits_of(Bracket(frame, reference, frame, (0.0, 1.5, 4.0)), sigma)
    assert found.span == 4.0
    assert found.clipped == 0.1
    assert found.sigma == pytest.approx(0.25 * 0.05 + 0.75 * 0.01)


def test_a_scene_inside_every_range_is_like_them():
    assert unlike(INSIDE, RANGES) == ()


def test_what_lies_outside_is_told_with_the_range():
    odd = Traits(span=8.0, clipped=0.6, sigma=0.02)
    assert unlike(odd, RANGES) == (
        "its exposures span 8.0 stops (2.0 to 6.0 there)",
        "60.0% of its reference is clipped (2.0% to 10.0% there)",
    )


def test_the_ends_of_a_range_and_a_twentieth_beyond_are_still_like_them():
    assert unlike(Traits(span=6.19, clipped=0.0161, sigma=0.01), RANGES) == ()
    assert len(unlike(Traits(span=6.21, clipped=0.0159, sigma=0.01), RANGES)) == 2


@given(st.lists(st.floats(0, 10), min_size=2, max_size=30))
def test_of_the_scenes_that_make_the_ranges_at_most_two_in_a_hundred_are_unlike(spans):
    scenes = [Traits(span=span, clipped=0.0, sigma=0.0) for span in spans]
    ranges = ranges_of(scenes)
    assert ranges["span"] == pytest.approx(tuple(np.quantile(spans, (0.01, 0.99))))
    outside = sum(not ranges["span"][0] <= span <= ranges["span"][1] for span in spans)
    assert outside <= 2


def test_the_word_means_the_model_that_ships_unless_a_file_has_that_name(tmp_path, monkeypatch):
    assert meant_model("starter") == starter_model()
    assert meant_model("other") == Path("other")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starter").mkdir()
    assert meant_model("starter") == Path("starter")


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"about": "", "weights": ""})])
def test_a_card_that_is_damaged_is_a_sentence(tmp_path, monkeypatch, text):
    (tmp_path / "card.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(starter, "resource", lambda *parts: tmp_path / parts[-1])
    starter_card.cache_clear()
    with pytest.raises(CheckpointError, match=r"card\.json: the card of the starter model"):
        starter_card()
    starter_card.cache_clear()
