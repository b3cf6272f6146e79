"""SelfHDR (ICLR 2024): learning without a single label, from what aligned frames agree about.

Flow brings under and over onto the reference, and their exposure-weighted merge is the *colour
label*: right wherever the flow was. Stage 1 trains a network for structure, from the colour label
where the frames agree and from the reference frame, weighted by how well it is exposed, everywhere.
What it answers is the *structure label*: free of ghosts, but flat where the reference is clipped.
Stage 2 trains a new network from the colour label where both agree, and from the structure label's
shapes elsewhere (METHOD §7, §11).

stages/1.safetensors            colour labels, and how far the aligned frames are apart
stages/2.safetensors            colour labels, and how far structure is from them
stages/2-structure.safetensors  structure labels
"""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Half, Scene
from smarthdr_studio.core.imaging.flow import align_to_reference
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge
from smarthdr_studio.core.imaging.radiometry import mu_law as mu_law_of_pixels
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.round_files import SceneLabel, write_round
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.losses import Terms
from smarthdr_studio.learning.methods.staged import (
    Lesson,
    Stage,
    StageScenes,
    preparing,
    stage_file,
)
from smarthdr_studio.learning.networks import Prediction
from smarthdr_studio.learning.perceptual import PerceptualLoss
from smarthdr_studio.learning.pseudo_labelling import open_round
from smarthdr_studio.learning.radiometry import mu_law

FRAMES_AGREE: Final = 5 / 255  # camera values
LABELS_AGREE: Final = 10 / 255  # μ-law values
REFERENCE_WEIGHT: Final = 4.0


class SelfHdr:
    """Two stages, of which the plan's warm-up is the first."""

    def __init__(self, plan: TrainingPlan) -> None:
        self.stages: Sequence[Stage] = (
            Stage("structure", begins=0),
            Stage("colour and structure", begins=plan.schedule.warmup_epochs),
        )

    def prepare(
        self,
        stage: int,
        *,
        made: int,  # noqa: ARG002 - neither stage is made again
        scenes: StageScenes,
        predictor: Predictor,
        run: AnyPath,
        step: int,
    ) -> Generator[PhaseChanged, None, None]:
        """Colour labels by flow, or structure labels by the network that stage 1 has trained."""
        colours: dict[str, SceneLabel] = {}
        structures: dict[str, SceneLabel] = {}
        before = open_round(stage_file(run, "1")) if stage == 2 else {}
        doing = ("aligning the frames of", "asking for the structure of")[stage - 1]
        for done, scene in enumerate(scenes.all):
            total = len(scenes.all)
            yield preparing(stage, self.stages, doing, done=done, total=total, step=step)
            if stage == 1:
                colours[scene.id] = colour_label(scene, predictor)
                continue
            structure, _ = predictor.predict(scene)
            structures[scene.id] = SceneLabel(hdr=structure)
            colours[scene.id] = held_against(before[scene.id], structure)
        if structures:
            write_round(stage_file(run, f"{stage}-structure"), structures)
        write_round(stage_file(run, str(stage)), colours)

    def lesson(
        self,
        stage: int,
        *,
        made: int,  # noqa: ARG002
        scenes: StageScenes,  # noqa: ARG002 - all have their labels in the files
        run: AnyPath,
    ) -> Lesson:
        """Colour labels with σ for how far they are doubted, in stage 2 beside structure labels."""
        colours = open_round(stage_file(run, str(stage)))
        if stage == 1:
            return Lesson(labels=colours, losses=(None, structure_loss))
        structures = open_round(stage_file(run, f"{stage}-structure"))
        labels = {
            name: replace(label, structure=structures[name].hdr) for name, label in colours.items()
        }
        return Lesson(labels=labels, losses=(None, colour_loss))


def colour_label(scene: Scene, predictor: Predictor) -> SceneLabel:
    """The merge of the aligned frames; σ is how far they are apart, in camera values."""
    aligned = align_to_reference(predictor.frames.bracket(scene))
    merged = exposure_weighted_merge(aligned.bracket.frames, stops=aligned.bracket.stops)
    return SceneLabel(hdr=merged.astype(np.float16), sigma=aligned.apart.astype(np.float16))


def held_against(colour: SceneLabel, structure: Half) -> SceneLabel:
    """The same colour label; σ is how far H×W×3 structure is from it, μ-law, largest channel."""
    apart = np.abs(
        mu_law_of_pixels(colour.hdr.astype(np.float32))
        - mu_law_of_pixels(structure.astype(np.float32))
    ).max(axis=2)
    return SceneLabel(hdr=np.array(colour.hdr), sigma=apart.astype(np.float16))


def structure_loss(
    prediction: Prediction,
    crops: CropBatch,
    perceptual: PerceptualLoss | None,  # noqa: ARG001 - the first stage has none
) -> Terms:
    """Mean over all pixels of |T(ŷ) − T(colour)| where the frames agree, and 4·w·|T(ŷ) − T(H)|.

    H and l are radiance and camera values of the reference frame, w = 1 − |2l − 1| per channel.
    """
    seen, colour = _compared(prediction, crops)
    reference = crops.frames[1].float()
    weight = 1 - (2 * reference[:, 3:] - 1).abs()
    apart = (seen - mu_law(reference[:, :3])).abs()
    return Terms(
        reconstruction=(_agreeing(crops, FRAMES_AGREE) * (seen - colour).abs()).mean(),
        perceptual=None,
        nll=None,
        structure=REFERENCE_WEIGHT * (weight * apart).mean(),
    )


def colour_loss(
    prediction: Prediction, crops: CropBatch, perceptual: PerceptualLoss | None
) -> Terms:
    """Mean over all pixels of |T(ŷ) − T(colour)| where both labels agree; VGG to structure.

    Without VGG weights the structure label teaches by |T(ŷ) − T(structure)| where they do not.
    """
    seen, colour = _compared(prediction, crops)
    assert crops.structure is not None
    structure, agreeing = mu_law(crops.structure.float()), _agreeing(crops, LABELS_AGREE)
    perceived = shapes = None
    if perceptual is not None:
        perceived = perceptual(seen, structure, trusted=torch.ones_like(crops.target.trusted))
    else:
        shapes = (~agreeing * (seen - structure).abs()).mean()
    return Terms(
        reconstruction=(agreeing * (seen - colour).abs()).mean(),
        perceptual=perceived,
        nll=None,
        structure=shapes,
    )


def _compared(prediction: Prediction, crops: CropBatch) -> tuple[Tensor, Tensor]:
    """Prediction and colour label on the μ-law, B×3×S×S float32."""
    return mu_law(prediction.hdr.float()), mu_law(crops.target.hdr.float())


def _agreeing(crops: CropBatch, most: float) -> Tensor:
    return crops.sigma < most
