"""The command palette: what is meant by a few letters, and that Enter runs it and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget, QMainWindow

from smarthdr_studio.studio.actions import ACTIONS
from smarthdr_studio.studio.window.command_palette import CommandPalette, Entry, ranked, tightest

EVERY = [Entry(a.title, a.menu, a.tip) for a in ACTIONS]
LETTERS = st.text("abcd τ", max_size=12)


# What the offscreen platform says of every popup.
pytestmark = pytest.mark.qt_log_ignore("does not support raise", "grabbing the keyboard")


def is_scattered(word, text):
    letters = iter(text)
    return all(letter in letters for letter in word)


def titles(typed, entries=EVERY):
    return [entries[place].title for place in ranked(typed, entries)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wipe", "Wipe"),
        ("exp view", "Export this view…"),
        ("fit", "Fit"),
        ("low tau_pa", "Lower τ_pa"),
        ("sigma", "Show Uncertainty σ"),
        ("undo", "Undo"),
        ("palet", "Command palette"),
        ("nv", "Next view"),
        ("expsr", "Reset exposure"),
        ("16", "Export layer as 16-bit PNG…"),
    ],
)
def test_what_is_meant_comes_first(typed, meant):
    assert titles(typed)[0] == meant


def test_nothing_typed_offers_everything_in_the_order_of_the_table():
    assert ranked("  ", EVERY) == list(range(len(EVERY)))


def test_every_word_must_be_found():
    assert titles("wipe nonsense") == []


def test_beginnings_are_better_than_initials_those_than_insides_and_those_than_scattered_letters():
    entries = [Entry("s e t"), Entry("sweetly"), Entry("reset"), Entry("a set"), Entry("settle")]
    assert titles("set", entries) == ["settle", "a set", "s e t", "reset", "sweetly"]


def test_a_word_in_the_title_counts_more_than_one_in_the_menu_or_in_the_tip():
    entries = [Entry("one", "", "a view"), Entry("two", "View"), Entry("view")]
    assert titles("view", entries) == ["view", "two", "one"]


@given(st.lists(LETTERS, max_size=6), LETTERS)
def test_answers_are_places_without_repetition(texts, typed):
    found = ranked(typed, [Entry(text) for text in texts])
    assert len(set(found)) == len(found)
    assert set(found) <= set(range(len(texts)))


@given(LETTERS)
def test_a_title_is_always_found_by_itself(text):
    assert ranked(text, [Entry(text)]) == [0]


@given(st.text("abc", min_size=1, max_size=4), st.text("abc", max_size=8))
def test_the_tightest_stretch_is_that_of_all_stretches_tried_one_by_one(word, text):
    stretches = [
        end - start
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if is_scattered(word, text[start:end])
    ]
    assert tightest(word, text) == min(stretches, default=None)


@pytest.fixture
def ran():
    return []


@pytest.fixture
def host(qtbot, ran):
    """A window with a command on Enter, which the palette must not wake."""
    host = QMainWindow()
    qtbot.addWidget(host)
    for title, key in (("Wipe", "W"), ("Fit", "F"), ("Undo", "Ctrl+Z"), ("Trap", "Return")):
        action = QAction(title, host)
        action.setShortcut(QKeySequence(key))
        action.setToolTip(f"About {title}")
        action.triggered.connect(lambda _checked=False, title=title: ran.append(title))
        host.addAction(action)
    host.actions()[2].setEnabled(False)
    host.resize(800, 600)
    host.show()
    host.activateWindow()
    qtbot.waitActive(host)
    return host


@pytest.fixture
def palette(host):
    palette = CommandPalette(host)
    palette.open_with(host.actions())
    yield palette
    palette.close()


def offered(palette):
    shown = palette.findChild(QListWidget)
    return [shown.item(row).text() for row in range(shown.count())]


def press(qtbot, palette, *keys):
    line = palette.findChild(QLineEdit)
    for key in keys:
        qtbot.keyClick(line, key)


def test_what_cannot_be_done_now_is_not_offered(palette):
    assert offered(palette) == ["Wipe", "Fit", "Trap"]


def test_typing_and_enter_run_the_command_once_the_palette_is_gone(palette, host, ran, qtbot):
    host.actions()[1].triggered.connect(lambda: ran.append(palette.isVisible()))
    press(qtbot, palette, Qt.Key.Key_F, Qt.Key.Key_I)
    assert offered(palette) == ["Fit"]
    press(qtbot, palette, Qt.Key.Key_Return)
    assert ran == ["Fit", False]


def test_arrows_choose_and_letters_are_only_typed(palette, ran, qtbot):
    press(qtbot, palette, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return)
    assert ran == ["Fit"]


def test_escape_closes_and_runs_nothing(palette, ran, qtbot):
    press(qtbot, palette, Qt.Key.Key_W, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert ran == []


def test_a_click_runs_what_it_hits(palette, ran, qtbot):
    shown = palette.findChild(QListWidget)
    where = shown.visualItemRect(shown.item(1)).center()
    qtbot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert ran == ["Fit"]


def test_no_match_is_said_and_enter_does_nothing(palette, ran, qtbot):
    press(qtbot, palette, Qt.Key.Key_Q, Qt.Key.Key_Q, Qt.Key.Key_Return)
    assert offered(palette) == []
    assert ran == []
    assert palette.isVisible()


def test_opened_again_it_remembers_nothing(palette, host, qtbot):
    press(qtbot, palette, Qt.Key.Key_W)
    palette.close()
    palette.open_with(host.actions())
    assert palette.findChild(QLineEdit).text() == ""
    assert QApplication.activeModalWidget() is None


def test_a_line_is_read_aloud_with_its_key(palette):
    item = palette.findChild(QListWidget).item(0)
    assert "W" in item.data(Qt.ItemDataRole.AccessibleTextRole).split(", ")
