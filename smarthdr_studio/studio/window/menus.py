"""Menus, keys and right clicks from the one table of actions."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

from smarthdr_studio.studio.actions import ACTIONS, MENUS, Action, Mode, in_mode, with_keys
from smarthdr_studio.studio.state import Centre, StudioState, Tool
from smarthdr_studio.studio.viewer.view_grid import ViewGrid
from smarthdr_studio.studio.widgets.controls import EventWatch

_LONGEST: Final = 48  # letters of a path in a menu
_TEXT: Final = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox)
_KEYS: Final = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class TextEntryKeys(EventWatch, QObject):
    """Keeps Return for the field that has the keyboard, before any shortcut takes it.

    Escape gives the keyboard back, which `left` tells; the next one is a command again.
    """

    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._field: QWidget | None = None
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._focused)

    def heard(self, _watched: QObject, event: QEvent) -> bool:
        """Claim the key for the field; let everything else pass."""
        if not isinstance(event, QKeyEvent) or event.key() not in self._keys():
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return True
        return False

    def _keys(self) -> frozenset[Qt.Key]:
        """Return, and in a field of the window itself Escape; a dialog has its own use for it."""
        field = self._field
        inside = field is not None and field.window() is self._window.window()
        return _KEYS | {Qt.Key.Key_Escape} if inside else _KEYS

    @Slot(QWidget, QWidget)
    def _focused(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._field is not None and isValid(self._field):
            self.unwatch(self._field)
        self._field = now if isinstance(now, _TEXT) else None
        if self._field is not None:
            self.watch(self._field)


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
    "In the middle": ("show_pictures", "show_table", "show_gallery", "show_pair", "swap_pair"),
    "Workspace": ("work_inspect", "work_curate", "work_train"),
    "Panels": (
        *("toggle_sides", "reset_layout", "tab_scenes", "tab_film", "tab_diary", "tab_overview"),
    ),
    "Zoom": ("fit", "one_to_one", "zoom_in", "zoom_out"),
    "Colours of the window": ("look_system", "look_dark", "look_light", "look_contrast"),
    "How frames are read": ("align_frames", "camera_curve"),
    "Models": (
        *("label_by_starter", "label_by_file"),
        *("look_through_file", "look_through_newest"),
    ),
    "Grid": (*("grid_1", "grid_2", "grid_stacked", "grid_3", "grid_4", "grid_5", "grid_6"),),
}
_INSIDE: Final = {name: title for title, names in _SMALLER.items() for name in names}
# Before each of these stands a line.
_APART: Final = frozenset(
    {
        *("close_project", "export_view", "copy_view", "import_split", "find_dataset", "leave"),
        *("undo", "next_scene", "write_note", "next_in_queue", "propose"),
        *(
            "show_pictures",
            "brighter",
            "next_colour_map",
            "look_system",
            "maximise",
            "toggle_wipe",
            "show_display",
        ),
        *("clear_region", "lower_tau_patch", "previous_round", "tab_thresholds", "ask_moment"),
        *("show_runs", "ink_trust", "shape_brush", "brush_smaller", "paint_here", "leave_brush"),
    }
)


class Menus(QMenuBar):
    """Every action in its menu; those that need a project or a mode wait for it."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"folder", "tool", "centre", "undo", "redo"})

    recent_picked = Signal(object)  # the folder of a project
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
        self._text_entry = TextEntryKeys(window)
        self._text_entry.left.connect(self.typing_left)
        self._actions = {
            action.id: self._make(action, commands[action.calls]) for action in ACTIONS
        }
        self._give_keys()
        self._recent = QMenu("Open recent", self)
        menus = {name: self.addMenu(name) for name in MENUS}
        smaller: dict[str, QMenu] = {}
        for action in ACTIONS:
            # On the window as well, so that keys work where the menu bar is the system's own.
            window.addAction(self._actions[action.id])
            if action.listed:
                self._list(action.id, menus[action.menu], smaller)
            if action.id == "open_project":
                menus["File"].addMenu(self._recent)
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

    def show_recent(self, folders: Sequence[Path]) -> None:
        """Offer these projects, newest first, by their names and where they lie."""
        self._recent.clear()
        for folder in folders:
            line = self._recent.addAction(f"{folder.stem}\t{_shortened(folder.parent)}")
            line.setToolTip(str(folder))
            line.triggered.connect(partial(self.recent_picked.emit, folder))
        self._recent.setEnabled(bool(folders))

    def show_look(self, look: str) -> None:
        """Tick the colours that are wished for: "system", "dark", "light" or "contrast"."""
        for name in _SMALLER["Colours of the window"]:
            self._actions[name].setCheckable(True)
            self._actions[name].setChecked(name == f"look_{look}")

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


def _shortened(folder: Path) -> str:
    words = str(folder)
    return words if len(words) <= _LONGEST else f"…{words[1 - _LONGEST :]}"


def mode_of(state: StudioState) -> Mode:
    """Whose keys come first: the brush's while it can paint on something."""
    painting = state.tool is Tool.BRUSH and state.centre is Centre.PICTURES
    return "brush" if painting else ""


_OF_A_SCENE: Final = (
    ("promote", "promote_whole", "promote_with_note", "demote", "exclude"),
    ("write_note", "add_tag"),
    ("bring_truth", "use_truth"),
    ("show_pictures", "show_pair"),
)
_OF_A_VIEW: Final = (
    ("maximise", "fit", "one_to_one"),
    ("toggle_zebra", "toggle_wipe", "toggle_difference", "clear_region"),
    ("copy_view", "export_view", "export_png16", "export_exr"),
)


class ContextMenus(QObject):
    """What a right click offers, on a picture and on a scene in the list, the table or the gallery.

    Made of the actions that menus and keys have too, so that they do and are called the same.
    """

    def __init__(self, actions: Sequence[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._actions: Mapping[str, QAction] = {each.objectName(): each for each in actions}

    def on_scenes(self, *lists: QAbstractItemView) -> None:
        """A right click on a scene chooses it, unless it is chosen, and offers its deeds."""
        for each in lists:
            each.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            each.customContextMenuRequested.connect(self._pop_up_of_scene)

    def on_views(self, views: ViewGrid) -> None:
        """A right click on a picture offers its layer, and what else is done with a view."""
        views.menu_asked.connect(self._pop_up_of_view)

    @Slot(QPoint)
    def _pop_up_of_scene(self, at: QPoint) -> None:
        scenes = self.sender()
        if isinstance(scenes, QAbstractItemView) and scenes.indexAt(at).isValid():
            self._made(_OF_A_SCENE).popup(scenes.viewport().mapToGlobal(at))

    @Slot(object, QPoint)
    def _pop_up_of_view(self, layers: QMenu, at: QPoint) -> None:
        menu = self._made(_OF_A_VIEW)
        first = menu.actions()[0]
        line = layers.menuAction()
        line.setText("Layer")
        menu.insertAction(first, line)
        menu.insertSeparator(first)
        menu.popup(at)

    def _made(self, groups: Sequence[Sequence[str]]) -> QMenu:
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for place, group in enumerate(groups):
            if place:
                menu.addSeparator()
            menu.addActions([self._actions[name] for name in group])
        return menu
