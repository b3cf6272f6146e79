"""Choosing and painting: the brush, the queues, the table of scenes, proposals, and the journal."""

from dataclasses import dataclass
from enum import StrEnum

from smarthdr_studio.core.curation.proposals import Proposal, Rule
from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.project.journal import Change, DecisionSummary, Status
from smarthdr_studio.core.trust.brush import Ink


class BrushShape(StrEnum):
    """How a hand paints; the values are the words on the screen."""

    DAB = "brush"
    FILL = "fill"
    LASSO = "lasso"
    POLYGON = "polygon"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrushState:
    """The brush in the hand; `radius` in pixels of the picture, `hardness` in [0, 1].

    `trusted` and `distrusted` are the shares of the scene in [0, 1] that are painted so.
    """

    ink: Ink = Ink.DISTRUST
    shape: BrushShape = BrushShape.DAB
    radius: float = 24.0
    hardness: float = 1.0
    trusted: float = 0.0
    distrusted: float = 0.0


class QueueKind(StrEnum):
    """In which order scenes come; the values are the words on the screen."""

    ALL = "all"
    SAFEST = "safest to promote"
    WORTH = "most worth labelling"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """The queue that Space walks: scenes in order, why each, and how many were reviewed.

    A `preliminary` order is ranked without all that can be known; `work` is what is being found
    out for it, "" when nothing is.
    """

    kind: QueueKind = QueueKind.ALL
    scenes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    reviewed: int = 0
    total: int = 0
    work: str = ""
    preliminary: bool = False

    def reason_of(self, scene: str | None) -> str:
        """Why a scene stands where it stands; "" where it is not in the queue."""
        pairs = zip(self.scenes, self.reasons, strict=False)
        return next((reason for name, reason in pairs if name == scene), "")


class Centre(StrEnum):
    """What fills the middle of the window."""

    PICTURES = "pictures"
    TABLE = "table"
    GALLERY = "gallery"
    PAIR = "two scenes"
    RUNS = "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """Which scenes are listed and how: `query` as typed, `fault` what is wrong with it.

    `found` are the ids that match the last good query, None while it is empty; `sort` is the name
    of a `core.curation.sorting.SortKey`.
    """

    query: str = ""
    fault: str = ""
    found: frozenset[str] | None = None
    sort: str = "id"
    descending: bool = False
    work: str = ""  # what is being found out about scenes, "" when nothing is
    progress: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One decision about a scene; `at` is the person's local time, `who` is user@host."""

    at: str
    who: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneStory:
    """What is told of one scene: the latest decision first; `label` and `frames` in words or "".

    `frames` says how they are read where it is not with gamma 2.2 as they were shot.
    """

    scene: str
    frames: str = ""
    label: str = ""
    thresholds: str = ""  # those the label was frozen with
    lines: tuple[StoryLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairState:
    """Two scenes side by side: the layers both show, above and below, and the side keys act on."""

    layers: tuple[Layer, Layer] = (Layer.PSEUDO_LABEL, Layer.PIXEL_MASK)
    side: int = 0  # 0 is the current scene, 1 the other
    retained: float | None = None  # of the other scene


@dataclass(frozen=True, slots=True, kw_only=True)
class PastState:
    """The project at a moment of the past, held against a later one.

    `before` and `after` are UTC as in the journal; `after` is "" for now. `counts` says for each
    status how many scenes had it then and how many later. `known` is False where the moment lies
    before the project was made.
    """

    before: str
    after: str = ""
    counts: tuple[tuple[Status, int, int], ...] = ()
    changes: tuple[Change, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """The decisions, newest first; `chosen` are the numbers of those whose moments are shown."""

    lines: tuple[DecisionSummary, ...] = ()
    chosen: tuple[int, ...] = ()
    past: PastState | None = None


_FIRST = Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalState:
    """The rule, all that it proposes (`found`), and what would come of the scenes left ticked.

    `shortfall` says what is missing where it proposes nothing. With `telling` a notice comes after
    a round whose scenes fulfil the rule. Both proposals are None until somebody asks.
    """

    rule: Rule = _FIRST
    telling: bool = False
    found: Proposal | None = None
    chosen: Proposal | None = None
    shortfall: str = ""
