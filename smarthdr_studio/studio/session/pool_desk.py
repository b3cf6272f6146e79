"""Knows what the thresholds keep of every scene and of the pool, from statistics alone."""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.retention import PoolStatistics, Retention
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.state import PoolCharts, PoolShares, SceneRow
from smarthdr_studio.studio.threads.pool import PoolReading, read_pool


class PoolDesk(QObject):
    """Reads the pool on a thread, answers questions about it in milliseconds."""

    read = Signal()
    refused = Signal(str)

    def __init__(self, crew: Crew, parent: QObject) -> None:
        super().__init__(parent)
        self._crew = crew
        self._project: Project | None = None
        self._reading: PoolReading | None = None
        self._sigma: dict[str, float] = {}
        self._share: dict[str, float] = {}
        self._asked, self._again = False, False
        self._serial = 0

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self._project, self._reading = project, None
        self._asked, self._again = False, False
        self._serial += 1
        self._sigma.clear()
        self._share.clear()

    def refresh(self) -> None:
        """Read what is new on disk; asking again while reading reads once more."""
        if self._project is None:
            return
        if self._asked:
            self._again = True
            return
        self._asked = True
        statuses = self._project.statuses()
        job = partial(
            read_pool,
            serial=self._serial,
            files={scene: self._project.statistics_path(scene) for scene in statuses},
            unlabelled=frozenset(
                s for s, status in statuses.items() if status is Status.UNLABELLED
            ),
            known=self._reading.known if self._reading else {},
            masks=self._project.ledger().masks,
        )
        self._crew.start(job, answered=self._answered, refused=self._failed)

    def retention(self, masks: MaskSettings) -> Retention | None:
        """What both gates keep of the pool; None where there is no pseudo-label yet."""
        pool = self._pool
        if pool is None:
            return None
        answer = pool.retention(masks)
        self._share.update({scene: share.retained for scene, share in answer.scenes.items()})
        return answer

    def rows(self, statuses: Mapping[str, Status]) -> tuple[SceneRow, ...]:
        """Every scene's line; a scene outside the pool keeps the share it was last seen with."""
        return tuple(
            SceneRow(
                id=scene,
                status=status,
                retained=self._share.get(scene),
                sigma_mean=self._sigma.get(scene),
            )
            for scene, status in statuses.items()
        )

    def note_share(self, scene: str, retained: float) -> None:
        """The exact share of the scene on the screen, where the pool does not tell it."""
        self._share[scene] = retained

    def shares(self, retention: Retention | None) -> PoolShares | None:
        """The pool as two figures."""
        if retention is None:
            return None
        return PoolShares(
            scenes=len(retention.scenes),
            retained=retention.retained,
            patches_retained=retention.patches_retained,
        )

    def charts(self, masks: MaskSettings) -> PoolCharts | None:
        """The pool as pictures."""
        if self._reading is None or self._pool is None:
            return None
        return PoolCharts(
            patches=self._reading.patches,
            pixels=self._pool.pixel_histogram(masks),
            map=self._reading.map,
        )

    @property
    def _pool(self) -> PoolStatistics | None:
        if self._reading is None or len(self._reading.statistics) == 0:
            return None
        return self._reading.statistics

    @Slot(object)
    def _answered(self, reading: PoolReading) -> None:
        if reading.serial != self._serial or self._project is None:
            return
        self._asked = False
        self._reading = reading
        self._sigma = reading.sigma_means
        self._share = {s: kept for s, kept in self._share.items() if s in reading.known}
        self.read.emit()
        if reading.problems:
            self.refused.emit(reading.problems[0])
        self._once_more()

    @Slot(str)
    def _failed(self, message: str) -> None:
        self._asked = False
        self.refused.emit(message)
        self._once_more()

    def _once_more(self) -> None:
        if self._again:
            self._again = False
            self.refresh()
