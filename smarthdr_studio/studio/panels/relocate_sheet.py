"""Asks where the dataset lies now, when its folder is not where it was."""

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.panels.parts import button, caption, describe, give_role
from smarthdr_studio.studio.state import MovedState, StudioState

_WIDTH = 640


class RelocateSheet(QDialog):
    """Not modal: whoever does not know can say so and go on with what the project holds itself."""

    folder_given = Signal(object, bool)
    not_now = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Where is the dataset?")
        self._moved: MovedState | None = None
        self._gone, self._old = caption("", role="title"), caption("", role="muted")
        self._guessed = caption("")
        self._path = QLineEdit()
        self._browse = button("Browse…", tip="Choose the dataset folder")
        self._partly = QCheckBox("A part of the scenes is enough")
        self._fault = caption("", role="bad")
        self._later = button("Not now", tip="Work with what the project holds itself (Esc)")
        self._use = button("Use this folder", tip="Its scenes are looked for there (Enter)")
        self._lay_out()
        self._browse.clicked.connect(self._ask_for_folder)
        self._path.textChanged.connect(self._weigh)
        self._use.clicked.connect(self._take)
        self._later.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Ask, or go."""
        if new.moved == self._moved:
            return
        before, self._moved = self._moved, new.moved
        if new.moved is None:
            self.hide()
            return
        if before is None or before.root != new.moved.root:
            self._path.setText(str(new.moved.guess or ""))
            self._partly.setChecked(new.moved.partly)
        self._show(new.moved)
        self.show()

    def reject(self) -> None:
        """Escape is "not now"."""
        self.not_now.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So is closing the sheet."""
        super().closeEvent(event)
        if self._moved is not None:
            self.not_now.emit()

    def _show(self, moved: MovedState) -> None:
        what = "Some scenes of the dataset are gone." if moved.partly else "The dataset is gone."
        self._gone.setText(what)
        self._old.setText(f"It was {moved.root}")
        self._fault.setText(moved.fault)
        self._fault.setVisible(bool(moved.fault))
        for part in (self._path, self._browse, self._partly):
            part.setEnabled(not moved.at_work)
        self._use.setText("Looking …" if moved.at_work else "Use this folder")
        self._weigh()
        self.adjustSize()

    @Slot()
    def _weigh(self) -> None:
        path, moved = self._path.text().strip(), self._moved
        guessed = moved is not None and moved.guess is not None and path == str(moved.guess)
        self._guessed.setText("Its scenes seem to lie here:" if guessed else "Where is it now?")
        give_role(self._guessed, role="good" if guessed else "")
        self._use.setEnabled(bool(path) and not (moved is not None and moved.at_work))

    @Slot()
    def _take(self) -> None:
        self.folder_given.emit(Path(self._path.text().strip()), self._partly.isChecked())

    @Slot()
    def _ask_for_folder(self) -> None:
        dialog = QFileDialog(self, "The dataset folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._path.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _lay_out(self) -> None:
        describe(self._path, name="Dataset folder", tip="The folder that holds the scenes now")
        tip = "Also where fewer than half of the project's scenes lie there"
        describe(self._partly, name="A part is enough", tip=tip)
        self._use.setProperty("role", "primary")
        self._use.setDefault(True)
        self._later.setAutoDefault(False)
        self._browse.setAutoDefault(False)
        for words in (self._fault, self._old):
            words.setWordWrap(True)
        stays = caption(
            "Labels, pseudo-labels and runs lie in the project: they can be looked at meanwhile.",
            role="muted",
        )
        row, last = QHBoxLayout(), QHBoxLayout()
        row.addWidget(self._path, 1)
        row.addWidget(self._browse)
        last.addStretch(1)
        last.addWidget(self._later)
        last.addWidget(self._use)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        for part in (self._gone, self._old, self._guessed):
            column.addWidget(part)
        column.addLayout(row)
        column.addWidget(self._partly)
        for words in (self._fault, stays):
            column.addWidget(words)
        column.addLayout(last)
        self.setMinimumWidth(_WIDTH)
