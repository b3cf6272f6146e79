"""Looks at a ground truth that a person brings, and keeps it when told to."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.curating import Curating
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import TruthState, TruthWish
from smarthdr_studio.studio.threads.task import Task
from smarthdr_studio.studio.threads.truths import BroughtTruth, keep_truth, look_at_truth


class TruthDesk(QObject):
    """One ground truth at a time; nothing is decided before the person has seen what was found."""

    ended = Signal()  # nobody looks at files any more

    def __init__(self, keeper: Keeper, crew: Crew, curating: Curating) -> None:
        super().__init__(keeper)
        self._keeper, self._crew, self._curating = keeper, crew, curating
        self._project: Project | None = None
        self._brought: BroughtTruth | None = None
        self._task: Task | None = None
        self._serial = 0  # counts the files looked at

    @property
    def at_work(self) -> bool:
        """Whether files are being looked at."""
        return self._task is not None

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self.give_up()
        self._project = project

    @Slot(str, object, object)
    def bring(
        self, scene: str, files: tuple[Path, ...], evs: tuple[float, ...] | None = None
    ) -> None:
        """Look at one file, or at the frames of a static bracket, for this scene."""
        if self._project is None or not files:
            return
        self.give_up()
        status = self._project.statuses()[scene]
        known = status in (Status.GROUND_TRUTH, Status.PROMOTED)
        self._keeper.become(
            truth=TruthState(scene=scene, files=files, replaces=str(status) if known else "")
        )
        job = partial(
            look_at_truth,
            serial=self._serial,
            folder=self._project.folder,
            scene=scene,
            files=files,
            evs=evs,
        )
        self._task = self._crew.start(job, answered=self._looked, refused=self._refused, told=True)
        self._task.given_up.connect(self._given_up)

    @Slot(object)
    def use(self, wish: TruthWish) -> None:
        """Keep what was looked at as the scene's ground truth."""
        brought, self._brought = self._brought, None
        if self._project is None or brought is None:
            return
        self._keeper.become(truth=None)
        job = partial(
            keep_truth,
            folder=self._project.folder,
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
        self._serial += 1
        self._brought = None
        if self._task is not None:
            self._task.requestInterruption()
            self._stopped()
        self._keeper.become(truth=None)

    @Slot(object)
    def _looked(self, brought: BroughtTruth) -> None:
        truth = self._keeper.state.truth
        if brought.serial != self._serial or truth is None:
            return
        self._stopped()
        self._brought = brought
        self._keeper.become(
            truth=replace(truth, findings=brought.findings, pictures=brought.pictures)
        )

    @Slot(str)
    def _refused(self, message: str) -> None:
        truth = self._keeper.state.truth
        if self.sender() is not self._task or truth is None:
            return
        self._stopped()
        self._keeper.become(truth=replace(truth, fault=message))

    @Slot()
    def _given_up(self) -> None:
        if self.sender() is self._task:
            self._stopped()

    def _stopped(self) -> None:
        self._task = None
        self.ended.emit()


def _names(files: tuple[Path, ...]) -> str:
    return files[0].name if len(files) == 1 else f"a merge of {len(files)} files"
