"""Everything the window shows, as one frozen value; pictures and curves travel beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.display import DisplaySettings
from smarthdr_studio.core.imaging.metrics import SplitQuality
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.core.trust.explanation import Explanation
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.region_statistics import RegionReport
from smarthdr_studio.core.trust.thresholds import WhatIf
from smarthdr_studio.studio.state.curation import (
    BrushShape,
    BrushState,
    Centre,
    JournalState,
    PairState,
    PastState,
    ProposalState,
    QueueKind,
    QueueState,
    SceneStory,
    StoryLine,
    TableState,
)
from smarthdr_studio.studio.state.dataset import (
    IMPORT_STEPS,
    CurveState,
    CurveWish,
    DatasetWish,
    FramesState,
    ImportState,
    ImportStep,
    LabelWays,
    MovedState,
    SplitState,
    TruthState,
    TruthWish,
    Written,
)
from smarthdr_studio.studio.state.inspection import (
    FIRST_CURATED,
    FIRST_VIEWS,
    MOST_VIEWS,
    SCOPES,
    CompareMode,
    Comparison,
    EvidenceState,
    HeatStrip,
    PoolCharts,
    PoolShares,
    Readout,
    RoundShares,
    Scope,
    Snapshot,
    ThresholdState,
    Tool,
    ViewSetup,
    Workspace,
)
from smarthdr_studio.studio.state.runs import (
    MOST_COMPARED,
    PARTS,
    SPLITS,
    WHICH,
    BenchmarkState,
    Contrast,
    EvaluationFigures,
    EvaluationState,
    ModelWish,
    Part,
    RunPicture,
    RunsState,
    RunsTold,
    SceneFigures,
    Split,
    WayBack,
    Which,
)
from smarthdr_studio.studio.state.training import (
    EDITED,
    Activity,
    DeviceLine,
    FilmState,
    PlanningState,
    TrainingState,
)

__all__ = [
    "EDITED",
    "FIRST_CURATED",
    "FIRST_VIEWS",
    "IMPORT_STEPS",
    "MOST_COMPARED",
    "MOST_VIEWS",
    "PARTS",
    "SCOPES",
    "SPLITS",
    "WHICH",
    "Activity",
    "Asks",
    "BenchmarkState",
    "BrushShape",
    "BrushState",
    "Centre",
    "CompareMode",
    "Comparison",
    "Contrast",
    "CurveState",
    "CurveWish",
    "DatasetWish",
    "DeviceLine",
    "EvaluationFigures",
    "EvaluationState",
    "EvidenceState",
    "FramesState",
    "HeatStrip",
    "ImportState",
    "ImportStep",
    "JournalState",
    "LabelWays",
    "ModelWish",
    "MovedState",
    "Notice",
    "Offer",
    "PairState",
    "Part",
    "PastState",
    "PlanningState",
    "PoolCharts",
    "PoolShares",
    "ProposalState",
    "QueueKind",
    "QueueState",
    "Readout",
    "RoundShares",
    "RunPicture",
    "RunsState",
    "RunsTold",
    "SceneFacts",
    "SceneFigures",
    "SceneStory",
    "Scope",
    "Snapshot",
    "Split",
    "SplitState",
    "StoryLine",
    "StudioState",
    "TableState",
    "ThresholdState",
    "Tone",
    "Tool",
    "TrainingState",
    "TruthState",
    "TruthWish",
    "ViewSetup",
    "WayBack",
    "Which",
    "Workspace",
    "Written",
    "refused",
]


Tone = Literal["plain", "warn", "bad"]

_PAPER = MaskSettings()
_PLAIN = DisplaySettings()
_ALONE = Comparison()
_BRUSH = BrushState()
_TABLE = TableState()
_QUEUE = QueueState()
_PROPOSAL = ProposalState()
_PAIR = PairState()
_UNMEASURED = EvidenceState()
_NOT_DRAWN = ThresholdState()
_NO_RUN = TrainingState()
_RUNS = RunsState()
_JOURNAL = JournalState()
_PLANNING = PlanningState()
_FILM = FilmState()
_EVALUATION = EvaluationState()
_BENCHMARK = BenchmarkState()


Asks = Literal[
    "resume", "try_again", "restore_run", "evaluate", "review", "export", "least_trusted"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something that one click on a notice does: `text` is for the button.

    `asks` is what is done with the run or project `about`; `changes` of its plan are by dotted key.
    """

    text: str
    tip: str
    asks: Asks
    about: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell without stopping anyone; `details` are read one per line.

    `opens` is a file or a folder that was written and can be looked at; of `offers` the best
    comes first. `passes` says that it answers a command that did nothing: once read, it may go.
    """

    text: str
    tone: Tone = "plain"
    details: tuple[str, ...] = ()
    opens: Path | None = None
    offers: tuple[Offer, ...] = ()
    passes: bool = False


def refused(words: str) -> Notice:
    """Why a command did nothing."""
    return Notice(text=words, tone="warn", passes=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioState:
    """The window, whole. Only `Session` makes a new one."""

    project: str = ""
    folder: Path | None = None
    recent: tuple[Path, ...] = ()
    scenes: tuple[SceneFacts, ...] = ()
    current: str | None = None
    shown: str | None = None  # the scene whose pictures are on the screen
    masks: MaskSettings = _PAPER
    retained: float | None = None  # share of the scene on the screen
    pool: PoolShares | None = None
    charts: PoolCharts | None = None
    display: DisplaySettings = _PLAIN
    workspace: Workspace = Workspace.INSPECT
    views: tuple[ViewSetup, ...] = FIRST_VIEWS
    columns: int = 2  # of the grid of views
    aside: tuple[ViewSetup, ...] = FIRST_CURATED  # views that another workspace has
    aside_columns: int = 2
    active: int = 0  # the view that keys act upon
    compare: Comparison = _ALONE
    tool: Tool = Tool.HAND
    brush: BrushState = _BRUSH
    centre: Centre = Centre.PICTURES
    table: TableState = _TABLE
    queue: QueueState = _QUEUE
    proposal: ProposalState = _PROPOSAL
    pair: str | None = None  # the scene held beside the current one
    beside: PairState = _PAIR
    story: SceneStory | None = None  # of the current scene
    read_only: str = ""  # why nothing can be decided
    journal: JournalState = _JOURNAL
    bringing: ImportState | None = None  # brackets that become a project step by step
    truth: TruthState | None = None  # one that was picked and waits for a word
    split: SplitState | None = None  # the same of a split
    moved: MovedState | None = None  # the dataset folder is gone
    curve: CurveState | None = None  # the camera's curve, while it is looked at
    frames: FramesState | None = None  # those of one bracket, while they are looked at
    ways: LabelWays | None = None  # there is no pseudo-label yet; what can be done
    readout: Readout | None = None  # stays when the mouse leaves the pictures
    region: Region | None = None
    report: RegionReport | None = None
    explanation: Explanation | None = None  # of the region, or else of the pixel
    scope: Scope = "pool"  # of both histograms
    snapshots: tuple[Snapshot, ...] = ()
    what_if: WhatIf | None = None
    quality: SplitQuality | str = ""  # kept and dropped pixels of this scene, or why not
    evidence: EvidenceState = _UNMEASURED
    drawn: ThresholdState = _NOT_DRAWN
    history: RunHistory | None = None
    heat: HeatStrip | None = None
    clues_known: bool = False  # whether the frames of this scene have been examined
    replay: int | None = None  # the round whose masks are replayed on the screen
    past: RoundShares | None = None  # what that round retained
    training: TrainingState = _NO_RUN
    planning: PlanningState = _PLANNING
    runs: RunsState = _RUNS
    film: FilmState = _FILM
    evaluation: EvaluationState = _EVALUATION
    benchmark: BenchmarkState = _BENCHMARK
    undo: str | None = None
    redo: str | None = None
    busy: str = ""
    progress: float | None = None
    notice: Notice | None = None
    cache_bytes: int = 0
    cache_budget: int = 0
    generation: int = 0

    def row(self, scene: str | None) -> SceneFacts | None:
        """The line of a scene, if there is such a scene."""
        return next((row for row in self.scenes if row.id == scene), None)

    def counts(self) -> dict[Status, int]:
        """How many scenes have which status."""
        return {status: sum(row.status is status for row in self.scenes) for status in Status}
