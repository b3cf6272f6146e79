"""What a person decides about scenes and thresholds: in order, durable, and said in words."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.studio.session.decision_desk import DecisionDesk, Ranges, not_promotable
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.screen import Screen
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.tasks import Job, TaskQueue, Work
from smarthdr_studio.studio.threads.decisions import promote_many


class Curating(QObject):
    """Takes decisions; `decided` tells whether one was taken, or refused.

    What writes files of many megapixels is carried out on a thread. Whatever is decided meanwhile
    waits for it, and the project is not closed before all of it is in the journal.
    """

    decided = Signal(bool)

    def __init__(self, keeper: Keeper, decisions: TaskQueue, screen: Screen) -> None:
        super().__init__(keeper)
        self._keeper, self._queue, self._screen = keeper, decisions, screen
        self._desk: DecisionDesk | None = None
        self._under_way = ""  # the decision on the thread, in words
        keeper.switched.connect(self._switch)

    @property
    def at_rest(self) -> bool:
        """Whether everything that was decided is in the journal."""
        return self._queue.at_rest

    def afterwards(self, call: Callable[[], object]) -> None:
        """Call this when everything that was decided is in the journal, be it now."""
        self._queue.afterwards(call)

    @Slot()
    def _switch(self) -> None:
        project = self._keeper.project
        self._desk = DecisionDesk(project) if project is not None else None

    def read_journal(self) -> dict[str, Status]:
        """Show what the journal adds up to now; every scene's status."""
        if self._keeper.project is None or self._desk is None:
            return {}
        self._keeper.become(
            masks=self._desk.masks,
            undo=self._under_way or self._desk.can_undo,
            redo=self._desk.can_redo,
        )
        return self._keeper.project.statuses()

    @Slot(object)
    def settle_masks(self, masks: MaskSettings) -> None:
        """Keep thresholds; a run uses them from its next round on."""
        self._screen.move_masks(masks)
        if self._desk is not None and (masks != self._desk.masks or not self._queue.at_rest):
            self._take(lambda desk: desk.set_masks(masks))

    def promote(self, scenes: tuple[str, ...], *, whole: bool = False, note: str = "") -> None:
        """Use the pseudo-labels of these scenes as labels, masked as they are on the screen.

        With `whole` the loss counts every pixel. Scenes promoted so already are left as they are,
        unless all of them are: then each gets a new version.
        """
        if self._desk is not None and scenes:
            ranges = self._screen.ranges(scenes)
            self._queue.take(partial(self._promote, _Promotion(scenes, ranges, whole, note)))

    def demote(self, scenes: tuple[str, ...]) -> None:
        """Take promoted labels back."""
        if scenes:
            self._take(lambda desk: desk.demote(scenes))

    def exclude(self, scenes: tuple[str, ...]) -> None:
        """Keep these scenes out of training, or take them back in."""
        if scenes:
            self._take(lambda desk: desk.exclude(scenes))

    @Slot()
    def undo(self) -> None:
        """Take the last decision back."""
        self._take(DecisionDesk.undo)

    @Slot()
    def redo(self) -> None:
        """Decide it again."""
        self._take(DecisionDesk.redo)

    @Slot(object, str)
    def write_note(self, scenes: tuple[str, ...], text: str) -> None:
        """This note in place of what these scenes have."""
        if scenes:
            self._take(lambda desk: desk.decide(lambda pen: pen.annotate(scenes, note=text)))

    @Slot(object, object, object)
    def change_tags(
        self, scenes: tuple[str, ...], added: tuple[str, ...], removed: tuple[str, ...]
    ) -> None:
        """Tags for all of these scenes, and tags that none of them has any more."""
        if scenes:
            self._take(
                lambda desk: desk.decide(
                    lambda pen: pen.annotate(scenes, add=added, remove=removed)
                )
            )

    def decide(self, decide: Callable[[Decisions], object]) -> None:
        """Any other decision that is quick to write, when its turn has come."""
        self._take(lambda desk: desk.decide(decide))

    def decide_at_length(self, job: Job[object], *, words: str, said: str) -> None:
        """One that writes large files: a job for a thread, and what undo would call it.

        `said` is told once it is carried out.
        """
        if self._desk is not None:
            self._queue.take(partial(self._begin, job, words, said))

    def _take(self, decide: Callable[[DecisionDesk], Notice | None]) -> None:
        if self._desk is not None:
            desk = self._desk
            self._queue.call(lambda: self._tell(decide(desk)))

    def _promote(self, wanted: "_Promotion") -> Work | None:
        if self._keeper.project is None or self._desk is None:
            return None
        ready = self._desk.promotable(wanted.scenes, whole=wanted.whole)
        if not ready:
            self._tell(self._desk.refusal() or not_promotable(wanted.scenes))
            return None
        job = partial(
            promote_many,
            folder=self._keeper.project.folder,
            scenes=ready,
            ranges={name: wanted.ranges[name] for name in ready if name in wanted.ranges},
            whole=wanted.whole,
            note=wanted.note,
        )
        about = ready[0] if len(ready) == 1 else f"{len(ready)} scenes"
        return self._begin(job, f"promote {about}")

    def _begin(self, job: Job[object], words: str, said: str = "") -> Work | None:
        """What takes its time, if anything may be decided."""
        refusal = self._desk.refusal() if self._desk is not None else None
        if refusal is not None:
            self._tell(refusal)
            return None
        self._under_way = words
        self._keeper.become(undo=words)
        return Work(job=job, on_done=partial(self._carried_out, said), on_refused=self._failed)

    def _carried_out(self, said: str, _nothing: object) -> None:
        self._end(None)
        if said:
            self._keeper.notice(Notice(text=said))

    def _failed(self, message: str) -> None:
        self._end(Notice(text=message, tone="bad"))

    def _end(self, refusal: Notice | None) -> None:
        self._under_way = ""
        self._tell(refusal)

    def _tell(self, refusal: Notice | None) -> None:
        said = self._desk.news() if refusal is None and self._desk is not None else None
        self._keeper.notice(refusal or said)
        self.decided.emit(refusal is None)


class _Promotion(NamedTuple):
    """Scenes to promote, with the ranges of σ their masks on the screen are made with."""

    scenes: tuple[str, ...]
    ranges: Ranges
    whole: bool
    note: str
