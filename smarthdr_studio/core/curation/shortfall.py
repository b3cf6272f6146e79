"""What is missing where a rule proposes nothing, in one sentence."""

from collections.abc import Iterable, Mapping, Sequence
from math import floor, isnan
from typing import NamedTuple

from smarthdr_studio.core.curation.proposals import Rule
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.journal import Status


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
    words = f"No scene kept {100 * rule.share:g} % for {rounds} and now"
    if best.in_rounds <= best.now:
        return f"{words}; the best, {best.scene}, kept {_down(best.in_rounds)}."
    past = f"{_down(best.in_rounds)} in the rounds but {_down(best.now)}"
    return f"{words}; the best, {best.scene}, kept {past} with the thresholds of now."


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
