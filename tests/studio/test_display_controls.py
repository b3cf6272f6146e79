"""The display strip: what is picked is told, what is given is shown, nothing is cut."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QMenu,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.display import DisplaySettings
from smarthdr_studio.studio.state import FIRST_VIEWS, CompareMode, Comparison, StudioState, Tool
from smarthdr_studio.studio.theme import DARK, LIGHT, dress
from smarthdr_studio.studio.viewer.display_strip import LAYOUTS, DisplayStrip
from smarthdr_studio.studio.widgets.slider import Dial, Span

# What the offscreen platform says of every popup.
pytestmark = pytest.mark.qt_log_ignore("does not support raise", "grabbing the keyboard")

LEFT = Qt.MouseButton.LeftButton
MU = Span(low=10, high=50_000, steps=240, logarithmic=True)
STOPS = Span(low=-10, high=10, steps=200, decimals=1)


@pytest.fixture(params=[DARK, LIGHT], ids=lambda palette: palette.name)
def palette(request):
    return request.param


@pytest.fixture
def strip(qapp, qtbot, palette):
    """The strip over a page, as it stands in the window."""
    dress(qapp, palette)
    page, strip = QWidget(), DisplayStrip()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(strip)
    qtbot.addWidget(page)
    page.resize(1000, 34)
    page.show()
    yield strip
    page.close()


def widen(qapp, strip, wide):
    strip.window().resize(wide, 34)
    qapp.processEvents()
    assert strip.width() == wide


@pytest.fixture
def told(strip):
    """Everything the strip says, by the name of the signal."""
    said = []
    for name in (
        *("display_picked", "exposure_picked", "link_asked", "tool_picked", "grid_picked"),
        *("compare_picked", "export_asked", "gain_picked", "zebra_picked", "budget_picked"),
        *("fit_asked", "one_to_one_asked"),
    ):
        getattr(strip, name).connect(lambda *what, name=name: said.append((name, *what)))
    return said


def named(parent, kind, name):
    return next(part for part in parent.findChildren(kind) if part.accessibleName() == name)


def show(strip, **changes):
    strip.show_state(StudioState(), StudioState(**changes))


def choose(qtbot, button, words):
    """Open the menu of a button and click the line that begins so."""
    qtbot.mouseClick(button, LEFT)
    menu = button.findChild(QMenu)
    line = next(action for action in menu.actions() if action.text().startswith(words))
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(line).center())


@given(st.integers(0, MU.steps))
def test_a_step_of_a_logarithmic_slider_is_the_step_of_its_value(step):
    # Values are rounded to two digits; near 10 steps are closer than whole numbers.
    assert abs(MU.step(MU.value(step)) - step) <= 2


@given(st.integers(0, STOPS.steps))
def test_an_even_slider_is_its_own_inverse(step):
    assert STOPS.step(STOPS.value(step)) == step
    assert STOPS.value(step) == pytest.approx(-10 + step / 10)


@pytest.mark.parametrize("span", [MU, STOPS])
def test_a_slider_reaches_both_ends_and_rises(span):
    values = [span.value(step) for step in range(span.steps + 1)]
    assert (values[0], values[-1]) == (span.low, span.high)
    assert values == sorted(values)
    assert span.step(span.low - 1e6) == 0
    assert span.step(span.high + 1e6) == span.steps


@given(st.floats(-20, 20))
def test_showing_a_value_is_not_picking_it(value):
    dial = Dial(STOPS, name="Exposure", tip="")
    said = []
    dial.turned.connect(said.append)
    dial.show_value(value)
    assert said == []
    dial.deleteLater()


@pytest.mark.parametrize("wide", [570, 640, 684, 700, 760, 900, 1200])
def test_nothing_is_cut_at_any_width(qapp, strip, wide):
    widen(qapp, strip, wide)
    assert strip.minimumSizeHint().width() <= 640
    parts = [part for part in strip._row if part.isVisible()]
    assert [part.x() for part in parts] == sorted(part.x() for part in parts)
    for part, following in pairwise(parts):
        assert part.geometry().right() < following.x()
    assert parts[-1].geometry().right() < wide
    for part in parts:
        assert part.width() >= min(part.minimumSizeHint().width(), part.maximumWidth())


@pytest.mark.parametrize("wide", [570, 640, 684, 760, 900, 1200])
def test_what_has_no_room_is_in_the_menu(qapp, strip, wide):
    widen(qapp, strip, wide)
    lines = [line.text() for line in strip._more._menu.actions() if line.isVisible()]
    for words, part in (
        ("Tone map", strip._tones),
        ("Linked", strip._link),
        ("Fit", strip._fit),
        ("1:1", strip._one),
    ):
        assert part.isVisible() != any(line.startswith(words) for line in lines)
    assert strip._more.isVisible() == bool(lines)


def test_the_tone_map_is_in_the_row_of_a_small_window(qapp, strip):
    widen(qapp, strip, 684)
    assert strip._tones.isVisible()


def test_a_drag_on_the_slider_picks_an_exposure_for_all(strip, told, qtbot):
    slider = named(strip, QSlider, "Exposure")
    middle = QPoint(slider.width() // 2, slider.height() // 2)
    qtbot.mousePress(slider, LEFT, pos=middle)
    qtbot.mouseMove(slider, middle + QPoint(slider.width() // 4, 0))
    qtbot.mouseRelease(slider, LEFT, pos=middle + QPoint(slider.width() // 4, 0))
    name, display = told[-1]
    assert name == "display_picked"
    assert display.exposure_ev > 2
    assert replace(display, exposure_ev=0.0) == DisplaySettings()


def test_a_typed_exposure_counts_when_enter_is_pressed(strip, told, qtbot):
    number = named(strip, QDoubleSpinBox, "Exposure, number")
    number.selectAll()
    qtbot.keyClicks(number, "1.5")
    assert told == []
    qtbot.keyClick(number, Qt.Key.Key_Return)
    assert told == [("display_picked", DisplaySettings(exposure_ev=1.5))]


def test_an_unlinked_view_is_exposed_alone(strip, told, qtbot):
    views = (*FIRST_VIEWS[:1], replace(FIRST_VIEWS[1], exposure_ev=2.0), *FIRST_VIEWS[2:])
    show(strip, views=views, active=1)
    number = named(strip, QDoubleSpinBox, "Exposure, number")
    assert number.value() == 2.0
    assert not strip._link.isChecked()
    number.selectAll()
    qtbot.keyClicks(number, "-3")
    qtbot.keyClick(number, Qt.Key.Key_Return)
    assert told == [("exposure_picked", -3.0)]
    qtbot.mouseClick(strip._link, LEFT)
    assert told[-1] == ("link_asked", True)


@pytest.mark.parametrize("tool", list(Tool))
def test_tools_are_picked_and_shown(strip, told, qtbot, tool):
    qtbot.mouseClick(named(strip, QPushButton, f"Tool: {tool}"), LEFT)
    assert told == [("tool_picked", str(tool))]
    show(strip, tool=Tool.HAND)
    pressed = [b.accessibleName() for b in strip._tools.buttons() if b.isChecked()]
    assert pressed == ["Tool: hand"]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.action)
def test_every_grid_can_be_picked_by_its_picture(strip, told, qtbot, layout):
    words = {"grid_2": "Two views\t", "grid_stacked": "Two views,"}
    for line in strip._views.findChild(QMenu).actions():
        if line.data() == layout:
            words.setdefault(layout.action, line.text())
    choose(qtbot, strip._views, words[layout.action])
    assert told == [("grid_picked", layout.columns, layout.count)]


def test_ways_to_compare_are_picked_and_the_one_in_use_is_marked(strip, told, qtbot):
    show(strip, compare=Comparison(mode=CompareMode.WIPE))
    assert strip._compare.isChecked()
    choose(qtbot, strip._compare, "Difference")
    choose(qtbot, strip._compare, "Off")
    assert told == [("compare_picked", "difference"), ("compare_picked", "off")]
    # Until the state says otherwise the wipe is what is on.
    assert strip._compare.isChecked()


def test_exports_are_named_like_their_actions(strip, told, qtbot):
    for words in ("Picture of", "All views", "This layer as 16", "This layer as EXR"):
        choose(qtbot, strip._export, words)
    for words in ("Copy this", "Copy all"):
        choose(qtbot, strip._export, words)
    assert [what for _, what in told] == [
        *("export_view", "export_sheet", "export_png16", "export_exr", "copy_view", "copy_sheet")
    ]
    assert not strip.only_in_sight
    choose(qtbot, strip._export, "Only what is in sight")
    assert strip.only_in_sight


def test_buttons_leave_the_arrow_keys_to_the_scenes(strip):
    for part in (*strip.findChildren(QPushButton), *strip.findChildren(QSlider)):
        if part.window() is strip.window():
            assert not part.focusPolicy() & Qt.FocusPolicy.ClickFocus, part.accessibleName()


def test_everything_has_a_name_and_a_tip(strip):
    kinds = (QPushButton, QSlider, QComboBox, QDoubleSpinBox)
    parts = [part for kind in kinds for part in strip.findChildren(kind)]
    assert len(parts) > 25
    for part in parts:
        assert part.accessibleName(), part
        assert part.toolTip(), part.accessibleName()
