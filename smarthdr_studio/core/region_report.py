"""Everything that can be counted inside a region of one scene."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.causes import Area
from smarthdr_studio.core.decibels import psnr
from smarthdr_studio.core.explanation import Explanation, Subject
from smarthdr_studio.core.masking import scores
from smarthdr_studio.core.radiance import mu_law
from smarthdr_studio.core.reasons import Reason
from smarthdr_studio.core.region_explanation import explain_region
from smarthdr_studio.core.regions import Region

Map = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]

_BINS: Final = 50
_UNJUDGED: Final = "This scene has no pseudo-label yet, so there is nothing to trust or not."


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """Mean and percentiles of one layer's finite values inside the region.

    Of a layer with three channels, those of the channel mean.
    """

    name: str
    mean: float
    p5: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionReport:
    """Figures of a region; shares in [0, 1]; what is not known is None or missing.

    `psnr_mu`, in dB, is the pseudo-label's against ground truth. `patch_counts` are S_pa of the
    patches the region touches, `pixel_counts` S_pi of its pixels in kept patches: 50 even bins
    over [0, 1]. `reasons` are shares of the region's pixels.
    """

    region: Region
    pixels: int
    layers: tuple[LayerFigures, ...]
    retained: float | None
    psnr_mu: float | None
    patch_counts: npt.NDArray[np.int64] | None
    pixel_counts: npt.NDArray[np.int64] | None
    reasons: Mapping[Reason, float]
    explanation: Explanation


def region_report(
    region: Region,
    *,
    subject: Subject | None,
    layers: Mapping[str, Map],
    hdr: Map | None,
    truth: Map | None,
    reasons: npt.NDArray[np.uint8] | None,
) -> RegionReport:
    """Count everything inside a region; only its box is touched.

    `layers` by name, `hdr` and `truth` are H×W or H×W×3 of the whole scene; layers without a
    finite value inside are left out. `subject` is None where the scene has no pseudo-label.
    Raises ValueError where nothing says how large the scene is.
    """
    sigma = None if subject is None else subject.sigma
    known = (sigma, hdr, truth, reasons, *layers.values())
    shape = next((each.shape[:2] for each in known if each is not None), None)
    if shape is None:
        raise ValueError("a region of a scene without a single layer cannot be counted")
    size = {"width": shape[1], "height": shape[0]}
    mask = region.mask_in_box(**size)
    area, pixels = Area(box=region.box(**size), mask=mask), int(np.count_nonzero(mask))
    judged = subject if pixels else None
    return RegionReport(
        region=region,
        pixels=pixels,
        layers=tuple(
            figures
            for name, values in layers.items()
            if (figures := _figures(name, area.of(values))) is not None
        ),
        retained=float(area.of(judged.trust.trusted).mean()) if judged else None,
        psnr_mu=None if hdr is None or truth is None else _psnr_mu(area.of(hdr), area.of(truth)),
        patch_counts=_patch_counts(judged, area) if judged else None,
        pixel_counts=_pixel_counts(judged, area) if judged else None,
        reasons={} if reasons is None else _shares(area.of(reasons)),
        explanation=explain_region(subject, region) if subject else _unjudged(region),
    )


def _figures(name: str, values: Map) -> LayerFigures | None:
    flat = values.astype(np.float64)
    if flat.ndim > 1:
        flat = flat.mean(1)
    finite = flat[np.isfinite(flat)]
    if finite.size == 0:
        return None
    p5, median, p95 = (float(value) for value in np.percentile(finite, (5, 50, 95)))
    return LayerFigures(name=name, mean=float(finite.mean()), p5=p5, median=median, p95=p95)


def _psnr_mu(picture: Map, truth: Map) -> float | None:
    if picture.size == 0 or picture.shape != truth.shape:
        return None
    return psnr(mu_law(picture.astype(np.float32)), mu_law(truth.astype(np.float32)))


def _patch_counts(scene: Subject, area: Area) -> Counts:
    """S_pa of each patch that has a pixel of the region."""
    size, columns = scene.masks.patch_size, scene.means.shape[1]
    rows = np.arange(area.box[0].start, area.box[0].stop)[:, None] // size
    places = rows * columns + np.arange(area.box[1].start, area.box[1].stop) // size
    touched = np.unique(area.of(places))
    return _counted(scores(scene.means.ravel()[touched], scene.trust.patch_range))


def _pixel_counts(scene: Subject, area: Area) -> Counts:
    """S_pi of each of the region's pixels in kept patches."""
    kept = area.of(scene.kept_patches(area.box))
    return _counted(scores(area.of(scene.sigma)[kept], scene.trust.pixel_range))


def _counted(values: Map) -> Counts:
    return np.histogram(values, _BINS, (0, 1))[0]


def _shares(reasons: npt.NDArray[np.uint8]) -> dict[Reason, float]:
    if reasons.size == 0:
        return {}
    counts = np.bincount(reasons.ravel(), minlength=len(Reason))
    return {reason: float(counts[reason] / reasons.size) for reason in Reason if counts[reason]}


def _unjudged(region: Region) -> Explanation:
    return Explanation(subject=region.kind, sentence=_UNJUDGED, gate="")
