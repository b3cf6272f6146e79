"""SMAE (CVPR 2023): few labels, after learning what scenes look like from frames without any.

Stage 1 takes the under frame alone, simulates all three exposures from it, hides most 8×8 patches
of each, and teaches to say the exposures whole and unclipped. Stage 2 goes on with that network on
labels. Stage 3 adds pseudo-labels of the other scenes, made again every `schedule.refresh_every`
epochs; each patch, which is a crop of the plan, counts

    W = 1 if L ≤ τ_t, else (m_t − L) / (m_t − τ_t)

where L is how far the prediction, exposed as the reference was, is from well-exposed pixels of the
reference, τ_t the 85 % quantile of L on labelled patches and m_t the largest on the others (METHOD
§7, §11). Our choices: each frame hides patches of its own; all pixels are to be said; the error of
an exposure is that of its μ-law; a patch without a well-exposed pixel has L = 0.

stages/3-00012.safetensors  pseudo-labels, σ being the error of each pixel, −1 where that is unknown
stages/3-00012.json         τ_t and m_t
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.imaging.alignment import SATURATED, UNUSABLE
from smarthdr_studio.core.imaging.bracket import Bracket, Half, Scene
from smarthdr_studio.core.imaging.radiometry import GAMMA, unit_ldr
from smarthdr_studio.core.imaging.transfer import frame_of_light
from smarthdr_studio.core.records import read_json
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.plan_sections import BatchPlan, SmaePlan
from smarthdr_studio.core.training.round_files import SceneLabel, write_round
from smarthdr_studio.learning.crops import CropBatch, crop_windows
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.losses import Target, Terms, reconstruction_loss
from smarthdr_studio.learning.mean_teacher import HalfLoss
from smarthdr_studio.learning.methods.staged import (
    Lesson,
    Stage,
    StageScenes,
    preparing,
    remade_file,
    unlabelled_as_they_are,
)
from smarthdr_studio.learning.networks import Prediction
from smarthdr_studio.learning.perceptual import PerceptualLoss
from smarthdr_studio.learning.pseudo_labelling import open_round
from smarthdr_studio.learning.radiometry import mu_law, six_channels

UNKNOWN: Final = -1.0  # the error where the reference is not well exposed


class Limits(NamedTuple):
    """What patches are weighed by, in camera values."""

    doubted: float
    """τ_t: patches with an error up to this count in full."""
    largest: float
    """m_t: patches with this error do not count."""


class Smae:
    """Three stages: the plan's warm-up, so many epochs on labels, and what is left."""

    def __init__(self, plan: TrainingPlan) -> None:
        self._plan = plan
        warmup = plan.schedule.warmup_epochs
        self.stages: Sequence[Stage] = (
            Stage("masked exposures", begins=0),
            Stage("labels", begins=warmup, anew=False),
            Stage(
                "labels and weighted pseudo-labels",
                begins=warmup + plan.smae.label_epochs,
                anew=False,
                remade=True,
            ),
        )

    def prepare(
        self,
        stage: int,
        *,
        made: int,
        scenes: StageScenes,
        predictor: Predictor,
        run: AnyPath,
        step: int,
    ) -> Generator[PhaseChanged, None, None]:
        """Of stage 3: predicts every scene, for pseudo-labels and for errors on labelled ones."""
        if stage < 3:
            return
        batch, labels = self._plan.batch, dict[str, SceneLabel]()
        errors: dict[bool, list[float]] = {True: [], False: []}
        asked = [(scene, True) for scene in scenes.labelled]
        asked += [(scene, False) for scene in scenes.unlabelled]
        for done, (scene, is_labelled) in enumerate(asked):
            doing, total = "asking for", len(asked)
            yield preparing(stage, self.stages, doing, done=done, total=total, step=step)
            radiance, _ = predictor.predict(scene)
            error = error_of_reference(predictor.frames.bracket(scene), radiance)
            errors[is_labelled] += patch_errors(scene, error, batch=batch)
            if not is_labelled:
                labels[scene.id] = SceneLabel(hdr=radiance, sigma=error)
        path = remade_file(run, stage, made=made)
        write_round(path, labels)
        _write_limits(path, limits_of(errors[True], errors[False], plan=self._plan.smae))

    def lesson(self, stage: int, *, made: int, scenes: StageScenes, run: AnyPath) -> Lesson:
        """Every scene's under frame, then labels alone, then labels and pseudo-labels."""
        if stage == 1:
            return Lesson(
                labels=unlabelled_as_they_are(scenes.all),
                losses=(None, unclipped_loss),
                shown=partial(masked_exposures, plan=self._plan.smae),
            )
        if stage == 2:
            return Lesson(labels={}, losses=(label_loss, None))
        path = remade_file(run, stage, made=made)
        return Lesson(
            labels=open_round(path), losses=(label_loss, weighted_loss(_read_limits(path)))
        )


def masked_exposures(crops: CropBatch, chance: int, *, plan: SmaePlan) -> CropBatch:
    """Under, reference and over as the under frame would have them, most patches of each hidden.

    The label becomes the radiance of the under frame. Hidden are so many of the square patches on a
    grid from the corner, drawn for each frame of each crop, in all six channels.
    """
    assert crops.stops is not None
    radiance = crops.frames[0][:, :3]
    generator = torch.Generator().manual_seed(chance)
    frames = []
    for stops in crops.stops.unbind(1):
        longer = torch.exp2(stops.to(radiance.dtype)).reshape(-1, 1, 1, 1)
        camera = (radiance * longer).clamp(0, 1).pow(1 / GAMMA)
        hidden = hidden_patches(radiance.shape, plan=plan, generator=generator)
        frame = six_channels(camera, stops=stops)
        frames.append(frame.masked_fill(hidden.to(frame.device), 0))
    return replace(
        crops,
        frames=(frames[0], frames[1], frames[2]),
        target=Target(radiance, torch.ones_like(crops.target.trusted)),
    )


def hidden_patches(shape: Sequence[int], *, plan: SmaePlan, generator: torch.Generator) -> Tensor:
    """B×1×H×W bool for B×C×H×W pictures: the same share of all patches of each is hidden."""
    count, _, height, width = shape
    rows, columns = -(-height // plan.patch), -(-width // plan.patch)
    hidden = round(plan.masked * rows * columns)
    order = torch.rand(count, rows * columns, generator=generator).argsort(dim=1)
    patches = (order < hidden).reshape(count, 1, rows, columns)
    pixels = patches.repeat_interleave(plan.patch, dim=2).repeat_interleave(plan.patch, dim=3)
    return pixels[:, :, :height, :width]


def unclipped_loss(
    prediction: Prediction,
    crops: CropBatch,
    perceptual: PerceptualLoss | None,  # noqa: ARG001 - on labels alone
) -> Terms:
    """Mean over three exposures and all pixels of |T(2^stops · ŷ) − T(2^stops · h)|, unclipped."""
    assert crops.stops is not None
    longer = torch.exp2(crops.stops)[:, :, None, None, None]
    seen, wanted = (
        mu_law(longer * hdr.float()[:, None]) for hdr in (prediction.hdr, crops.target.hdr)
    )
    return Terms((seen - wanted).abs().mean(), perceptual=None, nll=None)


def label_loss(
    prediction: Prediction, crops: CropBatch, perceptual: PerceptualLoss | None
) -> Terms:
    """L1 on the μ-law and the perceptual term, over the pixels that count, by weight."""
    trusted, weight = crops.target.trusted, crops.target.weight
    seen, wanted = mu_law(prediction.hdr.float()), mu_law(crops.target.hdr.float())
    perceived = None
    if perceptual is not None:
        perceived = perceptual(seen, wanted, trusted=trusted, weight=weight)
    apart = reconstruction_loss(seen, wanted, trusted=trusted, weight=weight)
    return Terms(apart, perceptual=perceived, nll=None)


def weighted_loss(limits: Limits) -> HalfLoss:
    """The same for pseudo-labels, each crop counting W."""

    def loss(prediction: Prediction, crops: CropBatch, perceptual: PerceptualLoss | None) -> Terms:
        weights = patch_weights(errors_of_crops(crops.sigma), limits)
        seen, wanted = mu_law(prediction.hdr.float()), mu_law(crops.target.hdr.float())
        perceived = None
        if perceptual is not None:
            trusted = crops.target.trusted
            each = [
                perceptual(seen[i : i + 1], wanted[i : i + 1], trusted=trusted[i : i + 1])
                for i in range(len(seen))
            ]
            perceived = (weights * torch.stack(each)).mean()
        apart = (seen - wanted).abs().mean((1, 2, 3))
        return Terms((weights * apart).mean(), perceptual=perceived, nll=None)

    return loss


def patch_weights(errors: Tensor, limits: Limits) -> Tensor:
    """W of patches by their errors L, of the same shape."""
    span = limits.largest - limits.doubted
    falling = (limits.largest - errors) / span if span > 0 else torch.zeros_like(errors)
    return torch.where(errors <= limits.doubted, 1.0, falling.clamp(0, 1))


def errors_of_crops(errors: Tensor) -> Tensor:
    """L of B×1×S×S errors of pixels: B means over those that are known, 0 where none is."""
    known = errors > UNKNOWN / 2
    return (errors * known).sum((1, 2, 3)) / known.sum((1, 2, 3)).clamp(min=1)


def error_of_reference(bracket: Bracket, radiance: Half) -> Half:
    """H×W: |clip(ŷ · 2^stops)^(1/2.2) − l| of H×W×3 radiance ŷ, channel mean, in camera values.

    l are the reference's; −1 where one of its channels is clipped or mere noise.
    """
    light = radiance.astype(np.float32) * np.float32(2.0 ** bracket.stops[1])
    reference = unit_ldr(bracket.reference)
    known = ((reference < SATURATED) & (reference > UNUSABLE)).all(axis=2)
    apart = np.abs(unit_ldr(frame_of_light(light)) - reference).mean(axis=2)
    return np.where(known, apart, UNKNOWN).astype(np.float16)


def patch_errors(scene: Scene, error: Half, *, batch: BatchPlan) -> list[float]:
    """L of every crop of a scene, of the H×W error of its pixels."""
    found = []
    for _, top, left in crop_windows([scene], plan=batch):
        pixels = error[top : top + batch.crop, left : left + batch.crop].astype(np.float32)
        known = pixels > UNKNOWN / 2
        found.append(float((pixels * known).sum() / max(int(known.sum()), 1)))
    return found


def limits_of(labelled: Sequence[float], unlabelled: Sequence[float], *, plan: SmaePlan) -> Limits:
    """τ_t and m_t by the errors of all patches."""
    doubted = float(np.quantile(labelled, plan.quantile))
    return Limits(doubted=doubted, largest=max(unlabelled, default=doubted))


def _write_limits(path: Path, limits: Limits) -> None:
    with replacing(path.with_suffix(".json")) as draft:
        draft.write_text(json.dumps(limits._asdict()), encoding="utf-8")


def _read_limits(path: Path) -> Limits:
    """Raises CheckpointError."""
    file = path.with_suffix(".json")
    try:
        told = read_json(file)
        return Limits(float(told["doubted"]), float(told["largest"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{file}: the weights of this stage cannot be read ({error}); start a new run from the "
            "checkpoint with network.start_from"
        ) from error
