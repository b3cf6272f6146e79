"""Every command of the window, once: menus, buttons, keys and help are made from this table."""

from typing import Final

from smarthdr_studio.studio.actions.action import MENUS, Action, Menu, Mode
from smarthdr_studio.studio.actions.curating import BRUSH, CURATION, PAPERS
from smarthdr_studio.studio.actions.keys import changed_keys, claims, clashes, in_mode, with_keys
from smarthdr_studio.studio.actions.looking import BASE, INSPECTION
from smarthdr_studio.studio.actions.models import MODELS
from smarthdr_studio.studio.actions.runs import RUNS

__all__ = [
    "ACTIONS",
    "MENUS",
    "Action",
    "Menu",
    "Mode",
    "by_id",
    "changed_keys",
    "claims",
    "clashes",
    "in_mode",
    "with_keys",
]

ACTIONS: Final = (*BASE, *INSPECTION, *CURATION, *PAPERS, *BRUSH, *RUNS, *MODELS)


def by_id(name: str) -> Action:
    """The action of that id."""
    return next(action for action in ACTIONS if action.id == name)
