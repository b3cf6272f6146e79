"""How the curated scenes are to be written as a dataset for other programs."""

from pathlib import Path
from typing import Final, Literal

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.journal import Status
from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.panels.parts import button, caption, describe
from smarthdr_studio.studio.panels.place_line import ask_for_parent
from smarthdr_studio.studio.state import DatasetWish, StudioState

_WIDTH: Final = 600
_FRAMES: Final = {
    "links": "Small; they follow the dataset where it lies now",
    "copies": "Large; they can be carried anywhere",
}
_LABELS: Final = {".hdr": "Radiance HDR, as Kalantari 2017 has it", ".exr": "EXR, half floats"}


class DatasetSheet(QDialog):
    """Not modal; nothing is written before Export."""

    wished = Signal(object)

    def __init__(self, state: StudioState, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export curated dataset")
        self._frames, self._labels = Choice(_FRAMES, name="Frames"), Choice(_LABELS, name="Labels")
        self._way: Literal["link", "copy"] = "link"
        self._suffix: Literal["hdr", "exr"] = "hdr"
        self._unlabelled = QCheckBox("With unlabelled scenes, in a folder of their own")
        self._path = QLineEdit(str(_place(state)))
        self._export = button("Export", tip="Write the folder (Enter)")
        self._cancel = button("Cancel", tip="Nothing is written (Esc)")
        self._browse = button("Browse…", tip="Choose where the folder is made")
        self._lay_out(state)
        self._frames.picked.connect(self._take_way)
        self._labels.picked.connect(self._take_suffix)
        self._path.textChanged.connect(self._weigh)
        self._browse.clicked.connect(self._ask_for_folder)
        self._export.clicked.connect(self.accept)
        self._cancel.clicked.connect(self.reject)

    def accept(self) -> None:
        """Say how it is wished."""
        self.wished.emit(
            DatasetWish(
                folder=Path(self._path.text().strip()),
                frames=self._way,
                labels=self._suffix,
                unlabelled=self._unlabelled.isChecked(),
            )
        )
        super().accept()

    @Slot(str)
    def _take_way(self, word: str) -> None:
        self._way = "link" if word == "links" else "copy"
        self._frames.show_word(word)

    @Slot(str)
    def _take_suffix(self, word: str) -> None:
        self._suffix = "hdr" if word == ".hdr" else "exr"
        self._labels.show_word(word)

    @Slot()
    def _weigh(self) -> None:
        self._export.setEnabled(Path(self._path.text().strip()).is_absolute())

    @Slot()
    def _ask_for_folder(self) -> None:
        ask_for_parent(self._path, title="Make the dataset folder in")

    def _lay_out(self, state: StudioState) -> None:
        counts = state.counts()
        told = (Status.GROUND_TRUTH, Status.PROMOTED, Status.TEST)
        words = " · ".join(f"{counts[status]} {status}" for status in told)
        describe(self._path, name="Folder", tip="The folder that is made; it must not exist yet")
        tip = f"{counts[Status.UNLABELLED]} scenes without a label"
        describe(self._unlabelled, name="With unlabelled scenes", tip=tip)
        self._frames.show_word("links")
        self._labels.show_word(".hdr")
        self._export.setProperty("role", "primary")
        self._export.setDefault(True)
        for other in (self._browse, self._cancel):
            other.setAutoDefault(False)
        grid, row, last = QGridLayout(), QHBoxLayout(), QHBoxLayout()
        for line, (name, choice) in enumerate((("Frames", self._frames), ("Labels", self._labels))):
            grid.addWidget(caption(name), line, 0)
            grid.addWidget(choice, line, 1)
        grid.setColumnStretch(2, 1)
        row.addWidget(self._path, 1)
        row.addWidget(self._browse)
        last.addStretch(1)
        last.addWidget(self._cancel)
        last.addWidget(self._export)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(caption(words, role="title"))
        layout = "The layout of Kalantari 2017, with masks beside promoted labels and a manifest."
        column.addWidget(caption(layout, role="muted"))
        column.addLayout(grid)
        column.addWidget(self._unlabelled)
        column.addLayout(row)
        column.addLayout(last)
        self.setMinimumWidth(_WIDTH)


def _place(state: StudioState) -> Path:
    """Beside the project, under its name."""
    beside = state.folder.parent if state.folder is not None else Path.home()
    return beside / f"{state.project}-curated"
