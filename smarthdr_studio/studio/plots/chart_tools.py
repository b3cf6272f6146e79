"""Beside the charts: what of the run is watched, and the tools for it."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QGridLayout, QMenu, QWidget

from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.widgets.controls import button, describe
from smarthdr_studio.studio.widgets.icons import IconButton, icon

SMOOTHINGS: Final = (0, 10, 30, 100, 300, 1000, 3000, 10_000)


class SmoothingMenu(QMenu):
    """Over how many steps to smooth."""

    picked = Signal(float)

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._group = QActionGroup(self)
        for steps in SMOOTHINGS:
            line = QAction(smoothing_in_words(steps), self._group)
            line.setData(steps)
            line.setCheckable(True)
            self.addAction(line)
        self._group.triggered.connect(self._pick)

    def show_steps(self, steps: float) -> None:
        """Mark what is in use."""
        for line in self._group.actions():
            line.setChecked(line.data() == steps)

    @Slot(QAction)
    def _pick(self, line: QAction) -> None:
        self.picked.emit(float(line.data()))


def smoothing_in_words(steps: float) -> str:
    """How much is smoothed."""
    return f"over {counted(round(steps), 'step')}" if steps else "none"


_VIEWS: Final = {
    "Curves": "What the run measures, over its steps",
    "Film": "One scene in every round",
    "Diary": "The run in words",
}
_SMALL: Final = """
QPushButton { padding: 2px 6px; text-align: left; }
QPushButton:checked { background: palette(highlight); color: palette(highlighted-text); }
"""


class ViewRail(QWidget):
    """Says which view of the run was picked."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self._buttons = {word: button(word, tip=tip) for word, tip in _VIEWS.items()}
        self.column = QGridLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(3)
        for row, (word, each) in enumerate(self._buttons.items()):
            each.setCheckable(True)
            each.setAccessibleName(f"Watch: {word}")
            each.setStyleSheet(_SMALL)
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(each)
            self.column.addWidget(each, row, 0)
        self.column.setRowStretch(len(_VIEWS), 1)
        self._group.buttonClicked.connect(self._pick)

    def show_view(self, view: str) -> None:
        """Mark the view that is shown."""
        self._buttons[view].setChecked(True)

    @property
    def views(self) -> tuple[str, ...]:
        """All there are."""
        return tuple(self._buttons)

    @Slot(QAbstractButton)
    def _pick(self, pressed: QAbstractButton) -> None:
        self.picked.emit(pressed.text())


class CurveTools(QWidget):
    """Which charts, how smooth, and to where; for all charts of a board."""

    charts_picked = Signal(object)  # tuple of names
    smoothing_picked = Signal(float)
    export_asked = Signal(str)

    def __init__(self, titles: Mapping[str, str]) -> None:
        super().__init__()
        self._which = IconButton(icon("tiles"), name="Charts", tip="Which charts are shown")
        self._smooth = IconButton(icon("wave"), name="Smoothing of all charts", tip="")
        self._export = IconButton(
            icon("outbox"), name="Export curves", tip="All shown charts as a file"
        )
        self._titles, self._shown = dict(titles), tuple[str, ...]()
        self._steps = 0.0
        _stack(self, (self._which, self._smooth, self._export))
        self._which.clicked.connect(self._offer_charts)
        self._smooth.clicked.connect(self._offer_smoothing)
        self._export.clicked.connect(self._offer_export)

    def show_charts(self, names: Sequence[str]) -> None:
        """These are shown."""
        self._shown = tuple(names)

    def show_smoothing(self, steps: float) -> None:
        """So much is smoothed."""
        self._steps = steps
        tip = f"Smoothing of all charts: {smoothing_in_words(steps)}"
        describe(self._smooth, name="Smoothing of all charts", tip=tip)

    @Slot()
    def _offer_charts(self) -> None:
        menu = _Lasting(self)
        menu.setAccessibleName("Charts")
        for name, title in self._titles.items():
            line = menu.addAction(title)
            line.setCheckable(True)
            line.setChecked(name in self._shown)
            line.setData(name)
        menu.triggered.connect(self._switch)
        menu.popup(self._which.mapToGlobal(QPoint(0, self._which.height())))

    @Slot(QAction)
    def _switch(self, line: QAction) -> None:
        names = set(self._shown) ^ {str(line.data())}
        self.charts_picked.emit(tuple(name for name in self._titles if name in names))

    @Slot()
    def _offer_smoothing(self) -> None:
        menu = SmoothingMenu("Smoothing", self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.show_steps(self._steps)
        menu.picked.connect(self.smoothing_picked)
        menu.popup(self._smooth.mapToGlobal(QPoint(0, self._smooth.height())))

    @Slot()
    def _offer_export(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName("Export curves")
        menu.addAction("All shown charts as PNG…", lambda: self.export_asked.emit("png"))
        menu.addAction("All shown charts as SVG…", lambda: self.export_asked.emit("svg"))
        menu.addAction("All shown charts as CSV…", lambda: self.export_asked.emit("csv"))
        menu.popup(self._export.mapToGlobal(QPoint(0, self._export.height())))


class FilmTools(QWidget):
    """Keep to a scene, go to the newest round, and back to the masks of now."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"film", "replay"})

    pin_asked = Signal(bool)
    newest_asked = Signal()
    now_asked = Signal(object)  # None, as no round is called

    def __init__(self) -> None:
        super().__init__()
        self._pin = IconButton(icon("pin"), name="Keep to this scene", tip="")
        self._newest = IconButton(icon("to-end"), name="Newest round", tip="Go to the newest round")
        self._now = IconButton(
            icon("back"), name="Back to now", tip=by_id("back_to_now").tip_with_key
        )
        self._pin.setCheckable(True)
        _stack(self, (self._pin, self._newest, self._now))
        self._pin.clicked.connect(self.pin_asked)
        self._newest.clicked.connect(self.newest_asked)
        self._now.clicked.connect(self._ask_now)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Say whose film it is."""
        if old.film is new.film and old.replay == new.replay:
            return
        film = new.film
        self._pin.setChecked(bool(film.pinned))
        self._pin.setEnabled(bool(film.scene))
        tip = f"The film is of {film.scene}; press to keep it while you look at other scenes"
        if film.pinned:
            tip = f"The film keeps to {film.scene}; press to follow the scene on the screen"
        describe(self._pin, name="Keep to this scene", tip=tip)
        self._newest.setEnabled(bool(film.frames))
        self._now.setEnabled(new.replay is not None)

    @Slot()
    def _ask_now(self) -> None:
        self.now_asked.emit(None)


class DiaryTools(QWidget):
    """Hand the diary on."""

    copy_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        copy = IconButton(
            icon("sheets"), name="Copy the diary", tip="The whole diary to the clipboard"
        )
        _stack(self, (copy,))
        copy.clicked.connect(self.copy_asked)


def _stack(whole: QWidget, buttons: Sequence[IconButton]) -> None:
    """Small buttons one below the other."""
    column = QGridLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(3)
    for row, each in enumerate(buttons):
        each.setStyleSheet("padding: 2px;")
        column.addWidget(each, row, 0)
    column.setRowStretch(len(buttons), 1)


class _Lasting(QMenu):
    """Stays open while several lines are ticked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def mouseReleaseEvent(self, event: object) -> None:
        """A tick is not a reason to close."""
        line = self.activeAction()
        if line is not None and line.isCheckable():
            line.trigger()
        else:
            super().mouseReleaseEvent(event)  # type: ignore[arg-type]
