"""What the rule "promote at a retained share for k rounds" would do; it only proposes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, isnan
from typing import Final, NamedTuple

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.patch_statistics import PaintedStatistics, SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.words import percent

_MOST_EXACT: Final = 200  # scenes of a pool that is counted with every bin; more are counted with
_COARSE_BINS: Final = 64  # these, a third of the time and within a tenth of a per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Promote what had at least this retained share in [0, 1] in each of the last rounds."""

    share: float = 0.95
    rounds: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}; allowed: above 0, up to 1")
        if self.rounds < 1:
            raise ValueError(f"rounds is {self.rounds}; at least 1")

    @property
    def words(self) -> str:
        """The rule as the screen says it."""
        last = "round" if self.rounds == 1 else f"{self.rounds} rounds"
        return f"at least {100 * self.share:g} % retained in the last {last}, and now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A scene the rule would promote: its shares in [0, 1], and the pixels that become labels."""

    scene: str
    shares: tuple[float, ...]  # of the last rounds, oldest first
    retained: float  # with the thresholds and the brush of now
    pixels: int

    @property
    def reason(self) -> str:
        """Why it is proposed."""
        shares = ", ".join(percent(share) for share in self.shares)
        return f"{shares} retained in the last rounds; {percent(self.retained)} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What training learns from: labels and the pixels they count, and the pool left beside them.

    `retained` is the share of the pool in [0, 1] that is trusted; 0 of an empty pool.
    """

    labelled: int
    labelled_pixels: int
    pool: int
    retained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The scenes a rule would promote, and what there is to learn from before and after."""

    rule: Rule
    candidates: tuple[Candidate, ...]
    before: Outlook
    after: Outlook

    @property
    def scenes(self) -> tuple[str, ...]:
        """The ids to promote."""
        return tuple(each.scene for each in self.candidates)

    @property
    def pixels(self) -> int:
        """How many pixels become labels."""
        return sum(each.pixels for each in self.candidates)

    @property
    def words(self) -> str:
        """What would be done and what is left, in one sentence."""
        if not self.candidates:
            return f"No scene has {self.rule.words}"
        many = len(self.candidates)
        what = "1 scene becomes a label" if many == 1 else f"{many} scenes become labels"
        left = f"{self.after.pool} of {self.before.pool} stay in the pool"
        return f"{what} with {self.pixels / 1e6:.2f} million pixels; {left}" + (
            f", of which {percent(self.after.retained)} is retained" if self.after.pool else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurrentPool:
    """What a proposal is held against: all scenes, and the statistics of those in the pool.

    `masks` are the thresholds of now, `painted` what a person painted; `laid_out` are the
    `PoolStatistics` of the unlabelled scenes, if somebody has them already.
    """

    facts: Sequence[SceneFacts]
    masks: MaskSettings
    statistics: Mapping[str, SceneStatistics]
    painted: Mapping[str, PaintedStatistics] = field(default_factory=dict)
    laid_out: PoolStatistics | None = None

    def retained(self) -> float:
        """The retained share of the pool in [0, 1]."""
        if self.laid_out is not None:
            return self.laid_out.retention(self.masks).retained
        return self.retained_of(self.pool())

    def pool(self) -> tuple[str, ...]:
        """The unlabelled scenes that have statistics."""
        return tuple(
            each.id
            for each in self.facts
            if each.status is Status.UNLABELLED and each.id in self.statistics
        )

    def retained_of(self, scenes: Collection[str]) -> float:
        """The retained share in [0, 1], were these the whole pool; 0 of none."""
        known = {name: self.statistics[name] for name in scenes}
        if len(known) > _MOST_EXACT:
            known = {name: _coarser(each) for name, each in known.items()}
        return PoolStatistics(known, self.painted).retention(self.masks).retained


def propose(rule: Rule, shares: Mapping[str, Sequence[float]], now: CurrentPool) -> Proposal:
    """Which scenes the rule would promote now; nothing is changed.

    `shares` are the retained shares by scene in every round of a run, oldest first; NaN where it
    took no part, which breaks a series. Only unlabelled scenes with a pseudo-label are proposed.
    """
    candidates = tuple(
        _candidate(each, shares[each.id][-rule.rounds :])
        for each in now.facts
        if each.status is Status.UNLABELLED and _keeps(rule, each, shares.get(each.id, ()))
    )
    chosen = {each.scene for each in candidates}
    pool, retained = now.pool(), now.retained()
    rest = [name for name in pool if name not in chosen]
    then = now.retained_of(rest) if chosen else retained
    return Proposal(
        rule=rule,
        candidates=candidates,
        before=_outlook(now.facts, (), pool=len(pool), retained=retained),
        after=_outlook(now.facts, chosen, pool=len(rest), retained=then),
    )


def _keeps(rule: Rule, facts: SceneFacts, shares: Sequence[float]) -> bool:
    if facts.retained is None or len(shares) < rule.rounds:
        return False
    # A NaN is not at least anything.
    return facts.retained >= rule.share and all(
        share >= rule.share for share in shares[-rule.rounds :]
    )


def _candidate(facts: SceneFacts, shares: Sequence[float]) -> Candidate:
    retained = facts.retained or 0.0
    return Candidate(
        scene=facts.id,
        shares=tuple(float(share) for share in shares),
        retained=retained,
        pixels=round(retained * facts.pixels),
    )


def _outlook(
    facts: Sequence[SceneFacts], chosen: Collection[str], *, pool: int, retained: float
) -> Outlook:
    """What is learned from once the chosen are promoted."""
    labels = [
        each
        for each in facts
        if each.status in {Status.GROUND_TRUTH, Status.PROMOTED} or each.id in chosen
    ]
    return Outlook(
        labelled=len(labels),
        labelled_pixels=sum(map(_counted_pixels, labels)),
        pool=pool,
        retained=retained,
    )


def _counted_pixels(facts: SceneFacts) -> int:
    """How many pixels of a label the loss counts."""
    if facts.status is Status.GROUND_TRUTH or facts.whole:
        return facts.pixels
    return round((facts.retained or 0.0) * facts.pixels)


def _coarser(known: SceneStatistics) -> SceneStatistics:
    return known.coarser(_COARSE_BINS) if known.bins > _COARSE_BINS else known


class _Kept(NamedTuple):
    scene: str
    in_rounds: float  # the least share of the last rounds
    now: float


def shortfall(
    rule: Rule, shares: Mapping[str, Sequence[float]], facts: Iterable[SceneFacts]
) -> str:
    """How far the best unlabelled scene is from the rule; "" where one fulfils it.

    `shares` are those of `proposals.propose`.
    """
    waiting = [each for each in facts if each.status is Status.UNLABELLED]
    if not waiting:
        return "No scene is unlabelled, so none can be proposed."
    on_record = max((_steady(shares.get(each.id, ())) for each in waiting), default=0)
    if on_record < rule.rounds:
        return _too_few(rule, on_record)
    kept = [
        _Kept(each.id, min(shares[each.id][-rule.rounds :]), each.retained)
        for each in waiting
        if each.retained is not None and _steady(shares.get(each.id, ())) >= rule.rounds
    ]
    if not kept:
        return "No unlabelled scene has a pseudo-label: train first (Ctrl+T)."
    best = max(kept, key=lambda each: (min(each.in_rounds, each.now), each.scene))
    if min(best.in_rounds, best.now) >= rule.share:
        return ""
    return _told(rule, best)


def _told(rule: Rule, best: _Kept) -> str:
    """Rounded down, so that what falls short does not read as if it were enough."""
    rounds = "1 round" if rule.rounds == 1 else f"{rule.rounds} rounds"
    words = f"No scene retained {100 * rule.share:g} % for {rounds} and now"
    if best.in_rounds <= best.now or _down(best.in_rounds) == _down(best.now):
        return f"{words}; the best, {best.scene}, retained {_down(best.in_rounds)} throughout."
    past = f"{_down(best.in_rounds)} in the rounds but {_down(best.now)}"
    return f"{words}; the best, {best.scene}, retained {past} with the thresholds of now."


def _too_few(rule: Rule, on_record: int) -> str:
    asked = f"The rule asks for {rule.rounds} round{'s' if rule.rounds > 1 else ''} in a row"
    if not on_record:
        return f"{asked}, and no round is on record: train first (Ctrl+T)."
    return f"{asked}, and a scene has taken part in {on_record} at most."


def _steady(shares: Sequence[float]) -> int:
    """In how many of the last rounds a scene took part without a gap."""
    found = 0
    for share in reversed(shares):
        if isnan(share):
            break
        found += 1
    return found


def _down(share: float) -> str:
    return f"{floor(1000 * share + 1e-9) / 10:g} %"
