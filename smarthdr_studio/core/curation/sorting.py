"""Scenes in the order of any of their figures; what is not known comes last either way."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from math import isnan
from typing import Any, Final

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.journal import Status


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
