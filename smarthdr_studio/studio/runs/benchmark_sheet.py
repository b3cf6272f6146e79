"""Training ▸ Benchmark: methods, labels and seeds as a table, a curve and claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, get_args

from PySide6.QtCore import QEvent, QModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.reporting.benchmark_figure import curves
from smarthdr_studio.core.reporting.benchmark_table import NOT_RUN, mean_and_spread, with_unit
from smarthdr_studio.core.training.benchmark import Metric, shipped_benchmarks
from smarthdr_studio.core.training.benchmark_claims import (
    SPREAD_IN_WORDS,
    RowFigures,
    in_decibels,
    mixed_programs,
    notes_of,
)
from smarthdr_studio.core.training.benchmark_watch import BenchmarkStand, CellStand
from smarthdr_studio.studio.plots.quality_curve import QualityCurve
from smarthdr_studio.studio.state import BenchmarkState, StudioState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.controls import (
    ClampedLabel,
    ElidedLabel,
    Scrolled,
    button,
    caption,
    clear,
    describe,
    rename,
)
from smarthdr_studio.studio.widgets.file_dialogs import begin
from smarthdr_studio.studio.widgets.tables import RIGHT, Column, ValueTableModel

_SIZE: Final = QSize(1000, 600)
_HALVES: Final = (560, 420)
_LEAST: Final = 240  # of the claims, across
_PAD: Final = 14  # pixels in a cell beside its words
_OTHER: Final = "A file…"
_TABLES: Final = "Markdown (*.md);;CSV (*.csv);;LaTeX (*.tex)"
_FIGURES: Final = "SVG (*.svg);;PDF (*.pdf)"
_METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
_SIGNS: Final[dict[str, str]] = {"at work": "►", "stopped": "■", "failed": "✕"}
_TONES: Final[dict[str, str]] = {
    "at work": "accent",
    "stopped": "muted",
    "failed": "bad",
    "not run": "muted",
}
_VERDICTS: Final = {True: ("✓", "good"), False: ("✕", "bad"), None: ("?", "muted")}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A row of the table: what is known of it, how its cells stand, and what they show."""

    figures: RowFigures
    cells: Mapping[int, CellStand]
    metric: Metric


class BenchmarkSheet(QDialog):
    """Not modal. Says what is chosen, what is to begin or stop, and which cell is to be opened."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"benchmark"})

    chosen = Signal(str, object, object)  # plan, dataset, folder
    start_asked = Signal()
    stop_asked = Signal()
    cell_opened = Signal(str, int)
    table_wished = Signal(object)
    figure_wished = Signal(object, str)
    seen = Signal(bool)

    def __init__(self, palette: Palette, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Benchmark")
        self._plan = ""
        self._dataset: Path | None = None
        self._into: Path | None = None
        self._told: tuple[tuple[str, str], ...] = ()
        self._said: list[list[object]] = []
        self._stand: BenchmarkStand | None = None
        self._plans, self._metrics = QComboBox(), QComboBox()
        self._places = {"Dataset": ElidedLabel(), "Runs in": ElidedLabel()}
        self._browse = {
            "Dataset": button("Choose…", tip="The folder of the scenes; nothing is written there"),
            "Runs in": button("Choose…", tip="Projects, runs and results lie there; it is kept"),
        }
        self._about, self._progress = ElidedLabel(role="muted"), ClampedLabel(lines=2)
        self._progress.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table, self.curve, self._claims = QTableView(), QualityCurve(), QVBoxLayout()
        self._model: ValueTableModel[_Line] = ValueTableModel(
            (), ident=lambda line: line.figures.row.name, parent=self
        )
        self.start = button("Start", tip="Run what is missing, beside this window", role="primary")
        self.stop = button("Stop", tip="Every run is saved; Go on loses nothing")
        self._export_table = button("Export table…", tip="As Markdown, CSV or LaTeX")
        self._export_figure = button("Export figure…", tip="Quality against labels as SVG or PDF")
        self._set_up()
        self._lay_out()
        self._connect()
        self.dress(palette)
        self.resize(_SIZE)

    def propose(self, dataset: Path | None, into: Path | None) -> None:
        """Start with these where nothing is chosen yet."""
        self._dataset, self._into = self._dataset or dataset, self._into or into
        self._choose()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show how the benchmark stands."""
        state = new.benchmark
        self._plan, self._dataset, self._into = state.plan or self._plan, state.dataset, state.into
        self._show_choice()
        if state.stand is not self._stand:
            known, self._stand = self._stand, state.stand
            self._offer_metrics(known)
            self._show_stand()
        self._progress.tell(_in_words(state))
        begun = state.stand is not None and state.stand.measured
        rename(self.start, "Go on" if begun else "Start")
        whole = state.stand is None or state.stand.measured == len(state.stand.cells)
        self.start.setEnabled(not (whole or state.at_work or state.starting))
        self.stop.setEnabled(state.at_work and not state.stopping)
        for each in (self._export_table, self._export_figure):
            each.setEnabled(state.stand is not None)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self.curve.set_palette_colours(palette)
        self.table.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        super().showEvent(event)
        self._tell_seen(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks; what is at work goes on."""
        super().hideEvent(event)
        self._tell_seen(event)

    def _tell_seen(self, event: QEvent) -> None:
        self.seen.emit(event.type() == QEvent.Type.Show)

    @property
    def shown_metric(self) -> Metric:
        """Which figure seeds and curve show."""
        wanted = self._metrics.currentData()
        return next((each for each in _METRICS if each == wanted), "psnr_mu")

    def _set_up(self) -> None:
        describe(self._plans, name="Plan", tip="A benchmark that ships, or a file of yours")
        describe(self._metrics, name="Metric", tip="What the seeds and the curve show")
        for name in (*shipped_benchmarks(), _OTHER):
            self._plans.addItem(name, name)
        self._plans.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._plans.setPlaceholderText("choose a plan")
        self._plans.setCurrentIndex(-1)
        self._metrics.hide()  # until there is a plan that has some
        table = self.table
        table.setModel(self._model)
        describe(
            table, name="Rows by seeds", tip="Return or a double click on a seed opens its run"
        )
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setAlternatingRowColors(True)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.horizontalHeader().setHighlightSections(False)
        # Return opens the run of a cell; it must not also begin what takes hours.
        exports = self._export_table, self._export_figure
        for each in (*self._browse.values(), *exports, self.stop, self.start):
            each.setAutoDefault(False)

    def _connect(self) -> None:
        self._plans.activated.connect(self._pick_plan)
        self._metrics.activated.connect(self._show_stand)
        for name, each in self._browse.items():
            each.clicked.connect(partial(self._ask_for_place, name))
        self.table.activated.connect(self._open)
        self.start.clicked.connect(self.start_asked)
        self.stop.clicked.connect(self.stop_asked)
        self._export_table.clicked.connect(partial(self._ask_for_file, _TABLES))
        self._export_figure.clicked.connect(partial(self._ask_for_file, _FIGURES))

    def _lay_out(self) -> None:
        halves = QSplitter(Qt.Orientation.Vertical)
        below = _beside(self._with_metrics(), self._with_claims())
        halves.addWidget(self.table)
        halves.addWidget(below)
        halves.setStretchFactor(0, 1)
        halves.setStretchFactor(1, 1)
        halves.setChildrenCollapsible(False)
        halves.setHandleWidth(8)
        last = QHBoxLayout()
        last.addWidget(self._progress, 1)
        for each in (self._export_table, self._export_figure, self.stop, self.start):
            last.addWidget(each)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 10, 12, 10)
        whole.addLayout(self._with_places())
        whole.addWidget(halves, 1)
        whole.addLayout(last)

    def _with_places(self) -> QGridLayout:
        """Which benchmark it is."""
        grid = QGridLayout()
        grid.addWidget(caption("Plan"), 0, 0)
        grid.addWidget(self._plans, 0, 1)
        grid.addWidget(self._about, 0, 2)
        for place, (name, label) in enumerate(self._places.items()):
            row = QHBoxLayout()
            row.addWidget(label, 1)
            row.addWidget(self._browse[name])
            grid.addWidget(caption(name), 1 + place, 0)
            grid.addLayout(row, 1 + place, 1, 1, 2)
        grid.setColumnStretch(2, 1)
        return grid

    def _with_metrics(self) -> QWidget:
        """The curve, and which figure it shows."""
        framed, head = QWidget(), QHBoxLayout()
        head.addWidget(self._metrics)
        head.addStretch(1)
        column = QVBoxLayout(framed)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.curve, 1)
        return framed

    def _with_claims(self) -> QWidget:
        inside = QWidget()
        inside.setLayout(self._claims)
        self._claims.setContentsMargins(0, 0, 4, 0)
        scrolled = Scrolled(inside)
        scrolled.setAccessibleName("Claims and their verdicts")
        scrolled.setMinimumWidth(_LEAST)
        return scrolled

    def _show_choice(self) -> None:
        names = {"Dataset": self._dataset, "Runs in": self._into}
        for name, label in self._places.items():
            label.tell("not chosen" if names[name] is None else str(names[name]))
        if self._plan and self._plans.findData(self._plan) < 0:  # a file, which is long to name
            self._plans.insertItem(self._plans.count() - 1, Path(self._plan).name, self._plan)
        self._plans.setCurrentIndex(self._plans.findData(self._plan) if self._plan else -1)
        told = self._plan or "A benchmark that ships, or a file of yours"
        self._plans.setToolTip(told)

    def _offer_metrics(self, known: BenchmarkStand | None) -> None:
        """Those of the plan come first."""
        stand = self._stand
        if stand is None or (known is not None and known.benchmark is stand.benchmark):
            return
        first = stand.benchmark.plan.metrics
        self._metrics.clear()
        for metric in (*first, *(each for each in _METRICS if each not in first)):
            self._metrics.addItem(with_unit(metric), metric)
        seeds, metrics = stand.benchmark.plan.seeds, stand.benchmark.plan.metrics
        self._model.show_columns([*_first_columns(metrics), *map(_seed_column, seeds), *_LAST])

    @Slot()
    def _show_stand(self) -> None:
        stand, metric = self._stand, self.shown_metric
        self._metrics.setVisible(stand is not None)
        if stand is None:
            self._about.tell("")
            self._model.show_values(())
            self.curve.set_curves({}, metric)
            self._show_claims(())
            return
        self._about.tell(stand.benchmark.plan.description)
        lines = [
            _Line(
                figures=figures,
                cells={seed: stand.cells[figures.row.name, seed] for seed in figures.seeds},
                metric=metric,
            )
            for figures in stand.rows
        ]
        self._model.show_values(lines)
        self._fit_columns()
        self.curve.set_curves(curves(stand.rows, metric), metric)
        told = [
            (f"{_VERDICTS[v.holds][0]} {v.claim.text}: {v.sentence}", _VERDICTS[v.holds][1])
            for v in stand.verdicts
        ]
        mixed = mixed_programs(stand.rows)
        warning = [(f"⚠ {mixed}", "warn")] if mixed else []
        notes = [(note, "muted") for note in notes_of(stand.rows)]
        self._show_claims((*warning, *told, *notes, (SPREAD_IN_WORDS, "muted")))

    def _fit_columns(self) -> None:
        """To what they say, where that is new: between two looks a width set by hand stays."""
        rows, columns = range(self._model.rowCount()), range(self._model.columnCount())
        said = [[self._model.index(row, column).data() for column in columns] for row in rows]
        if said == self._said:
            return
        self._said = said
        self.table.resizeColumnsToContents()
        for place in columns:
            self.table.setColumnWidth(place, self.table.columnWidth(place) + _PAD)

    def _show_claims(self, lines: tuple[tuple[str, str], ...]) -> None:
        if lines == self._told:
            return
        self._told = lines
        clear(self._claims)
        for words, role in lines:
            label = QLabel(words)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setProperty("role", role)
            self._claims.addWidget(label)
        self._claims.addStretch(1)

    @Slot(int)
    def _pick_plan(self, _place: int) -> None:
        name = self._plans.currentData()
        if name != _OTHER:
            self._plan = name
            self._choose()
            return
        self._show_choice()
        dialog = QFileDialog(self, "Plan of a benchmark")
        begin(dialog, "benchmark plan")
        dialog.setNameFilter("Benchmarks (*.toml)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_plan)
        dialog.open()

    @Slot(str)
    def _take_plan(self, name: str) -> None:
        self._plan = name
        self._choose()

    def _ask_for_place(self, name: str, *_: object) -> None:
        dialog = QFileDialog(self, f"Benchmark: {name.lower()}")
        begin(dialog, f"benchmark {name.lower()}")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(self.take_place, name))
        dialog.open()

    def take_place(self, name: str, folder: str) -> None:
        """A folder was picked, "Dataset" or "Runs in"."""
        if name == "Dataset":
            self._dataset = Path(folder)
        else:
            self._into = Path(folder)
        self._choose()

    def _choose(self) -> None:
        self.chosen.emit(self._plan, self._dataset, self._into)

    def _ask_for_file(self, kinds: str, *_: object) -> None:
        table = kinds is _TABLES
        dialog = QFileDialog(self, "Export table" if table else "Export figure")
        begin(dialog, "benchmark export")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(kinds)
        dialog.setDefaultSuffix("md" if table else "svg")
        name = "benchmark" if self._stand is None else self._stand.benchmark.name
        dialog.selectFile(f"{name}.{'md' if table else 'svg'}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(self._wish, table))
        dialog.open()

    def _wish(self, table: bool, name: str) -> None:  # noqa: FBT001 - of a signal
        if table:
            self.table_wished.emit(Path(name))
        else:
            self.figure_wished.emit(Path(name), self.shown_metric)

    @Slot(QModelIndex)
    def _open(self, index: QModelIndex) -> None:
        line = self._model.value(index.row())
        metrics = len(self._stand.benchmark.plan.metrics) if self._stand is not None else 0
        place = index.column() - 2 - metrics
        if 0 <= place < len(line.figures.seeds):
            self.cell_opened.emit(line.figures.row.name, line.figures.seeds[place])


def _beside(left: QWidget, right: QWidget) -> QSplitter:
    halves = QSplitter(Qt.Orientation.Horizontal)
    for each in (left, right):
        halves.addWidget(each)
        halves.setStretchFactor(halves.count() - 1, 1)
    halves.setChildrenCollapsible(False)
    halves.setHandleWidth(8)
    halves.setSizes(_HALVES)
    return halves


def _first_columns(metrics: tuple[Metric, ...]) -> list[Column[_Line]]:
    head: list[Column[_Line]] = [
        Column(
            title="Row", text=lambda line: line.figures.row.name, tip="A method with its labels"
        ),
        Column(
            title="Labels",
            text=lambda line: _labels(line.figures),
            tip="Ground truths it learns from",
            side=RIGHT,
        ),
    ]
    return [*head, *map(_metric_column, metrics)]


def _metric_column(metric: Metric) -> Column[_Line]:
    def text(line: _Line) -> str:
        return mean_and_spread(line.figures, metric)

    def tone(line: _Line) -> str:
        return "muted" if text(line) == NOT_RUN else ""

    return Column(
        title=with_unit(metric),
        text=text,
        tip=f"Mean over seeds. {SPREAD_IN_WORDS}",
        side=RIGHT,
        tone=tone,
    )


def _seed_column(seed: int) -> Column[_Line]:
    def text(line: _Line) -> str:
        cell, result = line.cells[seed], line.figures.results.get(seed)
        if result is None:
            sign = _SIGNS.get(cell.status, "")
            return " ".join(filter(None, (sign, cell.status)))
        value = result.teacher.get(line.metric)
        if value is None:
            return "no number"
        return f"{value:.2f}" if in_decibels(line.metric) else f"{value:.4f}"

    def tooltip(line: _Line) -> str:
        cell = line.cells[seed]
        opens = "Return opens its run" if cell.project is not None else "Its run is not kept"
        opens = "" if cell.status in ("not run", "failed") and cell.project is None else opens
        return "\n".join(
            filter(None, (f"{cell.row}, seed {seed}: {cell.status}", cell.words, opens))
        )

    return Column(
        title=f"Seed {seed}",
        text=text,
        tip="The figure of one run; Return or a double click opens it",
        side=RIGHT,
        tone=lambda line: _TONES.get(line.cells[seed].status, ""),
        tooltip=tooltip,
        spoken=tooltip,
    )


def _time(line: _Line) -> str:
    return "" if line.figures.seconds is None else f"{line.figures.seconds:,.0f} s"


_LAST: Final[tuple[Column[_Line], ...]] = (
    Column(title="A run took", text=_time, tip="On average over seeds", side=RIGHT),
)


def _labels(figures: RowFigures) -> str:
    return str(figures.row.labels if figures.labels is None else figures.labels)


def _in_words(state: BenchmarkState) -> str:
    """How far it is, and what goes on."""
    stand = state.stand
    if stand is None:
        return state.words
    done = f"{stand.measured} of {len(stand.cells)} runs are measured"
    at_work = [
        f"{cell.row}, seed {cell.seed} ({cell.words})" if cell.words else cell.row
        for cell in stand.cells.values()
        if cell.status == "at work"
    ]
    failed = sum(cell.status == "failed" for cell in stand.cells.values())
    told = [done]
    if failed:
        told.append(f"{failed} failed")
    if state.stopping:
        told.append("stopping: every run is saved")
    elif at_work:
        told.append(f"at work: {'; '.join(at_work)}")
    elif state.at_work or state.starting:
        told.append("beginning")
    return ". ".join(filter(None, (" · ".join(told), state.words)))
