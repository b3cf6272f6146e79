"""Walks the queues: which scene comes next, why, and how many a person has looked at."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.curation.moments import unlabelled_at_first
from smarthdr_studio.core.curation.queues import QueueItem, progress
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.facts_desk import FactsDesk
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.pool_desk import PoolDesk
from smarthdr_studio.studio.session.queue_grounds import Basis, QueueGrounds
from smarthdr_studio.studio.session.queue_walk import first_unseen, listed, neighbour
from smarthdr_studio.studio.state import Notice, QueueKind, QueueState, StudioState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads.queues import Known, rank

RANKED_AT_ONCE: Final = 200  # scenes; more are ranked on a thread


class QueueDesk(QObject):
    """Ranks when a queue is picked and when what it rests on is new, never because of a decision.

    `scene_wanted` says which scene is to be shown; `reviewed` that one more was looked at.
    """

    scene_wanted = Signal(str)
    reviewed = Signal()

    def __init__(
        self, keeper: Keeper, tasks: TaskRunner, *, pool: PoolDesk, facts: FactsDesk
    ) -> None:
        super().__init__(keeper)
        self._keeper, self._ranking = keeper, LatestTask(tasks)
        self._pool, self._facts = pool, facts
        self._grounds = QueueGrounds(pool, facts)
        self._switch()
        keeper.switched.connect(self._switch)
        keeper.changed.connect(self._state_changed)
        pool.read.connect(self.refresh)
        facts.became.connect(self.refresh)

    @Slot()
    def _switch(self) -> None:
        project = self._keeper.project
        self._at_first = unlabelled_at_first(project.entries()) if project else ()
        self._grounds.forget()
        self._seen: set[str] = set()
        kind = self._keeper.state.queue.kind
        self._last = QueueKind.WORTH if kind is QueueKind.ALL else kind
        self._forget_order()
        self._pending = 0
        self._facts.want_clues(wanted=project is not None and kind is not QueueKind.ALL)

    def take_journal(self, project: Project) -> None:
        """The journal has been read: decided scenes leave, the others keep their order."""
        self._grounds.take_journal(project)
        self._seen = set(project.reviewed()) | (self._seen if project.read_only else set())
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
        self._keeper.become(queue=replace(self._keeper.state.queue, kind=wanted))
        self.refresh()

    @Slot()
    def rank_anew(self) -> None:
        """The order as it would be now, with scenes that came back."""
        self.pick(self._last)

    def step(self, by: int) -> None:
        """Show the next scene (1) or the one before (-1); the one that is left was reviewed."""
        if self._keeper.project is None:
            return
        if self._keeper.state.queue.kind is QueueKind.ALL:
            self.pick(self._last)
            self._starting = True
        if self._basis is None or self._ranking.at_work:
            self._pending = by
        else:
            self._go(by)

    @Slot()
    def refresh(self) -> None:
        """Rank anew if what the order rests on is new; else only say how far it is."""
        state = self._keeper.state
        walked = state.queue.kind is not QueueKind.ALL
        basis = self._grounds.basis(state.history) if walked else None
        if basis is not None and basis != self._basis:
            self._rank(basis)
        self._publish()

    def _forget_order(self) -> None:
        self._order: tuple[str, ...] = ()
        self._why: Mapping[str, str] = {}
        self._shown_why: Mapping[str, str] | None = None
        self._basis: Basis | None = None
        self._ranking.cancel()
        self._begun = self._starting = False

    def _rank(self, basis: Basis) -> None:
        state, reading = self._keeper.state, self._pool.reading
        assert reading is not None
        self._basis = basis
        ranking = partial(
            rank,
            safe=state.queue.kind is QueueKind.SAFEST,
            known=Known(facts=state.scenes, masks=basis.masks, reading=reading),
            records=dict(self._facts.records),
        )
        if len(state.scenes) <= RANKED_AT_ONCE:
            self._ranked(ranking())
        else:
            self._ranking.start(plain(ranking), self._ranked, self._refused)

    def _ranked(self, items: tuple[QueueItem, ...]) -> None:
        self._begun = False
        self._order = tuple(item.scene for item in items)
        self._why = {item.scene: item.reason for item in items}
        self._publish()
        if self._pending:
            by, self._pending = self._pending, 0
            self._go(by)

    def _refused(self, message: str) -> None:
        self._keeper.complain(message)
        self._publish()

    def _go(self, by: int) -> None:
        starting, self._starting = self._starting, False
        current = self._keeper.state.current
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
        self._keeper.notice(None)
        if wanted != current:
            self.scene_wanted.emit(wanted)

    def _waiting(self) -> frozenset[str]:
        """The undecided scenes of the order that match the query line."""
        found = self._keeper.state.table.found
        return frozenset(
            name
            for name in self._order
            if name in self._grounds.unlabelled and (found is None or name in found)
        )

    def _leave(self, scene: str | None) -> None:
        """A person has looked at it, if it was on the screen at all."""
        if self._keeper.project is None or scene is None or scene in self._seen:
            return
        if self._keeper.state.shown != scene:
            return
        try:
            self._keeper.project.mark_reviewed((scene,))
        except StudioError as error:
            self._keeper.complain(str(error))
            return
        self._seen.add(scene)
        self._publish()
        self.reviewed.emit()

    def _tell_end(self, waiting: Collection[str], *, by: int) -> None:
        """No scene comes after this one: say so, and where the next step leads."""
        unseen = sum(name not in self._seen for name in waiting)
        queue = self._keeper.state.queue
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
        self._keeper.notice(Notice(text=words))

    @Slot(object, object)
    def _state_changed(self, old: StudioState, new: StudioState) -> None:
        if old.current != new.current:
            self._begun = self._begun or new.current in self._order
            self._publish()
        if old.history is not new.history or old.table.work != new.table.work:
            self.refresh()

    def _publish(self) -> None:
        """Show the queue as it is: without what is decided, but with the scene on the screen."""
        state, shown = self._keeper.state, self._keeper.state.queue
        scenes = self._listed()
        if scenes == shown.scenes and self._shown_why is self._why:
            scenes, reasons = shown.scenes, shown.reasons
        else:
            reasons = tuple(self._why.get(name, "") for name in scenes)
        self._shown_why = self._why
        far = progress(self._at_first, self._seen | self._grounds.decided)
        self._keeper.become(
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
        if self._keeper.state.queue.kind is QueueKind.ALL:
            return ()
        open_ = self._grounds.unlabelled
        order = self._order or tuple(n for n in self._grounds.counting if n in open_)
        return listed(order, waiting=open_, current=self._keeper.state.current)

    def _work(self) -> str:
        """What is being found out for the order, "" when nothing is."""
        if self._keeper.state.queue.kind is QueueKind.ALL or self._keeper.project is None:
            return ""
        if self._pool.reading is None:
            return "reading uncertainties"
        missing, many = self._grounds.missing(), len(self._grounds.counting)
        if missing:
            return f"looking at frames: {many - missing} of {many}"
        return f"ranking {many} scenes" if self._ranking.at_work else ""
