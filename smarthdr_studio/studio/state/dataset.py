"""What a person is asked about files: a ground truth, a split, a dataset that has moved."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from smarthdr_studio.core.datasets.ground_truth import TruthFix
from smarthdr_studio.core.project.journal import Status

if TYPE_CHECKING:
    from smarthdr_studio.core.datasets.ground_truth import TruthFindings, TruthPictures
    from smarthdr_studio.core.datasets.proposal import Proposal
    from smarthdr_studio.core.imaging.bracket import Catalogue, Scene
    from smarthdr_studio.core.imaging.response import ResponseCurve, ResponseFit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TruthState:
    """A ground truth that was picked for a scene and waits for a person's word.

    `fault` is why it could not be looked at; then there are no findings.
    """

    scene: str
    files: tuple[Path, ...]
    findings: "TruthFindings | None" = None
    pictures: "TruthPictures | None" = None
    fault: str = ""
    replaces: str = ""  # the scene's status where it has a label or a ground truth already

    @property
    def at_work(self) -> bool:
        """Whether it is still being looked at."""
        return self.findings is None and not self.fault


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthWish:
    """What a person decided about it: which of the offered fixes to apply, and why."""

    fix: TruthFix
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitState:
    """A split from a file that waits for a person's word: what each scene is to become.

    `changes` holds only scenes that change, by the status they get, with the one they have.
    """

    file: Path
    changes: tuple[tuple[Status, tuple[tuple[str, Status], ...]], ...]

    @property
    def count(self) -> int:
        """How many scenes change."""
        return sum(len(scenes) for _, scenes in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedState:
    """The dataset folder is not where it was, or is another one.

    `guess` is where the right one may be, None for nowhere known. `changed` are the scenes, of
    `scenes` in all, of which it holds other pictures than the project knows; none where it is gone.
    `fault` says why the folder that was given last is not the dataset.
    """

    root: Path
    partly: bool = False  # only some of its scenes are gone
    guess: Path | None = None
    fault: str = ""
    at_work: bool = False
    changed: tuple[str, ...] = ()
    scenes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetWish:
    """How a curated dataset is to be written."""

    folder: Path
    frames: Literal["link", "copy"] = "link"
    labels: Literal["hdr", "exr"] = "hdr"
    unlabelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written, in a sentence, and where it lies; `wrong` says what could not be used."""

    words: str
    path: Path
    details: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


ImportStep = Literal["folder", "brackets", "exposures", "truths", "project"]
IMPORT_STEPS: Final[tuple[ImportStep, ...]] = (
    "folder",
    "brackets",
    "exposures",
    "truths",
    "project",
)


CurveWish = Literal["gamma", "measured"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImportState:
    """How far the import of brackets is; nothing is made before its last step.

    `proposal` is what the folder seems to hold, corrected by a person, `catalogue` what became of
    it once it was held against its pixels; None as long as that has not been done of the proposal
    as it is now. `doing` says what is under way, with `progress` in [0, 1] where it is known, and
    `fault` why the last thing asked for could not be done.
    """

    step: ImportStep = "folder"
    folder: Path | None = None
    proposal: "Proposal | None" = None
    catalogue: "Catalogue | None" = None
    labelled: tuple[str, ...] = ()
    ev_step: float | None = None
    aligned: bool = False  # hand-held frames are to be laid onto the reference
    fit: "ResponseFit | None" = None  # what brackets show of the camera's curve
    response: "ResponseCurve | None" = None  # the curve frames are read under, None for gamma 2.2
    curve_wish: CurveWish | None = None  # what a person chose of both
    doing: str = ""
    progress: float | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveState:
    """The camera's curve of a project that is there, while a person looks at it.

    `used` is the curve that frames are read under, None for gamma 2.2, `wished` the one a person
    would rather have, and `fit` what the brackets show, None where they show none.
    """

    used: "ResponseCurve | None"
    wished: "ResponseCurve | None" = None
    fit: "ResponseFit | None" = None
    doing: str = ""
    progress: float | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FramesState:
    """A scene with the frames of its bracket that are used now, while a person looks at them.

    `found` is the same scene with the three that the program found.
    """

    scene: "Scene"
    found: "Scene"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWays:
    """The project has no pseudo-label; `labelled` says whether there is a label to train on."""

    labelled: bool
