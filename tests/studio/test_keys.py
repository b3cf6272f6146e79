"""The key editor: keys are pressed, clashes are named at once, and everything can be taken back."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QKeySequenceEdit, QLabel, QLineEdit, QPushButton, QTreeWidget, QWidget

from smarthdr_studio.studio.actions import ACTIONS, by_id, use_keys, with_keys
from smarthdr_studio.studio.window.keys_dialog import KeysDialog, recorded


@pytest.fixture
def told():
    return []


@pytest.fixture
def opens(qtbot, told):
    """Opens the editor with some keys changed before."""
    owner = QWidget()
    qtbot.addWidget(owner)

    def open_with(changes=()):
        dialog = KeysDialog(ACTIONS, dict(changes), parent=owner)
        dialog.keys_changed.connect(told.append)
        dialog.show()
        return dialog

    return open_with


def pick(dialog, name):
    tree = dialog.findChild(QTreeWidget)
    place = [action.id for action in ACTIONS].index(name)
    tree.setCurrentItem(tree.topLevelItem(place))
    return tree.topLevelItem(place)


def press(qtbot, dialog, key, modifiers=Qt.KeyboardModifier.NoModifier, *, field=0):
    edit = dialog.findChildren(QKeySequenceEdit)[field]
    edit.setFocus()
    qtbot.keyClick(edit, key, modifiers)


def labelled(dialog, words):
    buttons = dialog.findChildren(QPushButton)
    return next(button for button in buttons if button.text().startswith(words))


def says(dialog, words):
    return any(words in label.text() for label in dialog.findChildren(QLabel))


def test_a_key_that_is_pressed_is_the_key_from_now_on(opens, told, qtbot):
    dialog = opens()
    item = pick(dialog, "brighter")
    press(qtbot, dialog, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert told == [{"brighter": ("Ctrl+Y",)}]
    assert item.text(2) == QKeySequence("Ctrl+Y").toString()
    assert item.font(2).bold()


def test_a_second_key_is_added_to_the_first(opens, told, qtbot):
    dialog = opens()
    pick(dialog, "brighter")
    press(qtbot, dialog, Qt.Key.Key_Insert, field=1)
    assert told == [{"brighter": ("E", "Ins")}]


def test_a_clash_is_told_at_once_and_changes_nothing(opens, told, qtbot):
    dialog = opens()
    item = pick(dialog, "brighter")
    press(qtbot, dialog, Qt.Key.Key_P)
    assert says(dialog, "P is also Promote")
    assert told == []
    assert item.text(2) == "E"


def test_a_key_can_be_taken_from_who_has_it(opens, told, qtbot):
    dialog = opens()
    pick(dialog, "brighter")
    press(qtbot, dialog, Qt.Key.Key_P)
    labelled(dialog, "Take it from Promote").click()
    assert told == [{"brighter": ("P",), "promote": ()}]
    assert not says(dialog, "also")


def test_a_command_may_have_no_key(opens, told):
    dialog = opens()
    pick(dialog, "next_scene")
    labelled(dialog, "No key").click()
    assert told == [{"next_scene": ()}]


def test_one_row_is_reset_alone(opens, told):
    dialog = opens({"brighter": ("F12",), "darker": ("F10",)})
    pick(dialog, "brighter")
    labelled(dialog, "Reset this").click()
    assert told == [{"darker": ("F10",)}]


def test_a_reset_that_would_clash_is_told_like_any_other(opens, told):
    dialog = opens({"brighter": ("F12",), "darker": ("E",)})
    pick(dialog, "brighter")
    labelled(dialog, "Reset this").click()
    assert says(dialog, "E is also Darker")
    assert told == []


def test_everything_is_reset_at_once(opens, told):
    dialog = opens({"brighter": ("F12",), "darker": ()})
    labelled(dialog, "Reset all").click()
    assert told == [{}]
    assert not labelled(dialog, "Reset all").isEnabled()


def test_what_is_told_makes_the_same_keys_again(opens, told, qtbot):
    dialog = opens()
    pick(dialog, "brighter")
    press(qtbot, dialog, Qt.Key.Key_Insert)
    again = opens(told[-1])
    assert again._actions == with_keys(ACTIONS, told[-1]) == dialog._actions


def test_keys_that_clash_already_carry_a_sign(opens):
    dialog = opens({"brighter": ("P",)})
    assert "⚠" in pick(dialog, "brighter").text(2)
    assert "⚠" in pick(dialog, "promote").text(2)
    assert "⚠" not in pick(dialog, "darker").text(2)


@pytest.mark.parametrize(
    ("typed", "found"),
    [("take the promoted", {"Demote"}), ("ctrl+shift+t", {"Pause or go on"}), ("no such", set())],
)
def test_the_filter_finds_words_and_keys(opens, qtbot, typed, found):
    dialog = opens()
    qtbot.keyClicks(dialog.findChild(QLineEdit), typed)
    tree = dialog.findChild(QTreeWidget)
    rows = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    assert {row.text(0) for row in rows if not row.isHidden()} == found


def test_the_editor_stops_nobody_and_fits_a_small_window(opens):
    dialog = opens()
    assert not dialog.isModal()
    assert dialog.width() <= 1024
    assert dialog.height() <= 640
    assert all(field.accessibleName() for field in dialog.findChildren(QKeySequenceEdit))


@pytest.mark.parametrize(
    ("pressed", "kept"),
    [("Shift+?", "?"), ("?", "?"), ("Shift+P", "Shift+P"), ("Ctrl++", "Ctrl++"), ("F12", "F12")],
)
def test_a_sign_that_needs_shift_does_not_name_it(pressed, kept):
    assert recorded(QKeySequence(pressed)) == kept


def test_actions_asked_for_by_id_have_a_persons_own_keys():
    assert by_id("promote").keys == ("P",)
    anew = use_keys({"promote": ("F3",), "undo": ()})
    assert by_id("promote").tip_with_key.endswith("(F3)")
    assert by_id("undo").tip_with_key == by_id("undo").tip
    plain = {action.id: action for action in ACTIONS}
    assert anew[plain["promote"].tip_with_key] == by_id("promote").tip_with_key
    assert anew["Promote\tP"] == "Promote\tF3"
    assert use_keys({})[f"{plain['promote'].tip} (F3)"] == plain["promote"].tip_with_key


def test_the_top_bar_and_every_tip_follow_a_persons_keys(window):
    use_keys({})
    promote = window.bar._promote
    assert promote.text() == "Promote  P"
    window._take_keys({"promote": ("F3",), "fit": ("Ctrl+F9",), "undo": ("Ctrl+F8",)})
    assert promote.text() == "Promote  F3"
    for tip in (promote.toolTip(), promote.accessibleDescription()):
        assert tip.endswith("(F3)")
    assert window.page.display._fit.toolTip().endswith("(Ctrl+F9)")
    assert "(Ctrl+F8)" in window.bar._undo.toolTip()
    window._take_keys({"promote": ()})
    assert promote.text() == "Promote"
    assert window.page.display._fit.toolTip() == by_id("fit").tip_with_key
    assert "F9" not in by_id("fit").tip_with_key
