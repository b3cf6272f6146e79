"""FSHDR (CVPR 2021): few labels, and dynamic brackets made of what the network says of the rest.

Stage 1 learns from labels by the squared error on the μ-law, and from unlabelled scenes by how far
the prediction, exposed as the reference was, is from the reference frame; that half counts a, which
rises. Then the network predicts every unlabelled scene. Each prediction is moved as flow says that
under and over have moved, holes are filled from the reference, and all three are exposed as they
were: a dynamic bracket whose label is exact. Stage 2 trains a new network from these beside the
labels (METHOD §7, §11; that true labels go on beside them is our choice).

stages/2.safetensors  predictions of unlabelled scenes, and the three frames made of each
"""

from collections.abc import Generator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Bracket, Half
from smarthdr_studio.core.imaging.flow import moved_as
from smarthdr_studio.core.imaging.transfer import frame_of_light
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.round_files import SceneLabel, write_round
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.losses import Terms, counted, masked_mean
from smarthdr_studio.learning.methods.staged import (
    Lesson,
    Stage,
    StageScenes,
    preparing,
    stage_file,
    unlabelled_as_they_are,
)
from smarthdr_studio.learning.networks import Prediction
from smarthdr_studio.learning.perceptual import PerceptualLoss
from smarthdr_studio.learning.pseudo_labelling import open_round
from smarthdr_studio.learning.radiometry import exposed, mu_law

_REFERENCE: Final = 1  # of under, reference, over


class FsHdr:
    """Two stages, of which the plan's warm-up is the first."""

    def __init__(self, plan: TrainingPlan) -> None:
        self._plan = plan
        self.stages: Sequence[Stage] = (
            Stage("labels and reference frames", begins=0),
            Stage("labels and synthesised brackets", begins=plan.schedule.warmup_epochs),
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
        """Of stage 2: predicts every unlabelled scene and makes a dynamic bracket of each."""
        if stage == 1:
            return
        labels: dict[str, SceneLabel] = {}
        total = len(scenes.unlabelled)
        for done, scene in enumerate(scenes.unlabelled):
            doing = "making a bracket of"
            yield preparing(stage, self.stages, doing, done=done, total=total, step=step)
            radiance, _ = predictor.predict(scene)
            frames = synthesised(predictor.frames.bracket(scene), radiance)
            labels[scene.id] = SceneLabel(hdr=radiance, frames=frames)
        write_round(stage_file(run, str(stage)), labels)

    def lesson(
        self,
        stage: int,
        *,
        made: int,  # noqa: ARG002
        scenes: StageScenes,
        run: AnyPath,
    ) -> Lesson:
        """Unlabelled scenes as they are, then the brackets made of them; labels beside both."""
        if stage == 1:
            return Lesson(
                labels=unlabelled_as_they_are(scenes.unlabelled),
                losses=(squared_loss, exposure_loss),
                weight=self.weight,
            )
        return Lesson(
            labels=open_round(stage_file(run, str(stage))), losses=(squared_loss, squared_loss)
        )

    def weight(self, epoch: int) -> float:
        """What a is in an epoch of stage 1, counted from 0: it rises in steps."""
        plan = self._plan.fshdr
        return plan.weight + plan.rise * (epoch // plan.rise_every)


def synthesised(bracket: Bracket, radiance: Half) -> npt.NDArray[np.uint16]:
    """3×H×W×3 frames of H×W×3 linear radiance, moved and exposed as those of the bracket were."""
    aligned = radiance.astype(np.float32)
    shown = [
        aligned if index == _REFERENCE else moved_as(bracket, index, aligned) for index in range(3)
    ]
    return np.stack(
        [
            frame_of_light(light * np.float32(2.0**stops))
            for light, stops in zip(shown, bracket.stops, strict=True)
        ]
    )


def squared_loss(
    prediction: Prediction,
    crops: CropBatch,
    perceptual: PerceptualLoss | None,  # noqa: ARG001 - it has none
) -> Terms:
    """Mean of (T(ŷ) − T(h))² over the pixels that count, by weight; channel mean."""
    trusted = crops.target.trusted
    seen, wanted = (
        counted(mu_law(hdr.float()), trusted) for hdr in (prediction.hdr, crops.target.hdr)
    )
    error = (seen - wanted).square().mean(1, keepdim=True)
    return _only(masked_mean(error, trusted, crops.target.weight))


def exposure_loss(
    prediction: Prediction,
    crops: CropBatch,
    perceptual: PerceptualLoss | None,  # noqa: ARG001
) -> Terms:
    """Mean of (l − clip(ŷ · 2^stops)^(1/2.2))² over all pixels, l the reference's camera values."""
    assert crops.stops is not None
    seen = exposed(prediction.hdr.float(), stops=crops.stops[:, _REFERENCE])
    apart = seen - crops.frames[_REFERENCE][:, 3:].float()
    return _only(masked_mean(apart.square().mean(1, keepdim=True), crops.target.trusted))


def _only(reconstruction: Tensor) -> Terms:
    return Terms(reconstruction, perceptual=None, nll=None)
