"""Sheets that a command opens beside the window: one of a kind, and none of a project that is left.

Sheets that show a part of the state come and go with it; these are made when they are asked for.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog, QWidget

from smarthdr_studio.studio.session import Session


class Sheets(QObject):
    """Not modal. Asked for again, a sheet comes to the front; one about something else gives way.

    Those about the open project are given up when it is left.
    """

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._open: dict[type[QDialog], tuple[QDialog, object]] = {}

    def show(
        self, kind: type[QDialog], make: Callable[[], QDialog], *, about: object, of_project: bool
    ) -> None:
        """Show the sheet of this kind; it is made where none is open that is `about` the same."""
        sheet, known = self._open.get(kind, (None, None))
        if sheet is not None and known != about:
            sheet.reject()
            sheet = None
        if sheet is None:
            sheet = make()
            sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            sheet.finished.connect(lambda _result, gone=sheet: self._forget(kind, gone))
            self._open[kind] = sheet, about
            if of_project:
                self._session.left.connect(sheet.reject)
            sheet.show()
        else:
            sheet.raise_()
        sheet.activateWindow()

    def _forget(self, kind: type[QDialog], gone: QDialog) -> None:
        if self._open.get(kind, (None, None))[0] is gone:
            del self._open[kind]
