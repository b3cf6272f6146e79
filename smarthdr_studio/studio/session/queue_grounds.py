"""What a queue rests on, and whether anything of it is new."""

from collections.abc import Mapping
from typing import NamedTuple

from smarthdr_studio.core.curation.queues import LABELLED
from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.facts_desk import FactsDesk
from smarthdr_studio.studio.session.pool_desk import PoolDesk
from smarthdr_studio.studio.threads.pool import PoolReading


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

    def __init__(self, pool: PoolDesk, facts: FactsDesk) -> None:
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

    def take_journal(self, project: Project) -> None:
        """The journal has been read."""
        self._statuses, self.masks = project.statuses(), project.ledger().masks
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
