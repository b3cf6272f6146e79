"""What hears the events of other widgets lets them pass once Python has forgotten what it holds."""

import ast
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QWidget

from smarthdr_studio import studio
from smarthdr_studio.studio.runs.details import RunsNote
from smarthdr_studio.studio.widgets.controls import EventWatch

NONE = Qt.KeyboardModifier.NoModifier
KINDS = QEvent.Type


def events():
    """One of each kind that a filter of ours looks at."""
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Shift):
        for kind in (KINDS.ShortcutOverride, KINDS.KeyPress, KINDS.KeyRelease):
            yield QKeyEvent(kind, key, NONE)
    yield QFocusEvent(KINDS.FocusIn)
    yield QFocusEvent(KINDS.FocusOut)
    yield QResizeEvent(QSize(90, 80), QSize(50, 50))
    yield QHelpEvent(KINDS.ToolTip, QPoint(3, 3), QPoint(3, 3))
    for kind in (KINDS.Show, KINDS.Hide, KINDS.LayoutRequest, KINDS.WindowDeactivate):
        yield QEvent(kind)


def filters_of(window):
    """Every object of the window that hears the events of others by code of ours."""
    return [
        each
        for each in (window, *window.findChildren(QObject))
        if any("eventFilter" in vars(kind) for kind in ours(type(each)))
    ]


def ours(kind):
    return [each for each in kind.__mro__ if each.__module__.startswith("smarthdr_studio.")]


@contextmanager
def forgotten(thing):
    """As the collector of garbage leaves an object that C++ still holds."""
    held = dict(vars(thing))
    vars(thing).clear()
    try:
        yield
    finally:
        vars(thing).update(held)


def test_no_filter_of_the_window_stumbles_over_what_it_has_forgotten(window):
    RunsNote().setParent(window)  # the runs' page makes its own when it is first looked at
    found = filters_of(window)
    assert {type(each).__name__ for each in found} >= {
        *("ArrowKeys", "HeatStripChart", "OverEdge", "TextEntryKeys", "ShiftHold"),
        *("SceneCard", "RunsNote", "Scrolled", "EscapeWatch", "CommandPalette"),
    }
    for each in found:
        with forgotten(each):
            for event in events():
                assert each.eventFilter(window, event) is False, (each, event)


def test_a_filter_is_made_in_one_way_alone():
    """Whoever writes `eventFilter` by hand would have to think of the end of it as well."""
    by_hand = [
        f"{path.name}: {kind.name}"
        for path in sorted(Path(studio.__file__).parent.rglob("*.py"))
        for kind in ast.walk(ast.parse(path.read_text()))
        if isinstance(kind, ast.ClassDef)
        for part in kind.body
        if isinstance(part, ast.FunctionDef) and part.name == "eventFilter"
    ]
    assert by_hand == ["controls.py: EventWatch"]


@pytest.mark.parametrize("base", [QObject, QWidget, QDialog])
def test_what_is_heard_can_be_kept_and_is_heard_no_longer(qtbot, base):
    class Keeper(EventWatch, base):
        def heard(self, watched, event):
            return watched is field and event.type() == KINDS.KeyPress

    field, keeper = QLineEdit(), Keeper()
    qtbot.addWidget(field)
    press = QKeyEvent(KINDS.KeyPress, Qt.Key.Key_A, NONE, "a")
    keeper.watch(field)
    QApplication.sendEvent(field, press)
    assert field.text() == ""
    keeper.unwatch(field)
    QApplication.sendEvent(field, press)
    assert field.text() == "a"
