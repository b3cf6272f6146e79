"""The first and the last page of an import: which folder is read, and where the project lies."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.dataset.start_page import ask_for_parent, why_not
from smarthdr_studio.studio.state import ImportState
from smarthdr_studio.studio.widgets.controls import (
    button,
    caption,
    describe,
)
from smarthdr_studio.studio.widgets.file_dialogs import begin


class FolderPage(QWidget):
    """Where the pictures are."""

    given = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.path = QLineEdit()
        self._shown: Path | None = None
        describe(self.path, name="Folder of brackets", tip="It is looked at, never written into")
        self.path.setPlaceholderText("A folder straight off a camera, or a published dataset")
        browse = button("Browse…", tip="Choose the folder")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(caption("Which folder holds the pictures?", role="title"))
        column.addLayout(row)
        for words in _SENSE:
            sentence = caption(words, role="muted")
            sentence.setWordWrap(True)
            column.addWidget(sentence)
        column.addStretch(1)

    def show_state(self, state: ImportState) -> None:
        """Show the folder that is looked at."""
        if state.folder is not None and state.folder != self._shown:
            self.path.setText(str(state.folder))
        self._shown = state.folder

    @property
    def folder(self) -> Path | None:
        """What is typed, None where nothing is."""
        text = self.path.text().strip()
        return Path(text).expanduser() if text else None

    @Slot()
    def _browse(self) -> None:
        dialog = QFileDialog(self.window(), "Folder of brackets")
        begin(dialog, "import brackets")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._take)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _take(self, folder: str) -> None:
        self.path.setText(folder)
        self.given.emit(Path(folder))


_SENSE: Final = (
    "A bracket is two or more exposures of one view. Pictures of several brackets may lie side by "
    "side: they are told apart by time, exposure and names, and you see how before anything is "
    "made.",
    "JPEG, TIFF, PNG, RAW and HEIC in folders of any depth. Nothing is copied or changed; the "
    "project only remembers which files form which scene.",
)


class PlacePage(QWidget):
    """Where the project lies, which is never inside the dataset."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.path, self._why_not = QLineEdit(), caption("", role="bad")
        self._found = caption("", role="title")
        self._folder: Path | None = None
        describe(self.path, name="Project folder", tip="Where the project is made")
        browse = button("Browse…", tip="Choose the folder the project is made in")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(browse)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._found)
        column.addWidget(caption("The project keeps labels, pseudo-labels and runs. Make it here:"))
        column.addLayout(row)
        column.addWidget(self._why_not)
        column.addStretch(1)
        self.path.textChanged.connect(self._weigh)

    @property
    def place(self) -> Path | None:
        """Where the project may be made, None where it may not."""
        text = self.path.text().strip()
        if self._folder is None or why_not(Path(text), self._folder):
            return None
        return Path(text)

    def show_state(self, state: ImportState) -> None:
        """Offer a place beside the folder."""
        if state.folder is not None and state.folder != self._folder:
            self._folder = state.folder
            root = state.folder.resolve()
            self.path.setText(str(root.with_name(f"{root.name}.shdr")))
        if state.catalogue is not None:
            scenes = counted(len(state.catalogue.scenes), "scene")
            labels = counted(len(state.labelled), "label") if state.labelled else "no label"
            self._found.setText(f"{scenes}, {labels} to begin with.")
        if state.step == "project":
            self._weigh()  # what was free when it was proposed may be taken by now

    @Slot()
    def _weigh(self) -> None:
        text = Path(self.path.text().strip())
        self._why_not.setText(why_not(text, self._folder) if self._folder else "")
        self.changed.emit()

    @Slot()
    def _browse(self) -> None:
        ask_for_parent(self.path, title="Make the project in")
