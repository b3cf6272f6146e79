"""One scene as files on disk, and the same scene decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.radiance import Frame, stops_above_shortest

Split = Literal["train", "test"]
Half = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where one bracket lies; the frames are ordered under, reference, over.

    `id` is unique in its dataset and safe as a file name: the scene folder's path inside the
    dataset joined by "-", without a leading "Training". `ground_truth_gain` multiplies what the
    ground truth file holds to reach the scale of METHOD §1 (h ≤ 1 where the under frame clips).
    """

    id: str
    frames: tuple[Path, Path, Path]
    evs: tuple[float, float, float]
    height: int
    width: int
    split: Split = "train"
    ground_truth: Path | None = None
    ground_truth_gain: float = 1.0
    layout: str = "folder"

    @property
    def stops(self) -> tuple[float, float, float]:
        """Exposure values counted from the under frame: (0, a, b)."""
        under, reference, over = stops_above_shortest(self.evs)
        return under, reference, over

    @property
    def pixels(self) -> int:
        """How many pixels one frame has."""
        return self.height * self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A folder that looked like a scene and could not be used, with the sentence that says why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What a dataset folder holds: scenes sorted by id, and what was left out."""

    root: Path
    scenes: tuple[Scene, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Bracket:
    """A decoded scene: three H×W×3 RGB uint16 frames, and their stops above the shortest."""

    under: Frame
    reference: Frame
    over: Frame
    stops: tuple[float, float, float]

    @property
    def frames(self) -> Sequence[Frame]:
        """Under, reference, over."""
        return self.under, self.reference, self.over

    @property
    def nbytes(self) -> int:
        """Memory held by the frames."""
        return sum(frame.nbytes for frame in self.frames)
