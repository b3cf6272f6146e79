"""Asks where pictures are to go, and hands them to whoever writes them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from smarthdr_studio.studio.canvas.grid import ViewGrid
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Notice

_TITLES: Final[dict[str, str]] = {
    "export_view": "Export this view as PNG",
    "export_sheet": "Export all views as one PNG",
    "export_png16": "Export this layer as 16-bit PNG",
    "export_exr": "Export this layer as EXR",
}


class Exporting:
    """Pictures are taken at once, so what is saved is what was on the screen when it was asked."""

    def __init__(self, session: Session, views: ViewGrid, window: QWidget) -> None:
        self._session, self._views, self._window = session, views, window
        self.visible_only = False

    def export(self, kind: str) -> None:
        """Carry out one kind of export, by its name in the table of actions."""
        if self._session.state.shown is None:
            self._session.tell(Notice(text="There is no picture to export yet.", tone="warn"))
        elif kind in _TITLES:
            self._ask(kind)
        else:
            image = self._sheet() if kind == "copy_sheet" else self._figure()
            QGuiApplication.clipboard().setImage(image)
            what = "All views are" if kind == "copy_sheet" else "The view is"
            self._session.tell(Notice(text=f"{what} on the clipboard."))

    def writer(self, kind: str) -> Callable[[Path], None]:
        """What will write the picture of now to a path."""
        exports, view = self._session.exports, self._session.state.active
        match kind:
            case "export_view":
                return partial(exports.save_image, self._figure())
            case "export_sheet":
                return partial(exports.save_image, self._sheet())
            case "export_png16":
                return partial(exports.save_layer, view, "png16")
            case _:
                return partial(exports.save_layer, view, "exr")

    def _ask(self, kind: str) -> None:
        dialog = QFileDialog(self._window, _TITLES[kind])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(_suffix(kind))
        dialog.selectFile(self._name(kind))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_write, self.writer(kind)))
        dialog.open()

    def _figure(self) -> QImage:
        return self._views.figure(self._session.state.active, visible_only=self.visible_only)

    def _sheet(self) -> QImage:
        return self._views.sheet(visible_only=self.visible_only)

    def _name(self, kind: str) -> str:
        state = self._session.state
        layer = state.views[state.active].layer.name.lower().replace("_", "-")
        what = "views" if kind == "export_sheet" else layer
        return f"{state.shown}-{what}.{_suffix(kind)}"


def _suffix(kind: str) -> str:
    return "exr" if kind == "export_exr" else "png"


def _write(writer: Callable[[Path], None], name: str) -> None:
    writer(Path(name))
