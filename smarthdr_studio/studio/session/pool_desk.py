"""Knows what the thresholds keep of every scene and of the pool, from statistics alone."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.choosing import Place, least_trusted
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.retention import PoolStatistics, Retention
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import PoolCharts, PoolShares, SceneFacts
from smarthdr_studio.studio.tasks import Job, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.threads.charts import Charted, chart
from smarthdr_studio.studio.threads.pool import PoolReading, read_pool

CHARTED_AT_ONCE: Final = 200  # scenes; more are counted on a thread


class PoolDesk(QObject):
    """Reads the pool on a thread, answers questions about it in milliseconds."""

    read = Signal()
    charted = Signal(object, object)  # PoolCharts and WhatIf, None where there is no pool

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks = keeper, tasks
        self._files: dict[str, Path] = {}  # of every scene: ten thousand paths take a while
        self._reading: PoolReading | None = None
        self._share: dict[str, float] = {}
        self._masks: MaskSettings | None = None  # those asked about last
        self._answer: tuple[PoolStatistics, MaskSettings, Retention] | None = None
        self._refreshing = RepeatedTask(tasks, self._to_read, self._answered)
        self._charting = RepeatedTask(tasks, self._to_chart, self._charts_came)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        project, self._reading, self._masks = self._keeper.project, None, None
        self._files = (
            {each.id: project.statistics_path(each.id) for each in project.scenes}
            if project is not None
            else {}
        )
        self._answer = None
        self._share.clear()

    def refresh(self) -> None:
        """Read what is new on disk; asking again while reading reads once more."""
        self._refreshing.ask()

    def _to_read(self) -> Job[PoolReading] | None:
        if self._keeper.project is None:
            return None
        statuses, states = self._keeper.project.statuses(), self._keeper.project.ledger().scenes
        return partial(
            read_pool,
            scenes=self._keeper.project.scenes,
            files=self._files,
            unlabelled=frozenset(
                s for s, status in statuses.items() if status is Status.UNLABELLED
            ),
            runs=self._keeper.project.runs_folder,
            before=self._reading,
            persons={s: state.person for s, state in states.items() if state.person is not None},
            masks=self._masks or self._keeper.project.ledger().masks,
        )

    @property
    def reading(self) -> PoolReading | None:
        """The pool as its files said last; not to be changed."""
        return self._reading

    def retention(self, masks: MaskSettings) -> Retention | None:
        """What both gates keep of the pool; None where there is no pseudo-label yet."""
        pool, self._masks = self._pool, masks
        if pool is None:
            return None
        if self._answer is not None and self._answer[:2] == (pool, masks):
            return self._answer[2]
        answer = pool.retention(masks)
        self._remember(masks, answer)
        return answer

    def _remember(self, masks: MaskSettings, answer: Retention) -> None:
        if self._pool is not None:
            self._answer = self._pool, masks, answer
            self._share.update({scene: share.retained for scene, share in answer.scenes.items()})

    def rows(self, statuses: Mapping[str, Status]) -> tuple[SceneFacts, ...]:
        """Every scene's line."""
        sigma = self._reading.sigma_means if self._reading else {}
        return tuple(
            SceneFacts(
                id=scene,
                status=status,
                retained=self._share.get(scene),
                sigma_mean=sigma.get(scene),
            )
            for scene, status in statuses.items()
        )

    def trust_of_scenes(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Retained share and mean σ of every scene that has a pseudo-label, by its id."""
        return self._share, self._reading.sigma_means if self._reading else {}

    def note_share(self, scene: str, retained: float) -> None:
        """The exact share of the scene on the screen, where the pool does not tell it."""
        self._share[scene] = retained

    def counts(self, scene: str, person: str | None) -> bool:
        """Whether what is painted on a scene, by its hash, is in the pool's figures."""
        painted = self._reading.painted.get(scene) if self._reading else None
        return (painted.person if painted else None) == person

    def shares(
        self, retention: Retention | None, *, exact: tuple[str, float] | None = None
    ) -> PoolShares | None:
        """The pool as two figures; `exact` is the share of a scene that is known better."""
        if retention is None or self._reading is None or self._pool is None:
            return None
        retained = retention.retained
        if exact is not None and exact[0] in retention.scenes:
            scene, share = exact
            weight = self._reading.known[scene][1].pixels / self._pool.pixels
            retained += (share - retention.scenes[scene].retained) * weight
        return PoolShares(
            scenes=len(retention.scenes),
            retained=min(max(retained, 0.0), 1.0),
            patches_retained=retention.patches_retained,
        )

    def chart(self, masks: MaskSettings) -> None:
        """Count what the charts show, and the shares of scenes outside the pool.

        `charted` tells it: of a small pool at once, of a large one when a thread has counted.
        """
        self._masks = masks
        if self._reading is None or self._pool is None:
            self.charted.emit(None, None)
            return
        if self._reading.laid_out_for != (masks.patches, masks.pixels):
            self.refresh()  # other ranges: histograms and map follow from the thread
        self._charting.ask()

    def _to_chart(self) -> Job[Charted] | None:
        kept = self.retention(self._masks) if self._masks is not None else None
        if self._masks is None or kept is None or self._reading is None:
            return None
        if len(self._reading.known) > CHARTED_AT_ONCE:
            return plain(chart, reading=self._reading, masks=self._masks, kept=kept)
        self._show(chart(reading=self._reading, masks=self._masks, kept=kept))
        return None

    def _show(self, found: Charted) -> None:
        reading = found.reading
        self._share.update(found.others)
        charts = PoolCharts(patches=reading.patches, pixels=found.pixels, map=reading.map)
        self.charted.emit(charts, found.what_if)

    def share(self, masks: MaskSettings) -> float:
        """Which share of the pool these thresholds keep; 0 where there is none."""
        return self._pool.retention(masks).retained if self._pool is not None else 0.0

    def least_trusted(self) -> tuple[Place, ...]:
        """The least sure patch of every scene of the pool, the worst first."""
        if self._reading is None or self._pool is None:
            return ()
        return least_trusted({scene: self._reading.known[scene][1] for scene in self._pool.ids})

    @property
    def _pool(self) -> PoolStatistics | None:
        if self._reading is None or len(self._reading.statistics) == 0:
            return None
        return self._reading.statistics

    def _answered(self, reading: PoolReading) -> None:
        self._reading = reading
        self._share = {s: kept for s, kept in self._share.items() if s in reading.known}
        self._remember(*reading.judged)
        self.read.emit()
        if reading.problems:
            self._tasks.refused.emit(reading.problems[0])

    def _charts_came(self, found: Charted) -> None:
        if found.reading is self._reading:  # else another is asked about already
            self._show(found)
