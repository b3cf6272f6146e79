"""Models on their way out of the program, and how good one was found to be, scene by scene."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Part = Literal["teacher", "student"]
Which = Literal["best", "last"]
Form = Literal["bundle", "safetensors", "torchscript", "onnx"]
Split = Literal["test", "held-out", "unlabelled"]

PARTS: Final[tuple[Part, ...]] = ("teacher", "student")
WHICH: Final[tuple[Which, ...]] = ("best", "last")
SPLITS: Final[tuple[Split, ...]] = ("test", "held-out", "unlabelled")
SUFFIXES: Final[dict[Form, str]] = {
    "bundle": ".shdrmodel",
    "safetensors": ".safetensors",
    "torchscript": ".pt",
    "onnx": ".onnx",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWish:
    """Which model of a run is wanted as a file."""

    run: str
    file: Path
    part: Part = "teacher"
    which: Which = "best"
    form: Form = "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFigures:
    """How good a model and the plain merge are on one scene; dB, similarities, AUSE and rank."""

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
