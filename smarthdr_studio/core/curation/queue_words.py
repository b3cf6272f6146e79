"""Sentences that say why a scene stands where it does in a queue."""

from typing import Final

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.journal import Status

_STEADY: Final = 0.02  # a share that ranges over less than this holds still
_HARDLY: Final = 0.01
_PARTLY: Final = 0.1
_MOSTLY: Final = 0.5
_ALIKE: Final = 0.35  # of `looks.Company.unlike`
_UNLIKE: Final = 0.65


def why_safe(
    facts: SceneFacts, *, wobble: float | None, saturated: float | None, moving: float | None
) -> str:
    """Why it is safe to promote, or not; shares are of what is trusted in the scene."""
    words = f"{percent(facts.retained or 0.0)} is trusted"
    if wobble is not None:
        steady = wobble < _STEADY
        words += ", steady" if steady else f", ranging over {percent(wobble)}"
        words += " in the last rounds"
    if saturated is None and moving is None:
        return words
    hard = min((saturated or 0.0) + (moving or 0.0), 1.0)
    part = "hardly any" if hard < _HARDLY else percent(hard)
    return f"{words}; {part} of that moves or is saturated"


def why_worth(
    facts: SceneFacts,
    *,
    saturated: float | None,
    moving: float | None,
    unlike: float | None,
    nearest: SceneFacts | None,
) -> str:
    """Why it is worth labelling, or not; shares are of what is not trusted in the scene."""
    untrusted = 1 - (facts.retained or 0.0)
    words = f"{percent(untrusted)} is not trusted"
    if untrusted >= _HARDLY:
        words += _cause(saturated, moving)
    return words + _company(unlike, nearest)


def percent(share: float) -> str:
    """A share in [0, 1] as a whole percentage; one that rounds to nothing is "under 1 %"."""
    return "under 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _cause(saturated: float | None, moving: float | None) -> str:
    if saturated is None and moving is None:
        return ""
    clipped, stirred = saturated or 0.0, moving or 0.0
    if min(clipped, stirred) >= _PARTLY and clipped + stirred >= _MOSTLY:
        return ", mostly saturated or moving"
    most, word = max((clipped, "saturated"), (stirred, "moving"))
    if most >= _MOSTLY:
        return f", mostly {word}"
    return f", partly {word}" if most >= _PARTLY else ", without a visible cause"


def _company(unlike: float | None, nearest: SceneFacts | None) -> str:
    if unlike is None or nearest is None:
        return ""
    labelled = nearest.status is not Status.UNLABELLED
    if unlike >= _UNLIKE:
        return "; unlike anything labelled" if labelled else "; unlike what is labelled or above it"
    if unlike > _ALIKE:
        return ""
    return f"; much like {nearest.id}, " + ("which is labelled" if labelled else "above it")
