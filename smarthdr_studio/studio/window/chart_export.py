"""Asks where charts are to go, as pictures, as drawings or as their numbers."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from smarthdr_studio.studio.plots.chart import Chart
from smarthdr_studio.studio.plots.run_charts import RunBoard
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.widgets.file_dialogs import begin


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
    """The same of a board of curves, of which several may go out together."""

    def __init__(self, session: Session, board: RunBoard) -> None:
        super().__init__(board)
        self._session, self._board = session, board
        board.export_asked.connect(self.export)

    @Slot(str, object)
    def export(self, kind: str, names: tuple[str, ...]) -> None:
        """Ask where charts are to go: "png" or "svg" is a picture, "csv" their points."""
        curves = self._board.series(names)
        if not any(len(x) for x, _ in curves.values()):
            words = "There are no values to export yet; they begin with a run."
            self._session.tell(Notice(text=words, tone="warn"))
            return
        exports = self._session.exports
        if kind == "png":
            write = partial(exports.save_image, self._board.figure(names))
        elif kind == "svg":
            write = partial(exports.save_svg, self._board.svg(names))
        else:
            write = partial(exports.save_curves, curves)
        run = self._session.state.training.run or self._session.state.project
        what = names[0].split("/")[0] if len(names) == 1 else "curves"
        _ask(self._board, f"Export curves as {kind.upper()}", f"{run}-{what}.{kind}", write)


def _ask(of: QWidget, title: str, name: str, write: Callable[[Path], None]) -> None:
    dialog = QFileDialog(of.window(), title)
    begin(dialog, "charts")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix[1:])
    dialog.selectFile(name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda chosen: write(Path(chosen)))
    dialog.open()
