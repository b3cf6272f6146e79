"""The card of display settings: every control tells one setting, and Esc puts it away."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QMainWindow, QPushButton, QSlider

from smarthdr_studio.core.display import ColourMap, DisplaySettings, HeatScale, Layer, ToneMap
from smarthdr_studio.studio.state import FIRST_VIEWS, Comparison, StudioState
from smarthdr_studio.studio.theme import DARK, dress
from smarthdr_studio.studio.viewer.display_sheet import AGAINST, BUDGETS, DisplaySheet
from smarthdr_studio.studio.viewer.display_strip import DisplayStrip

# What the offscreen platform says of every popup.
pytestmark = pytest.mark.qt_log_ignore("does not support raise", "grabbing the keyboard")

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def strip(qapp, qtbot):
    dress(qapp, DARK)
    strip = DisplayStrip()
    qtbot.addWidget(strip)
    strip.resize(1000, 34)
    strip.show()
    return strip


@pytest.fixture
def told(strip):
    """Everything the strip says, by the name of the signal."""
    said = []
    for name in ("display_picked", "gain_picked", "zebra_picked", "budget_picked"):
        getattr(strip, name).connect(lambda *what, name=name: said.append((name, *what)))
    return said


def named(parent, kind, name):
    return next(part for part in parent.findChildren(kind) if part.accessibleName() == name)


def show(strip, **changes):
    strip.show_state(StudioState(), StudioState(**changes))
    strip.sheet.show_state(StudioState(), StudioState(**changes))


@pytest.fixture
def sheet(strip):
    strip.open_sheet()
    sheet = strip.findChild(DisplaySheet)
    yield sheet
    sheet.close()


def test_each_control_of_the_card_changes_one_setting(strip, sheet, told):
    plain = DisplaySettings()
    for name, place, expected in (
        ("Tone map", 2, replace(plain, tone_map=tuple(ToneMap)[2])),
        ("Colour map", 1, replace(plain, colour_map=tuple(ColourMap)[1])),
        ("Heat scale", 1, replace(plain, heat_scale=HeatScale.LOG)),
        ("Error against", 5, replace(plain, error_against=Layer.REFERENCE)),
    ):
        named(sheet, QComboBox, name).activated.emit(place)
        assert told[-1] == ("display_picked", expected)
    for name, value, expected in (
        ("μ of the μ-law, number", 300, replace(plain, mu=300)),
        ("γ, number", 1.8, replace(plain, gamma=1.8)),
        ("Mask strength, number", 40, replace(plain, overlay=0.4)),
    ):
        named(sheet, QDoubleSpinBox, name).setValue(value)
        assert told[-1] == ("display_picked", expected)
    named(sheet, QDoubleSpinBox, "Gain of differences, number").setValue(10)
    assert told[-1] == ("gain_picked", 10.0)


def test_zebra_and_memory_are_told(strip, sheet, told, qtbot):
    qtbot.mouseClick(named(sheet, QPushButton, "Zebra"), LEFT)
    named(sheet, QComboBox, "Memory for caches").activated.emit(BUDGETS.index(4 * 1024**3))
    assert told == [("zebra_picked", True), ("budget_picked", 4 * 1024**3)]


def test_the_card_shows_what_is_picked(strip, sheet):
    shown = DisplaySettings(mu=100.0, overlay=0.25, error_against=Layer.MERGE)
    views = tuple(replace(view, zebra=True) for view in FIRST_VIEWS)
    budget = 3 * 1024**3  # not one of those offered
    show(strip, display=shown, views=views, active=2, cache_budget=budget, cache_bytes=5 * 2**20)
    assert named(sheet, QDoubleSpinBox, "μ of the μ-law, number").value() == 100
    assert named(sheet, QDoubleSpinBox, "Mask strength, number").value() == 25
    assert named(sheet, QComboBox, "Error against").currentText() == "Plain merge"
    assert named(sheet, QComboBox, "Memory for caches").currentText() == "3 GiB"
    zebra = named(sheet, QPushButton, "Zebra")
    assert zebra.isChecked()
    assert "view 3" in zebra.text()
    assert set(AGAINST) >= {Layer.GROUND_TRUTH, Layer.STUDENT, Layer.PROMOTED, Layer.OTHER_ROUND}


@pytest.mark.parametrize("tone", list(ToneMap))
def test_mu_and_gamma_stand_on_the_card_where_the_tone_map_has_one(strip, sheet, tone):
    show(strip, display=DisplaySettings(tone_map=tone))
    number = named(sheet, QDoubleSpinBox, "μ of the μ-law, number")
    assert number.isVisible() == (tone is ToneMap.MU_LAW)
    assert named(sheet, QDoubleSpinBox, "γ, number").isVisible() == (tone is ToneMap.GAMMA)


def test_reset_brings_everything_back(strip, sheet, told, qtbot):
    show(strip, display=DisplaySettings(mu=77.0, exposure_ev=3.0), compare=Comparison(gain=9.0))
    reset = next(b for b in sheet.findChildren(QPushButton) if b.text() == "Reset all")
    qtbot.mouseClick(reset, LEFT)
    assert told == [
        ("display_picked", DisplaySettings()),
        ("gain_picked", Comparison().gain),
        ("zebra_picked", False),
    ]


def test_the_card_is_closed_by_escape_and_keeps_the_arrow_keys_from_the_window(qtbot):
    window, heard = QMainWindow(), []
    qtbot.addWidget(window)
    strip = DisplayStrip()
    window.setCentralWidget(strip)
    for key in ("Left", "Right", "Esc", "Return"):
        action = QAction(key, window)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _checked=False, key=key: heard.append(key))
        window.addAction(action)
    window.resize(900, 100)
    window.show()
    qtbot.waitActive(window)
    strip.open_sheet()
    sheet = strip.findChild(DisplaySheet)
    assert not sheet.isModal()
    slider = named(sheet, QSlider, "μ of the μ-law")
    slider.setFocus()
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == before + 1
    number = named(sheet, QDoubleSpinBox, "μ of the μ-law, number")
    qtbot.keyClick(number, Qt.Key.Key_Return)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    assert heard == []
