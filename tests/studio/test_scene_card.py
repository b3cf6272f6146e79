"""Notes and tags of one scene or several: saved by themselves, undone in one step, never lost."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from smarthdr_studio.core.project.project import Project

CTRL = Qt.KeyboardModifier.ControlModifier
BOTH = CTRL | Qt.KeyboardModifier.ShiftModifier


def press(qtbot, window, key, modifiers=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifiers)


def select(window, *scenes):
    shelf = window.page.shelf
    lines = [shelf.model.line_of(name) for name in scenes]
    shelf.step(lines[0] - shelf.selection.currentIndex().row())
    shelf._select(set(scenes))


def noted(folder, scene):
    with Project.open(folder) as project:
        return project.state(scene).note


@pytest.fixture
def card(opened, qtbot):
    """The card of scene 003, the cursor in its note."""
    press(qtbot, opened, Qt.Key.Key_J, CTRL)
    card = opened.page.trust_side.scene
    assert card.note.hasFocus()
    return card


def test_a_note_is_saved_when_the_cursor_leaves_it(opened, card, qtbot, tiny_project):
    qtbot.keyClicks(card.note, "X marks a window")
    assert noted(tiny_project, "003") == ""
    opened.page.scenes._list.setFocus()
    assert noted(tiny_project, "003") == "X marks a window"
    assert opened.session.state.row("003").note == "X marks a window"
    assert card._told.text() == "Saved"
    press(qtbot, opened, Qt.Key.Key_Z, CTRL)
    assert noted(tiny_project, "003") == ""
    assert card.note.toPlainText() == ""


def test_a_note_is_saved_after_a_pause_and_when_another_scene_is_picked(
    opened, card, qtbot, until, tiny_project
):
    qtbot.keyClicks(card.note, "first")
    until(opened.session, lambda s: s.row("003").note == "first")
    qtbot.keyClicks(card.note, " and more")
    opened.session.screen.pick("004")
    assert noted(tiny_project, "003") == "first and more"
    assert card.note.toPlainText() == ""
    assert noted(tiny_project, "004") == ""


def test_a_note_is_saved_when_the_window_is_closed(opened, card, qtbot, until, tiny_project):
    qtbot.keyClicks(card.note, "at the last moment")
    qtbot.waitUntil(lambda: opened.session.at_rest, timeout=20000)
    opened.close()
    assert noted(tiny_project, "003") == "at the last moment"


def test_a_note_is_saved_when_the_project_is_closed(opened, card, qtbot, until, tiny_project):
    qtbot.keyClicks(card.note, "half a sentence")
    press(qtbot, opened, Qt.Key.Key_W, CTRL)
    until(opened.session, lambda s: s.folder is None)
    assert noted(tiny_project, "003") == "half a sentence"


def test_a_note_that_cannot_be_saved_stays_and_says_so(opened, card, qtbot, tiny_project):
    opened.session.curating._store.project.read_only = "the disk is full"
    qtbot.keyClicks(card.note, "not lost")
    card.save()
    assert card.note.toPlainText() == "not lost"
    assert "Not saved" in card._told.text()
    assert card._save.isVisible()
    assert "the disk is full" in opened.session.state.notice.text
    opened.session.curating._store.project.read_only = ""
    qtbot.mouseClick(card._save, Qt.MouseButton.LeftButton)
    assert noted(tiny_project, "003") == "not lost"
    assert not card._save.isVisible()


def test_tags_are_added_to_all_that_are_selected_and_taken_off_by_their_chips(
    opened, qtbot, tiny_project
):
    select(opened, "003", "004", "005")
    press(qtbot, opened, Qt.Key.Key_J, BOTH)
    card = opened.page.trust_side.scene
    qtbot.keyClicks(card.tags.line, "indoor night")
    qtbot.keyClick(card.tags.line, Qt.Key.Key_Return)
    with Project.open(tiny_project) as project:
        assert [project.state(name).tags for name in ("003", "004", "005")] == [
            ("indoor", "night")
        ] * 3
    assert opened.session.state.notice.text == "Changed notes or tags of 3 scenes. Undo: Ctrl+Z"
    chip = next(b for b in card.tags.findChildren(QPushButton) if b.property("tag") == "night")
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert opened.session.state.row("004").tags == ("indoor",)
    opened.page.scenes._list.setFocus()
    press(qtbot, opened, Qt.Key.Key_Z, CTRL)
    press(qtbot, opened, Qt.Key.Key_Z, CTRL)
    assert opened.session.state.row("004").tags == ()


def test_a_tag_that_only_some_have_says_how_many(opened, qtbot):
    opened.session.curating.change_tags(("003",), ("indoor",), ())
    select(opened, "003", "004")
    press(qtbot, opened, Qt.Key.Key_F9)
    chips = [b.text() for b in opened.page.trust_side.scene.tags.findChildren(QPushButton)]
    assert any("indoor  1 of 2" in text for text in chips)


def test_the_history_of_the_scene_is_told_the_latest_first(opened, card, until):
    opened.session.curating.exclude(("003",))
    opened.session.curating.change_tags(("003",), ("dark",), ())
    lines = [line.what for line in opened.session.state.story.lines]
    assert lines[0].startswith("note on 003: tags dark")
    assert lines[1].startswith("exclude 003")
    assert lines[-1] == "created as unlabelled"
    assert "exclude 003" in card._lines.text()


def test_a_promoted_scene_says_which_label_and_thresholds_it_was_frozen_with(opened, card, until):
    opened.session.curating.promote(("003",))
    until(opened.session, lambda s: s.story is not None and s.story.label != "")
    facts = {fact.name: fact.value for fact in card._facts.facts}
    assert facts["label"] == "1, trusted pixels only"
    assert facts["frozen with"].startswith("τ_pa 0.40, τ_pi 0.40, round 3")
    # A decision that is taken back and made again froze nothing anew, whatever τ is meanwhile.
    for back in (opened.session.curating.undo, opened.session.curating.redo):
        back()
        until(opened.session, lambda _: opened.session.at_rest)
    opened.session.curating.promote(("003",))
    until(opened.session, lambda s: s.story.label.startswith("2"))
    opened.session.curating.settle_masks(replace(opened.session.state.masks, tau_patch=0.9))
    for _ in range(2):
        opened.session.curating.undo()
        until(opened.session, lambda _: opened.session.at_rest)
    facts = {fact.name: fact.value for fact in card._facts.facts}
    assert facts["label"] == "1, trusted pixels only"
    assert facts["frozen with"].startswith("τ_pa 0.40, τ_pi 0.40, round 3")


def test_letters_in_a_note_are_no_commands(opened, card, qtbot):
    qtbot.keyClicks(card.note, "xp")
    assert {row.status for row in opened.session.state.scenes} >= {"unlabelled"}
    assert opened.session.state.row("003").status == "unlabelled"
    card.save()


def test_the_day_and_the_person_are_told_once_for_all_their_decisions(opened, card):
    opened.session.curating.exclude(("003",))
    opened.session.curating.exclude(("003",))
    words = card._lines.text()
    assert words.count(opened.session.state.story.lines[0].who) == 1
    assert words.count("<tr>") == 3
