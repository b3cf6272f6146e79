"""The runs of a project, which are compared, how good a model was found to be, and a benchmark."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.project.places import ModelForm
from smarthdr_studio.core.training.diary import DiaryLine
from smarthdr_studio.core.training.run_folder import DiscardedRun
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.core.trust.explanation import Fact

if TYPE_CHECKING:
    from smarthdr_studio.core.training.benchmark_watch import BenchmarkStand

MOST_COMPARED: Final = 6  # runs side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One matter in words, and what each run says to it; `best` is the place of the best one."""

    name: str
    values: tuple[str, ...]
    best: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsTold:
    """What is told of the chosen runs, in their order.

    Of one run `plans` says where its plan differs from its preset, `labels` what its scenes were
    to it, and there are `facts`, `checkpoints` and its `diary`. Of several, `plans` and `labels`
    say where they differ; what is the same in all is only counted.
    """

    runs: tuple[str, ...]
    figures: tuple[Contrast, ...] = ()
    figure_words: str = ""
    facts: tuple[Fact, ...] = ()
    checkpoints: tuple[str, ...] = ()
    plans: tuple[Contrast, ...] = ()
    plan_words: str = ""
    labels: tuple[Contrast, ...] = ()
    label_words: str = ""
    diary: tuple[DiaryLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """What going back to the start of a run would change; `changes` are scenes by new status.

    `layout` is whether the views can be as they were.
    """

    run: str
    thresholds: str = ""
    changes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    layout: bool = False

    @property
    def empty(self) -> bool:
        """Whether everything is as it was."""
        return not (self.thresholds or self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsState:
    """Every run, the latest first; `titles` are their short names, no two alike.

    `chosen` are looked at, the latest first; `question` is asked before they are discarded;
    `discarded` is None until somebody asks what lies in the trash. `common` says whether pictures
    are of the same round of all; `work` what is being read that takes a while, "" for nothing.
    """

    rows: tuple[RunRow, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    told: RunsTold | None = None
    common: bool = True
    question: str = ""
    way_back: WayBack | None = None
    discarded: tuple[DiscardedRun, ...] | None = None
    work: str = ""
    looked: bool = False  # whether the list has been read at all

    def row(self, run: str) -> RunRow | None:
        """The line of a run, if there is such a run."""
        return next((row for row in self.rows if row.id == run), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunPicture:
    """A scene as a run saw it: contiguous H×W×3 RGB for the screen, None where there is none.

    `small` is a preview that was kept small; `round` None where the run has made none.
    """

    run: str
    round: int | None = None
    rgb8: npt.NDArray[np.uint8] | None = None
    small: bool = False


Part = Literal["teacher", "student"]
Which = Literal["best", "last"]
Split = Literal["test", "held-out", "unlabelled"]

PARTS: Final[tuple[Part, ...]] = ("teacher", "student")
WHICH: Final[tuple[Which, ...]] = ("best", "last")
SPLITS: Final[tuple[Split, ...]] = ("test", "held-out", "unlabelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWish:
    """Which model of a run is wanted as a file."""

    run: str
    file: Path
    part: Part = "teacher"
    which: Which = "best"
    form: ModelForm = "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFigures:
    """How good a model and the plain merge are on one scene; dB, similarities, AUSE and rank.

    The last four are the model's PU21-PSNR and its PSNR-μ where the reference is saturated, where
    something moves, and elsewhere; not a number where a scene has no such pixels.
    """

    id: str
    psnr_mu: float
    psnr_l: float
    ssim_mu: float
    ssim_l: float
    merge_psnr_mu: float
    merge_psnr_l: float
    merge_ssim_mu: float
    merge_ssim_l: float
    ause: float
    spearman: float
    psnr_pu: float = math.nan
    saturated: float = math.nan
    moving: float = math.nan
    static: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFigures:
    """What was measured of a checkpoint; each of `problems` is a scene that could not be read."""

    run: str
    step: int
    split: Split
    scenes: tuple[SceneFigures, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationState:
    """Whose figures are looked at; `figures` is None until they are measured.

    `words` say why there are none, or how far measuring is.
    """

    run: str = ""
    which: Which = "best"
    split: Split = "test"
    figures: EvaluationFigures | None = None
    words: str = ""
    at_work: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkState:
    """Which benchmark is looked at: its plan, the dataset, and the folder of its runs.

    `stand` is how it stands, None where that is not known; `words` say why, or what went wrong.
    `starting` is from the wish to begin until a process is seen, `stopping` from the wish to stop
    until none is.
    """

    plan: str = ""
    dataset: Path | None = None
    into: Path | None = None
    stand: "BenchmarkStand | None" = None
    words: str = ""
    starting: bool = False
    stopping: bool = False

    @property
    def at_work(self) -> bool:
        """Whether a process runs it, in this window or elsewhere."""
        return self.stand is not None and self.stand.at_work
