"""One table of commands: no key twice, no command without work, help that tells all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QListWidget, QMenu, QTextBrowser

from smarthdr_studio.core.display import Layer
from smarthdr_studio.studio.actions import ACTIONS, MENUS, by_id, changed_keys, clashes, with_keys
from smarthdr_studio.studio.window.keys_dialog import HelpSheet, keys_as_markdown

PROMISED = {
    "E": "brighter",
    "Shift+E": "darker",
    "]": "slightly_brighter",
    "[": "slightly_darker",
    "R": "reset_exposure",
    "F": "fit",
    "Ctrl+0": "one_to_one",
    "G": "next_colour_map",
    "Right": "next_scene",
    "D": "next_scene",
    "Left": "previous_scene",
    "A": "previous_scene",
    "P": "promote",
    "Shift+P": "demote",
    "X": "exclude",
    "M": "toggle_masks",
    "I": "toggle_inspector",
    "Ctrl+T": "train",
    "Ctrl+Z": "undo",
    "Ctrl+Shift+Z": "redo",
    "F1": "show_help",
    "?": "show_keys",
    "Ctrl+B": "toggle_sides",
    "Ctrl+O": "open_project",
    "Ctrl+Q": "leave",
    "F11": "full_screen",
    "W": "toggle_wipe",
    "Shift+W": "toggle_difference",
    "U": "toggle_uncertainty",
    "Z": "toggle_zebra",
    "T": "least_trusted",
    "B": "tool_brush",
    "H": "tool_hand",
    "S": "tool_rectangle",
    "L": "tool_lasso",
    "Esc": "clear_region",
    "Ctrl+Shift+P": "show_palette",
    "Ctrl+E": "export_view",
    "Ctrl+C": "copy_view",
    ",": "previous_round",
    ".": "next_round",
    "F2": "tab_thresholds",
    "F6": "tab_history",
    **{str(number): f"layer_{number}" for number in range(1, 10)},
    **{f"Ctrl+Alt+{views}": f"grid_{views}" for views in range(1, 7)},
    "Ctrl+1": "work_inspect",
    "Ctrl+2": "work_curate",
    "Ctrl+3": "work_train",
    "F12": "focus",
    **{f"Ctrl+{way}": f"pan_{way.lower()}" for way in ("Left", "Right", "Up", "Down")},
    **{f"Alt+{way}": f"crosshair_{way.lower()}" for way in ("Left", "Right", "Up", "Down")},
}


def test_no_key_is_claimed_twice():
    assert clashes(ACTIONS) == {}


def test_a_clash_is_told_by_its_key_and_names_who_clashes():
    other = replace(by_id("promote"), id="other")
    assert clashes([*ACTIONS, other]) == {"P": (by_id("promote"), other)}


def test_no_two_actions_share_an_id():
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_keys_are_spelt_as_qt_spells_them():
    # Keys a person picks are compared with those of the table.
    portable = QKeySequence.SequenceFormat.PortableText
    for key in (key for action in ACTIONS for key in action.keys):
        sequence = QKeySequence(key)
        assert (sequence.count(), sequence.toString(portable)) == (1, key)


def test_enter_belongs_to_whoever_types():
    # A shortcut of the window would take it from every number and every filter; the brush alone
    # has it, and hands it on to whoever types (see `typists`). Space walks the queue instead of
    # pressing buttons; fields claim it by themselves, as `test_queue_window` sees.
    keys = {key for action in ACTIONS if not action.mode for key in action.keys}
    assert not {"Return", "Enter", "Tab"} & keys


def test_every_layer_can_be_shown_by_a_command_that_names_it():
    for number, layer in enumerate(Layer, 1):
        assert str(layer) in by_id(f"layer_{number}").title


def test_every_menu_has_commands():
    assert {action.menu for action in ACTIONS} == set(MENUS)


def test_every_command_says_more_than_its_title():
    assert all(action.tip and action.tip != action.title for action in ACTIONS)


_KEYS = st.lists(st.sampled_from(["P", "F9", "Ctrl+J", "Ctrl+,"]), max_size=2, unique=True)
_CHANGES = st.dictionaries(st.sampled_from([a.id for a in ACTIONS]), _KEYS.map(tuple), max_size=4)


@given(_CHANGES)
def test_only_keys_that_differ_are_kept_and_they_bring_back_the_same_table(changes):
    changed = with_keys(ACTIONS, changes)
    kept = changed_keys(changed, ACTIONS)
    assert with_keys(ACTIONS, kept) == changed
    assert all(kept[name] != by_id(name).keys for name in kept)


def test_keys_of_a_command_that_is_gone_are_passed_over():
    assert with_keys(ACTIONS, {"gone": ("F9",)}) == ACTIONS


@pytest.mark.parametrize(("key", "action"), PROMISED.items())
def test_promised_keys_do_what_was_promised(key, action):
    assert key in by_id(action).keys


def test_a_tooltip_names_the_key():
    assert by_id("promote").tip_with_key.endswith("(P)")


def test_every_action_has_work_behind_it(window):
    # The window is made from the table and fails where a command is missing.
    assert {a.objectName() for a in window.menus.findChildren(type(window.menus.actions()[0]))} >= {
        action.id for action in ACTIONS
    }


def test_help_names_every_key():
    text = keys_as_markdown(ACTIONS)
    for action in ACTIONS:
        if action.keys:
            assert action.title.rstrip("…") in text
    assert [text.count(f"## {menu}\n") for menu in MENUS] == [1] * len(MENUS)


def test_help_tells_the_keys_of_now(window):
    window.show_keys()
    sheet = window.findChild(HelpSheet)
    sheet.show_keys(with_keys(ACTIONS, {"promote": ("F9",)}))
    assert "F9" in sheet.findChild(QTextBrowser).toPlainText()
    sheet.close()


def test_pages_of_the_guide_come_in_the_order_of_their_numbers_and_without_them(window):
    window.show_help()
    sheet = window.findChild(HelpSheet)
    pages = sheet.findChild(QListWidget)
    titles = [pages.item(row).text() for row in range(pages.count())]
    assert titles[:3] == ["Keys", "First steps", "Reading the views"]
    assert not any(title[0].isdigit() for title in titles)
    assert titles[-1] == "Fault injection"
    metrics, room = pages.fontMetrics(), pages.viewport().width()
    assert all(metrics.horizontalAdvance(title) + 2 * 9 <= room for title in titles)
    sheet.close()


def test_help_fits_the_smallest_window_and_stops_nobody(window, qtbot):
    window.show_help()
    sheet = window.findChild(HelpSheet)
    assert not sheet.isModal()
    assert sheet.width() <= 1280
    assert sheet.height() <= 720
    sheet.close()


def test_no_menu_is_higher_than_the_smallest_window(window):
    menus = window.menus.findChildren(QMenu)
    assert len(menus) > len(MENUS)
    assert all(menu.sizeHint().height() <= 700 for menu in menus)
