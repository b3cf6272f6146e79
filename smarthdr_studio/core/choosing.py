"""Thresholds that keep a wished share, and the places a pool is least sure of."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.statistics import SceneStatistics

_HALVINGS = 10  # a thousandth of a threshold


def keeping(
    wanted: float, masks: MaskSettings, *, share: Callable[[MaskSettings], float]
) -> MaskSettings:
    """The thresholds nearest to `masks` that keep a share in [0, 1]; `share` says what any keep.

    τ_pa stays unless even an open pixel gate keeps too little; then it opens as far as needed.
    τ_pi does the rest.
    """
    opened = replace(masks, tau_pixel=1.0)
    if share(opened) < wanted:
        masks = replace(
            masks, tau_patch=_least(lambda tau: share(replace(opened, tau_patch=tau)) >= wanted)
        )
    return replace(
        masks, tau_pixel=_least(lambda tau: share(replace(masks, tau_pixel=tau)) >= wanted)
    )


def _least(enough: Callable[[float], bool]) -> float:
    """The least threshold that is enough, halving the doubt each time; 1 where none is."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return min(math.ceil(high * 1000) / 1000, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A patch of a scene by its number, row by row, and its mean σ."""

    scene: str
    patch: int
    sigma: float


def least_trusted(scenes: Mapping[str, SceneStatistics], *, most: int = 50) -> tuple[Place, ...]:
    """The least sure patch of each scene, the worst scene first."""
    worst = (
        Place(scene=name, patch=int(np.argmax(held.means)), sigma=float(held.means.max()))
        for name, held in scenes.items()
    )
    return tuple(sorted(worst, key=lambda place: -place.sigma)[:most])
