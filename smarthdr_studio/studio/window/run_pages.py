"""The page of runs, and what is watched of the one at work."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFileDialog,
    QHBoxLayout,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.training.run_log import RunCurves
from smarthdr_studio.studio.plots.chart_tools import DiaryTools, FilmTools, ViewRail
from smarthdr_studio.studio.plots.run_charts import RunBoard
from smarthdr_studio.studio.runs.details import RunsDetails
from smarthdr_studio.studio.runs.evaluation import EvaluationTable
from smarthdr_studio.studio.runs.pictures import RunsPictures
from smarthdr_studio.studio.runs.run_table import RunsBar, RunsQuestion, RunsTable
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Centre, StudioState
from smarthdr_studio.studio.state.chart_names import charted
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.training.diary import DiaryPanel
from smarthdr_studio.studio.training.film_strip import FilmStrip
from smarthdr_studio.studio.training.training_panel import name_of
from smarthdr_studio.studio.widgets.controls import ElidedLabel, Scrolled, Tabs, card
from smarthdr_studio.studio.widgets.file_dialogs import begin
from smarthdr_studio.studio.widgets.pace import least_gap_ms
from smarthdr_studio.studio.window.charts import CurveExport

_HALVES: Final = (230, 330)
_LOWEST_LIST: Final = 116  # pixels: the head and three runs
_LOWEST_BOARD: Final = 112  # pixels; lower, lines of several runs are not told apart


class RunsPage(QWidget):
    """Says which command is wanted by its id, and whether anybody looks."""

    asked = Signal(str)
    seen = Signal(bool)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.bar, self.question = RunsBar(), RunsQuestion()
        self.table, self.details = RunsTable(palette), RunsDetails()
        self.board, self.pictures = RunBoard(comparing=True), RunsPictures()
        self.evaluation = EvaluationTable()
        self.tabs = Tabs("About the chosen runs")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFocusProxy(self.table)
        self._lay_out()
        self.dress(palette)

    def listen_to(self, session: Session) -> None:
        """State comes down, and beside it curves and pictures."""
        words = (self.bar, self.question, self.table, self.details)
        for part in (*words, self.pictures, self.evaluation):
            session.show_in(part)
            part.show_state(StudioState(), session.state)
        telling = session.running.runs.telling
        telling.curves_came.connect(self.board.show_curves)
        telling.pictures_came.connect(self.pictures.show_pictures)
        session.screen.picked.connect(telling.refresh)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        runs = session.running.runs
        self.seen.connect(runs.watch)
        self.table.chosen.connect(runs.choose)
        self.table.opened.connect(self._open)
        self.table.menu_asked.connect(self._pop_up)
        self.table.discard_asked.connect(runs.trash.ask)
        self.question.agreed.connect(runs.trash.agree)
        self.question.declined.connect(self._decline)
        self.question.declined.connect(runs.trash.decline)
        self.details.overview.note.written.connect(runs.write_note)
        self.details.overview.remedy_picked.connect(partial(_resume, session))
        self.pictures.common_picked.connect(runs.telling.set_common)
        self.tabs.turned.connect(runs.telling.turn_to)
        self.bar.asked.connect(self.asked)
        show = session.inspection.table.show
        self.bar.back_asked.connect(partial(show, str(Centre.PICTURES)))
        CurveExport(session, self.board, of_chosen=True)
        self.board.pace_by(lambda: least_gap_ms(session.state.training))
        self._tell_of_evaluation(session)
        session.leaving.connect(self.details.overview.note.save)
        runs.watch(self.isVisible())

    def write_note(self) -> None:
        """The cursor into the note of the chosen run."""
        self.tabs.go("overview")
        self.details.overview.note.write()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self.table.dress(palette)
        self.board.dress(palette)

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks; from a panel there is no way back."""
        super().showEvent(event)
        self.bar.lead_back(leads=isinstance(self.parentWidget(), QStackedWidget))
        self._tell_seen(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any more."""
        super().hideEvent(event)
        self.details.overview.note.save()
        self._tell_seen(event)

    def _tell_seen(self, event: QEvent) -> None:
        self.seen.emit(event.type() == QEvent.Type.Show)

    def _tell_of_evaluation(self, session: Session) -> None:
        controller, table = session.files.evaluations, self.evaluation
        # Asked while the window is shown a state: the answer is to come after it.
        table.looked_at.connect(controller.look_at, Qt.ConnectionType.QueuedConnection)
        table.checkpoint_picked.connect(controller.choose_checkpoint)
        table.split_picked.connect(controller.choose_split)
        table.measure_asked.connect(controller.measure)
        table.cancel_asked.connect(controller.cancel)
        table.scene_picked.connect(session.screen.pick)
        table.table_asked.connect(partial(self._ask_for_table, session))

    def _ask_for_table(self, session: Session) -> None:
        shown, folder = session.state.evaluation, session.state.folder
        beside = folder.parent if folder is not None else Path.home()
        dialog = QFileDialog(self.window(), "Export figures", str(beside))
        begin(dialog, "figures")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Tables (*.csv)")
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(f"{shown.run}-{shown.which}-{shown.split}.csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_write_table, session))
        dialog.open()

    @Slot()
    def _open(self) -> None:
        """Return on a run: its curves."""
        self.tabs.go("curves")

    @Slot()
    def _decline(self) -> None:
        self.table.setFocus()

    @Slot(QPoint)
    def _pop_up(self, at: QPoint) -> None:
        self.bar.pop_up(self.table.viewport().mapToGlobal(at))

    def _lay_out(self) -> None:
        details = self.details
        curves = QWidget()
        row = QHBoxLayout(curves)
        row.setContentsMargins(0, 4, 0, 0)
        row.addWidget(self.board.tools)
        row.addWidget(self.board, 1)
        for name, title, panel, tip in (
            ("overview", "Overview", details.glance, "Figures, last word, checkpoints, note"),
            ("plan", "Plan", details.plans, "Settings that differ"),
            ("labels", "Label set", details.labels, "What the scenes were to it"),
            ("curves", "Curves", curves, "The runs laid over one another (Return)"),
            ("pictures", "Pictures", self.pictures, "The current scene as each run sees it"),
            ("diary", "Diary", details.diary, "The run in words"),
            ("evaluation", "Evaluation", self.evaluation, "How good each scene came out"),
        ):
            self.tabs.add(name, title, panel, tip=tip)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.setChildrenCollapsible(False)
        halves.setHandleWidth(8)
        halves.addWidget(self.table)
        halves.addWidget(self.tabs)
        halves.setSizes(_HALVES)
        halves.setStretchFactor(0, 2)
        halves.setStretchFactor(1, 3)
        frame, column = card(name="Runs")
        column.addWidget(self.bar)
        column.addWidget(self.question)
        column.addWidget(halves, 1)
        # In a low place all of it is scrolled, and charts stay as high as can be read.
        self.table.setMinimumHeight(_LOWEST_LIST)
        self.board.setMinimumHeight(_LOWEST_BOARD)
        inside = QWidget()
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(frame)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(Scrolled(inside))


def _write_table(session: Session, name: str) -> None:
    session.files.evaluations.write_table(Path(name))


def _resume(session: Session, run: str, changes: Mapping[str, Any]) -> None:
    session.training.resume(run, changes=changes)


_CURVES: Final = "Curves"


class RunPages(QWidget):
    """Three views of the run at work, each with its tools; a view may be lent to another place."""

    rearranged = Signal()
    view_elsewhere_asked = Signal(str)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.board, self.film, self.diary = RunBoard(), FilmStrip(palette), DiaryPanel(palette)
        self._rail, self._views = ViewRail(), QStackedWidget()
        self._film_tools, self._diary_tools = FilmTools(), DiaryTools()
        tools = (self.board.tools, self._film_tools, self._diary_tools)
        self.whose = ElidedLabel(role="muted")
        self.whose.hide()
        views = (self.board, _led_by(self.whose, self.film, QVBoxLayout(), apart=2), self.diary)
        self.pages = {
            name: _led_by(tool, view, QHBoxLayout(), apart=6)
            for name, tool, view in zip(self._rail.views, tools, views, strict=True)
        }
        for page in self.pages.values():
            self._views.addWidget(page)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        row.addWidget(self._rail)
        row.addWidget(self._views, 1)
        self._turn_to(_CURVES)
        self._rail.picked.connect(self._pick)
        self._diary_tools.copy_asked.connect(self.diary.copy_all)
        self._film_tools.newest_asked.connect(self.film.go_to_newest)
        self.board.rearranged.connect(self.rearranged)

    def take_home(self, view: str) -> None:
        """A view that was lent is shown here again."""
        if self._views.indexOf(self.pages[view]) < 0:
            self._views.addWidget(self.pages[view])

    def show_rail(self, *, visible: bool) -> None:
        """Whether there is anything to turn to."""
        self._rail.setVisible(visible)
        if not visible:
            self._turn_to(_CURVES)

    def listen_to(self, session: Session) -> None:
        """State, points, pictures and lines come down."""
        training, told = session.training, session.film_and_diary
        session.show_in(self.film, self._film_tools)
        session.watch({"film", "training"}, self._tell_whose)
        self.board.pace_by(lambda: least_gap_ms(session.state.training))
        training.points_came.connect(self.board.take_points)
        training.curves_cleared.connect(self.board.clear)
        training.curves_read.connect(self._show_past)
        told.film.pictures_came.connect(self.film.frames.take_pictures)
        told.diary.began.connect(self.diary.begin)
        told.diary.wrote.connect(self.diary.write)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        history, film = session.inspection.history, session.film_and_diary.film
        self.exporting = CurveExport(session, self.board)
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
        shown = self._views.currentWidget()
        view = next(name for name, page in self.pages.items() if page is shown)
        return {"view": view, **self.board.arrangement}

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
        """Show a view; one that is lent is shown where it is."""
        page = self.pages[view]
        if self._views.indexOf(page) < 0:
            self.view_elsewhere_asked.emit(view)
            shown = self._views.currentWidget()
            view = next(name for name, page in self.pages.items() if page is shown)
        else:
            self._views.setCurrentWidget(page)
        self._rail.show_view(view)

    @Slot(object, object)
    def _tell_whose(self, _old: StudioState, new: StudioState) -> None:
        """Which run made the rounds, where it is not the one whose charts are shown."""
        film, shown = new.film, new.training
        other = film.frames and shown.run and film.run != shown.run and not shown.busy
        self.whose.tell(f"Of {name_of(film.run)}, the last run with rounds" if other else "")
        self.whose.setVisible(bool(other))

    @Slot(object)
    def _show_past(self, curves: RunCurves) -> None:
        self.board.show_past(charted(curves.series))


def _led_by(small: QWidget, view: QWidget, line: QBoxLayout, *, apart: int) -> QWidget:
    """A view with a small part before it, along this line."""
    whole = QWidget()
    whole.setLayout(line)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(apart)
    line.addWidget(small)
    line.addWidget(view, 1)
    return whole
