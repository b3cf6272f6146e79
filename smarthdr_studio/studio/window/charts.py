"""Charts beside the pictures: what they show of the state, and where they go as files."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from smarthdr_studio.studio.plots.chart import Chart
from smarthdr_studio.studio.plots.heat_strip import HeatStripChart
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.plots.run_charts import RunBoard
from smarthdr_studio.studio.plots.uncertainty import Calibration, Sparsification
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import PoolCharts, StudioState, refused
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.file_dialogs import begin


class Charts:
    """Histograms and map of the pool, evidence and rounds."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"masks", "charts", "pool", "snapshots", "evidence", "heat", "history", "replay", "current"}
    )

    def __init__(self) -> None:
        self.patches = ThresholdHistogram("S_pa of the pool's patches", dropped="bad")
        self.pixels = ThresholdHistogram("S_pi of the pool's pixels", dropped="warn")
        self.map = RetentionMap()
        self.sparsification, self.calibration = Sparsification(), Calibration()
        self.heat = HeatStripChart()

    @property
    def all(self) -> tuple[Chart, ...]:
        """Every one of them."""
        evidence = self.sparsification, self.calibration
        return self.patches, self.pixels, self.map, *evidence, self.heat

    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show thresholds, the pool, the evidence and the rounds."""
        self.patches.set_tau(new.masks.tau_patch)
        self.pixels.set_tau(new.masks.tau_pixel)
        self.map.set_taus(new.masks.tau_patch, new.masks.tau_pixel, kept=_kept(new))
        if old.charts is not new.charts:
            self._show_pool(new.charts)
        if _map(old) is not _map(new):
            # The pool tells τ_pa down and τ_pi across; the map wants τ_pa across.
            shares = _map(new)
            self.map.set_shares(None if shares is None else shares.T)
        if old.snapshots != new.snapshots:
            self.map.set_marks(
                tuple((s.name, s.masks.tau_patch, s.masks.tau_pixel) for s in new.snapshots)
            )
        if old.evidence is not new.evidence:
            self.sparsification.set_evidence(new.evidence.shown)
            self.sparsification.set_point(new.evidence.point)
            self.calibration.set_evidence(new.evidence.shown)
        self.heat.show_state(old, new)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for chart in self.all:
            chart.set_palette_colours(palette)

    def _show_pool(self, pool: PoolCharts | None) -> None:
        nothing = np.zeros(1, np.int64)
        whose = pool.scope if pool else "pool"
        for chart, counts, name in (
            (self.patches, pool.patches if pool else nothing, f"S_pa of the {whose}'s patches"),
            (self.pixels, pool.pixels if pool else nothing, f"S_pi of the {whose}'s pixels"),
        ):
            chart.set_counts(np.linspace(0, 1, len(counts) + 1), counts)
            chart.set_name(name)


def _map(state: StudioState) -> npt.NDArray[np.float64] | None:
    return state.charts.map if state.charts is not None else None


def _kept(state: StudioState) -> float | None:
    return state.pool.retained if state.pool is not None else None


class ChartExport(QObject):
    """What is written is what there was when it was asked for."""

    def __init__(self, session: Session, charts: Iterable[Chart], parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        for chart in charts:
            chart.export_asked.connect(partial(self.export, chart))

    def export(self, chart: Chart, kind: str) -> None:
        """Ask for a place: "png" and "svg" are pictures, "csv" the numbers."""
        exports = self._session.exports
        if kind == "png":
            write = partial(exports.save_image, chart.figure())
        elif kind == "svg":
            write = partial(exports.save_svg, chart.svg())
        else:
            write = partial(exports.save_columns, dict(chart.table()))
        name = "-".join(filter(None, (self._session.state.project, chart.file_name())))
        _ask(chart, f"Export chart as {kind.upper()}", f"{name}.{kind}", write)


class CurveExport(QObject):
    """The same of a board of curves, of which several may go out together.

    Where it is not of the run on the screen, it is of the runs that are `chosen` in the list.
    """

    def __init__(self, session: Session, board: RunBoard, *, of_chosen: bool = False) -> None:
        super().__init__(board)
        self._session, self._board, self._of_chosen = session, board, of_chosen
        board.export_asked.connect(self.export)

    @Slot(str, object)
    def export(self, kind: str, names: tuple[str, ...]) -> None:
        """Ask where charts are to go: "png" or "svg" is a picture, "csv" their points."""
        curves = self._board.series(names)
        if not any(len(x) for x, _ in curves.values()):
            words = "There are no values to export yet; they begin with a run."
            self._session.tell(refused(words))
            return
        exports = self._session.exports
        if kind == "png":
            write = partial(exports.save_image, self._board.figure(names))
        elif kind == "svg":
            write = partial(exports.save_svg, self._board.svg(names))
        else:
            write = partial(exports.save_curves, curves)
        what = names[0].split("/")[0] if len(names) == 1 else "curves"
        name = f"{self._whose()}-{what}.{kind}"
        _ask(self._board, f"Export curves as {kind.upper()}", name, write)

    def _whose(self) -> str:
        """What tells these curves from others: their run, or how many runs of the project."""
        state = self._session.state
        runs = state.runs.chosen if self._of_chosen else (state.training.run,)
        if len(runs) > 1:
            return f"{state.project}-{len(runs)}-runs"
        return next(filter(None, runs), state.project)


def _ask(of: QWidget, title: str, name: str, write: Callable[[Path], None]) -> None:
    dialog = QFileDialog(of.window(), title)
    begin(dialog, "charts")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix[1:])
    dialog.selectFile(name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda chosen: write(Path(chosen)))
    dialog.open()
