"""How good a model is on labels it never saw, and how well its σ ranks its error."""

import hashlib
import json
import math
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import BadScene, CheckpointError, ProjectError, UnreadableImage
from smarthdr_studio.core.files import AnyPath, file_stamp, place_in, save_text
from smarthdr_studio.core.imaging.bracket import Bracket, FrameReading, FrameStore, Scene
from smarthdr_studio.core.imaging.metrics import Quality, psnr_pu, quality, split_quality
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.places import label_file
from smarthdr_studio.core.project.project import Project, refuse_without_project
from smarthdr_studio.core.project.relocation import refuse_without_dataset
from smarthdr_studio.core.records import read_json
from smarthdr_studio.core.training.events import PhaseChanged, Validated
from smarthdr_studio.core.trust.causes import clues, moving
from smarthdr_studio.core.trust.reliability import (
    Part,
    Reliability,
    area_between,
    error_map,
    reliability,
    sparsification,
    squared_error_map,
)
from smarthdr_studio.learning.bundle import ModelCard
from smarthdr_studio.learning.checkpoints import latest_checkpoint, load_state
from smarthdr_studio.learning.extra_metrics import Metric, measure, require_metrics
from smarthdr_studio.learning.inference import Predictor, TileProgress, run_predictor
from smarthdr_studio.learning.model_files import find_model, is_bundle, load_predictor, read_card

FloatMap = npt.NDArray[np.floating[Any]]

Split = Literal["test", "held-out", "unlabelled"]

_FORMAT: Final = 1

_QUALITY: Final = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l")

_RELIABILITY: Final = ("spearman", "ause", "ence")

_PART: Final = ("share", "psnr_mu", "psnr_l")

PARTS: Final = (Part.SATURATED, Part.MOVING, Part.STATIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartQuality:
    """Which share of a scene's pixels a part has, and the PSNR there in dB."""

    share: float
    psnr_mu: float
    psnr_l: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneEvaluation:
    """One scene: the teacher, the plain exposure-weighted merge, and the teacher's σ."""

    id: str
    teacher: Quality
    merge: Quality
    reliability: Reliability
    psnr_pu: float = math.nan
    """PU21-PSNR of the teacher in dB, peak 256, radiance 1 at 1000 cd/m²."""
    parts: Mapping[str, PartQuality] = field(default_factory=dict)
    """The teacher where the reference is saturated, where something moves, and elsewhere."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """HDR-FLIP and ColorVideoVDP of the teacher, where they were asked for."""

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "SceneEvaluation":
        """What `Evaluation.as_json` said of it. Raises KeyError or TypeError."""
        return cls(
            id=str(values["id"]),
            teacher=Quality(**_figures(values, _QUALITY)),
            merge=Quality(**_figures(values["merge"], _QUALITY)),
            reliability=Reliability(**_figures(values, _RELIABILITY)),
            psnr_pu=_number(values["psnr_pu"]),
            parts={
                str(name): PartQuality(**_figures(part, _PART))
                for name, part in values["parts"].items()
            },
            extra={str(name): _number(value) for name, value in values["extra"].items()},
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
        return Quality(**_mean_figures([asdict(scene.teacher) for scene in self.scenes]))

    @property
    def merge(self) -> Quality:
        """Of the exposure-weighted merge."""
        return Quality(**_mean_figures([asdict(scene.merge) for scene in self.scenes]))

    @property
    def reliability(self) -> Reliability:
        """Of σ against the true error."""
        return Reliability(**_mean_figures([asdict(scene.reliability) for scene in self.scenes]))

    @property
    def parts(self) -> dict[str, PartQuality]:
        """The means over scenes that have such pixels; a part no scene has is left out.

        A few pixels may be right to the last bit: without an error they have no decibels, and add
        nothing to the mean of the others.
        """
        found: dict[str, PartQuality] = {}
        for part in PARTS:
            there = [of for each in self.scenes if (of := each.parts.get(part)) is not None]
            if there:
                found[part] = PartQuality(
                    share=fmean(of.share for of in there),
                    psnr_mu=_mean_decibels([of.psnr_mu for of in there]),
                    psnr_l=_mean_decibels([of.psnr_l for of in there]),
                )
        return found

    @property
    def others(self) -> dict[str, float]:
        """The means of PU21-PSNR and of what else was asked for."""
        return _mean_figures([{"psnr_pu": each.psnr_pu, **each.extra} for each in self.scenes])

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
            "others": self.others,
            "parts": {name: asdict(part) for name, part in self.parts.items()},
            "scenes": [
                {
                    "id": scene.id,
                    **asdict(scene.teacher),
                    "merge": asdict(scene.merge),
                    **asdict(scene.reliability),
                    "psnr_pu": scene.psnr_pu,
                    "parts": {name: asdict(part) for name, part in scene.parts.items()},
                    "extra": dict(scene.extra),
                }
                for scene in self.scenes
            ],
            "problems": list(self.problems),
        }


def evaluate(  # noqa: PLR0913 - what is asked of one verb
    project: AnyPath,
    *,
    model: AnyPath | None = None,
    split: Split = "test",
    device: str = "auto",
    again: bool = False,
    extra: Sequence[Metric] = (),
    said: TileProgress | None = None,
) -> Generator[PhaseChanged | Evaluation, None, None]:
    """Says how far it is, and last the `Evaluation`; that of a checkpoint is kept in its run.

    Args:
        project: the project folder.
        model: a checkpoint, a run (its best checkpoint) or a bundle; None is the newest checkpoint.
        split: test scenes, labels the checkpoint's run never learned from, or unlabelled scenes;
            of all only those with a ground truth.
        device: as a plan says it ("auto", "cpu", "cuda:1", …).
        again: measure also where figures of the same weights and files are kept.
        extra: metrics of other packages, measured beside ours.
        said: hears between tiles how many of how many are done; it may raise to give up.

    Raises:
        CheckpointError, ProjectError, DeviceError: one sentence with the remedy.
        StudioError: a package of an extra metric is not installed.
        LabelError: an imported ground truth is damaged.
        BadScene, UnreadableImage: no scene at all could be read, or is the one the project knows.
    """
    project = Path(project)
    model = None if model is None else Path(model)
    require_metrics(extra)
    yield PhaseChanged(phase="preparing", text="loading the teacher", step=0)
    found, scenes, changed = _model_and_scenes(project, model, split)
    card = read_card(found)
    mark = evaluation_fingerprint(card, scenes)
    known = None if again else load_evaluation(project, found, split=split, mark=mark)
    if known is not None and set(extra) <= known.others.keys():
        yield known
        return
    predictor = load_predictor(found, device=device, frames=FrameStore())
    results: list[SceneEvaluation] = []
    problems: list[BadScene | UnreadableImage] = list(map(BadScene, changed))
    for done, scene in enumerate(scenes):
        yield PhaseChanged(
            phase="validating",
            text=f"evaluating scene {done + 1} of {len(scenes)}",
            step=card.step,
            done=done,
            total=len(scenes),
        )
        try:
            results.append(evaluate_scene(predictor, scene, extra=extra, said=said))
        except (BadScene, UnreadableImage) as error:
            problems.append(error)
    if not results:
        raise problems[0]
    figures = Evaluation(
        checkpoint=str(found),
        split=split,
        scenes=tuple(results),
        run=card.run,
        step=card.step,
        problems=tuple(map(str, problems)),
    )
    save_evaluation(project, found, figures, mark=mark)
    yield figures


def evaluate_scene(
    predictor: Predictor,
    scene: Scene,
    *,
    extra: Sequence[Metric] = (),
    said: TileProgress | None = None,
) -> SceneEvaluation:
    """All figures of one scene that has a ground truth."""
    hdr, sigma = run_predictor(predictor, scene, said=said)
    truth = predictor.frames.ground_truth(scene)
    bracket = predictor.frames.bracket(scene)
    merged = exposure_weighted_merge(bracket.frames, stops=bracket.stops)
    return SceneEvaluation(
        id=scene.id,
        teacher=quality(hdr, truth),
        merge=quality(merged, truth),
        reliability=reliability(
            sigma, error=error_map(hdr, truth), squares=squared_error_map(hdr, truth)
        ),
        psnr_pu=psnr_pu(hdr, truth),
        parts=part_qualities(hdr, truth, bracket),
        extra={name: measure(name, hdr, truth) for name in extra},
    )


def part_qualities(hdr: FloatMap, truth: FloatMap, bracket: Bracket) -> dict[str, PartQuality]:
    """The quality of H×W×3 radiance by part, as the diagnostics tell parts; none where it is empty.

    Saturated is where the reference clips, moving where aligned frames disagree, static the rest.
    """
    known = clues(bracket)
    clipped, moves = known.saturated[1], moving(known)
    flags = {Part.SATURATED: clipped, Part.MOVING: moves, Part.STATIC: ~(clipped | moves)}
    squares = squared_error_map(hdr, truth).astype(np.float32)
    apart = hdr.astype(np.float32) - truth.astype(np.float32)
    linear = np.square(apart).mean(axis=2, dtype=np.float32)
    found: dict[str, PartQuality] = {}
    for part in PARTS:
        if flags[part].any():
            side = split_quality(squares, linear, flags[part]).kept
            share = side.pixels / clipped.size
            found[part] = PartQuality(share=share, psnr_mu=side.psnr_mu, psnr_l=side.psnr_l)
    return found


def validate(
    predictor: Predictor, scenes: Sequence[Scene], *, step: int, epoch: int
) -> Generator[PhaseChanged, None, Validated]:
    """Predicts held-out scenes that have a ground truth; every figure is a mean over scenes."""
    found: dict[str, dict[str, float]] = {}
    for done, group in predictor.ranks.groups(scenes):
        yield PhaseChanged(
            phase="validating",
            text=f"validating scene {done + 1} of {len(scenes)}",
            step=step,
            done=done,
            total=len(scenes),
        )
        for figures in _figures_of(group, predictor):
            found |= figures
    return Validated(
        step=step,
        epoch=epoch,
        psnr_mu=_mean_figure("psnr_mu", found.values()),
        psnr_l=_mean_figure("psnr_l", found.values()),
        scenes={name: figures["psnr_mu"] for name, figures in found.items()},
        ssim_mu=_known_mean("ssim_mu", found.values()),
        ssim_l=_known_mean("ssim_l", found.values()),
        ause=_known_mean("ause", found.values()),
        calibration=_known_mean("calibration", found.values()),
    )


def kept_figures(project: AnyPath, model: AnyPath, *, split: Split) -> Evaluation | None:
    """What was measured before of the same weights and files, without measuring.

    Raises CheckpointError, ProjectError, LabelError as `evaluate` does.
    """
    project = Path(project)
    model = Path(model)
    found, scenes, _ = _model_and_scenes(project, model, split)
    return load_evaluation(
        project, found, split=split, mark=evaluation_fingerprint(read_card(found), scenes)
    )


def _figures_of(group: Sequence[Scene], predictor: Predictor) -> list[dict[str, dict[str, float]]]:
    """Every figure of each scene of a group, one scene for each process; all hear all."""
    ranks = predictor.ranks
    ranks.told(None)
    scene = ranks.mine(group)
    if scene is None:
        return ranks.shared({})
    hdr, sigma = predictor.predict(scene)
    truth = predictor.frames.ground_truth(scene)
    figures = asdict(quality(hdr, truth))
    figures["ause"] = quick_ause(sigma, error_map(hdr, truth))
    figures["calibration"] = float((squared_error_map(hdr, truth) / np.square(sigma)).mean())
    return ranks.shared({scene.id: figures})


def quick_ause(sigma: FloatMap, error: FloatMap) -> float:
    """The AUSE of two non-negative maps of one shape, to about four digits, five times as fast.

    Only the order of values counts for it, and 16 bits are sorted by counting.
    """
    doubt, worst = _order_as_integers(sigma), _order_as_integers(error)
    return area_between(sparsification(doubt, error), sparsification(worst, error))


def _order_as_integers(values: FloatMap) -> FloatMap:
    """Whole numbers in the order of the values: the bits of half floats, which never fall."""
    bits: npt.NDArray[Any] = values.astype(np.float16).view(np.uint16)
    return bits


def _mean_figure(figure: str, scenes: Iterable[Mapping[str, float]]) -> float:
    return fmean(scene[figure] for scene in scenes)


def _known_mean(figure: str, scenes: Iterable[Mapping[str, float]]) -> float | None:
    """The mean, or None where a picture was too small to be measured."""
    mean = _mean_figure(figure, scenes)
    return None if isnan(mean) else mean


def evaluation_fingerprint(card: ModelCard, scenes: Sequence[Scene]) -> str:
    """Another one when weights, tiles or any file of a scene are others. Files are not read."""
    parts = [
        (
            scene.id,
            scene.evs,
            scene.ground_truth_gain,
            *([scene.ground_truth_gamma] if scene.ground_truth_gamma != 1 else []),
            *([scene.reading.words] if scene.reading != FrameReading() else []),
            [file_stamp(path) for path in (*scene.frames, scene.ground_truth) if path is not None],
        )
        for scene in scenes
    ]
    sigma = [] if card.uncertainty == "judge" else [card.uncertainty]
    whole = json.dumps([_FORMAT, card.weights, card.tile, card.precision, parts, *sigma])
    return hashlib.sha256(whole.encode()).hexdigest()


def load_evaluation(
    project: AnyPath, model: AnyPath, *, split: Split, mark: str
) -> Evaluation | None:
    """What the run of a checkpoint keeps for this mark; None where nothing fits."""
    project = Path(project)
    model = Path(model)
    path = _evaluation_path(project, model, split)
    if path is None:
        return None
    try:
        values = read_json(path)
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


def save_evaluation(project: AnyPath, model: AnyPath, figures: Evaluation, *, mark: str) -> None:
    """Writes the figures of a checkpoint of this project into its run; of any other nothing.

    Raises ProjectError where they cannot be written.
    """
    project = Path(project)
    model = Path(model)
    path = _evaluation_path(project, model, figures.split)
    if path is None:
        return
    values = {"format": _FORMAT, "fingerprint": mark, **figures.as_json()}
    save_text(path, json.dumps(_without_nan(values), indent=1, ensure_ascii=False))


def _evaluation_path(project: Path, model: Path, split: Split) -> Path | None:
    """Where figures of a checkpoint are kept; None for what belongs to no run of the project."""
    run = model.resolve().parent.parent
    if run.parent != project.resolve() / "runs":
        return None
    return place_in(run, "evaluations") / f"{model.name}-{split}.json"


def _figures(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    return {name: math.nan if values[name] is None else float(values[name]) for name in names}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


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


def _mean_decibels(values: Sequence[float]) -> float:
    """The mean of those that are finite, of all where none is."""
    return fmean([value for value in values if math.isfinite(value)] or values)


def _mean_figures(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(each[name] for each in figures) for name in figures[0]}


def _model_and_scenes(
    project: Path, model: Path | None, split: Split
) -> tuple[Path, Sequence[Scene], Sequence[str]]:
    """The checkpoint or bundle that is meant, and the scenes it is held against.

    Scenes of other pictures than the project knows are left out, and told in the last.
    """
    refuse_without_project(project)
    found = model or latest_checkpoint(project)
    if found is None:
        raise CheckpointError(f"{project}: no run has a checkpoint yet; train first")
    found = find_model(found)
    return found, *_scenes(project, split=split, model=found)


def _scenes(folder: Path, *, split: Split, model: Path) -> tuple[Sequence[Scene], Sequence[str]]:
    with Project.open(folder) as project:
        refuse_without_dataset(project)
        states = project.ledger().scenes
        if split == "held-out":
            wanted = set(_held_out(model))
        else:
            status = Status.TEST if split == "test" else Status.UNLABELLED
            wanted = {name for name, state in states.items() if state.status is status}
        scenes = [
            scene
            for scene in project.scenes
            if scene.id in wanted and scene.ground_truth is not None
        ]
        for scene in scenes:
            if (state := states[scene.id]).truth is not None:
                file = label_file(project.folder, state.truth, scene=scene.id)
                check_label(file, state.truth_checksum, imported=True)
        pictures = project.compare_pictures([scene.id for scene in scenes])
    if not scenes:
        raise ProjectError(
            f"{folder}: no {split} scene has a ground truth to compare with; choose another split"
        )
    same = [scene for scene in scenes if scene.id not in pictures.changed]
    return same, [pictures.of_scene(name) for name in pictures.changed]


def _held_out(model: Path) -> Sequence[str]:
    """The labels the run of a checkpoint validates with."""
    if is_bundle(model):
        raise CheckpointError(
            f"{model}: a bundle does not know which labels its run held out; give its checkpoint"
        )
    held_out = [str(name) for name in load_state(model)["roster"]["held_out"]]
    if not held_out:
        raise ProjectError(
            f"{model}: its run held no label out; set held_out in the plan of the next run, "
            "or choose another split"
        )
    return held_out
