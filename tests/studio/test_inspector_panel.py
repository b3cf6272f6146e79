"""Why a pixel or region is not trusted, and the table of a region."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QLabel, QMainWindow, QPushButton

from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.trust.causes import Reason
from smarthdr_studio.core.trust.explanation import Explanation, Fact
from smarthdr_studio.core.trust.region_statistics import LayerFigures, RegionReport
from smarthdr_studio.studio.state import Readout, StudioState
from smarthdr_studio.studio.theme import DARK, LIGHT, dress
from smarthdr_studio.studio.trust.inspector import ASK, Inspector, RegionTable, WhyLine, number
from smarthdr_studio.studio.widgets.tables import SIGN, FactTable

WHY = Explanation(
    subject="pixel 397, 100",
    sentence="Dropped with its patch: the reference frame is saturated here.",
    gate="patch",
    facts=(
        Fact(name="S_pa", value="0.41", beside="above τ_pa <0.40>", alarming=True),
        Fact(name="σ", value="0.040"),
    ),
)
PIXEL = Readout(
    x=397, y=100, linear=(0.5612, 0.199, 0.12), mu_law=0.8314, sigma=0.0403, patch_score=0.41
)
REGION = Region(kind="lasso", points=((0, 0), (9, 0), (0, 9)))


def shown(qtbot, panel, *states):
    qtbot.addWidget(panel)
    panel.resize(300, 400)
    panel.show()
    for old, new in zip((StudioState(), *states), states, strict=False):
        panel.show_state(old, new)
    return panel


def told(panel):
    return {fact.name: fact.value for fact in panel._values.facts}


def test_the_sentence_comes_first_and_is_the_largest(qtbot):
    panel = shown(qtbot, Inspector(), StudioState(explanation=WHY, readout=PIXEL))
    assert panel._subject.text() == "pixel 397, 100"
    assert panel._sentence.text() == WHY.sentence
    assert panel._sentence.y() < panel._facts.y() < panel._values.y()
    assert panel._sentence.font().pointSizeF() > panel._subject.font().pointSizeF()


def test_an_alarming_fact_has_a_sign_and_words(qtbot):
    panel = shown(qtbot, FactTable(name="facts"))
    panel.show_facts(WHY.facts)
    alarming, calm = (value for _, value in panel._rows)
    assert alarming.text().startswith(SIGN)
    assert "speaks against trust" in alarming.accessibleName()
    assert "&lt;0.40&gt;" in alarming.text()
    assert SIGN not in calm.text()
    assert "against" not in calm.accessibleName()
    panel.show_facts(WHY.facts[1:])
    assert not panel._rows[1][0].isVisible()
    assert panel.as_text() == "σ 0.040"


def test_only_rows_that_say_something_else_are_written_anew(qtbot, monkeypatch):
    panel = shown(qtbot, FactTable(name="facts"))
    panel.show_facts(WHY.facts)
    written, write = [], FactTable._show

    def noted(self, name, value, fact):
        written.append(fact.name)
        write(self, name, value, fact)

    monkeypatch.setattr(FactTable, "_show", noted)
    other = replace(WHY.facts[1], value="0.050")
    panel.show_facts((WHY.facts[0], other))
    assert written == [other.name]
    panel.show_facts(WHY.facts[:1])
    panel.show_facts((WHY.facts[0], other))
    assert written == [other.name] * 2
    assert panel._rows[1][0].isVisible()


def test_quiet_words_follow_the_palette(qtbot, qapp):
    panel = shown(qtbot, FactTable(name="facts"))
    panel.show_facts(WHY.facts)
    for palette in (LIGHT, DARK):
        dress(qapp, palette)
        assert palette.muted in panel._rows[0][1].text()


def test_values_of_the_pixel_stand_below_without_saying_anything_twice(qtbot):
    panel = shown(qtbot, Inspector(), StudioState(explanation=WHY, readout=PIXEL))
    assert told(panel) == {"linear RGB": "0.561 0.199 0.120", "μ-law": "0.831"}
    bare = replace(PIXEL, linear=None, trusted=False, why="patch")
    panel.show_state(StudioState(), StudioState(readout=bare))
    assert told(panel)["σ"] == "0.0403"
    assert told(panel)["masks"] == "dropped: patch"


def test_where_nothing_is_explained_the_panels_say_what_to_do(qtbot):
    here = StudioState(shown="003", explanation=WHY, readout=PIXEL)
    panel = shown(qtbot, Inspector(), here)
    line = shown(qtbot, WhyLine(), here)
    assert panel._sentence.text() == WHY.sentence
    assert WHY.sentence.split()[0] in line._line.text()
    for each in (panel, line):
        each.show_state(here, replace(here, explanation=None, readout=None))
    assert panel._sentence.text() == ASK
    assert line._line.toolTip() == ASK


def test_a_region_is_explained_as_a_whole_and_its_pixel_named(qtbot):
    of_region = replace(WHY, subject="region of 12,345 px")
    state = StudioState(explanation=of_region, readout=PIXEL, region=REGION)
    panel = shown(qtbot, Inspector(), state)
    assert panel._subject.text() == "region of 12,345 px"
    assert panel._pixel.text() == "Pixel 397, 100"
    assert "σ" in told(panel)


def test_the_text_can_be_copied_and_selected(qtbot):
    panel = shown(qtbot, Inspector(), StudioState(explanation=WHY, readout=PIXEL))
    panel._copy.click()
    text = QGuiApplication.clipboard().text()
    for words in (WHY.sentence, "S_pa 0.41 above τ_pa <0.40>", "linear RGB 0.561 0.199 0.120"):
        assert words in text
    flags = panel._sentence.textInteractionFlags()
    assert flags & Qt.TextInteractionFlag.TextSelectableByMouse


def test_selecting_a_text_leaves_the_arrow_keys_to_the_scenes(qtbot):
    window, panel = QMainWindow(), Inspector()
    qtbot.addWidget(window)
    window.setCentralWidget(panel)
    panel.show_state(StudioState(), StudioState(explanation=WHY, readout=PIXEL))
    stepped = []
    action = QAction(window)
    action.setShortcut("Right")
    action.triggered.connect(lambda: stepped.append(1))
    window.addAction(action)
    with qtbot.waitActive(window, timeout=20000):
        window.show()
    qtbot.mouseDClick(panel._sentence, Qt.MouseButton.LeftButton)
    assert panel._sentence.hasSelectedText()
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Right)
    assert stepped == [1]


@pytest.mark.parametrize("words", [3, 30, 300])
def test_the_line_is_never_higher_than_its_lines_and_tells_all_in_its_tooltip(qtbot, words):
    long = replace(WHY, sentence=" ".join(["saturated"] * words))
    line = shown(qtbot, WhyLine(lines=3), StudioState(explanation=long))
    label = line._line
    room = label.fontMetrics().boundingRect(
        label.contentsRect(), Qt.TextFlag.TextWordWrap, label.text()
    )
    assert room.height() <= 3 * label.fontMetrics().lineSpacing()
    assert long.sentence in label.toolTip()
    assert label.text().endswith("…") == (words > 3)


def report(values, **changes):
    figures = LayerFigures(
        name="Uncertainty σ",
        mean=float(values.mean()),
        p5=float(np.percentile(values, 5)),
        median=float(np.median(values)),
        p95=float(np.percentile(values, 95)),
    )
    known = {
        "region": REGION,
        "pixels": 12345,
        "layers": (figures,),
        "retained": 0.42,
        "psnr_mu": 31.236,
        "patch_counts": None,
        "pixel_counts": None,
        "reasons": {Reason.SATURATED: 0.31, Reason.MOVING: 0.004, Reason.TRUSTED: 0.686},
        "explanation": WHY,
    }
    return RegionReport(**(known | changes))


def test_a_region_tells_area_share_quality_and_every_layer(qtbot):
    values = np.random.default_rng(0).exponential(0.02, 5000)
    state = StudioState(region=REGION, report=report(values))
    table = shown(qtbot, RegionTable(), state)
    facts = {fact.name: fact.value for fact in table._facts.facts}
    assert facts == {"area": "12,345 px", "retained": "42 %", "PSNR-μ": "31.24 dB"}
    expected = [values.mean(), *(np.percentile(values, share) for share in (5, 50, 95))]
    told = [float(label.text()) for label in table._numbers[0]]
    assert told == pytest.approx(expected, rel=0.05)
    words = {label.text() for label in table.findChildren(QLabel) if label.isVisible()}
    assert {"saturated", "31 %", "motion", "< 1 %", "trusted", "69 %"} <= words
    assert "dark and noisy" not in words


def test_a_report_that_is_on_its_way_leaves_the_last_one_of_the_same_region(qtbot):
    values = np.ones(9)
    here = StudioState(region=REGION, report=report(values))
    table = shown(qtbot, RegionTable(), here)
    table.show_state(here, replace(here, report=None))
    assert table._facts.isVisible()
    gone = replace(here, report=None, region=None)
    table.show_state(here, gone)
    assert not table._facts.isVisible()
    again = replace(here, report=report(values, psnr_mu=None, layers=(), retained=None))
    table.show_state(gone, again)
    assert {fact.name: fact.value for fact in table._facts.facts}["retained"] == "–"
    assert table._numbers == []


def test_the_region_can_be_taken_away_once_there_is_one(qtbot):
    table = shown(qtbot, RegionTable(), StudioState())
    (button,) = table.findChildren(QPushButton)
    assert not button.isEnabled()
    cleared = []
    table.region_cleared.connect(lambda: cleared.append(1))
    table.show_state(StudioState(), StudioState(region=REGION))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert cleared == [1]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (0.23149, "0.231"),
        (0.012345, "0.0123"),
        (0.0027, "0.0027"),
        (-0.5, "-0.5"),
        (3e-6, "3e-6"),
        (123456.0, "1e5"),
        (math.nan, "–"),
    ],
)
def test_figures_are_short_and_right(value, words):
    assert number(value) == words
