"""Writes what is on the screen to files, on a thread, and says where it went."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.screen import Screen
from smarthdr_studio.studio.session.viewing import settings_of
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.tasks import Job, TaskRunner, plain
from smarthdr_studio.studio.threads.exports import save_curves, save_image, save_layer

Format = Literal["png16", "exr"]


class ExportDesk(QObject):
    """One file at a time is enough for anyone; a failure is told, nothing half-written stays."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, screen: Screen) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks, self._screen = keeper, tasks, screen

    def save_image(self, image: QImage, path: Path) -> None:
        """A finished picture as PNG."""
        self._start(plain(save_image, image=image, path=path))

    def save_curves(
        self,
        curves: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
        path: Path,
    ) -> None:
        """Curves, steps and values by name, as CSV."""
        self._start(partial(save_curves, curves=curves, path=path))

    def save_layer(self, view: int, kind: Format, path: Path) -> None:
        """The numbers behind a view: 16-bit PNG as shown, or EXR as they are."""
        state = self._keeper.state
        job = plain(
            save_layer,
            layer=state.views[view].layer,
            material=self._screen.stage.material,
            settings=settings_of(state, view),
            path=path,
            kind=kind,
        )
        self._start(job)

    def _start(self, job: Job[Path]) -> None:
        self._tasks.start(job, self._saved)

    def _saved(self, path: Path) -> None:
        self._keeper.notice(Notice(text=f"Saved {path}"))
