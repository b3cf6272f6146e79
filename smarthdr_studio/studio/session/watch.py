"""Notices what another window or the command line has decided, and files that have changed."""

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.screen import Screen

_LOOK_EVERY_MS: Final = 500  # costs one question to the database and a few to the disk


class Watch(QObject):
    """Looks twice a second; `noticed` tells that the journal was written by somebody else."""

    noticed = Signal()

    def __init__(self, keeper: Keeper, screen: Screen) -> None:
        super().__init__(keeper)
        self._keeper, self._screen = keeper, screen
        self._version = 0
        self._known: tuple[int, int] = (0, 0)
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self._look)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        if self._keeper.project is None:
            self._clock.stop()
        else:
            self._clock.start()

    def rest(self) -> None:
        """Look no more."""
        self._clock.stop()

    def has_read(self) -> None:
        """The journal is known as it is now; call this before it is read."""
        if self._keeper.project is not None:
            self._version = self._keeper.project.data_version()
            self._known = _decided(self._keeper.project)

    @Slot()
    def _look(self) -> None:
        if self._keeper.project is None:
            return
        try:
            version = self._keeper.project.data_version()
            if version != self._version:
                self._version = version  # figures that were kept are nobody's decision
                if _decided(self._keeper.project) != self._known:
                    self.noticed.emit()
        except StudioError as error:
            self._keeper.complain(str(error))
        self._screen.look_again()


def _decided(project: Project) -> tuple[int, int]:
    """How many decisions there are, and how many scenes were looked at."""
    return len(project.entries()), len(project.reviewed())
