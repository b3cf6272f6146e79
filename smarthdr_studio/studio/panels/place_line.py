"""A line that names a new folder, and the dialog that chooses where it is to lie."""

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QLineEdit


def ask_for_parent(line: QLineEdit, *, title: str) -> None:
    """Choose the folder around what the line names; its last part, the new folder's name, stays."""
    dialog = QFileDialog(line.window(), title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setDirectory(str(Path(line.text()).parent))
    dialog.fileSelected.connect(partial(_take_parent, line))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def _take_parent(line: QLineEdit, folder: str) -> None:
    line.setText(str(Path(folder) / Path(line.text()).name))
