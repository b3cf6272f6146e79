"""Asks the networks of the newest checkpoint about the scene on the screen."""

from functools import partial
from typing import Literal

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.threads.opinions import Opinion, ask, forget
from smarthdr_studio.studio.threads.task import Task

Who = Literal["student", "teacher"]


class OpinionDesk(QObject):
    """One question at a time; a question about a scene that was left is given up."""

    came = Signal(object)

    def __init__(self, keeper: Keeper, crew: Crew) -> None:
        super().__init__(keeper)
        self._keeper, self._crew = keeper, crew
        self._project: Project | None = None
        self._task: Task | None = None
        self._pending: tuple[str, Who] | None = None
        self._tried: set[tuple[str, Who]] = set()

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self._project = project
        self.forget()

    def forget(self) -> None:
        """A newer checkpoint may say something else; its networks give their memory back."""
        self._tried.clear()
        self._pending = None
        forget()
        if self._task is not None:
            self._task.requestInterruption()

    def ask(self, scene: str, who: Who, *, frames: FrameStore) -> None:
        """Ask once per scene and checkpoint; the answer comes as `came`."""
        if self._project is None or (scene, who) in self._tried:
            return
        if self._task is not None:
            if self._pending != (scene, who):
                self._task.requestInterruption()
            return
        self._tried.add((scene, who))
        self._pending = (scene, who)
        job = partial(ask, project=self._project.folder, scene=scene, who=who, frames=frames)
        self._task = self._crew.start(
            job, answered=self._answered, refused=self._refused, told=True
        )
        self._task.given_up.connect(self._given_up)

    @Slot(object)
    def _answered(self, opinion: Opinion) -> None:
        self._end()
        self.came.emit(opinion)

    @Slot(str)
    def _refused(self, message: str) -> None:
        self._end()
        self._keeper.complain(message)

    @Slot()
    def _given_up(self) -> None:
        if self._pending is not None:
            self._tried.discard(self._pending)
        self._end()

    def _end(self) -> None:
        self._task, self._pending = None, None
        self._keeper.become(busy="", progress=None)
