"""One command of the window: its words, its keys, and when it can be used."""

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

Menu = Literal["File", "Scene", "View", "Inspect", "Brush", "Training", "Help"]
Mode = Literal["", "brush"]

MENUS: Final[tuple[Menu, ...]] = get_args(Menu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One command: `calls` names the method that carries it out; `keys` are Qt's portable names.

    What is not `listed` has no line in its menu: it is reached by its key or by the palette.
    An action with a `mode` can be used only while the window is in it, and has the first claim
    on its keys then; one without can always be used, by the keys that are left.
    """

    id: str
    menu: Menu
    title: str
    tip: str
    calls: str
    keys: tuple[str, ...] = ()
    needs_project: bool = True
    listed: bool = True
    mode: Mode = ""

    @property
    def tip_with_key(self) -> str:
        """The tooltip, which names the key."""
        return f"{self.tip} ({self.keys[0]})" if self.keys else self.tip


def action(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command of an open project; `keys` are separated by spaces."""
    known = tuple(keys.split())
    return Action(id=calls, menu=menu, title=title, keys=known, tip=tip, calls=calls)


def anywhere(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command that needs no open project."""
    return replace(action(menu, title, keys, tip, calls), needs_project=False)


def unlisted(menu: Menu, title: str, keys: str, tip: str, calls: str) -> Action:
    """A command of a family too large for its menu."""
    return replace(action(menu, title, keys, tip, calls), listed=False)


def painting(title: str, keys: str, tip: str, calls: str) -> Action:
    """A command for the brush in the hand."""
    return replace(action("Brush", title, keys, tip, calls), mode="brush")
