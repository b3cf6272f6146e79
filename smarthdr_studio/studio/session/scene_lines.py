"""The lines of all scenes, each made anew only where something about its scene is new."""

from collections.abc import Iterable, Mapping
from math import isnan
from typing import Final

from smarthdr_studio.core.curation.clue_records import ClueRecord
from smarthdr_studio.core.curation.scene_facts import SceneFacts, trend_of
from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.core.journal import SceneState, Status
from smarthdr_studio.core.project import Project

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
                rows[k] = _judged(self._plain[names[k]], trust[0][k], trust[1][k])
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


def _judged(plain: SceneFacts, retained: float | None, sigma: float | None) -> SceneFacts:
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
