"""A decision about one scene moves the trust in all others: where it moves much, that is told."""

from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.trust.masking import Level, MaskSettings
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.studio.project.pool import moved_by_members
from smarthdr_studio.studio.state import Notice

MASKS = MaskSettings()
KNOWN = {
    name: (
        1.0,
        SceneStatistics.of(np.linspace(0.001, top, 128 * 192, dtype=np.float32).reshape(128, 192)),
    )
    for name, top in (("calm", 0.02), ("quiet", 0.03), ("wild", 0.4))
}


@pytest.fixture
def reading(opened):
    return opened.session.screen.pool.reading


def of(reading, *names, masks=MASKS, known=KNOWN):
    pool = PoolStatistics({name: known[name][1] for name in names})
    kept = masks, pool.retention(masks)
    return replace(reading, known=known, statistics=pool, first_retention=kept)


def test_a_scene_that_leaves_and_takes_the_widest_range_with_it_is_told_with_both_shares(reading):
    every, rest = of(reading, "calm", "quiet", "wild"), of(reading, "calm", "quiet")
    before, now = (f"{each.first_retention[1].retained:.0%}"[:-1] for each in (every, rest))
    assert before != now
    assert moved_by_members(every, rest) == (
        f"Without wild scores are normalised anew: the pool retains {now} %, before {before} %."
    )
    assert moved_by_members(rest, every).startswith("With wild scores are normalised anew")
    assert moved_by_members(every, of(reading, "calm")).startswith("Without 2 scenes ")
    assert moved_by_members(of(reading, "wild"), of(reading, "calm")) == ""  # shared by none


def test_what_another_round_or_nobody_moved_is_not_laid_to_the_scenes(reading):
    every, rest = of(reading, "calm", "quiet", "wild"), of(reading, "calm", "quiet")
    again = {name: (2.0, statistics) for name, (_, statistics) in KNOWN.items()}
    assert moved_by_members(every, of(reading, "calm", "quiet", known=again)) == ""
    assert moved_by_members(every, every) == ""
    assert moved_by_members(every, of(reading)) == ""
    assert moved_by_members(of(reading, "calm", "quiet"), rest) == ""


def test_scores_of_each_scene_alone_are_not_normalised_anew(reading):
    alone = replace(MASKS, patches=Level(scope="scene"), pixels=Level(scope="scene"))
    every, rest = (of(reading, *names, masks=alone) for names in (("calm", "wild"), ("calm",)))
    assert "normalised" not in moved_by_members(every, rest)


def test_the_window_tells_it_and_it_leaves_by_itself(opened, reading):
    pool = opened.session.screen.pool
    every, rest = of(reading, "calm", "quiet", "wild"), of(reading, "calm", "quiet")
    pool.blockSignals(True)  # nobody is to chart scenes that are not there
    pool._answered(every)
    opened.session.dismiss()
    pool._answered(rest)
    assert opened.session.state.notice.text == moved_by_members(every, rest)
    assert opened.notice.leaving.isActive()
    other = Notice(text="Something else")
    opened.session.tell(other)
    pool._answered(every)
    assert opened.session.state.notice is other
    pool._answered(reading)
    pool.blockSignals(False)
