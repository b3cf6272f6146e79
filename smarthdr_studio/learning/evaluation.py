"""How good a checkpoint's teacher is, beside the plain merge, and whether its doubt is any good."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import CheckpointError, ProjectError
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.label_files import check_label
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.quality import Quality, quality
from smarthdr_studio.core.radiance import exposure_weighted_merge
from smarthdr_studio.core.reliability import Reliability, error_map, reliability
from smarthdr_studio.learning.checkpoints import latest_checkpoint, read_info
from smarthdr_studio.learning.opinion import load_predictor
from smarthdr_studio.learning.predictor import Predictor

Split = Literal["test", "unlabelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneEvaluation:
    """One scene: the teacher, the plain exposure-weighted merge, and the teacher's σ."""

    id: str
    teacher: Quality
    merge: Quality
    reliability: Reliability


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All scenes of a split; every mean is over scenes."""

    checkpoint: str
    split: Split
    scenes: tuple[SceneEvaluation, ...]

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
        }


def evaluate(
    project: Path, *, checkpoint: Path | None = None, split: Split = "test", device: str = "auto"
) -> Generator[PhaseChanged | Evaluation, None, None]:
    """Says how far it is, and last the `Evaluation`.

    Args:
        project: the project folder.
        checkpoint: a checkpoint folder; None is the newest of the newest run.
        split: the test scenes, or the unlabelled ones; of both only those with a ground truth.
        device: as a plan says it ("auto", "cpu", "cuda:1", …).

    Raises:
        CheckpointError, ProjectError, DeviceError: one sentence with the remedy.
        LabelError: a ground truth that was brought is damaged.
    """
    yield PhaseChanged(phase="preparing", text="loading the teacher", step=0)
    checkpoint = checkpoint or latest_checkpoint(project)
    if checkpoint is None:
        raise CheckpointError(f"{project}: no run has a checkpoint yet; train first")
    scenes = _scenes(project, split=split)
    info = read_info(checkpoint)
    predictor = load_predictor(checkpoint, device=device, frames=FrameStore())
    results: list[SceneEvaluation] = []
    for scene in scenes:
        yield PhaseChanged(
            phase="validating",
            text=f"evaluating scene {len(results) + 1} of {len(scenes)}",
            step=info.step,
            done=len(results),
            total=len(scenes),
        )
        results.append(evaluate_scene(predictor, scene))
    yield Evaluation(checkpoint=str(checkpoint), split=split, scenes=tuple(results))


def evaluate_scene(predictor: Predictor, scene: Scene) -> SceneEvaluation:
    """All figures of one scene that has a ground truth."""
    hdr, sigma = predictor.predict(scene)
    truth = predictor.frames.ground_truth(scene)
    bracket = predictor.frames.bracket(scene)
    merged = exposure_weighted_merge(bracket.frames, stops=bracket.stops)
    return SceneEvaluation(
        id=scene.id,
        teacher=quality(hdr, truth),
        merge=quality(merged, truth),
        reliability=reliability(sigma, error_map(hdr, truth)),
    )


def _scenes(folder: Path, *, split: Split) -> Sequence[Scene]:
    wanted = Status.TEST if split == "test" else Status.UNLABELLED
    with Project.open(folder) as project:
        states = project.ledger().scenes
        scenes = [
            scene
            for scene in project.scenes
            if states[scene.id].status is wanted and scene.ground_truth is not None
        ]
        for scene in scenes:
            if (state := states[scene.id]).truth is not None:
                check_label(project.folder / state.truth, state.truth_checksum, brought=True)
    if not scenes:
        raise ProjectError(
            f"{folder}: no {split} scene has a ground truth to compare with; choose another --split"
        )
    return scenes


def _mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(each[name] for each in figures) for name in figures[0]}
