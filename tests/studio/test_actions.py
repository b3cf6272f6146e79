"""One table of commands: no key twice, no command without work, help that tells all."""

from dataclasses import replace

import pytest

from smarthdr_studio.studio.actions import ACTIONS, by_id, clashes
from smarthdr_studio.studio.panels.help_sheet import HelpSheet, keys_as_markdown

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
    "?": "show_help",
    "Ctrl+B": "toggle_sides",
    "Ctrl+O": "open_project",
    "Ctrl+Q": "leave",
    **{str(number): f"layer_{number}" for number in range(1, 10)},
}


def test_no_key_is_claimed_twice():
    assert clashes(ACTIONS) == ()


def test_a_clash_is_told_by_its_key():
    assert clashes([*ACTIONS, replace(by_id("promote"), id="other")]) == ("P",)


def test_no_two_actions_share_an_id():
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


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


def test_help_fits_the_smallest_window_and_stops_nobody(window, qtbot):
    window.show_help()
    sheet = window.findChild(HelpSheet)
    assert not sheet.isModal()
    assert sheet.width() <= 1280
    assert sheet.height() <= 720
    sheet.close()
