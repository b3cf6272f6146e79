"""How much is believed: shares, charts, evidence, and pairs of thresholds set aside."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.evidence import Evidence, Part
from smarthdr_studio.core.masking import MaskSettings

Scope = Literal["pool", "scene", "region"]

SCOPES: tuple[Scope, ...] = ("pool", "scene", "region")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A pair of thresholds set aside to be compared, and what it kept then; shares in [0, 1]."""

    name: str
    masks: MaskSettings
    pool: float | None = None
    scene: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvidenceState:
    """Is σ any good? `point` is (dropped share, error of the rest ÷ error of all) of the masks.

    `scenes` are those the pool's figures rest on; `note` says what to keep in mind about them;
    `work` is what is being measured now, "" while nothing is.
    """

    scope: Literal["scene", "pool"] = "scene"
    part: Part = Part.ALL
    shown: Evidence | None = None
    point: tuple[float, float] | None = None
    scenes: tuple[str, ...] = ()
    note: str = ""
    work: str = ""
    progress: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShares:
    """Of all unlabelled scenes together: shares in [0, 1] of pixels and patches kept."""

    scenes: int
    retained: float
    patches_retained: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolCharts:
    """The pool in figures: how many patches and pixels have which score, evenly over [0, 1].

    `map` is the retained share over τ_pa (rows) × τ_pi (columns), both evenly over [0, 1].
    `scope` says whose scores both histograms count.
    """

    scope: Scope = "pool"

    patches: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.int64]
    map: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatStrip:
    """Retained shares in [0, 1], scenes×rounds, NaN where a scene took no part.

    With `now` they are what the thresholds on the screen would keep, else what was used then.
    """

    run: str
    rounds: tuple[int, ...]
    scenes: tuple[str, ...]
    shares: npt.NDArray[np.float64]
    now: bool = False
