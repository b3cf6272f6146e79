"""Everything the window shows, as one frozen value; pictures and curves travel beside it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display import DisplaySettings, Layer
from smarthdr_studio.core.evidence import Evidence, Part
from smarthdr_studio.core.explanation import Explanation
from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.region_report import RegionReport
from smarthdr_studio.core.regions import Region
from smarthdr_studio.core.what_if import WhatIf

Tone = Literal["plain", "warn", "bad"]

MOST_VIEWS = 6
Scope = Literal["pool", "scene", "region"]

SCOPES: tuple[Scope, ...] = ("pool", "scene", "region")


class Activity(StrEnum):
    """What the trainer of this window is up to; the words are for the screen."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


class Tool(StrEnum):
    """What the left button does in a picture; the values are the words on the screen."""

    HAND = "hand"
    RECTANGLE = "rectangle"
    LASSO = "lasso"


class CompareMode(StrEnum):
    """How a view is held against its partner."""

    OFF = "off"
    WIPE = "wipe"
    FLICKER = "flicker"
    DIFFERENCE = "difference"


_PAPER = MaskSettings()
_PLAIN = DisplaySettings()

BUSY_ACTIVITIES = frozenset(
    {Activity.STARTING, Activity.RUNNING, Activity.PAUSED, Activity.STOPPING}
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The one view that is held against another layer; `gain` multiplies a difference."""

    mode: CompareMode = CompareMode.OFF
    view: int = 0
    partner: Layer = Layer.REFERENCE
    gain: float = 4.0


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
class SceneRow:
    """One line of the scene list; shares in [0, 1], None where no pseudo-label says."""

    id: str
    status: Status
    retained: float | None = None
    sigma_mean: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What is known of the pixel under the cursor; `linear` is RGB in [0, 1], `why` one word.

    `frames` are the camera values of under, reference and over, RGB of 16 bits each; `truth` and
    `student` are RGB radiance like `linear`.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShares:
    """Of all unlabelled scenes together: shares in [0, 1] of pixels and patches kept."""

    scenes: int
    retained: float
    patches_retained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """How the run of this window stands; `silent` when nothing was heard for a minute."""

    activity: Activity = Activity.IDLE
    run: str = ""
    phase: str = ""
    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    total_epochs: int = 0
    round: int = -1
    seconds_left: float | None = None
    images_per_second: float | None = None
    psnr_mu: float | None = None
    message: str = ""
    resumable: str = ""
    changes_wait: bool = False
    silent: bool = False

    @property
    def busy(self) -> bool:
        """Whether a thread is at work."""
        return self.activity in BUSY_ACTIVITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell without stopping anyone; `details` are read one per line."""

    text: str
    tone: Tone = "plain"
    details: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioState:
    """The window, whole. Only `Session` makes a new one."""

    project: str = ""
    folder: Path | None = None
    recent: tuple[Path, ...] = ()
    scenes: tuple[SceneRow, ...] = ()
    current: str | None = None
    shown: str | None = None  # the scene whose pictures are on the screen
    masks: MaskSettings = _PAPER
    retained: float | None = None  # share of the scene on the screen
    pool: PoolShares | None = None
    charts: PoolCharts | None = None
    display: DisplaySettings = _PLAIN
    views: tuple[ViewSetup, ...] = FIRST_VIEWS
    columns: int = 2  # of the grid of views
    active: int = 0  # the view that keys act upon
    compare: Comparison = Comparison()
    tool: Tool = Tool.HAND
    readout: Readout | None = None  # stays when the mouse leaves the pictures
    region: Region | None = None
    report: RegionReport | None = None
    explanation: Explanation | None = None  # of the region, or else of the pixel
    scope: Scope = "pool"  # of both histograms
    snapshots: tuple[Snapshot, ...] = ()
    what_if: WhatIf | None = None
    split_psnr: tuple[float, float] | None = None  # dB of trusted and of untrusted pixels
    evidence: EvidenceState = EvidenceState()
    history: RunHistory | None = None
    heat: HeatStrip | None = None
    clues_known: bool = False  # whether the frames of this scene have been examined
    replay: int | None = None  # the round whose masks are replayed on the screen
    training: TrainingState = TrainingState()
    undo: str | None = None
    redo: str | None = None
    busy: str = ""
    progress: float | None = None
    notice: Notice | None = None
    cache_bytes: int = 0
    cache_budget: int = 0
    generation: int = 0

    def row(self, scene: str | None) -> SceneRow | None:
        """The line of a scene, if there is such a scene."""
        return next((row for row in self.scenes if row.id == scene), None)

    def counts(self) -> dict[Status, int]:
        """How many scenes have which status."""
        return {status: sum(row.status is status for row in self.scenes) for status in Status}
