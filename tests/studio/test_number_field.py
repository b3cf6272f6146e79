"""Numbers are typed with point or comma, and refused in words where they are out of range."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolTip

from smarthdr_studio.studio.dataset.ground_truth import _numbers
from smarthdr_studio.studio.plots.axes import ticks, worded_apart
from smarthdr_studio.studio.widgets.slider import NumberField


@pytest.fixture(autouse=True)
def told(monkeypatch):
    """What is told beside a field; the offscreen platform grumbles at real bubbles."""
    words = []
    monkeypatch.setattr(QToolTip, "showText", lambda _where, text, _of: words.append(text))
    return words


@pytest.fixture
def field(qtbot):
    field = NumberField(minimum=0.0, maximum=1.0, decimals=2)
    field.setKeyboardTracking(False)
    field.setValue(0.4)
    qtbot.addWidget(field)
    field.show()
    return field


def type_in(qtbot, field, text):
    field.selectAll()
    qtbot.keyClicks(field, text)
    assert field.lineEdit().text() == text  # nothing is swallowed on the way
    qtbot.keyClick(field, Qt.Key.Key_Return)


@pytest.mark.parametrize(("text", "value"), [("0,25", 0.25), ("0.3", 0.3), (",5", 0.5), ("1", 1.0)])
def test_a_comma_is_as_good_as_a_point(field, qtbot, text, value):
    type_in(qtbot, field, text)
    assert field.value() == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,5", "1,5 is above 1: type a number from 0 to 1"),
        ("-3", "-3 is below 0: type a number from 0 to 1"),
        ("much", "“much” is no number: type a number from 0 to 1"),
    ],
)
def test_what_is_out_of_range_is_refused_in_words_and_the_value_stays(
    field, qtbot, told, text, words
):
    changes = []
    field.valueChanged.connect(changes.append)
    type_in(qtbot, field, text)
    assert field.accessibleDescription() == words
    qtbot.waitUntil(lambda: told == [words])
    assert (field.value(), changes) == (0.4, [])
    type_in(qtbot, field, "0.3")
    assert (field.value(), field.accessibleDescription()) == (0.3, "")


def test_a_refusal_is_told_after_the_field_was_left_for_qt_hides_what_was_told_before(
    field, qtbot, told, monkeypatch
):
    focused = []
    monkeypatch.setattr(QToolTip, "showText", lambda *_: focused.append(field.hasFocus()))
    field.editingFinished.connect(field.clearFocus)
    with qtbot.waitActive(field):
        field.activateWindow()
    field.setFocus()
    type_in(qtbot, field, "7")
    qtbot.waitUntil(lambda: focused == [False])


def test_nothing_is_told_of_a_refusal_that_was_mended_at_once(field, qtbot, told):
    type_in(qtbot, field, "7")
    type_in(qtbot, field, "0.3")
    qtbot.wait(400)
    assert told == []


def test_the_unit_may_be_typed_or_not_and_stands_in_the_refusal(qtbot):
    field = NumberField(minimum=1, maximum=100, decimals=1, suffix=" %")
    qtbot.addWidget(field)
    assert field.valueFromText("12,5 %") == field.valueFromText("12.5") == 12.5
    field.fixup("120 %")
    assert field.accessibleDescription() == "120 is above 100 %: type a number from 1 % to 100 %"


def test_exposures_may_have_decimal_commas_where_blanks_stand_between():
    assert _numbers("-2,5 0 2,5", 3) == (-2.5, 0, 2.5)
    assert _numbers("-2,0,2", 3) == (-2, 0, 2)
    assert _numbers("-2.5, 0, 2.5", 3) == (-2.5, 0, 2.5)
    assert _numbers("-2 0", 3) is None
    assert _numbers("a b c", 3) is None


@pytest.mark.parametrize(("low", "high"), [(34.661, 34.679), (0, 1), (100_001, 100_009), (0, 2e-5)])
def test_neighbours_on_an_axis_never_read_alike(low, high):
    words = worded_apart(ticks(low, high, most=5))
    assert len(words) > 1
    assert len(set(words)) == len(words)
