"""The lines of all scenes, each made anew only where something about its scene is new."""

import operator
from collections.abc import Iterable, Mapping
from math import isnan
from typing import Final

from smarthdr_studio.core.curation.clue_records import ClueRecord
from smarthdr_studio.core.curation.scene_facts import SceneFacts, trend_of
from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.core.journal import SceneState, Status
from smarthdr_studio.core.project import Project

_NO_ROUNDS: Final = (), None

_Made = tuple[SceneFacts | None, SceneFacts | None]


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
        self._bases: list[SceneFacts] = []  # what each of the rows was made from
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

    def take_journal(self, project: Project) -> bool:
        """Statuses, notes, tags, brushes, reviews; whether a ground truth was brought or taken."""
        states, reviewed = project.ledger().scenes, project.reviewed()
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
        self._renew(statuses)
        plain = [self._plain[name] for name in statuses]
        made: list[_Made] = [*zip(self._bases, self._rows, strict=True)]
        made += [(None, None)] * (len(plain) - len(made))
        rows = tuple(
            _judged(each, shares.get(each.id), sigmas.get(each.id), made=before)
            for each, before in zip(plain, made, strict=False)
        )
        self._bases = plain
        if len(rows) != len(self._rows) or not all(map(operator.is_, rows, self._rows)):
            self._rows = rows
        return self._rows

    def _renew(self, statuses: Mapping[str, Status]) -> None:
        plain = self._plain
        if len(plain) != len(statuses):
            plain.clear()
        for name in self._stale & plain.keys():
            del plain[name]
        self._stale.clear()
        for name, status in statuses.items():
            if name not in plain or plain[name].status is not status:
                plain[name] = self._without_trust(name, status)

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


def _judged(
    plain: SceneFacts, retained: float | None, sigma: float | None, *, made: _Made
) -> SceneFacts:
    """The line with what thresholds decide; that of before where nothing is new.

    `made` is from what that one was made, and itself. `replace` takes three times as long.
    """
    base, row = made
    if base is plain and row is not None and (row.retained, row.sigma_mean) == (retained, sigma):
        return row
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
