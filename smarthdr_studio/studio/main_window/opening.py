"""Asks which folder to open, and where a new project is to lie."""

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from smarthdr_studio.core.bracket import Catalogue
from smarthdr_studio.studio.panels.new_project import NewProjectDialog
from smarthdr_studio.studio.session import Session


class Opening(QObject):
    """Every question is put in a window of its own and stops nobody."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    @Slot()
    def open_project(self) -> None:
        """Ask for a project folder."""
        self._ask_for_folder("Open a project (NAME.shdr)")

    @Slot()
    def open_dataset(self) -> None:
        """Ask for a dataset folder."""
        self._ask_for_folder("Open a dataset folder")

    @Slot(object)
    def ask_for_place(self, catalogue: Catalogue) -> None:
        """Ask where the project over these scenes is to lie."""
        root = catalogue.root.resolve()
        place = root.with_name(f"{root.name}.shdr")
        dialog = NewProjectDialog(catalogue, place=place, parent=self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._session.create_project)
        dialog.open()

    def _ask_for_folder(self, title: str) -> None:
        dialog = QFileDialog(self._window, title)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_folder)
        dialog.open()

    @Slot(str)
    def _take_folder(self, folder: str) -> None:
        self._session.take(Path(folder))
