"""Every command of the window, once: menus, buttons, keys and help are made from this table."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Menu = Literal["File", "Scene", "View", "Training", "Help"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One command: `calls` names the method that carries it out; `keys` are Qt's portable names."""

    id: str
    menu: Menu
    title: str
    tip: str
    calls: str
    keys: tuple[str, ...] = ()
    checkable: bool = False
    needs_project: bool = True

    @property
    def tip_with_key(self) -> str:
        """The tooltip, which names the key."""
        return f"{self.tip} ({self.keys[0]})" if self.keys else self.tip


def _action(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    return Action(
        id=calls,
        menu=menu,
        title=title,
        keys=tuple(keys.split()),
        tip=tip,
        calls=calls,
    )


def _anywhere(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command that needs no open project."""
    return Action(
        id=calls,
        menu=menu,
        title=title,
        keys=tuple(keys.split()),
        tip=tip,
        calls=calls,
        needs_project=False,
    )


ACTIONS: Final = (
    _anywhere("File", "Open project…", "Ctrl+O", "Open a NAME.shdr folder", "open_project"),
    _anywhere(
        "File", "Open dataset folder…", "Ctrl+Shift+O", "Make a project of brackets", "open_dataset"
    ),
    _anywhere("File", "Try the sample project", "", "Generate a small dataset", "try_sample"),
    _action("File", "Close project", "Ctrl+W", "Back to the start page", "close_project"),
    _anywhere("File", "Quit", "Ctrl+Q", "Leave; a run is stopped and saved first", "leave"),
    _action("Scene", "Promote", "P", "Use the pseudo-label as a label, where trusted", "promote"),
    _action("Scene", "Demote", "Shift+P", "Take the promoted label back", "demote"),
    _action("Scene", "Exclude", "X", "Keep the scene out of training; again to restore", "exclude"),
    _action("Scene", "Undo", "Ctrl+Z", "Take back the last decision", "undo"),
    _action("Scene", "Redo", "Ctrl+Shift+Z", "Decide it again", "redo"),
    _action("Scene", "Next scene", "Right D", "Show the next scene of the list", "next_scene"),
    _action("Scene", "Previous scene", "Left A", "Show the scene before", "previous_scene"),
    _action("Scene", "Filter", "Ctrl+F", "Type a name or a status", "find_scene"),
    _action("View", "Brighter", "E", "Exposure half a stop up", "brighter"),
    _action("View", "Darker", "Shift+E", "Exposure half a stop down", "darker"),
    _action("View", "A little brighter", "]", "Exposure a tenth of a stop up", "slightly_brighter"),
    _action("View", "A little darker", "[", "Exposure a tenth of a stop down", "slightly_darker"),
    _action("View", "Reset exposure", "R", "Back to 0 EV", "reset_exposure"),
    _action("View", "Fit", "F", "Show whole pictures", "fit"),
    _action("View", "One to one", "Ctrl+0", "One picture pixel per screen pixel", "one_to_one"),
    _action(
        "View", "Next colour map", "G", "Another colour map for uncertainty", "next_colour_map"
    ),
    _action("View", "Masks", "M", "Show or hide what is not trusted", "toggle_masks"),
    _action(
        "View", "Inspector", "I", "Show or hide why a pixel is not trusted", "toggle_inspector"
    ),
    _action("View", "Side panels", "Ctrl+B", "Hide everything but the pictures", "toggle_sides"),
    _anywhere("View", "Follow the system", "", "Dark or light as the desktop", "look_system"),
    _anywhere("View", "Dark", "", "Light text on dark grey", "look_dark"),
    _anywhere("View", "Light", "", "Dark text on light grey", "look_light"),
    _action("Training", "Train", "Ctrl+T", "Start a run with this preset", "train"),
    _action("Training", "Pause or go on", "Ctrl+Shift+T", "Hold the run in memory", "pause"),
    _action("Training", "Stop (keep)", "Ctrl+.", "Save a checkpoint and stop", "stop"),
    _action("Training", "Resume the last run", "Ctrl+R", "Go on where it stopped", "resume"),
    _anywhere("Help", "Keys and guide", "F1 ?", "Every key, and how to work", "show_help"),
    *(
        _action(
            "View",
            f"Layer {number} under the cursor",
            str(number),
            f"The view under the cursor shows layer {number}",
            f"layer_{number}",
        )
        for number in range(1, 10)
    ),
)


def clashes(actions: Iterable[Action]) -> tuple[str, ...]:
    """Keys that more than one action claims."""
    claimed = Counter(key for action in actions for key in action.keys)
    return tuple(sorted(key for key, times in claimed.items() if times > 1))


def by_id(name: str) -> Action:
    """The action of that id."""
    return next(action for action in ACTIONS if action.id == name)
