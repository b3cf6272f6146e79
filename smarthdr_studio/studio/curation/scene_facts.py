"""Knows every scene at a glance, and finds out what is missing while somebody looks."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import isnan
from pathlib import Path
from typing import Final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.curation.clues import ClueRecord, compute_records, kept_records
from smarthdr_studio.core.curation.project_facts import kept_psnr, measure_psnr
from smarthdr_studio.core.curation.scene_facts import SceneFacts, trend_of
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project.journal import SceneState, Status
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.pool import PoolController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.tasks import How, Job, LatestTask, Priority, Report, TaskRunner, plain

_NO_ROUNDS: Final = (), None


class SceneLines:
    """Keeps what is known of scenes by their ids; `painted` goes by the hash of a mask.

    With ten thousand scenes a line costs more to make than to look at, so it is kept.
    """

    def __init__(self, project: Project | None = None) -> None:
        self.records: dict[str, ClueRecord] = {}
        self.psnr_mu: dict[str, float | None] = {}
        self.painted: dict[str, float] = {}
        self.states: Mapping[str, SceneState] = {}
        self._pixels = {each.id: each.pixels for each in project.scenes} if project else {}
        self._reviewed: Mapping[str, str] = {}
        self._rounds: dict[str, tuple[tuple[float, ...], float | None]] = {}
        self._plain: dict[str, SceneFacts] = {}  # all but what thresholds decide
        self._names: tuple[str, ...] = ()  # those of the rows
        self._places: dict[str, int] = {}
        self._trust: tuple[list[float | None], list[float | None]] = [], []
        self._rows: tuple[SceneFacts, ...] = ()
        self._stale: set[str] = set()

    @property
    def stale(self) -> bool:
        """Whether something is known that the lines of last time do not say."""
        return bool(self._stale)

    @property
    def rows(self) -> tuple[SceneFacts, ...]:
        """The lines as they were made last."""
        return self._rows

    def take_journal(self, journal: JournalReading) -> bool:
        """Statuses, notes, tags, brushes, reviews; whether a ground truth was imported or taken."""
        states, reviewed = journal.ledger.scenes, journal.reviewed
        before, self.states = self.states, states
        new = [name for name, now in states.items() if before.get(name) is not now]
        self._stale.update(new, self._reviewed.keys() ^ reviewed.keys())
        self._reviewed = reviewed
        return any(name in before and before[name].truth != states[name].truth for name in new)

    def take_history(self, history: RunHistory | None) -> None:
        """Rounds of the newest run."""
        self._rounds.clear()
        if history is not None:
            for scene, row in zip(history.scenes, history.shares.tolist(), strict=True):
                shares = tuple(share for share in row if not isnan(share))
                self._rounds[scene] = shares, trend_of(shares)
        self._stale.update(self._plain)

    def touch(self, scenes: Iterable[str]) -> None:
        """Something is known anew of these."""
        self._stale.update(scenes)

    def made(
        self,
        statuses: Mapping[str, Status],
        shares: Mapping[str, float],
        sigmas: Mapping[str, float],
    ) -> tuple[SceneFacts, ...]:
        """Every scene's line in their order; the very same tuple where nothing is new."""
        renewed, names = self._renew(statuses), tuple(statuses)
        trust = [*map(shares.get, names)], [*map(sigmas.get, names)]
        if names == self._names:
            both = zip(*self._trust, *trust, strict=True)
            places = {k for k, now in enumerate(both) if now[:2] != now[2:]}
            places.update(self._places[name] for name in renewed)
        else:
            self._names, self._places = names, {name: k for k, name in enumerate(names)}
            self._rows, places = (), set(range(len(names)))
        self._trust = trust
        if places or len(names) != len(self._rows):
            rows: list[SceneFacts] = list(self._rows) or [*map(self._plain.__getitem__, names)]
            for k in places:
                rows[k] = _with_trust(self._plain[names[k]], trust[0][k], trust[1][k])
            self._rows = tuple(rows)
        return self._rows

    def _renew(self, statuses: Mapping[str, Status]) -> list[str]:
        """Make what is stale without the trust in it; the scenes it was made for."""
        plain = self._plain
        if len(plain) != len(statuses):
            plain.clear()
        for name in self._stale & plain.keys():
            del plain[name]
        self._stale.clear()
        renewed = [
            name
            for name, status in statuses.items()
            if name not in plain or plain[name].status is not status
        ]
        plain.update({name: self._without_trust(name, statuses[name]) for name in renewed})
        return renewed

    def _without_trust(self, name: str, status: Status) -> SceneFacts:
        state = self.states.get(name) or SceneState(status)
        record = self.records.get(name)
        rounds, trend = self._rounds.get(name, _NO_ROUNDS)
        return SceneFacts(
            id=name,
            status=status,
            trend=trend,
            rounds=rounds,
            motion=None if record is None else record.motion,
            saturation=None if record is None else record.saturation,
            psnr_mu=self.psnr_mu.get(name),
            painted=self.painted.get(state.person or "", 0.0),
            tags=state.tags,
            note=state.note,
            reviewed=name in self._reviewed,
            whole=state.whole,
            pixels=self._pixels.get(name, 0),
        )


def _with_trust(plain: SceneFacts, retained: float | None, sigma: float | None) -> SceneFacts:
    """The line with what thresholds decide; `replace` takes three times as long."""
    return SceneFacts(
        id=plain.id,
        status=plain.status,
        retained=retained,
        trend=plain.trend,
        sigma_mean=sigma,
        motion=plain.motion,
        saturation=plain.saturation,
        psnr_mu=plain.psnr_mu,
        painted=plain.painted,
        rounds=plain.rounds,
        tags=plain.tags,
        note=plain.note,
        reviewed=plain.reviewed,
        whole=plain.whole,
        pixels=plain.pixels,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFigures:
    """Figures by scene: records of frames, PSNR-μ in dB, and painted shares by a mask's hash.

    `unseen` and `unmeasured` are scenes that still have to
    be looked at, or held against their ground truth, in the order of the project.
    """

    records: Mapping[str, ClueRecord] = field(default_factory=dict)
    psnr_mu: Mapping[str, float | None] = field(default_factory=dict)
    painted: Mapping[str, float] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which scenes to look at, to hold against their ground truth, and to count the brush of."""

    look: tuple[str, ...] = ()
    measure: tuple[str, ...] = ()
    count: tuple[str, ...] = ()


def read_kept(*, folder: Path) -> SceneFigures:
    """What was found before and is still true, and which scenes lack it."""
    with Project.open(folder) as project:
        records = kept_records(project)
        measured, unmeasured = kept_psnr(project)
        unseen = tuple(scene.id for scene in project.scenes if scene.id not in records)
    return SceneFigures(records=records, psnr_mu=measured, unseen=unseen, unmeasured=unmeasured)


def find_figures(report: Report, *, folder: Path, wanted: Wanted) -> SceneFigures:
    """Find figures of a few scenes and keep them; scenes that cannot be read are left out."""
    with Project.open(folder) as project:
        painted = _counted(project, wanted.count)
        measured: dict[str, float | None] = {}
        for name in wanted.measure:
            report("", 0, 0)
            measured[name] = measure_psnr(project, name)
        records, _ = compute_records(
            project, map(project.scene, wanted.look), seen=lambda _: report("", 0, 0)
        )
    return SceneFigures(records=records, psnr_mu=measured, painted=painted)


def _counted(project: Project, scenes: tuple[str, ...]) -> dict[str, float]:
    """The share of pixels a person's brush decides, by the hash of the mask."""
    shares = {}
    for name in scenes:
        mask = project.state(name).person
        try:
            person = project.person(name)
        except StudioError:
            continue
        if mask is not None and person is not None:
            shares[mask] = float(np.count_nonzero(person) / person.size)
    return shares


_FEW: Final = 4  # scenes looked at between two answers
_IDLE_SHARE: Final = 8  # making lines may take one part in so many of the time
_QUICK_S: Final = 0.008
_LIST_AFTER_MS: Final = 60  # several answers are shown at once


class SceneFactsController(QObject):
    """Makes the lines of all scenes; `became` says that it has shown lines with more in them.

    Whatever takes a look at files is found on a thread, a few scenes at a time.
    """

    became = Signal()

    def __init__(self, store: Store, tasks: TaskRunner, pool: PoolController) -> None:
        super().__init__(store)
        self._store, self._pool = store, pool
        self._lines = SceneLines()
        self._unseen: list[str] = []
        self._unmeasured: list[str] = []
        self._total = 0
        self._ready_at = 0.0
        self._finding = LatestTask(tasks, how=How(priority=Priority.BACKGROUND))
        self._watched, self._read_again, self._clues_wanted = False, False, False
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._list_again)
        store.switched.connect(self._switch)

    @property
    def records(self) -> Mapping[str, ClueRecord]:
        """What the frames say of the scenes that were looked at."""
        return self._lines.records

    @Slot()
    def _switch(self) -> None:
        project = self._store.project
        self._lines = SceneLines(project)
        self._unseen, self._unmeasured = [], []
        self._read_again = False
        self._watched = self._watched and project is not None
        self._ready_at = 0.0
        self._later.stop()
        if project is not None:
            self._lines.take_journal(project.read_journal())
        self.read()

    def rest(self) -> None:
        """Make no more lines."""
        self._later.stop()

    def take_journal(self, journal: JournalReading) -> None:
        """The journal has been read: statuses, notes, tags, brushes and who looked at what."""
        if self._lines.take_journal(journal):
            self.read()
        self._go_on()

    def take_history(self, history: RunHistory | None) -> None:
        """Rounds of the newest run are known."""
        self._lines.take_history(history)
        self._changed(())

    def read(self) -> None:
        """Read what was found before; new pseudo-labels are unmeasured then."""
        if self._store.project is None:
            return
        if self._finding.at_work:
            self._read_again = True
            return
        self._begin(plain(read_kept, folder=self._store.project.folder))

    def watch(self, *, seen: bool) -> None:
        """Whether somebody looks at figures: only then what is missing is found."""
        self._watched = seen
        self._go_on()

    def want_clues(self, *, wanted: bool) -> None:
        """Whether somebody ranks scenes, to whom frames that were not looked at are missing."""
        self._clues_wanted = wanted
        self._go_on()

    @property
    def looking(self) -> bool:
        """Whether more of what is missing is going to be found."""
        return (self._watched or self._clues_wanted) and (
            self._finding.at_work or bool(self._unseen)
        )

    @Slot()
    def give_up(self) -> None:
        """Find nothing more until somebody looks anew."""
        self._clues_wanted = False
        self.watch(seen=False)

    def rows(self, statuses: Mapping[str, Status]) -> tuple[SceneFacts, ...]:
        """Every scene's line in their order; the very same tuple where nothing is new.

        With ten thousand scenes a moving threshold changes them all: then lines follow at leisure.
        """
        now, lines = time.monotonic(), self._lines
        if now < self._ready_at and not lines.stale and len(statuses) == len(lines.rows):
            self._later.start(int(1000 * (self._ready_at - now)) + 1)
            return lines.rows
        rows = lines.made(statuses, *self._pool.trust_of_scenes())
        taken = time.monotonic() - now
        self._ready_at = now + (_IDLE_SHARE * taken if taken > _QUICK_S else 0.0)
        return rows

    def _changed(self, scenes: Iterable[str]) -> None:
        self._lines.touch(scenes)
        if self._lines.stale and not self._later.isActive():
            self._later.start(_LIST_AFTER_MS)

    @Slot()
    def _list_again(self) -> None:
        """Show what is known now."""
        scenes = self._store.state.scenes
        if scenes:
            self._store.become(scenes=self.rows({row.id: row.status for row in scenes}))
            self.became.emit()

    def _uncounted(self) -> tuple[str, ...]:
        lines = self._lines
        return tuple(
            name
            for name, state in lines.states.items()
            if state.person is not None and state.person not in lines.painted
        )

    def _go_on(self) -> None:
        """Ask for the next few scenes, if there is something to find and nobody is at it."""
        if self._store.project is None or self._finding.at_work:
            return
        wanted = Wanted(
            look=tuple(self._unseen[:_FEW]) if self._watched or self._clues_wanted else (),
            measure=tuple(self._unmeasured[:_FEW]) if self._watched else (),
            count=self._uncounted(),
        )
        if wanted == Wanted():
            self._tell("")
            return
        left = len(self._unseen) + (len(self._unmeasured) if self._watched else 0)
        self._total = max(self._total, left)
        if left and (wanted.look or wanted.measure):
            many = f"{counted(len(self._unseen) or left, 'scene')} to go"
            words = "motion and saturation" if self._unseen else "PSNR-μ"
            self._tell(f"looking for {words}, {many}", 1 - left / self._total)
        job = partial(find_figures, folder=self._store.project.folder, wanted=wanted)
        del self._unseen[: len(wanted.look)], self._unmeasured[: len(wanted.measure)]
        for name in wanted.count:  # whatever the answer, it is asked once
            self._lines.painted.setdefault(self._lines.states[name].person or "", 0.0)
        self._begin(job)

    def _begin(self, job: Job[SceneFigures]) -> None:
        self._finding.start(job, self._answered, self._refused)

    def _answered(self, found: SceneFigures) -> None:
        lines = self._lines
        lines.records.update(found.records)
        lines.psnr_mu.update(found.psnr_mu)
        lines.painted.update(found.painted)
        if found.unseen or found.unmeasured:
            self._unseen, self._unmeasured = list(found.unseen), list(found.unmeasured)
            self._total = 0
        brushed = (name for name, at in lines.states.items() if at.person in found.painted)
        self._changed((*found.records, *found.psnr_mu, *(brushed if found.painted else ())))
        self._next()

    def _refused(self, message: str) -> None:
        self._store.complain(message)
        self._tell("")

    def _next(self) -> None:
        if self._read_again:
            self._read_again = False
            self.read()
        else:
            self._go_on()

    def _tell(self, words: str, progress: float | None = None) -> None:
        if not words:
            self._total = 0
        table = replace(self._store.state.table, work=words, progress=progress)
        self._store.become(table=table)
