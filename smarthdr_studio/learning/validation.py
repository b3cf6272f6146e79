"""How good the teacher is on the labels it never saw."""

from collections.abc import Generator, Sequence
from statistics import fmean

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.decibels import psnr
from smarthdr_studio.core.events import PhaseChanged, Validated
from smarthdr_studio.core.radiance import mu_law
from smarthdr_studio.learning.predictor import Predictor


def validate(
    predictor: Predictor, scenes: Sequence[Scene], *, step: int, epoch: int
) -> Generator[PhaseChanged, None, Validated]:
    """Predicts held-out scenes that have a ground truth and returns mean PSNR-μ and PSNR-l."""
    linear: dict[str, float] = {}
    compressed: dict[str, float] = {}
    for done, scene in enumerate(scenes):
        yield PhaseChanged(
            phase="validating",
            text=f"validating scene {done + 1} of {len(scenes)}",
            step=step,
            done=done,
            total=len(scenes),
        )
        hdr, _ = predictor.predict(scene)
        truth = predictor.frames.ground_truth(scene)
        linear[scene.id] = psnr(hdr, truth)
        compressed[scene.id] = psnr(mu_law(hdr), mu_law(truth))
    return Validated(
        step=step,
        epoch=epoch,
        psnr_mu=fmean(compressed.values()),
        psnr_l=fmean(linear.values()),
        scenes=compressed,
    )
