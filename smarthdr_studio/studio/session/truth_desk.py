"""Looks at a ground truth that a person brings, and keeps it when told to."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.journal import Status
from smarthdr_studio.studio.session.curating import Curating
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import TruthState, TruthWish
from smarthdr_studio.studio.tasks import How, LatestTask, TaskRunner
from smarthdr_studio.studio.threads.truths import BroughtTruth, keep_truth, look_at_truth


class TruthDesk(QObject):
    """One ground truth at a time; nothing is decided before the person has seen what was found."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, curating: Curating) -> None:
        super().__init__(keeper)
        self._keeper, self._curating = keeper, curating
        self._looking = LatestTask(tasks, how=How(shown=True))
        self._brought: BroughtTruth | None = None
        keeper.switched.connect(self._switch)

    @property
    def at_work(self) -> bool:
        """Whether files are being looked at."""
        return self._looking.at_work

    @Slot()
    def _switch(self) -> None:
        self._brought = None

    @Slot(str, object, object)
    def bring(
        self, scene: str, files: tuple[Path, ...], evs: tuple[float, ...] | None = None
    ) -> None:
        """Look at one file, or at the frames of a static bracket, for this scene."""
        if self._keeper.project is None or not files:
            return
        self.give_up()
        status = self._keeper.project.statuses()[scene]
        known = status in (Status.GROUND_TRUTH, Status.PROMOTED)
        self._keeper.become(
            truth=TruthState(scene=scene, files=files, replaces=str(status) if known else "")
        )
        job = partial(
            look_at_truth,
            folder=self._keeper.project.folder,
            scene=scene,
            files=files,
            evs=evs,
        )
        self._looking.start(job, self._looked, self._refused)

    @Slot(object)
    def use(self, wish: TruthWish) -> None:
        """Keep what was looked at as the scene's ground truth."""
        brought, self._brought = self._brought, None
        if self._keeper.project is None or brought is None:
            return
        self._keeper.become(truth=None)
        job = partial(
            keep_truth,
            folder=self._keeper.project.folder,
            brought=brought,
            fix=wish.fix,
            note=wish.note,
        )
        words = f"bring a ground truth to {brought.scene}"
        fixed = f"; {wish.fix.sentence}" if wish.fix.needed else ""
        learns = f"{brought.scene} learns from {_names(brought.files)} from now on{fixed}."
        self._curating.decide_at_length(job, words=words, said=learns)

    @Slot()
    def give_up(self) -> None:
        """It is not wanted; a file that is still being read is read to its end and dropped."""
        self._brought = None
        self._looking.cancel()
        self._keeper.become(truth=None)

    def _looked(self, brought: BroughtTruth) -> None:
        truth = self._keeper.state.truth
        if truth is None:
            return
        self._brought = brought
        self._keeper.become(
            truth=replace(truth, findings=brought.findings, pictures=brought.pictures)
        )

    def _refused(self, message: str) -> None:
        truth = self._keeper.state.truth
        if truth is not None:
            self._keeper.become(truth=replace(truth, fault=message))


def _names(files: tuple[Path, ...]) -> str:
    return files[0].name if len(files) == 1 else f"a merge of {len(files)} files"
