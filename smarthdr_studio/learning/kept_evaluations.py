"""Figures of a model, and the file of a run that keeps them until weights or scenes change."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final, Literal

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.file_stamps import stamp_of
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.quality import Quality
from smarthdr_studio.core.reliability import Reliability
from smarthdr_studio.learning.model_card import ModelCard

Split = Literal["test", "held-out", "unlabelled"]

_FORMAT: Final = 1
_QUALITY: Final = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l")
_RELIABILITY: Final = ("spearman", "ause")


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneEvaluation:
    """One scene: the teacher, the plain exposure-weighted merge, and the teacher's σ."""

    id: str
    teacher: Quality
    merge: Quality
    reliability: Reliability

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "SceneEvaluation":
        """What `Evaluation.as_json` said of it. Raises KeyError or TypeError."""
        return cls(
            id=str(values["id"]),
            teacher=Quality(**_figures(values, _QUALITY)),
            merge=Quality(**_figures(values["merge"], _QUALITY)),
            reliability=Reliability(**_figures(values, _RELIABILITY)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All scenes of a split; every mean is over scenes.

    Each of `problems` is the sentence of a scene that could not be read and counts nowhere.
    """

    checkpoint: str
    split: Split
    scenes: tuple[SceneEvaluation, ...]
    run: str = ""
    step: int = 0
    problems: tuple[str, ...] = ()

    @property
    def mean(self) -> Quality:
        """Of the teacher."""
        return Quality(**_mean([asdict(scene.teacher) for scene in self.scenes]))

    @property
    def merge(self) -> Quality:
        """Of the exposure-weighted merge."""
        return Quality(**_mean([asdict(scene.merge) for scene in self.scenes]))

    @property
    def reliability(self) -> Reliability:
        """Of σ against the true error."""
        return Reliability(**_mean([asdict(scene.reliability) for scene in self.scenes]))

    def as_json(self) -> dict[str, Any]:
        """Plain values; decibels, similarities and shares as numbers."""
        return {
            "checkpoint": self.checkpoint,
            "run": self.run,
            "step": self.step,
            "split": self.split,
            "mean": asdict(self.mean),
            "merge": asdict(self.merge),
            "reliability": asdict(self.reliability),
            "scenes": [
                {
                    "id": scene.id,
                    **asdict(scene.teacher),
                    "merge": asdict(scene.merge),
                    **asdict(scene.reliability),
                }
                for scene in self.scenes
            ],
            "problems": list(self.problems),
        }


def fingerprint(card: ModelCard, scenes: Sequence[Scene]) -> str:
    """Another one when weights, tiles or any file of a scene are others. Files are not read."""
    parts = [
        (
            scene.id,
            scene.evs,
            scene.ground_truth_gain,
            [stamp_of(path) for path in (*scene.frames, scene.ground_truth) if path is not None],
        )
        for scene in scenes
    ]
    whole = json.dumps([_FORMAT, card.weights, card.tile, card.precision, parts])
    return hashlib.sha256(whole.encode()).hexdigest()


def kept(project: AnyPath, model: AnyPath, *, split: Split, mark: str) -> Evaluation | None:
    """What the run of a checkpoint keeps for this mark; None where nothing fits."""
    project = Path(project)
    model = Path(model)
    path = _place(project, model, split)
    if path is None:
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["fingerprint"] != mark:
            return None
        return Evaluation(
            checkpoint=str(model),
            split=split,
            scenes=tuple(map(SceneEvaluation.from_plain, values["scenes"])),
            run=str(values["run"]),
            step=int(values["step"]),
            problems=tuple(map(str, values["problems"])),
        )
    except (OSError, ValueError, KeyError, TypeError):  # written by an older version, or damaged
        return None


def keep(project: AnyPath, model: AnyPath, figures: Evaluation, *, mark: str) -> None:
    """Writes the figures of a checkpoint of this project into its run; of any other nothing.

    Raises ProjectError where they cannot be written.
    """
    project = Path(project)
    model = Path(model)
    path = _place(project, model, figures.split)
    if path is None:
        return
    values = {"format": _FORMAT, "fingerprint": mark, **figures.as_json()}
    text = json.dumps(_without_nan(values), indent=1, ensure_ascii=False)
    try:
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None


def _place(project: Path, model: Path, split: Split) -> Path | None:
    """Where figures of a checkpoint are kept; None for what belongs to no run of the project."""
    run = model.resolve().parent.parent
    if run.parent != project.resolve() / "runs":
        return None
    return run / "evaluations" / f"{model.name}-{split}.json"


def _figures(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    return {name: math.nan if values[name] is None else float(values[name]) for name in names}


def _without_nan(value: object) -> object:
    """JSON has no word for it."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: _without_nan(part) for key, part in value.items()}
        case list() | tuple():
            return [_without_nan(part) for part in value]
        case _:
            return value


def _mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(each[name] for each in figures) for name in figures[0]}
