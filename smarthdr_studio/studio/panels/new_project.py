"""Where a new project is to lie, asked once the dataset folder has been read."""

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.bracket import Catalogue
from smarthdr_studio.studio.panels.parts import button, caption, describe
from smarthdr_studio.studio.panels.place_line import ask_for_parent


class NewProjectDialog(QDialog):
    """Tells what was found and asks for a place, which is never inside the dataset."""

    chosen = Signal(object, object)

    def __init__(self, catalogue: Catalogue, *, place: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("New project")
        self._catalogue = catalogue
        self._path = QLineEdit(str(place))
        describe(self._path, name="Project folder", tip="Where the project is made")
        self._why_not = caption("", role="bad")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._create = self._buttons.addButton(
            "Create project", QDialogButtonBox.ButtonRole.AcceptRole
        )
        self._create.setProperty("role", "primary")
        self._create.setToolTip("Make the project folder and open it (Enter)")
        self._lay_out()
        self._buttons.accepted.connect(self._accept)
        self._buttons.rejected.connect(self.reject)
        self._path.textChanged.connect(self._check)
        self._check()

    def _lay_out(self) -> None:
        browse = button("Browse…", tip="Choose the folder the project is made in")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self._path, 1)
        row.addWidget(browse)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(caption(_found(self._catalogue), role="title"))
        column.addWidget(caption(str(self._catalogue.root), role="muted"))
        column.addWidget(caption("The project keeps labels, pseudo-labels and runs. Make it here:"))
        column.addLayout(row)
        column.addWidget(self._why_not)
        column.addWidget(self._buttons)
        self.resize(620, self.sizeHint().height())

    @Slot()
    def _check(self) -> None:
        reason = why_not(Path(self._path.text().strip()), self._catalogue.root)
        self._why_not.setText(reason)
        self._create.setEnabled(not reason)

    @Slot()
    def _accept(self) -> None:
        self.chosen.emit(self._catalogue, Path(self._path.text().strip()))
        self.accept()

    @Slot()
    def _browse(self) -> None:
        ask_for_parent(self._path, title="Make the project in")


def why_not(place: Path, dataset: Path) -> str:
    """Why a project cannot lie there, in words; empty where it can."""
    if not place.name.endswith(".shdr") or place.name == ".shdr":
        return "Give the folder a name that ends in .shdr."
    if not place.is_absolute():
        return "Give the whole path."
    if dataset.resolve() in (place.resolve(), *place.resolve().parents):
        return "Nothing is ever written into a dataset folder; choose a place outside it."
    if place.exists():
        return "There is such a folder already; choose another name."
    return ""


def _found(catalogue: Catalogue) -> str:
    test = sum(scene.split == "test" for scene in catalogue.scenes)
    words = f"{len(catalogue.scenes)} scenes found"
    words += f", {test} of them for testing" if test else ""
    return f"{words}; {len(catalogue.skipped)} left out" if catalogue.skipped else words
