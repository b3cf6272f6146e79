"""Thresholds, how scores are made, the map's frame, pairs set aside, and what they would mean."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QPushButton

from smarthdr_studio.core.imaging.metrics import Side, SplitQuality
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.trust.masking import Level, MaskSettings
from smarthdr_studio.core.trust.thresholds import WhatIf
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.state import PoolCharts, PoolShares, Snapshot, StudioState
from smarthdr_studio.studio.trust import what_if as pairs
from smarthdr_studio.studio.trust import what_if as table
from smarthdr_studio.studio.trust.thresholds_panel import ThresholdsPanel
from smarthdr_studio.studio.trust.what_if import PoolMap

PAPER = MaskSettings()
TAUS = np.linspace(0, 1, 21)
REGION = Region(kind="rectangle", points=((0, 0), (9, 0), (9, 9), (0, 9)))
COUNTS = np.arange(50)


def plain(words):
    """Without the spaces at which no line is broken."""
    return words.replace("\N{NO-BREAK SPACE}", " ")


def charts(shares, scope="pool"):
    return PoolCharts(patches=COUNTS, pixels=COUNTS, map=shares, scope=scope)


def shown(qtbot, panel, state, before=None):
    qtbot.addWidget(panel)
    panel.resize(300, 600)
    panel.show()
    panel.show_state(before or StudioState(), state)
    return panel


def heard(signal):
    said = []
    signal.connect(lambda *words: said.append(words[0] if len(words) == 1 else words))
    return said


def press(qtbot, panel, name):
    (found,) = [b for b in panel.findChildren(QPushButton) if b.accessibleName() == name]
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)
    return found


def choose(level, words):
    action = next(a for a in level.menu().actions() if a.text() == words)
    assert not action.isChecked()
    action.trigger()


def test_how_scores_are_made_is_picked_level_by_level(qtbot):
    panel = shown(qtbot, ThresholdsPanel(), StudioState())
    settled = heard(panel.masks_settled)
    choose(panel.patches._level, "percentiles 0.1–99.9")
    choose(panel.pixels._level, "pool")
    wide = Level(normalisation="percentile", low_percentile=0.1, high_percentile=99.9)
    assert settled == [
        replace(PAPER, patches=wide),
        replace(PAPER, pixels=replace(PAPER.pixels, scope="pool")),
    ]
    panel.show_state(StudioState(), StudioState(masks=settled[0]))
    assert panel.patches._level.text() == "0.1–99.9 % · pool ▾"
    assert panel.pixels._level.text() == "min–max · scene ▾"
    choose(panel.patches._level, "scene")
    assert settled[-1].patches == replace(wide, scope="scene")


def test_percentiles_from_elsewhere_are_told_and_kept(qtbot):
    odd = Level(normalisation="percentile", low_percentile=2.5, high_percentile=90, scope="scene")
    panel = shown(qtbot, ThresholdsPanel(), StudioState(masks=replace(PAPER, pixels=odd)))
    settled = heard(panel.masks_settled)
    assert "2.5–90" in panel.pixels._level.text()
    choose(panel.pixels._level, "pool")
    assert settled[0].pixels == replace(odd, scope="pool")


def test_scores_can_be_sigma_itself_of_no_pool_and_no_scene(qtbot):
    panel = shown(qtbot, ThresholdsPanel(), StudioState())
    settled = heard(panel.masks_settled)
    choose(panel.pixels._level, "σ itself")
    by_sigma = Level(normalisation="absolute", scope="scene")
    assert settled == [replace(PAPER, pixels=by_sigma)]
    panel.show_state(StudioState(), StudioState(masks=settled[0]))
    assert panel.pixels._level.text() == "σ itself ▾"
    assert panel.pixels._level.accessibleDescription() == "σ itself, 1 at 0.1"
    scopes = [a for a in panel.pixels._level.menu().actions() if a.text() in ("pool", "scene")]
    assert not any(action.isEnabled() for action in scopes)
    choose(panel.pixels._level, "min–max")
    assert settled[-1] == PAPER


@pytest.mark.parametrize(
    "masks",
    [
        replace(PAPER, tau_patch=0.41),
        replace(PAPER, tau_pixel=0.0),
        replace(PAPER, patches=Level(scope="scene")),
        replace(PAPER, pixels=Level(scope="scene", normalisation="percentile")),
    ],
)
def test_reset_brings_back_everything_of_the_paper(qtbot, masks):
    panel = shown(qtbot, ThresholdsPanel(), StudioState(masks=replace(masks, patch_size=32)))
    settled = heard(panel.masks_settled)
    button = press(qtbot, panel, "Reset")
    assert settled == [replace(PAPER, patch_size=32)]
    for told in ("0.40", "min–max over the pool", "min–max over the scene"):
        assert told in button.toolTip()
    panel.show_state(StudioState(), StudioState(masks=PAPER))
    assert not button.isEnabled()


def test_percentiles_without_effect_are_no_difference(qtbot):
    masks = replace(PAPER, patches=Level(low_percentile=5, high_percentile=95))
    panel = shown(qtbot, ThresholdsPanel(), StudioState(masks=masks))
    assert not panel._reset.isEnabled()


def test_the_captions_say_whose_scores_are_counted(qtbot):
    panel = shown(qtbot, ThresholdsPanel(), StudioState(scope="scene"))
    assert panel.patches._whose.whole == "S_pa of scene"
    counted = StudioState(scope="scene", charts=charts(np.ones((21, 21)), scope="pool"))
    panel.show_state(StudioState(), counted)
    assert panel.pixels._whose.whole == "S_pi of pool"


def test_a_histogram_of_logarithmic_counts_says_so(qtbot):
    panel, chart = ThresholdsPanel(), ThresholdHistogram("S_pa", dropped="bad")
    panel.patches.place_histogram(chart)
    shown(qtbot, panel, StudioState())
    assert panel.patches._whose.whole == "S_pa of pool · logarithmic"
    chart.set_log(on=False)
    chart.rearranged.emit()
    assert panel.patches._whose.whole == "S_pa of pool"


def test_a_region_can_be_chosen_once_there_is_one(qtbot):
    panel = shown(qtbot, ThresholdsPanel(), StudioState())
    picked = heard(panel.scope_picked)
    assert not panel._scope._buttons["region"].isEnabled()
    panel.show_state(StudioState(), StudioState(region=REGION))
    press(qtbot, panel, "Scores of: region")
    press(qtbot, panel, "Scores of: pool")
    assert picked == ["region"]


def test_a_real_drag_over_the_histogram_moves_one_threshold(qtbot):
    panel, histogram = ThresholdsPanel(), ThresholdHistogram("S_pa")
    panel.patches.place_histogram(histogram)
    panel.patches.listen_to(histogram.tau_dragged, histogram.tau_released)
    shown(qtbot, panel, StudioState(masks=replace(PAPER, tau_pixel=0.7)))
    moved, settled = heard(panel.masks_moved), heard(panel.masks_settled)
    histogram.set_counts(np.linspace(0, 1, 65), np.ones(64))
    plot = histogram.plot
    here, there = (plot.place_of(score, 0.3).toPoint() for score in (0.4, 0.6))
    qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=here)
    qtbot.mouseMove(plot.viewport(), there)
    qtbot.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=there)
    assert [m.tau_patch for m in moved] == pytest.approx([0.4, 0.6], abs=0.005)
    assert settled == [moved[-1]]
    assert settled[0].tau_pixel == 0.7


def test_shares_that_no_pair_keeps_cannot_be_asked_for(qtbot):
    panel = shown(qtbot, PoolMap(), StudioState())
    asked = heard(panel.keep_asked)
    assert not any(button.isEnabled() for button in panel._keep.values())
    panel.show_state(StudioState(), StudioState(charts=charts(np.outer(TAUS, TAUS) * 0.85)))
    assert press(qtbot, panel, "Retain 80 %").isEnabled()
    assert not press(qtbot, panel, "Retain 90 %").isEnabled()
    assert "90 %" in panel._keep[0.9].toolTip()
    assert asked == [0.8]


def test_keeping_a_share_settles_a_pair_that_does(qtbot):
    panel, chart = PoolMap(), RetentionMap()
    panel.place(chart, picked=chart.picked, released=chart.released)
    panel.keep_asked.connect(chart.keep)
    shares = np.outer(TAUS, TAUS)
    masks = replace(PAPER, patches=Level(scope="scene"))
    shown(qtbot, panel, StudioState(charts=charts(shares), masks=masks))
    chart.set_shares(shares.T)
    settled = heard(panel.masks_settled)
    press(qtbot, panel, "Retain 70 %")
    assert settled[0].tau_patch * settled[0].tau_pixel == pytest.approx(0.7, abs=0.002)
    assert settled[0].patches.scope == "scene"


def with_pairs(*pairs, **more):
    state = StudioState(folder=Path("p"), snapshots=pairs, **more)
    return replace(state, pool=PoolShares(scenes=3, retained=0.884, patches_retained=0.9))


def test_a_pair_is_set_aside_taken_up_and_dropped(qtbot):
    loose = Snapshot(name="B", masks=MaskSettings(tau_patch=0.244, tau_pixel=0.9), pool=0.911)
    state = with_pairs(Snapshot(name="A", masks=PAPER), loose)
    panel = shown(qtbot, pairs.Snapshots(), state)
    asked, picked = heard(panel.snapshot_asked), heard(panel.snapshot_picked)
    dropped = heard(panel.snapshot_dropped)
    press(qtbot, panel, "Keep this pair")
    press(qtbot, panel, "Pair B, τ_pa / τ_pi 0.244 / 0.90")
    press(qtbot, panel, "Drop pair A")
    assert len(asked) == 1
    assert picked == [loose.masks]
    assert dropped == ["A"]
    assert panel._picks.button(0).isChecked()
    assert not panel._picks.button(1).isChecked()


def test_eight_pairs_are_enough(qtbot):
    eight = tuple(Snapshot(name=name, masks=PAPER) for name in "ABCDEFGH")
    panel = shown(qtbot, pairs.Snapshots(), with_pairs(*eight[:7]))
    assert panel._keep.isEnabled()
    panel.show_state(StudioState(), with_pairs(*eight))
    assert not panel._keep.isEnabled()
    assert "drop one" in panel._keep.toolTip()


def test_differences_are_to_the_pair_on_the_screen(qtbot):
    kept = Snapshot(name="A", masks=PAPER, pool=0.911, scene=0.5)
    panel = shown(qtbot, pairs.Snapshots(), with_pairs(kept, retained=0.7))
    assert [label.text() for label in panel._shares[0]] == ["91 +3", "50 −20"]
    panel.show_state(StudioState(), with_pairs(kept, retained=None))
    assert [label.text() for label in panel._shares[0]] == ["91 +3", "50"]
    assert pairs.compared(0.884, 0.884) == "88 ±0"
    assert pairs.compared(None, 0.3) == "–"


def test_what_if_counts_as_plain_numpy_does(qtbot):
    trusted = np.random.default_rng(1).random((1500, 1000)) < 0.37
    patches = trusted.reshape(30, 50, 20, 50).any((1, 3))
    words = WhatIf(
        pixels=trusted.size,
        trusted_pixels=int(trusted.sum()),
        patches=patches.size,
        kept_patches=int(patches.sum()),
        crops=4004,
        crops_at_least=3900,
        crops_at_most=3912,
        epoch_seconds=130,
    )
    both = split((9000, 35.12, 38.0), (1000, 27.24, 31.0))
    panel = shown(qtbot, table.WhatIfPanel(), StudioState(what_if=words, quality=both))
    told = {fact.name: plain(fact.value) for fact in panel._table.facts}
    part, share = trusted.sum() / 1e6, 100 * trusted.mean()
    assert told == {
        "pixels": f"{part:.2f} of 1.50 M · {share:.0f} %",
        "patches": "600 of 600 · 100 %",
        "crops": "3,900–3,912 of 4,004",
        "kept here": "35.1 dB μ, 38.0 dB l ·\n90 % · 9,000 px",
        "dropped here": "27.2 dB μ, 31.0 dB l ·\n10 % · 1,000 px",
    }
    assert panel._verdict.text() == "dropped pixels are worse here: by 7.9 dB μ, 7.0 dB l"
    assert panel._epoch.whole == "an epoch: about 2 min"
    exact = replace(words, crops_at_least=3912, epoch_seconds=None)
    assert table.crops_words(exact) == "3,912 of 4,004"
    assert "after a run" in table.epoch_words(exact)
    assert table.share_words(12_288, 24_576) == "12,288 of 24,576 · 50 %"
    assert table.share_words(0, 0) == "0 of 0 · –"


def split(kept, dropped):
    """(pixels, PSNR-μ, PSNR-l) of both sides."""
    sides = [Side(pixels=n, psnr_mu=mu, psnr_l=linear) for n, mu, linear in (kept, dropped)]
    return SplitQuality(kept=sides[0], dropped=sides[1])


NONE = (0, math.nan, math.nan)


@pytest.mark.parametrize(
    ("kept", "dropped", "words"),
    [
        ((900, 35.0, 40.0), (300, 30.0, 36.0), "are worse here: by 5.0 dB μ, 4.0 dB l"),
        ((900, 35.0, 40.0), (300, 34.5, 39.5), "dropped pixels are no worse than kept ones here"),
        ((900, 35.0, 40.0), (300, 39.0, 44.0), "dropped pixels are no worse than kept ones here"),
        ((900, 35.0, 40.0), (300, 30.0, 44.0), "worse on the μ-law by 5.0 dB, but not on linear"),
        (
            (900, 35.0, 40.0),
            (300, 39.0, 37.0),
            "worse on linear radiance by 3.0 dB, but not on",
        ),
        ((900, math.inf, math.inf), (300, math.inf, math.inf), "are no worse than kept ones"),
        ((900, 35.0, 40.0), (1, 3.0, 4.0), "only 1 pixel dropped here: too few to judge by"),
        ((1200, 35.0, 40.0), NONE, "nothing is dropped here"),
        (NONE, (1200, 35.0, 40.0), "nothing is kept here"),
    ],
)
def test_a_verdict_says_whether_dropped_pixels_are_worse(kept, dropped, words):
    assert words in table.verdict(split(kept, dropped))


def test_a_side_without_pixels_is_named_and_one_without_error_is_infinite():
    assert table.side_words(split(NONE, NONE).kept, 1200) == "no pixel"
    side = split((600, math.inf, 20.0), NONE).kept
    assert "50\N{NO-BREAK SPACE}%" in table.side_words(side, 1200)
    assert plain(table.side_words(side, 1200)) == "∞ dB μ, 20.0 dB l ·\n50 % · 600 px"


def test_why_nothing_can_be_compared_stands_where_the_verdict_would(qtbot):
    panel = shown(qtbot, table.WhatIfPanel(), StudioState(quality="no ground truth here"))
    assert panel._verdict.text() == "no ground truth here"
    assert [fact.name for fact in panel._table.facts] == ["pixels"]


def test_every_control_says_what_it_is_and_leaves_the_arrows_to_the_scenes(qtbot):
    window, panel = QMainWindow(), ThresholdsPanel()
    qtbot.addWidget(window)
    window.setCentralWidget(panel)
    stepped = []
    action = QAction(window)
    action.setShortcut("Right")
    action.triggered.connect(lambda: stepped.append(1))
    window.addAction(action)
    with qtbot.waitActive(window, timeout=20000):
        window.show()
    panel.setFocus()
    for button in panel.findChildren(QPushButton):
        assert button.toolTip()
        assert button.accessibleName()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        before = len(stepped)
        qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Right)
        assert len(stepped) == before + 1
