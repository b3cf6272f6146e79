"""What is watched of a run: its curves, its film and its diary, one at a time."""

from collections.abc import Mapping
from typing import Any, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from smarthdr_studio.core.running.curves import RunCurves
from smarthdr_studio.studio.main_window.curve_exporting import CurveExporting
from smarthdr_studio.studio.main_window.run_board import RunBoard
from smarthdr_studio.studio.panels.board_rail import DiaryTools, FilmTools, ViewRail
from smarthdr_studio.studio.panels.diary import DiaryPanel
from smarthdr_studio.studio.panels.film_strip import FilmStrip
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state.charted import charted
from smarthdr_studio.studio.theme import Palette

_CURVES: Final = "Curves"


class Watching(QWidget):
    """Three views of the run at work, with the tools of the one that is shown."""

    rearranged = Signal()

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.board, self.film, self.diary = RunBoard(), FilmStrip(palette), DiaryPanel(palette)
        self._rail, self._views, self._tools = ViewRail(), QStackedWidget(), QStackedWidget()
        self._film_tools, self._diary_tools = FilmTools(), DiaryTools()
        for view, tools in (
            (self.board, self.board.tools),
            (self.film, self._film_tools),
            (self.diary, self._diary_tools),
        ):
            self._views.addWidget(view)
            self._tools.addWidget(tools)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        row.addWidget(self._rail)
        row.addWidget(self._tools)
        row.addSpacing(3)
        row.addWidget(self._views, 1)
        self._turn_to(_CURVES)
        self._rail.picked.connect(self._pick)
        self._diary_tools.copy_asked.connect(self.diary.copy_all)
        self._film_tools.newest_asked.connect(self.film.go_to_newest)
        self.board.rearranged.connect(self.rearranged)

    def listen_to(self, session: Session) -> None:
        """State, points, pictures and lines come down."""
        training, watching = session.training, session.watching
        for part in (self.film, self._film_tools):
            session.changed.connect(part.show_state)
        training.points_came.connect(self.board.take_points)
        training.curves_cleared.connect(self.board.clear)
        training.curves_read.connect(self._show_past)
        watching.film.pictures_came.connect(self.film.frames.take_pictures)
        watching.diary.began.connect(self.diary.begin)
        watching.diary.wrote.connect(self.diary.write)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        history, film = session.inspection.history, session.watching.film
        self.exporting = CurveExporting(session, self.board)
        self.film.round_picked.connect(history.pick)
        self.film.frames.pictures_wanted.connect(film.want)
        self._film_tools.now_asked.connect(history.pick)
        self._film_tools.pin_asked.connect(film.pin)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self.board.dress(palette)
        self.film.dress(palette)
        self.diary.dress(palette)

    @property
    def arrangement(self) -> dict[str, Any]:
        """The view, and how charts are shown, as plain values."""
        return {"view": self._rail.views[self._views.currentIndex()], **self.board.arrangement}

    def arrange(self, held: Mapping[str, Any]) -> None:
        """As it was; what is missing is as in a new project."""
        view = str(held.get("view", _CURVES))
        self._turn_to(view if view in self._rail.views else _CURVES)
        self.board.arrange(held)

    @Slot(str)
    def _pick(self, view: str) -> None:
        self._turn_to(view)
        self.rearranged.emit()

    def _turn_to(self, view: str) -> None:
        place = self._rail.views.index(view)
        self._rail.show_view(view)
        self._views.setCurrentIndex(place)
        self._tools.setCurrentIndex(place)

    @Slot(object)
    def _show_past(self, curves: RunCurves) -> None:
        self.board.show_past(charted(curves.series))
