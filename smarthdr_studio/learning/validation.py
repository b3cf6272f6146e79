"""How good the teacher is on the labels it never saw."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import asdict
from math import isnan
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.events import PhaseChanged, Validated
from smarthdr_studio.core.quality import quality
from smarthdr_studio.core.reliability import area_between, error_map, sparsification
from smarthdr_studio.learning.predictor import Predictor

Map = npt.NDArray[np.floating[Any]]


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
        psnr_mu=_mean("psnr_mu", found.values()),
        psnr_l=_mean("psnr_l", found.values()),
        scenes={name: figures["psnr_mu"] for name, figures in found.items()},
        ssim_mu=_known("ssim_mu", found.values()),
        ssim_l=_known("ssim_l", found.values()),
        ause=_known("ause", found.values()),
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
    return ranks.shared({scene.id: figures | {"ause": quick_ause(sigma, error_map(hdr, truth))}})


def quick_ause(sigma: Map, error: Map) -> float:
    """The AUSE of two maps without negative values, to about four digits, five times as fast.

    Only the order of values counts for it, and 16 bits are sorted by counting.
    """
    doubt, worst = _ordered(sigma), _ordered(error)
    return area_between(sparsification(doubt, error), sparsification(worst, error))


def _ordered(values: Map) -> Map:
    """Whole numbers in the order of the values: the bits of half floats, which never fall."""
    bits: npt.NDArray[Any] = values.astype(np.float16).view(np.uint16)
    return bits


def _mean(figure: str, scenes: Iterable[Mapping[str, float]]) -> float:
    return fmean(scene[figure] for scene in scenes)


def _known(figure: str, scenes: Iterable[Mapping[str, float]]) -> float | None:
    """The mean, or None where a picture was too small to be measured."""
    mean = _mean(figure, scenes)
    return None if isnan(mean) else mean
