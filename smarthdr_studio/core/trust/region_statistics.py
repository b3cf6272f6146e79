"""Everything that can be counted inside a region of one scene, and why so much is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.metrics import psnr
from smarthdr_studio.core.imaging.radiometry import mu_law
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.trust.causes import NOTABLE, Area, Reason, reason_map
from smarthdr_studio.core.trust.explanation import (
    ExplainedScene,
    Explanation,
    Fact,
    Gate,
    cause_facts,
    error_fact,
    number,
    pixel_threshold_words,
    score_words,
)
from smarthdr_studio.core.trust.masking import scores
from smarthdr_studio.core.words import percent, tau_words

Flags = npt.NDArray[np.bool_]

_BY: Final[dict[Gate, str]] = {
    "patch": "with its patches",
    "pixel": "pixel by pixel",
    "person": "by a person, with the brush",
}


def explain_region(scene: ExplainedScene, region: Region) -> Explanation:
    """How much of a region is trusted, and who dropped most of the rest, and why."""
    height, width = scene.sigma.shape
    area = Area(
        box=region.box(width=width, height=height),
        mask=region.mask_in_box(width=width, height=height),
    )
    trusted = area.of(scene.trust.trusted)
    if trusted.size == 0:
        return Explanation(subject=region.kind, sentence="It lies outside the picture.", gate="")
    share = float(np.mean(area.of(scene.trust.weights)))
    gate, words = _dropped_words(scene, area)
    seen = scene.causes(area)
    return Explanation(
        subject=f"{region.kind} of {trusted.size:,} {'pixel' if trusted.size == 1 else 'pixels'}",
        sentence=f"{_amount(share)} of this region is trusted{words}.",
        gate=gate,
        facts=(
            Fact(name="trusted", value=percent(share), alarming=share < 0.5),
            *_score_facts(scene, area),
            Fact(name="σ, mean", value=number(float(area.of(scene.sigma).mean(dtype=float)))),
            *cause_facts(seen, saturated_in=seen, where="region"),
            *error_fact(scene, area),
        ),
    )


def _dropped_words(scene: ExplainedScene, area: Area) -> tuple[Gate, str]:
    """Who dropped most of an area, and what follows the share that is trusted."""
    trusted = area.of(scene.trust.trusted)
    dropped = int(np.count_nonzero(~trusted))
    if dropped == 0:
        return "", ""
    kept = area.of(scene.kept_patches(area.box))
    passed = area.of(scene.trust.pixel_mask)
    by: dict[Gate, Flags] = {
        "patch": ~trusted & ~kept,
        "pixel": ~trusted & kept & ~passed,
        "person": ~trusted & kept & passed,
    }
    gate = max(by, key=lambda name: int(np.count_nonzero(by[name])))
    share = np.count_nonzero(by[gate]) / dropped
    part = "all" if share == 1 else "most" if share > 0.5 else "the largest part"
    rest = "it" if dropped == trusted.size else "the rest"
    reason = _chief_reason(scene, area, by[gate], gate) if gate != "person" else ""
    return gate, f"; {part} of {rest} was dropped {_BY[gate]}{reason}"


def _chief_reason(scene: ExplainedScene, area: Area, dropped: Flags, gate: Gate) -> str:
    if scene.clues is None:
        return ""
    dispute = None if scene.dispute is None else scene.dispute[area.box]
    shape = tuple(side.stop - side.start for side in area.box)
    found = reason_map(np.zeros(shape, bool), scene.clues.within(area.box), dispute=dispute)
    counts = np.bincount(area.of(found)[dropped], minlength=len(Reason)).astype(float)
    if gate == "patch":
        # Its hard part takes the rest of it along: what explains a tenth explains it all.
        counts[Reason.UNEXPLAINED] = NOTABLE * counts.sum()
    return f" ({Reason(int(counts.argmax())).words})"


def _score_facts(scene: ExplainedScene, area: Area) -> tuple[Fact, ...]:
    """S_pa of the patches from best to worst, and the median S_pi inside those that are kept."""
    masks, trust = scene.masks, scene.trust
    kept = area.of(scene.kept_patches(area.box))
    patches = scores(area.of(scene.of_patches(scene.means, area.box)), trust.patch_range)
    best, worst = (
        score_words(float(end), masks.tau_patch) for end in (patches.min(), patches.max())
    )
    facts = [
        Fact(
            name="S_pa",
            value=best if best == worst else f"{best} to {worst}",
            beside=f"τ_pa {tau_words(masks.tau_patch)}",
            alarming=not kept.all(),
        )
    ]
    if kept.any():
        median = float(np.median(scores(area.of(scene.sigma)[kept], trust.pixel_range)))
        facts.append(
            Fact(
                name="S_pi, median",
                value=score_words(median, masks.tau_pixel),
                beside=pixel_threshold_words(masks),
                alarming=median > masks.tau_pixel and masks.soft is None,
            )
        )
    return tuple(facts)


def _amount(share: float) -> str:
    return "All" if share == 1 else "None" if share == 0 else percent(share)


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
    subject: ExplainedScene | None,
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
    counted = subject if pixels else None
    return RegionReport(
        region=region,
        pixels=pixels,
        layers=tuple(
            figures
            for name, values in layers.items()
            if (figures := _figures(name, area.of(values))) is not None
        ),
        retained=float(area.of(counted.trust.weights).mean()) if counted else None,
        psnr_mu=None if hdr is None or truth is None else _psnr_mu(area.of(hdr), area.of(truth)),
        patch_counts=_patch_counts(counted, area) if counted else None,
        pixel_counts=_pixel_counts(counted, area) if counted else None,
        reasons={} if reasons is None else _shares(area.of(reasons)),
        explanation=explain_region(subject, region) if subject else _without_label(region),
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


def _patch_counts(scene: ExplainedScene, area: Area) -> Counts:
    """S_pa of each patch that has a pixel of the region."""
    size, columns = scene.masks.patch_size, scene.means.shape[1]
    rows = np.arange(area.box[0].start, area.box[0].stop)[:, None] // size
    places = rows * columns + np.arange(area.box[1].start, area.box[1].stop) // size
    touched = np.unique(area.of(places))
    return _counted(scores(scene.means.ravel()[touched], scene.trust.patch_range))


def _pixel_counts(scene: ExplainedScene, area: Area) -> Counts:
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


def _without_label(region: Region) -> Explanation:
    return Explanation(subject=region.kind, sentence=_UNJUDGED, gate="")
