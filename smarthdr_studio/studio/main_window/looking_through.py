"""Looking at the scene on the screen through a model file, and through the newest checkpoint."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from smarthdr_studio.studio.session import Session

_MODELS: Final = "Models (*.shdrmodel)"


class LookingThrough(QObject):
    """Asks which file is meant."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        opinions = self._session.inspection.opinions
        return {
            "look_through_file": self.ask_for_model,
            "look_through_newest": partial(opinions.look_through, None),
        }

    @Slot()
    def ask_for_model(self) -> None:
        """The views of the student come from the file that is picked, from then on."""
        dialog = QFileDialog(self._window, "Look through a model file")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(_MODELS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._look_through)
        dialog.open()

    @Slot(str)
    def _look_through(self, name: str) -> None:
        self._session.inspection.opinions.look_through(Path(name))
