"""What is known of one scene at a glance, and scenes in the order of any of their figures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan
from typing import Any, Final

from smarthdr_studio.core.project.journal import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFacts:
    """One line of the scene list; None where nothing says. Shares lie in [0, 1].

    `rounds` are the retained shares of the newest run's rounds, oldest first; `trend` is how much
    the last of them rose above the one `TREND_ROUNDS` before. `motion` and `saturation` are
    shares of pixels that move, and that are saturated in the reference. `psnr_mu` is the
    pseudo-label against the ground truth in dB, where there is one. `painted` is the share of
    pixels a person's brush decides. `pixels` is how many the scene has; 0 where nobody said.
    """

    id: str
    status: Status
    retained: float | None = None
    trend: float | None = None
    sigma_mean: float | None = None
    motion: float | None = None
    saturation: float | None = None
    psnr_mu: float | None = None
    painted: float = 0.0
    rounds: tuple[float, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""
    reviewed: bool = False
    whole: bool = False
    pixels: int = 0


TREND_ROUNDS = 3


def trend_of(rounds: Sequence[float]) -> float | None:
    """How much the last share rose above the one `TREND_ROUNDS` before; None in a younger run."""
    return rounds[-1] - rounds[-1 - TREND_ROUNDS] if len(rounds) > TREND_ROUNDS else None


class SortKey(StrEnum):
    """What scenes can be sorted by; the values are the names of the query line's fields."""

    ID = "id"
    STATUS = "status"
    RETAINED = "retained"
    TREND = "trend"
    SIGMA = "sigma"
    MOTION = "motion"
    SATURATION = "saturation"
    PSNR = "psnr"
    PAINTED = "painted"
    TAGS = "tag"
    NOTE = "note"
    REVIEWED = "reviewed"
    WHOLE = "whole"


_RANKS: Final = {status: rank for rank, status in enumerate(Status)}

_READ: Final[Mapping[SortKey, Callable[[SceneFacts], Any]]] = {
    SortKey.ID: lambda facts: facts.id,
    SortKey.STATUS: lambda facts: _RANKS[facts.status],
    SortKey.RETAINED: lambda facts: facts.retained,
    SortKey.TREND: lambda facts: facts.trend,
    SortKey.SIGMA: lambda facts: facts.sigma_mean,
    SortKey.MOTION: lambda facts: facts.motion,
    SortKey.SATURATION: lambda facts: facts.saturation,
    SortKey.PSNR: lambda facts: facts.psnr_mu,
    SortKey.PAINTED: lambda facts: facts.painted,
    SortKey.TAGS: lambda facts: facts.tags or None,
    SortKey.NOTE: lambda facts: facts.note.casefold() or None,
    SortKey.REVIEWED: lambda facts: facts.reviewed,
    SortKey.WHOLE: lambda facts: facts.whole,
}


def sorted_scenes(
    facts: Iterable[SceneFacts], by: SortKey, *, descending: bool = False
) -> tuple[SceneFacts, ...]:
    """The same scenes, sorted; equal ones keep their order, unknown ones come last."""
    read = _READ[by]
    known: list[tuple[Any, SceneFacts]] = []
    unknown: list[SceneFacts] = []
    for each in facts:
        value = read(each)
        if value is None or (isinstance(value, float) and isnan(value)):
            unknown.append(each)
        else:
            known.append((value, each))
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return (*(each for _, each in known), *unknown)
