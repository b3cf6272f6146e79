"""Holds scenes against a rule and says what promoting them would mean; it never decides."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.curation.proposals import Rule
from smarthdr_studio.core.project.project import JournalReading
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.studio.curation.queue import Known, Weighed, weigh
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.pool import PoolController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice, ProposalState, StudioState
from smarthdr_studio.studio.tasks import Job, RepeatedTask, TaskRunner, plain

_LOOK: Final = "Look: Ctrl+P."
_AWAITED: Final = frozenset({"pool", "history"})


class ProposalController(QObject):
    """Weighs the rule on a thread while somebody looks, and after rounds if told to."""

    def __init__(
        self, store: Store, tasks: TaskRunner, *, pool: PoolController, curating: CurationController
    ) -> None:
        super().__init__(store)
        self._store = store
        self._pool, self._curating = pool, curating
        self._weighing = RepeatedTask(tasks, self._question, self._answered)
        self._left_out: frozenset[str] = frozenset()
        self._watched = False
        self._switch()
        store.switched.connect(self._switch)
        store.changed.connect(self._state_changed)
        pool.read.connect(self._pool_read)

    @Slot()
    def _switch(self) -> None:
        self._masks: MaskSettings | None = None
        self._awaited: frozenset[str] = frozenset()  # what a round has still to bring
        self._to_tell = False
        self._told: tuple[str, ...] = ()

    def take_journal(self, journal: JournalReading) -> None:
        """Thresholds or statuses may be others."""
        self._masks = journal.ledger.masks
        self._refresh()

    @Slot(bool)
    def watch(self, seen: object) -> None:
        """Whether somebody looks at the proposal."""
        self._watched = bool(seen)
        if seen:
            self._left_out = frozenset()
            self._weighing.ask()

    @Slot(object)
    def set_rule(self, rule: Rule) -> None:
        """Propose by this rule from now on."""
        if rule != self._state.rule:
            self._become(rule=rule)
            self._told = ()
            self._refresh()

    @Slot(bool)
    def set_telling(self, told: object) -> None:
        """Whether a notice comes after each round whose scenes fulfil the rule."""
        self._become(telling=bool(told))

    def leave_out(self, scenes: Collection[str]) -> None:
        """Weigh the proposal without these scenes."""
        self._left_out = frozenset(scenes)
        self._refresh()

    @Slot()
    def promote(self) -> None:
        """Promote the scenes that are left in it, where they can be; one undo takes them back."""
        chosen = self._state.chosen
        if chosen is not None and chosen.scenes:
            self._left_out = frozenset()
            self._curating.promote_by_rule(chosen.scenes, note=f"by rule: {chosen.rule.words}")

    @Slot()
    def round_came(self) -> None:
        """A round has ended; once its figures are read there may be something to tell."""
        if self._state.telling:
            self._awaited = _AWAITED

    @property
    def _state(self) -> ProposalState:
        return self._store.state.proposal

    def _become(self, **changes: object) -> None:
        self._store.become(proposal=replace(self._state, **changes))  # type: ignore[arg-type]

    def _refresh(self) -> None:
        if self._watched:
            self._weighing.ask()

    def _question(self) -> Job[Weighed] | None:
        reading = self._pool.reading
        if self._store.project is None or reading is None or self._masks is None:
            return None
        state = self._store.state
        return plain(
            weigh,
            rule=state.proposal.rule,
            known=Known(facts=state.scenes, masks=self._masks, reading=reading),
            history=state.history,
            left_out=self._left_out,
        )

    def _answered(self, weighed: Weighed) -> None:
        self._become(found=weighed.found, chosen=weighed.chosen, shortfall=weighed.shortfall)
        if self._to_tell:
            self._to_tell = False
            self._tell(weighed.found.scenes)

    def _tell(self, scenes: tuple[str, ...]) -> None:
        """Once for the same scenes."""
        if scenes and scenes != self._told:
            many = "1 scene fulfils" if len(scenes) == 1 else f"{len(scenes)} scenes fulfil"
            self._store.notice(Notice(text=f"{many} your rule. {_LOOK}"))
        self._told = scenes

    @Slot()
    def _pool_read(self) -> None:
        self._came("pool")

    @Slot(object, object)
    def _state_changed(self, old: StudioState, new: StudioState) -> None:
        if old.history is not new.history:
            self._came("history")

    def _came(self, what: str) -> None:
        """Something a round brings has been read."""
        if what in self._awaited:
            self._awaited -= {what}
            self._to_tell = not self._awaited
        if self._to_tell:
            self._weighing.ask()
        else:
            self._refresh()
