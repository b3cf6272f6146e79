"""What a person decides about scenes and thresholds: in order, durable, and said in words."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.files import is_file
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import DecisionSubject, Kind, Status
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.project.screen import Screen
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice, refused
from smarthdr_studio.studio.tasks import Job, Report, TaskQueue, Work

_DONE: Final = {
    Kind.PROMOTE: "Promoted",
    Kind.DEMOTE: "Demoted",
    Kind.EXCLUDE: "Excluded",
    Kind.RESTORE: "Took back in",
    Kind.ANNOTATE: "Changed notes or tags of",
    Kind.USE_GROUND_TRUTH: "Use the ground truth of",
    Kind.SPLIT: "Imported a split of",
}

Ranges = Mapping[str, tuple[Range, Range | None]]


class DecisionController:
    """Decisions with their refusals in words; every method answers None when all went well."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._decisions = Decisions(project)
        self._told = self._latest()

    @property
    def masks(self) -> MaskSettings:
        """The thresholds the journal adds up to."""
        return self._decisions.masks()

    def news(self) -> Notice | None:
        """How many scenes the latest decision was about, once, where it was about several."""
        latest = self._latest()
        if latest in (None, self._told):
            return None
        self._told = latest
        subject = self._decisions.next_undo
        words = many_in_words(subject) if subject is not None else ""
        return Notice(text=words) if words else None

    def _latest(self) -> str | None:
        """The decision made last, None where some are undone."""
        ledger = self._project.ledger()
        return ledger.undoable[-1] if ledger.undoable and not ledger.redoable else None

    def refusal(self) -> Notice | None:
        """Why nothing can be decided about this project; None where it can."""
        if not self._project.read_only:
            return None
        return _told(lambda: self._project.record(lambda _: ()))

    def promotable(self, scenes: Sequence[str], *, whole: bool) -> tuple[str, ...]:
        """Those with a pseudo-label that are unlabelled, excluded, or promoted otherwise.

        Where all of them are promoted as is asked for, each of them: for a new version.
        """
        states = self._project.ledger().scenes
        known = [scene for scene in scenes if is_file(self._project.pseudo_path(scene))]
        waiting = (Status.UNLABELLED, Status.EXCLUDED)
        promoted = [scene for scene in known if states[scene].status is Status.PROMOTED]
        ready = [scene for scene in known if states[scene].status in waiting]
        ready += [scene for scene in promoted if whole and not states[scene].whole]
        return tuple(ready or promoted)

    def promoted_anew(self, scenes: Sequence[str]) -> Notice | None:
        """Says that one scene that is promoted gets another label, which may look like the one."""
        states = self._project.ledger().scenes
        if len(scenes) != 1 or states[scenes[0]].status is not Status.PROMOTED:
            return None
        return Notice(text=f"{scenes[0]} is promoted anew, with the masks of now.")

    def decide(self, decide: Callable[[Decisions], object]) -> Notice | None:
        """Any decision."""
        return _told(lambda: decide(self._decisions))

    def demote(self, scenes: Sequence[str]) -> Notice | None:
        """Take promoted labels back."""
        statuses = self._project.statuses()
        ready = [scene for scene in scenes if statuses[scene] is Status.PROMOTED]
        if not ready:
            return _nothing(scenes, "Only a promoted scene is demoted")
        return _told(lambda: self._decisions.demote(ready))

    def exclude(self, scenes: Sequence[str]) -> Notice | None:
        """Keep scenes out of training; if all of them are out already, take them back in."""
        statuses = self._project.statuses()
        scenes = [scene for scene in scenes if statuses[scene] is not Status.TEST]
        inside = [scene for scene in scenes if statuses[scene] is not Status.EXCLUDED]
        if not scenes:
            return Notice(text="Test scenes take no part in training anyway.")
        if inside:
            return _told(lambda: self._decisions.exclude(inside))
        return _told(lambda: self._decisions.restore(scenes))

    def set_masks(self, masks: MaskSettings) -> Notice | None:
        """Keep these thresholds."""
        return _told(lambda: self._decisions.set_masks(masks))

    def undo(self) -> Notice | None:
        """Take the last decision back."""
        return _told(self._decisions.undo)

    def redo(self) -> Notice | None:
        """Decide it again."""
        return _told(self._decisions.redo)


_REPLAYED: Final = "A past round is on the screen: go back to now (N) to promote what is there now."


def _told(decide: Callable[[], object]) -> Notice | None:
    try:
        decide()
    except StudioError as error:
        return Notice(text=str(error), tone="bad")
    return None


def many_in_words(done: DecisionSubject) -> str:
    """What was done to several scenes; "" where it was one, or where others tell it."""
    count = len(done.scenes)
    if count <= 1 or done.kind not in _DONE:
        return ""
    key = by_id("undo").keys[:1]
    return f"{_DONE[done.kind]} {counted(count, 'scene')}." + "".join(
        f" Undo: {each}" for each in key
    )


def not_promotable(scenes: Sequence[str]) -> Notice:
    """None of these can be promoted."""
    return _nothing(scenes, "Only a scene with a pseudo-label and no ground truth is promoted")


def _nothing(scenes: Sequence[str], rule: str) -> Notice:
    about = scenes[0] if len(scenes) == 1 else f"{len(scenes)} scenes"
    return refused(f"{rule}: nothing was changed for {about}.")


def promote_many(
    report: Report, *, folder: Path, scenes: tuple[str, ...], ranges: Ranges, whole: bool, note: str
) -> None:
    """Promote all of them in one step that is undone in one, or none of them."""
    about = scenes[0] if len(scenes) == 1 else f"{len(scenes)} scenes"
    report(f"promoting {about}", 0, 0)
    with Project.open(folder) as project:
        Decisions(project).promote(scenes, ranges=ranges, whole=whole, note=note)


def promote_by_rule(
    report: Report, *, folder: Path, scenes: tuple[str, ...], ranges: Ranges, note: str
) -> Notice | None:
    """Promote in one step those of them that can be; tells which were left out, and why."""
    report(f"promoting {counted(len(scenes), 'scene')}", 0, 0)
    with Project.open(folder) as project:
        why = Decisions(project).promote_those_that_can(scenes, ranges=ranges, note=note)
    if not why:
        return None
    rest = len(scenes) - len(why)
    what = f"Promoted {counted(rest, 'scene')}" if rest else "No scene is promoted"
    text = f"{what}, {counted(len(why), 'scene')} left out."
    return Notice(text=text, tone="warn", details=tuple(why.values()))


class CurationController(QObject):
    """Takes decisions; `decided` tells whether one was taken, or refused.

    What writes files of many megapixels is carried out on a thread. Whatever is decided meanwhile
    waits for it, and the project is not closed before all of it is in the journal.
    """

    decided = Signal(bool)

    def __init__(self, store: Store, decisions: TaskQueue, screen: Screen) -> None:
        super().__init__(store)
        self._store, self._queue, self._screen = store, decisions, screen
        self._controller: DecisionController | None = None
        self._under_way = ""  # the decision on the thread, in words
        store.switched.connect(self._switch)

    @property
    def at_rest(self) -> bool:
        """Whether everything that was decided is in the journal."""
        return self._queue.at_rest

    def afterwards(self, call: Callable[[], object]) -> None:
        """Call this when everything that was decided is in the journal, be it now."""
        self._queue.afterwards(call)

    @Slot()
    def _switch(self) -> None:
        project = self._store.project
        self._controller = DecisionController(project) if project is not None else None

    def take_journal(self, journal: JournalReading) -> None:
        """Show the thresholds in force, and what undo and redo would do."""
        ledger, words = journal.ledger, journal.accounts.in_words
        self._store.become(
            masks=ledger.masks,
            undo=self._under_way or (words(ledger.undoable[-1]) if ledger.undoable else None),
            redo=words(ledger.redoable[-1]) if ledger.redoable else None,
        )

    @Slot(object)
    def settle_masks(self, masks: MaskSettings) -> None:
        """Keep thresholds; a run uses them from its next round on."""
        self._screen.move_masks(masks)
        if self._controller is not None and (
            masks != self._controller.masks or not self._queue.at_rest
        ):
            self._take(lambda controller: controller.set_masks(masks))

    def promote(self, scenes: tuple[str, ...], *, whole: bool = False, note: str = "") -> None:
        """Use the pseudo-labels of these scenes as labels, masked as they are on the screen.

        With `whole` the loss counts every pixel. Scenes promoted so already are left as they are,
        unless all of them are: then each gets a new version.
        """
        if self._store.state.replay is not None and self._store.state.shown in scenes:
            self._store.notice(refused(_REPLAYED))  # what is seen is not what would be frozen
        elif self._controller is not None and scenes:
            ranges = self._screen.ranges(scenes)
            self._queue.take(partial(self._promote, _Promotion(scenes, ranges, whole, note)))

    def promote_by_rule(self, scenes: tuple[str, ...], *, note: str) -> None:
        """The same of scenes that a rule proposes: one that cannot be promoted is left out."""
        if self._controller is not None and scenes:
            wanted = _Promotion(scenes, self._screen.ranges(scenes), whole=False, note=note)
            self._queue.take(partial(self._promote, wanted._replace(by_rule=True)))

    def demote(self, scenes: tuple[str, ...]) -> None:
        """Take promoted labels back."""
        if scenes:
            self._take(lambda controller: controller.demote(scenes))

    def exclude(self, scenes: tuple[str, ...]) -> None:
        """Keep these scenes out of training, or take them back in."""
        if scenes:
            self._take(lambda controller: controller.exclude(scenes))

    @Slot()
    def undo(self) -> None:
        """Take the last decision back."""
        told = partial(self._out_of_sight, "Undone: {}.")
        self._take(DecisionController.undo, said=lambda: told(self._store.state.undo))

    @Slot()
    def redo(self) -> None:
        """Decide it again."""
        told = partial(self._out_of_sight, "Decided again: {}.")
        self._take(DecisionController.redo, said=lambda: told(self._store.state.redo))

    def _out_of_sight(self, said: str, what: str | None) -> Notice | None:
        """Tells of what is not on the screen; what is there shows it itself."""
        if not what or (self._store.state.shown or "") in what.split():
            return None
        return Notice(text=said.format(what))

    @Slot(object, str)
    def write_note(self, scenes: tuple[str, ...], text: str) -> None:
        """This note in place of what these scenes have."""
        if scenes:
            self._take(
                lambda controller: controller.decide(
                    lambda decisions: decisions.annotate(scenes, note=text)
                )
            )

    @Slot(object, object, object)
    def change_tags(
        self, scenes: tuple[str, ...], added: tuple[str, ...], removed: tuple[str, ...]
    ) -> None:
        """Tags for all of these scenes, and tags that none of them has any more."""
        if scenes:
            self._take(
                lambda controller: controller.decide(
                    lambda decisions: decisions.annotate(scenes, add=added, remove=removed)
                )
            )

    def decide(self, decide: Callable[[Decisions], object]) -> None:
        """Any other decision that is quick to write, when its turn has come."""
        self._take(lambda controller: controller.decide(decide))

    def decide_at_length(self, job: Job[object], *, words: str, said: str) -> None:
        """One that writes large files: a job for a thread, and what undo would call it.

        `said` is told once it is carried out.
        """
        if self._controller is not None:
            self._queue.take(partial(self._begin, job, words, lambda _: Notice(text=said)))

    def _take(
        self,
        decide: Callable[[DecisionController], Notice | None],
        *,
        said: Callable[[], Notice | None] = lambda: None,
    ) -> None:
        """When its turn has come; `said` is asked before, and told once it is decided."""
        if self._controller is None:
            return
        controller = self._controller

        def take() -> None:
            words = said()
            self._tell(decide(controller), said=words)

        self._queue.call(take)

    def _promote(self, wanted: "_Promotion") -> Work | None:
        if self._store.project is None or self._controller is None:
            return None
        ready = self._controller.promotable(wanted.scenes, whole=wanted.whole)
        if not ready:
            self._tell(self._controller.refusal() or not_promotable(wanted.scenes))
            return None
        job: Job[Notice | None] = partial(
            promote_by_rule if wanted.by_rule else partial(promote_many, whole=wanted.whole),
            folder=self._store.project.folder,
            scenes=ready,
            ranges={name: wanted.ranges[name] for name in ready if name in wanted.ranges},
            note=wanted.note,
        )
        words = DecisionSubject(kind=Kind.PROMOTE, scenes=ready).words
        anew = self._controller.promoted_anew(ready)
        return self._begin(job, words, lambda left_out: left_out or anew)

    def _begin(
        self, job: Job[Any], words: str, told: Callable[[Any], Notice | None]
    ) -> Work | None:
        """What takes its time, if anything may be decided."""
        refusal = self._controller.refusal() if self._controller is not None else None
        if refusal is not None:
            self._tell(refusal)
            return None
        self._under_way = words
        self._store.become(undo=words)
        return Work(job=job, on_done=partial(self._carried_out, told), on_refused=self._failed)

    def _carried_out(self, told: Callable[[Any], Notice | None], made: object) -> None:
        with self._store.one_change():
            self._end(None)
            if (said := told(made)) is not None:
                self._store.notice(said)

    def _failed(self, message: str) -> None:
        self._end(Notice(text=message, tone="bad"))

    def _end(self, refusal: Notice | None) -> None:
        self._under_way = ""
        self._tell(refusal)

    def _tell(self, refusal: Notice | None, *, said: Notice | None = None) -> None:
        news = self._controller.news() if refusal is None and self._controller is not None else None
        with self._store.one_change():
            self._store.notice(refusal or said or news)
            self.decided.emit(refusal is None)


class _Promotion(NamedTuple):
    """Scenes to promote, with the ranges of σ their masks on the screen are made with."""

    scenes: tuple[str, ...]
    ranges: Ranges
    whole: bool
    note: str
    by_rule: bool = False
