"""Menus and keys, made from the one table of actions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from smarthdr_studio.studio.actions import ACTIONS, MENUS, Action, Mode, in_mode, with_keys
from smarthdr_studio.studio.main_window.typists import TypistsKeys
from smarthdr_studio.studio.state import Centre, StudioState, Tool

# No menu is higher than the smallest window; a smaller one stands where its first command would.
_SMALLER: Final[Mapping[str, tuple[str, ...]]] = {
    "Exposure": (
        *("brighter", "darker", "slightly_brighter", "slightly_darker"),
        *("reset_exposure", "link_exposure"),
    ),
    "Chosen run": (
        *("run_resume", "run_continue", "run_go_back", "run_export", "run_note", "run_discard"),
        *("run_restore", "run_folder", "run_copy"),
    ),
    "Zoom": ("fit", "one_to_one", "zoom_in", "zoom_out"),
    "Colours of the window": ("look_system", "look_dark", "look_light"),
    "Grid": (*("grid_1", "grid_2", "grid_stacked", "grid_3", "grid_4", "grid_5", "grid_6"),),
}
_INSIDE: Final = {name: title for title, names in _SMALLER.items() for name in names}
# Before each of these stands a line.
_APART: Final = frozenset(
    {
        *("close_project", "export_view", "copy_view", "import_split", "find_dataset", "leave"),
        *("undo", "next_scene", "write_note", "next_in_queue", "propose"),
        *("brighter", "next_colour_map", "look_system", "maximise", "toggle_wipe", "show_display"),
        *("clear_region", "lower_tau_patch", "previous_round", "tab_thresholds", "ask_moment"),
        *("show_runs", "ink_trust", "shape_brush", "brush_smaller", "paint_here", "leave_brush"),
    }
)


class Menus(QMenuBar):
    """Every action in its menu; those that need a project or a mode wait for it."""

    typing_left = Signal()  # Escape in a field: keys are commands again

    def __init__(
        self,
        commands: Mapping[str, Callable[[], object]],
        window: QWidget,
        *,
        keys: Mapping[str, tuple[str, ...]],
    ) -> None:
        super().__init__()
        self._keys, self._mode = keys, mode_of(StudioState())
        self._typists = TypistsKeys(window)
        self._typists.left.connect(self.typing_left)
        self._actions = {
            action.id: self._make(action, commands[action.calls]) for action in ACTIONS
        }
        self._give_keys()
        menus = {name: self.addMenu(name) for name in MENUS}
        smaller: dict[str, QMenu] = {}
        for action in ACTIONS:
            # On the window as well, so that keys work where the menu bar is the system's own.
            window.addAction(self._actions[action.id])
            if action.listed:
                self._list(action.id, menus[action.menu], smaller)
        for menu in (*menus.values(), *smaller.values()):
            menu.setToolTipsVisible(True)

    @property
    def actions_to_find(self) -> Sequence[QAction]:
        """Every action, for the palette."""
        return tuple(self._actions.values())

    def take_keys(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        """Other keys from now on, by the id of the action; the table's for all others."""
        self._keys = keys
        self._give_keys()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Offer what can be done now."""
        mode = mode_of(new)
        if (old.folder is None) != (new.folder is None) or mode != self._mode:
            self._mode = mode
            self._give_keys()
            self.offer(project_is_open=new.folder is not None)
        for name, words in (("undo", new.undo), ("redo", new.redo)):
            self._actions[name].setEnabled(words is not None)
            title = name.capitalize()
            self._actions[name].setText(f"{title}: {words}" if words else title)

    def offer(self, *, project_is_open: bool) -> None:
        """Enable what makes sense with or without a project, in the mode of now."""
        for action in ACTIONS:
            usable = action.mode in ("", self._mode)
            self._actions[action.id].setEnabled(
                usable and (project_is_open or not action.needs_project)
            )

    def _list(self, name: str, menu: QMenu, smaller: dict[str, QMenu]) -> None:
        """Give the action of that id its line, in a smaller menu where it belongs to one."""
        if name in _APART:
            menu.addSeparator()
        title = _INSIDE.get(name)
        if title is not None and title not in smaller:
            smaller[title] = menu.addMenu(title)
        (menu if title is None else smaller[title]).addAction(self._actions[name])

    def _give_keys(self) -> None:
        """Each action the keys it has in the mode of now."""
        for action in in_mode(with_keys(ACTIONS, self._keys), self._mode):
            self._actions[action.id].setShortcuts([QKeySequence(key) for key in action.keys])

    def _make(self, action: Action, call: Callable[[], object]) -> QAction:
        made = QAction(action.title, self)
        made.setToolTip(action.tip)
        made.setObjectName(action.id)
        made.triggered.connect(call)
        return made


def mode_of(state: StudioState) -> Mode:
    """Whose keys come first: the brush's while it can paint on something."""
    painting = state.tool is Tool.BRUSH and state.centre is Centre.PICTURES
    return "brush" if painting else ""
