"""The note of a run: kept when the cursor leaves it, when another run is chosen, after a pause."""

import pytest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from smarthdr_studio.studio.runs.details import RunsNote


@pytest.fixture
def noted(qtbot):
    """A note beside another field that can take the keyboard."""
    page, note, other = QWidget(), RunsNote(), QLineEdit()
    column = QVBoxLayout(page)
    column.addWidget(note)
    column.addWidget(other)
    qtbot.addWidget(page)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    note.show_note("one", "")
    said = []
    note.written.connect(lambda run, text: said.append((run, text)))
    yield note, other, said
    page.close()


def test_a_note_is_kept_once_when_the_cursor_leaves_it(noted, qtbot):
    note, other, said = noted
    note.write()
    qtbot.keyClicks(note._field, "the good one")
    other.setFocus()
    note.save()
    assert said == [("one", "the good one")]
    note.show_note("one", "the good one")
    assert note._told.text() == "Saved"


def test_another_run_takes_no_word_of_a_note_away(noted, qtbot):
    note, _, said = noted
    note.write()
    qtbot.keyClicks(note._field, "first")
    note.show_note("one", "")  # the list was read meanwhile
    note.show_note("two", "of the other")
    assert said == [("one", "first")]
    assert note._field.toPlainText() == "of the other"


def test_a_pause_is_enough_to_keep_a_note(noted, qtbot):
    note, _, said = noted
    note.write()
    qtbot.keyClicks(note._field, "slow")
    qtbot.waitUntil(lambda: said == [("one", "slow")], timeout=20000)
