"""Walks the queues: which scene comes next, why, and how many a person has looked at."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.curation.clues import ClueRecord
from smarthdr_studio.core.curation.proposals import CurrentPool, Proposal, Rule, propose, shortfall
from smarthdr_studio.core.curation.queues import (
    LABELLED,
    QueueItem,
    RankingInput,
    most_worth,
    progress,
    safest,
)
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project.journal import Status, initially_unlabelled
from smarthdr_studio.core.project.project import JournalReading
from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.curation.scene_facts import SceneFactsController
from smarthdr_studio.studio.project.pool import PoolController, PoolReading
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice, QueueKind, QueueState, StudioState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain


class Basis(NamedTuple):
    """What an order was ranked by; another basis makes another order."""

    masks: MaskSettings
    labels: Mapping[str, float]  # when each pseudo-label was written
    rounds: tuple[str, int]
    complete: bool  # whether all frames were looked at that can be


class QueueGrounds:
    """Journal, pool and clues as a queue needs them; worked out once for each reading of them.

    `unlabelled` and `decided` are all scenes; `masks` are the thresholds that are settled.
    """

    def __init__(self, pool: PoolController, facts: SceneFactsController) -> None:
        self._pool, self._facts = pool, facts
        self.forget()

    def forget(self) -> None:
        """Nothing is known of another project yet."""
        self.masks: MaskSettings | None = None
        self._statuses: Mapping[str, Status] = {}
        self.unlabelled: frozenset[str] = frozenset()
        self.decided: frozenset[str] = frozenset()
        self._reading: PoolReading | None = None
        self._labels: Mapping[str, float] = {}
        self._counting: tuple[str, ...] = ()

    def take_journal(self, journal: JournalReading) -> None:
        """The journal has been read."""
        self._statuses, self.masks = journal.statuses, journal.ledger.masks
        open_ = (name for name, at in self._statuses.items() if at is Status.UNLABELLED)
        self.unlabelled = frozenset(open_)
        self.decided = frozenset(self._statuses.keys() - self.unlabelled)
        self._reading = None

    @property
    def counting(self) -> tuple[str, ...]:
        """The scenes a queue is ranked by: those with a pseudo-label, and what is labelled."""
        self._look_at_pool()
        return self._counting

    def missing(self) -> int:
        """At how many of these nobody has looked, as long as somebody is going to."""
        if not self._facts.looking:
            return 0
        records = self._facts.records
        return sum(name not in records for name in self.counting)

    def basis(self, history: RunHistory | None) -> Basis | None:
        """What there is to rank by now; None while that is not enough."""
        self._look_at_pool()
        if self._reading is None or self.masks is None:
            return None
        return Basis(
            masks=self.masks,
            labels=self._labels,
            rounds=(history.run, len(history.records)) if history is not None else ("", 0),
            complete=not self.missing(),
        )

    def _look_at_pool(self) -> None:
        reading = self._pool.reading
        if reading is None or reading is self._reading:
            return
        self._reading = reading
        self._labels = {name: stamp for name, (stamp, _) in reading.known.items()}
        self._counting = tuple(
            name
            for name, at in self._statuses.items()
            if at in LABELLED or (at is Status.UNLABELLED and name in reading.known)
        )


def listed(
    order: Sequence[str], *, waiting: Collection[str], current: str | None
) -> tuple[str, ...]:
    """The order without scenes that are decided; the one on the screen keeps its place."""
    return tuple(name for name in order if name in waiting or name == current)


def neighbour(
    order: Sequence[str], *, waiting: Collection[str], current: str | None, by: int
) -> str | None:
    """The nearest waiting scene before (`by` < 0) or after the current one; None at the end.

    A current scene that is not in the order stands before its first.
    """
    place = order.index(current) if current in order else -1
    rest = reversed(order[: max(place, 0)]) if by < 0 else order[place + 1 :]
    return next((name for name in rest if name in waiting), None)


def first_unseen(
    order: Sequence[str], *, waiting: Collection[str], reviewed: Collection[str]
) -> str | None:
    """Where a walk starts: the first waiting scene that nobody has reviewed."""
    return next((name for name in order if name in waiting and name not in reviewed), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What both need: every scene's line, the thresholds in force, and the pool's statistics."""

    facts: Sequence[SceneFacts]
    masks: MaskSettings
    reading: PoolReading

    def with_retained(self) -> tuple[SceneFacts, ...]:
        """The lines with the shares these thresholds keep, whatever the screen tries now."""
        shares = self.reading.statistics.retention(self.masks).scenes
        return tuple(
            replace(each, retained=shares[each.id].retained)
            if each.id in shares and each.retained != shares[each.id].retained
            else each
            for each in self.facts
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighed:
    """All that a rule proposes, what comes of the scenes left in it, and what is missing."""

    found: Proposal
    chosen: Proposal
    shortfall: str


def rank(*, safe: bool, known: Known, records: Mapping[str, ClueRecord]) -> tuple[QueueItem, ...]:
    """The safest to promote first (`safe`), or the most worth labelling."""
    material = RankingInput(
        facts=known.with_retained(),
        masks=known.masks,
        patch_means={name: held.means for name, (_, held) in known.reading.known.items()},
        records=records,
    )
    return safest(material) if safe else most_worth(material)


def weigh(
    *,
    rule: Rule,
    known: Known,
    history: RunHistory | None,
    left_out: Collection[str],
) -> Weighed:
    """What the rule proposes, and what it would come to without those `left_out`."""
    rows = zip(history.scenes, history.shares.tolist(), strict=True) if history else ()
    shares: dict[str, list[float]] = dict(rows)
    reading = known.reading
    now = CurrentPool(
        facts=known.with_retained(),
        masks=known.masks,
        statistics={name: held for name, (_, held) in reading.known.items()},
        painted={name: counted.statistics for name, counted in reading.painted.items()},
        laid_out=reading.statistics,
    )
    found = propose(rule, shares, now)
    missing = "" if found.candidates else shortfall(rule, shares, now.facts)
    chosen = found
    if not set(found.scenes).isdisjoint(left_out):
        left = {name: row for name, row in shares.items() if name not in left_out}
        chosen = propose(rule, left, now)
    return Weighed(found=found, chosen=chosen, shortfall=missing)


RANKED_AT_ONCE: Final = 200  # scenes; more are ranked on a thread


class QueueController(QObject):
    """Ranks when a queue is picked and when what it rests on is new, never because of a decision.

    `scene_wanted` says which scene is to be shown; `reviewed` that one more was looked at.
    """

    scene_wanted = Signal(str)
    reviewed = Signal()

    def __init__(
        self, store: Store, tasks: TaskRunner, *, pool: PoolController, facts: SceneFactsController
    ) -> None:
        super().__init__(store)
        self._store, self._ranking = store, LatestTask(tasks)
        self._pool, self._facts = pool, facts
        self._grounds = QueueGrounds(pool, facts)
        self._switch()
        store.switched.connect(self._switch)
        store.changed.connect(self._state_changed)
        pool.read.connect(self.refresh)
        facts.became.connect(self.refresh)

    @Slot()
    def _switch(self) -> None:
        project = self._store.project
        self._at_first = initially_unlabelled(project.entries()) if project else ()
        self._grounds.forget()
        self._seen: set[str] = set()
        kind = self._store.state.queue.kind
        self._last = QueueKind.WORTH if kind is QueueKind.ALL else kind
        self._forget_order()
        self._pending = 0
        self._facts.want_clues(wanted=project is not None and kind is not QueueKind.ALL)

    def take_journal(self, journal: JournalReading) -> None:
        """The journal has been read: decided scenes leave, the others keep their order."""
        self._grounds.take_journal(journal)
        project = self._store.project
        kept_here = project is not None and bool(project.read_only)
        self._seen = set(journal.reviewed) | (self._seen if kept_here else set())
        self.refresh()

    @Slot(object)
    def pick(self, kind: QueueKind | str) -> None:
        """Order the scenes so, ranked anew; the scene on the screen stays there."""
        wanted = QueueKind(kind)
        self._forget_order()
        self._pending = 0
        if wanted is not QueueKind.ALL:
            self._last = wanted
        self._facts.want_clues(wanted=wanted is not QueueKind.ALL)
        self._store.become(queue=replace(self._store.state.queue, kind=wanted))
        self.refresh()

    @Slot()
    def rank_anew(self) -> None:
        """The order as it would be now, with scenes that came back."""
        self.pick(self._last)

    def step(self, by: int) -> None:
        """Show the next scene (1) or the one before (-1); the one that is left was reviewed."""
        if self._store.project is None:
            return
        if self._store.state.queue.kind is QueueKind.ALL:
            self.pick(self._last)
            self._starting = True
        if self._basis is None or self._ranking.at_work:
            self._pending = by
        else:
            self._go(by)

    @Slot()
    def refresh(self) -> None:
        """Rank anew if what the order rests on is new; else only say how far it is."""
        state = self._store.state
        walked = state.queue.kind is not QueueKind.ALL
        basis = self._grounds.basis(state.history) if walked else None
        if basis is not None and basis != self._basis:
            self._rank(basis)
        self._publish()

    def _forget_order(self) -> None:
        self._order: tuple[str, ...] = ()
        self._why: Mapping[str, str] = {}
        self._worded_for: Mapping[str, float | None] = {}  # retained shares by scene
        self._shown_why: Mapping[str, str] | None = None
        self._basis: Basis | None = None
        self._ranking.cancel()
        self._begun = self._starting = False

    def _rank(self, basis: Basis) -> None:
        self._basis = basis
        ranking = self._ranking_of(basis)
        if len(self._store.state.scenes) <= RANKED_AT_ONCE:
            self._ranked(ranking())
        else:
            self._ranking.start(plain(ranking), self._ranked, self._refused)

    def _ranking_of(self, basis: Basis) -> Callable[[], tuple[QueueItem, ...]]:
        state, reading = self._store.state, self._pool.reading
        assert reading is not None
        return partial(
            rank,
            safe=state.queue.kind is QueueKind.SAFEST,
            known=Known(facts=state.scenes, masks=basis.masks, reading=reading),
            records=dict(self._facts.records),
        )

    def _reword(self) -> None:
        """Reasons with the figures of now: a decision changes those of all, and moves no scene."""
        scenes, basis = self._store.state.scenes, self._basis
        if basis is None or self._pool.reading is None or not self._why:
            return
        if basis.masks != self._store.state.masks:
            return  # thresholds that move are no decision: once they rest, all is ranked anew
        if len(scenes) <= RANKED_AT_ONCE and (shares := _shares(scenes)) != self._worded_for:
            self._worded_for = shares
            now = {item.scene: item.reason for item in self._ranking_of(basis)()}
            self._why = {name: now.get(name, why) for name, why in self._why.items()}

    def _ranked(self, items: tuple[QueueItem, ...]) -> None:
        self._begun = False
        self._order = tuple(item.scene for item in items)
        self._why = {item.scene: item.reason for item in items}
        self._worded_for = _shares(self._store.state.scenes)
        self._publish()
        if self._pending:
            by, self._pending = self._pending, 0
            self._go(by)

    def _refused(self, message: str) -> None:
        self._store.complain(message)
        self._publish()

    def _go(self, by: int) -> None:
        starting, self._starting = self._starting, False
        current = self._store.state.current
        if not starting:
            self._leave(current)
        waiting = self._waiting()
        if self._begun or by < 0:
            wanted = neighbour(self._order, waiting=waiting, current=current, by=by)
        else:
            passed = self._seen if starting or current is None else self._seen | {current}
            wanted = first_unseen(self._order, waiting=waiting, reviewed=passed)
        if wanted is None:
            self._tell_end(waiting, by=by)
            return
        if starting and wanted != current:
            self._leave(current)
        self._begun = True
        self._store.notice(None)
        if wanted != current:
            self.scene_wanted.emit(wanted)

    def _waiting(self) -> frozenset[str]:
        """The undecided scenes of the order that match the query line."""
        found = self._store.state.table.found
        return frozenset(
            name
            for name in self._order
            if name in self._grounds.unlabelled and (found is None or name in found)
        )

    def _leave(self, scene: str | None) -> None:
        """A person has looked at it, if it was on the screen at all."""
        if self._store.project is None or scene is None or scene in self._seen:
            return
        if self._store.state.shown != scene:
            return
        try:
            self._store.project.mark_reviewed((scene,))
        except StudioError as error:
            self._store.complain(str(error))
            return
        self._seen.add(scene)
        self._publish()
        self.reviewed.emit()

    def _tell_end(self, waiting: Collection[str], *, by: int) -> None:
        """No scene comes after this one: say so, and where the next step leads."""
        unseen = sum(name not in self._seen for name in waiting)
        queue = self._store.state.queue
        if not self._order:
            words = "No scene waits: none is unlabelled with a pseudo-label."
        elif by < 0:
            words = "This is the first scene of the queue."
        elif unseen:
            self._begun = False
            words = (
                f"This was the last scene of the queue; Space goes back to {unseen} not reviewed."
            )
        else:
            self._begun = True
            words = (
                f"The end of the queue: every scene in it is reviewed, "
                f"{queue.reviewed} of {queue.total} in all."
            )
        self._store.notice(Notice(text=words))

    @Slot(object, object)
    def _state_changed(self, old: StudioState, new: StudioState) -> None:
        settled = self._basis is not None and self._basis.masks == new.masks
        if old.current != new.current:
            self._begun = self._begun or new.current in self._order
            self._publish()
        elif old.scenes is not new.scenes and settled and self._why:
            self._publish()  # whose reasons tell their shares
        if old.history is not new.history or old.table.work != new.table.work:
            self.refresh()

    def _publish(self) -> None:
        """Show the queue as it is: without what is decided, but with the scene on the screen."""
        state, shown = self._store.state, self._store.state.queue
        scenes = self._listed()
        self._reword()
        if scenes == shown.scenes and self._shown_why is self._why:
            scenes, reasons = shown.scenes, shown.reasons
        else:
            reasons = tuple(self._why.get(name, "") for name in scenes)
        self._shown_why = self._why
        far = progress(self._at_first, reviewed=self._seen, decided=self._grounds.decided)
        self._store.become(
            queue=QueueState(
                kind=state.queue.kind,
                scenes=scenes,
                reasons=reasons,
                reviewed=far.reviewed,
                total=far.total,
                work=self._work(),
                preliminary=state.queue.kind is not QueueKind.ALL
                and (self._basis is None or self._ranking.at_work or not self._basis.complete),
            )
        )

    def _listed(self) -> tuple[str, ...]:
        """The scenes to list; those that wait in any order until they are ranked."""
        if self._store.state.queue.kind is QueueKind.ALL:
            return ()
        open_ = self._grounds.unlabelled
        order = self._order or tuple(n for n in self._grounds.counting if n in open_)
        return listed(order, waiting=open_, current=self._store.state.current)

    def _work(self) -> str:
        """What is being found out for the order, "" when nothing is."""
        if self._store.state.queue.kind is QueueKind.ALL or self._store.project is None:
            return ""
        if self._pool.reading is None:
            return "reading uncertainties"
        missing, many = self._grounds.missing(), len(self._grounds.counting)
        if missing:
            return f"looking at frames: {many - missing} of {many}"
        return f"ranking {counted(many, 'scene')}" if self._ranking.at_work else ""


def _shares(scenes: Sequence[SceneFacts]) -> dict[str, float | None]:
    return {row.id: row.retained for row in scenes}
