"""Everything the window shows, as frozen values."""

from smarthdr_studio.core.brush.ink import Ink
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.studio.state.curating import (
    BrushShape,
    BrushState,
    Centre,
    PairState,
    QueueKind,
    QueueState,
    SceneStory,
    StoryLine,
    TableState,
)
from smarthdr_studio.studio.state.journal import JournalState, PastState
from smarthdr_studio.studio.state.judging import (
    SCOPES,
    EvidenceState,
    HeatStrip,
    PoolCharts,
    PoolShares,
    Scope,
    Snapshot,
)
from smarthdr_studio.studio.state.looking import (
    FIRST_VIEWS,
    MOST_VIEWS,
    CompareMode,
    Comparison,
    Readout,
    Tool,
    ViewSetup,
)
from smarthdr_studio.studio.state.papers import (
    DatasetWish,
    MovedState,
    SplitState,
    TruthState,
    TruthWish,
)
from smarthdr_studio.studio.state.proposing import ProposalState
from smarthdr_studio.studio.state.studio import Notice, StudioState, Tone
from smarthdr_studio.studio.state.training import BUSY_ACTIVITIES, Activity, TrainingState

__all__ = [
    "BUSY_ACTIVITIES",
    "FIRST_VIEWS",
    "MOST_VIEWS",
    "SCOPES",
    "Activity",
    "BrushShape",
    "BrushState",
    "Centre",
    "CompareMode",
    "Comparison",
    "DatasetWish",
    "EvidenceState",
    "HeatStrip",
    "Ink",
    "JournalState",
    "MovedState",
    "Notice",
    "PairState",
    "PastState",
    "PoolCharts",
    "PoolShares",
    "ProposalState",
    "QueueKind",
    "QueueState",
    "Readout",
    "SceneFacts",
    "SceneStory",
    "Scope",
    "Snapshot",
    "SplitState",
    "StoryLine",
    "StudioState",
    "TableState",
    "Tone",
    "Tool",
    "TrainingState",
    "TruthState",
    "TruthWish",
    "ViewSetup",
]
