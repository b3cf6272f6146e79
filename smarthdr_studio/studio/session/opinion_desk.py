"""Asks the networks of the newest checkpoint, or a model file, about the scene on the screen."""

from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Final, Literal

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.threads.model_export import look_at_model
from smarthdr_studio.studio.threads.opinions import Opinion, ask, forget
from smarthdr_studio.studio.threads.task import Task

Who = Literal["student", "teacher"]
Question = tuple[str, Who]

_KEPT: Final = 6  # answers; the newest scenes are those gone back to


class OpinionDesk(QObject):
    """One question at a time; the newest is the one that matters, so an older one is given up."""

    came = Signal(object)
    turned = Signal()  # another network is asked from now on

    def __init__(self, keeper: Keeper, crew: Crew) -> None:
        super().__init__(keeper)
        self._keeper, self._crew = keeper, crew
        self._project: Project | None = None
        self._task: Task | None = None
        self._asked: Question | None = None  # under way
        self._next: tuple[Question, FrameStore] | None = None
        self._known: OrderedDict[Question, Opinion] = OrderedDict()
        self._refused_once: set[Question] = set()
        self._model: Path | None = None
        self._picked: Path | None = None  # the file that is being looked at

    @property
    def held_bytes(self) -> int:
        """Memory held by answers."""
        return sum(each.hdr.nbytes + each.sigma.nbytes for each in self._known.values())

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self._project, self._model = project, None
        self.forget()

    def look_through(self, model: Path | None) -> None:
        """Ask a model file from now on, once it has been read; None asks the newest checkpoint."""
        if model is not None:
            self._picked = model
            job = partial(look_at_model, model=model)
            self._crew.start(
                job, answered=self._picked_file, refused=self._keeper.complain, told=True
            ).finished.connect(self._keeper.not_busy)
        elif self._model is not None:
            self._turn_to(None)
            self._keeper.notice(Notice(text="The newest checkpoint is looked through again."))

    def forget(self) -> None:
        """A newer checkpoint may say something else; its networks give their memory back."""
        self._known.clear()
        self._refused_once.clear()
        self._next = None
        if self._task is not None:
            self._task.requestInterruption()
        forget()

    def give_up(self) -> None:
        """Nobody wants to wait for the answer under way; it is not asked for again."""
        self._next = None
        if self._task is not None and self._asked is not None:
            self._refused_once.add(self._asked)
            self._task.requestInterruption()

    def ask(self, scene: str, who: Who, *, frames: FrameStore) -> None:
        """The answer comes as `came`: at once where it is known, else when the network is done."""
        question: Question = (scene, who)
        if question in self._known:
            self._known.move_to_end(question)
            self.came.emit(self._known[question])
        elif self._task is not None:
            if question != self._asked:
                self._next = question, frames
                self._task.requestInterruption()
        elif self._project is not None and question not in self._refused_once:
            self._begin(question, frames)

    def _begin(self, question: Question, frames: FrameStore) -> None:
        assert self._project is not None
        self._asked = question
        scene, who = question
        job = partial(ask, project=self._project.folder, scene=scene, who=who, frames=frames)
        if self._model is not None:
            job = partial(job, model=self._model)
        self._task = self._crew.start(
            job, answered=self._answered, refused=self._refused, told=True
        )
        self._task.given_up.connect(self._over)

    @Slot(object)
    def _picked_file(self, about: str) -> None:
        if self._picked is not None and self._project is not None:
            self._turn_to(self._picked)
            words = f"{self._picked.name} is looked through: {about}."
            self._keeper.notice(Notice(text=words))

    def _turn_to(self, model: Path | None) -> None:
        self._model = model
        self.forget()
        self.turned.emit()

    @Slot(object)
    def _answered(self, opinion: Opinion) -> None:
        if opinion.through != (self._model.name if self._model else ""):
            self._over()  # of the network that was asked before
            return
        if self._asked is not None:
            self._known[self._asked] = opinion
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._over()
        self.came.emit(opinion)

    @Slot(str)
    def _refused(self, message: str) -> None:
        if self._asked is not None:
            self._refused_once.add(self._asked)
        self._over()
        self._keeper.complain(message)

    @Slot()
    def _over(self) -> None:
        self._task, self._asked = None, None
        self._keeper.become(busy="", progress=None)
        wish, self._next = self._next, None
        if wish is not None:
            question, frames = wish
            self.ask(*question, frames=frames)
