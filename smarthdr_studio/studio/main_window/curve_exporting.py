"""Asks where curves are to go, as a picture or as a table, and hands them to whoever writes."""

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog

from smarthdr_studio.studio.main_window.run_board import RunBoard
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Notice

_TITLES: Final = {"png": "Export curves as PNG", "csv": "Export curves as CSV"}


class CurveExporting(QObject):
    """What is written is what there was when it was asked for."""

    def __init__(self, session: Session, board: RunBoard) -> None:
        super().__init__(board)
        self._session, self._board = session, board
        board.export_asked.connect(self.export)

    @Slot(str, object)
    def export(self, kind: str, names: tuple[str, ...]) -> None:
        """Ask where charts are to go: "png" is a picture, "csv" their points."""
        curves = self._board.series(names)
        if not any(len(x) for x, _ in curves.values()):
            words = "There are no values to export yet; they begin with a run."
            self._session.tell(Notice(text=words, tone="warn"))
            return
        exports = self._session.exports
        if kind == "png":
            write = partial(exports.save_image, self._board.figure(names))
        else:
            write = partial(exports.save_curves, curves)
        dialog = QFileDialog(self._board.window(), _TITLES[kind])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(kind)
        dialog.selectFile(f"{self._name(names)}.{kind}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: write(Path(name)))
        dialog.open()

    def _name(self, names: tuple[str, ...]) -> str:
        run = self._session.state.training.run or self._session.state.project
        what = names[0].split("/")[0] if len(names) == 1 else "curves"
        return f"{run}-{what}"
