"""Ranking scenes and weighing proposals, with the thresholds that are settled."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from smarthdr_studio.core.curation.clue_records import ClueRecord
from smarthdr_studio.core.curation.hardness import Material
from smarthdr_studio.core.curation.proposals import PoolNow, Proposal, Rule, propose
from smarthdr_studio.core.curation.queues import QueueItem, most_worth, safest
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.curation.shortfall import shortfall
from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.studio.threads.pool import PoolReading


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What both need: every scene's line, the thresholds in force, and the pool's statistics."""

    facts: Sequence[SceneFacts]
    masks: MaskSettings
    reading: PoolReading

    def judged(self) -> tuple[SceneFacts, ...]:
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
    material = Material(
        facts=known.judged(),
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
    now = PoolNow(
        facts=known.judged(),
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
