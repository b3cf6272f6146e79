"""What a sample dataset is asked to be, and what is said while it is written."""

from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.errors import PlanError


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSettings:
    """How many scenes of which size; `maps` is a folder of radiance maps to build them from.

    `scenes` counts all; the last `test` of them go to Test, `labelled` of the others are named in
    labelled.txt. `evs` are the exposure values of under, reference and over.
    """

    scenes: int = 24
    labelled: int = 5
    test: int = 6
    width: int = 512
    height: int = 384
    evs: tuple[float, float, float] = (0.0, 3.0, 6.0)
    seed: int = 0
    maps: Path | None = None

    def __post_init__(self) -> None:
        if self.test < 0 or self.labelled < 0 or not 1 <= self.scenes - self.test <= 900:
            raise PlanError(
                f"A sample has 1 to 900 training scenes; asked: scenes={self.scenes}, "
                f"test={self.test}, labelled={self.labelled}."
            )
        if self.labelled > self.scenes - self.test:
            raise PlanError(
                f"A sample of {self.training} training scenes has no {self.labelled} labelled ones."
            )
        if not 64 <= min(self.width, self.height) <= max(self.width, self.height) <= 8192:
            raise PlanError(
                f"A sample's width and height lie between 64 and 8192: {self.width}×{self.height}."
            )
        if not self.evs[0] < self.evs[1] < self.evs[2]:
            raise PlanError(f"A sample's exposure values must rise: {self.evs}.")
        if self.seed < 0:
            raise PlanError(f"A sample's seed is a whole number from 0 up: {self.seed}.")

    @property
    def training(self) -> int:
        """How many scenes are not for testing."""
        return self.scenes - self.test

    def labelled_scenes(self) -> tuple[int, ...]:
        """Positions of the labelled scenes, spread over the training scenes from the first on."""
        step = (self.training - 1) // max(self.labelled - 1, 1)
        return tuple(k * step for k in range(self.labelled))


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneWritten:
    """One scene is done, the `index`-th (from 1) of `total`; `path` is where it lies in the end."""

    index: int
    total: int
    id: str
    path: Path
