"""Knows one scene in every round of the newest run, and reads its small pictures."""

import math
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from smarthdr_studio.core.history import RoundRecord
from smarthdr_studio.core.round_records import RecordedStatistics
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state.watching import FilmFrame, FilmState
from smarthdr_studio.studio.tasks import TaskRunner
from smarthdr_studio.studio.threads.films import read_previews


class FilmDesk(QObject):
    """Follows the scene on the screen, or keeps to one; pictures are read as they are wanted."""

    pictures_came = Signal(str, str, object)  # run, scene, pictures by round; null where none

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks = keeper, tasks

    @Slot()
    def refresh(self) -> None:
        """Another scene is looked at, or there are more rounds."""
        state = self._keeper.state
        known = {row.id for row in state.scenes}
        pinned = state.film.pinned if state.film.pinned in known else ""
        scene, history = pinned or state.current or "", state.history
        frames: tuple[FilmFrame, ...] = ()
        if history is not None and scene:
            frames = tuple(_frame(record, scene) for record in history.records)
            if all(frame.retained is None for frame in frames):
                frames = ()  # a scene with a label takes no part in rounds
        run = history.run if history is not None else ""
        self._keeper.become(film=FilmState(run=run, scene=scene, pinned=pinned, frames=frames))

    @Slot(bool)
    def pin(self, on: object) -> None:
        """Keep to the scene that is shown, or follow the one on the screen again."""
        film = self._keeper.state.film
        self._keeper.become(
            film=FilmState(
                run=film.run, scene=film.scene, pinned=film.scene if on else "", frames=film.frames
            )
        )
        self.refresh()

    @Slot(object)
    def want(self, rounds: tuple[int, ...]) -> None:
        """Read the pictures of these rounds."""
        film = self._keeper.state.film
        if self._keeper.project is None or not film.run or not rounds:
            return
        run = self._keeper.project.runs_folder / film.run
        self._tasks.start(
            partial(read_previews, run=run, scene=film.scene, rounds=rounds),
            partial(self._came, film.run, film.scene),
        )

    def _came(self, run: str, scene: str, pictures: dict[int, QImage]) -> None:
        film = self._keeper.state.film
        if (run, scene) == (film.run, film.scene):
            self.pictures_came.emit(run, scene, pictures)


def _frame(record: RoundRecord, scene: str) -> FilmFrame:
    sigma = None
    if isinstance(record.statistics, RecordedStatistics) and scene in record.statistics:
        # Border patches may be smaller; for a caption their mean is near enough.
        sigma = float(np.mean(record.statistics.means(scene)))
        sigma = sigma if math.isfinite(sigma) else None
    return FilmFrame(round=record.round, retained=record.retained.get(scene), sigma=sigma)
