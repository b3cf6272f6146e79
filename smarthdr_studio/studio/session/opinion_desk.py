"""Asks the networks of the newest checkpoint, or a model file, about the scene on the screen."""

from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Final, Literal

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.tasks import How, LatestTask, TaskRunner
from smarthdr_studio.studio.threads.model_export import look_at_model
from smarthdr_studio.studio.threads.opinions import Opinion, ask, forget

Who = Literal["student", "teacher"]
Question = tuple[str, Who]

_KEPT: Final = 6  # answers; the newest scenes are those gone back to


class OpinionDesk(QObject):
    """One question at a time; the newest is the one that matters, so an older one is given up."""

    came = Signal(object)
    turned = Signal()  # another network is asked from now on

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._asking, self._picking = (LatestTask(tasks, how=How(shown=True)) for _ in range(2))
        self._asked: Question | None = None  # asked last
        self._known: OrderedDict[Question, Opinion] = OrderedDict()
        self._refused_once: set[Question] = set()
        self._model: Path | None = None
        keeper.switched.connect(self._switch)

    @property
    def held_bytes(self) -> int:
        """Memory held by answers."""
        return sum(each.hdr.nbytes + each.sigma.nbytes for each in self._known.values())

    @Slot()
    def _switch(self) -> None:
        self._model = None
        self.forget()

    def look_through(self, model: Path | None) -> None:
        """Ask a model file from now on, once it has been read; None asks the newest checkpoint."""
        if model is not None:
            self._picking.start(
                partial(look_at_model, model=model), partial(self._picked_file, model)
            )
        elif self._model is not None:
            self._turn_to(None)
            self._keeper.notice(Notice(text="The newest checkpoint is looked through again."))

    def forget(self) -> None:
        """A newer checkpoint may say something else; its networks give their memory back."""
        self._known.clear()
        self._refused_once.clear()
        self._asking.cancel()
        forget()

    def give_up(self) -> None:
        """Nobody wants to wait for the answer under way; it is not asked for again."""
        if self._asking.at_work and self._asked is not None:
            self._refused_once.add(self._asked)
            self._asking.cancel()

    def ask(self, scene: str, who: Who, *, frames: FrameStore) -> None:
        """The answer comes as `came`: at once where it is known, else when the network is done."""
        question: Question = (scene, who)
        if question in self._known:
            self._known.move_to_end(question)
            self.came.emit(self._known[question])
        elif question in self._refused_once:
            self._asking.cancel()
        elif not self._asking.at_work or question != self._asked:
            self._begin(question, frames)

    def _begin(self, question: Question, frames: FrameStore) -> None:
        if self._keeper.project is None:
            return
        self._asked = question
        scene, who = question
        job = partial(ask, project=self._keeper.project.folder, scene=scene, who=who, frames=frames)
        if self._model is not None:
            job = partial(job, model=self._model)
        self._asking.start(job, partial(self._answered, question), partial(self._refused, question))

    def _picked_file(self, model: Path, about: str) -> None:
        if self._keeper.project is not None:
            self._turn_to(model)
            words = f"{model.name} is looked through: {about}."
            self._keeper.notice(Notice(text=words))

    def _turn_to(self, model: Path | None) -> None:
        self._model = model
        self.forget()
        self.turned.emit()

    def _answered(self, question: Question, opinion: Opinion) -> None:
        self._known[question] = opinion
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        self.came.emit(opinion)

    def _refused(self, question: Question, message: str) -> None:
        self._refused_once.add(question)
        self._keeper.complain(message)
