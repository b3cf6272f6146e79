"""The menus of the display strip: comparing, exporting, and what had no room in the row."""

from typing import Final

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from smarthdr_studio.core.display import ToneMap
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import CompareMode, StudioState
from smarthdr_studio.studio.widgets.icons import IconButton, icon

_MODES: Final = (
    (CompareMode.OFF, "Off", ""),
    (CompareMode.WIPE, "Wipe", "toggle_wipe"),
    (CompareMode.DIFFERENCE, "Difference", "toggle_difference"),
)
# What is asked for is named like the action that asks for the same.
_EXPORTS: Final = (
    ("export_view", "Picture of this view, PNG…"),
    ("export_sheet", "All views as one sheet, PNG…"),
    ("export_png16", "This layer as 16-bit PNG…"),
    ("export_exr", "This layer as EXR…"),
    ("copy_view", "Copy this view"),
    ("copy_sheet", "Copy all views"),
)


class CompareButton(IconButton):
    """Says how the active view is to be held against its partner."""

    compare_picked = Signal(str)

    def __init__(self) -> None:
        tip = "Hold the active view against another layer (W wipes, Shift+W subtracts)"
        super().__init__(icon("halves"), name="Compare", tip=tip, opens=True)
        self.setCheckable(True)
        self._mode = CompareMode.OFF
        self._menu, self._group = QMenu(self), QActionGroup(self)
        for mode, words, action in _MODES:
            line = QAction(words + _key(action), self._group)
            line.setData(mode)
            line.setCheckable(True)
            self._menu.addAction(line)
        self._menu.addSeparator()
        self._menu.addAction("Hold Shift over a view: flicker").setEnabled(False)
        self._menu.setAccessibleName("Ways to compare")
        self.clicked.connect(self._open)
        self._group.triggered.connect(self._picked)

    def show_mode(self, mode: CompareMode) -> None:
        """Pressed while something is compared."""
        self._mode = mode
        self.setChecked(mode is not CompareMode.OFF)

    @Slot()
    def _open(self) -> None:
        # Opening the menu has not yet changed anything.
        self.show_mode(self._mode)
        for line in self._group.actions():
            line.setChecked(line.data() == self._mode)
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _picked(self, line: QAction) -> None:
        self.compare_picked.emit(str(line.data()))


class ExportButton(IconButton):
    """Says by the name of an action what is to leave the window, as a file or to the clipboard."""

    export_asked = Signal(str)

    def __init__(self) -> None:
        tip = f"Pictures for elsewhere ({by_id('export_view').keys[0]} exports this view)"
        super().__init__(icon("outbox"), name="Export", tip=tip, opens=True)
        self._menu, self._group = QMenu(self), QActionGroup(self)
        self._whose = self._menu.addAction("")
        self._whose.setEnabled(False)
        for place, (kind, words) in enumerate(_EXPORTS):
            if place in (0, 4):
                self._menu.addSeparator()
            line = QAction(words + _key(kind), self._group)
            line.setData(kind)
            line.setToolTip(by_id(kind).tip)
            self._menu.addAction(line)
        self._menu.addSeparator()
        self._in_sight = self._menu.addAction("Only what is in sight")
        self._in_sight.setCheckable(True)
        self._in_sight.setToolTip("Leave out what lies beyond the edges of a zoomed view")
        self._menu.setToolTipsVisible(True)
        self._menu.setAccessibleName("Exports")
        self.clicked.connect(self._open)
        self._group.triggered.connect(self._picked)

    @property
    def only_in_sight(self) -> bool:
        """Whether a zoomed view is exported as far as it is seen."""
        return self._in_sight.isChecked()

    def show_state(self, state: StudioState) -> None:
        """Know which view is meant."""
        layer = state.views[state.active].layer
        self._whose.setText(f"View {state.active + 1}: {layer}")

    @Slot()
    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _picked(self, line: QAction) -> None:
        self.export_asked.emit(str(line.data()))


class MoreButton(IconButton):
    """Everything of the row that has no room in it."""

    fit_asked = Signal()
    one_to_one_asked = Signal()
    link_asked = Signal(bool)
    tone_picked = Signal(str)

    def __init__(self) -> None:
        super().__init__(icon("dots"), name="More", tip="What has no room in this row")
        self._menu = QMenu(self)
        self._menu.setAccessibleName("What has no room in the row")
        self._tones = self._menu.addMenu("Tone map")
        self._group = QActionGroup(self)
        for tone in ToneMap:
            line = QAction(str(tone), self._group)
            line.setCheckable(True)
            self._tones.addAction(line)
        self._link = self._menu.addAction("Linked exposure" + _key("link_exposure"))
        self._link.setCheckable(True)
        self._fit = self._menu.addAction("Fit" + _key("fit"))
        self._one = self._menu.addAction("1:1" + _key("one_to_one"))
        self._fit.triggered.connect(self.fit_asked)
        self._one.triggered.connect(self.one_to_one_asked)
        self._link.triggered.connect(self.link_asked)
        self._group.triggered.connect(self._tone_picked)
        self.clicked.connect(self._open)

    def offer(self, *, tones: bool, link: bool, fit: bool, one: bool) -> None:
        """Which of these the row has no room for."""
        self._tones.menuAction().setVisible(tones)
        self._link.setVisible(link)
        self._fit.setVisible(fit)
        self._one.setVisible(one)

    def show_choices(self, tone: ToneMap, *, linked: bool) -> None:
        """Show what is picked now."""
        self._link.setChecked(linked)
        for line in self._group.actions():
            line.setChecked(line.text() == tone)

    @Slot()
    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _tone_picked(self, line: QAction) -> None:
        self.tone_picked.emit(line.text())


def _key(action: str) -> str:
    """The key of an action as a menu line shows it."""
    keys = by_id(action).keys if action else ()
    return f"\t{keys[0]}" if keys else ""
