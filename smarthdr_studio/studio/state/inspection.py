"""How a scene is viewed, and what of it is trusted: tools, shares, charts, evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.training.threshold_proposals import ThresholdProposal
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.reliability import Evidence, Part

MOST_VIEWS = 6


class Tool(StrEnum):
    """What the left button does in a picture; the values are the words on the screen."""

    HAND = "hand"
    RECTANGLE = "rectangle"
    LASSO = "lasso"
    BRUSH = "brush"


class Workspace(StrEnum):
    """What a person is at; each has panels of its own, and curating views of its own."""

    INSPECT = "Inspect"
    CURATE = "Curate"
    TRAIN = "Train"


class CompareMode(StrEnum):
    """How a view is held against its partner."""

    OFF = "off"
    WIPE = "wipe"
    FLICKER = "flicker"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSetup:
    """What one view shows; its own exposure is None while it follows the others."""

    layer: Layer
    exposure_ev: float | None = None
    zebra: bool = False


FIRST_VIEWS = tuple(
    ViewSetup(layer=layer)
    for layer in (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.PIXEL_MASK)
)

FIRST_CURATED = tuple(ViewSetup(layer=layer) for layer in (Layer.PSEUDO_LABEL, Layer.TRUSTED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The one view that is held against another layer; `gain` multiplies a difference."""

    mode: CompareMode = CompareMode.OFF
    view: int = 0
    partner: Layer = Layer.REFERENCE
    gain: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What is known of the pixel under the cursor; `linear` is RGB in [0, 1].

    `frames` are the camera values of under, reference and over, RGB of 16 bits each; `truth` and
    `student` are RGB radiance like `linear`. `why` says who decided where that is worth a word:
    the gate that dropped the pixel, or "person" where the brush overrules the gates.
    """

    x: int
    y: int
    linear: tuple[float, float, float] | None = None
    frames: tuple[tuple[int, int, int], ...] = ()
    truth: tuple[float, float, float] | None = None
    student: tuple[float, float, float] | None = None
    mu_law: float | None = None
    sigma: float | None = None
    patch_score: float | None = None
    pixel_score: float | None = None
    trusted: bool | None = None
    why: str = ""


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
class ThresholdState:
    """Thresholds that a method proposes; `work` is what is done to find them, "" while nothing."""

    shown: ThresholdProposal | None = None
    work: str = ""
    progress: float | None = None


Group = Literal["pool", "labels"]
"""Scenes that evidence is measured of: unlabelled ones, or test and labelled ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceState:
    """Is σ any good? `point` is (dropped share, error of the rest ÷ error of all) of the masks.

    `scenes` are those a group's figures rest on; `note` says what to keep in mind about them;
    `work` is what is being measured now, "" while nothing is.
    """

    scope: Literal["scene"] | Group = "scene"
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
class RoundShares:
    """What a past round retained: shares in [0, 1] of its pool, and of each scene by its id.

    As it was used, or with `now` by the thresholds on the screen.
    """

    round: int
    pool: PoolShares
    scenes: Mapping[str, float]
    now: bool = False


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
