"""Thresholds that follow from what is known: labelled scenes, exposure, or running scores.

Four answers to a fixed τ (METHOD §7): a quantile of what labelled scenes score, a target for the
error that is kept, running means by exposure (FreeMatch), and soft weights (SoftMatch).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.alignment import saturated
from smarthdr_studio.core.imaging.radiometry import Floats, Frame
from smarthdr_studio.core.trust.masking import (
    EXPOSURES,
    ByExposure,
    MaskSettings,
    Range,
    SoftWeights,
    Trust,
    expand,
    patch_means,
    scores,
    trust,
)
from smarthdr_studio.core.trust.reliability import error_map, squared_error_map

ThresholdMethod = Literal["fixed", "quantile", "freematch", "softmatch", "risk"]
Ends = tuple[Range | None, Range | None]
Ranges = Callable[[MaskSettings], Ends]
"""The pool's ranges of patch means and of pixels for any settings; None where each has its own."""

Exposure = npt.NDArray[np.uint8]

FROM_LABELS: Final = ("quantile", "risk")
"""The methods that need scenes with a ground truth."""
RUNNING: Final = ("freematch", "softmatch")
"""The methods that remember scores from round to round."""
MOST_LABELS: Final = 12
"""So many scenes are asked at most; more would change a threshold little and take long."""

_STEPS: Final = 100  # thresholds that risk control tries, evenly over [0, 1]
_DARK: Final = 0.2  # camera value: what stays below is five stops or more under white
_LEAST_VARIANCE: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledMaps:
    """What the teacher says of a scene whose ground truth is known; maps are H×W.

    `sigma` is its uncertainty, `error` the absolute error and `squares` the square of the RMS
    error, all on the μ-law. `learned` says whether the teacher has learned from this very scene:
    then all of them are smaller than elsewhere.
    """

    sigma: Floats
    error: Floats
    squares: Floats
    learned: bool

    @classmethod
    def of(
        cls, hdr: npt.NDArray[Any], sigma: Floats, truth: npt.NDArray[Any], *, learned: bool
    ) -> "LabelledMaps":
        """From H×W×3 linear radiance of the teacher and of the ground truth, and its H×W σ."""
        squares = squared_error_map(hdr, truth)
        return cls(sigma=sigma, error=error_map(hdr, truth), squares=squares, learned=learned)

    @property
    def calibration(self) -> float:
        """Mean e²/σ²: 1 where σ is as large as the error."""
        return float((self.squares / np.square(self.sigma)).mean(dtype=np.float64))

    def scaled(self, by: float) -> "LabelledMaps":
        """The same with σ multiplied by a number above 0."""
        return replace(self, sigma=self.sigma * np.float32(by))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptError:
    """Of labelled scenes: mean absolute error (μ-law) of kept and of dropped pixels, and the share.

    The share is of pixels that are kept, in [0, 1]. An error is NaN where there is no such pixel.
    """

    kept: float
    dropped: float
    share: float


def chosen_labels(held_out: Sequence[str], labelled: Sequence[str]) -> tuple[str, ...]:
    """The scenes thresholds are drawn from: held-out labels where there are any, else all labels.

    Only of the former the teacher knows nothing. At most MOST_LABELS, evenly over their names.
    """
    names = sorted(held_out) or sorted(labelled)
    count = min(len(names), MOST_LABELS)
    return tuple(names[at * len(names) // count] for at in range(count))


_NO_LABELS: Final = (
    "thresholds stay as they are: {method} draws them from scenes with a ground truth, and no "
    "such scene is labelled"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Thresholds drawn from labelled scenes, and how, in one sentence."""

    masks: MaskSettings
    words: str


def drawn_from_labels(
    method: ThresholdMethod,
    labels: Sequence[LabelledMaps],
    masks: MaskSettings,
    *,
    ranges: Ranges,
    share: float,
    target: float,
) -> Drawn:
    """Both thresholds by `quantile` or `risk`, of gates that `masks` does not leave open.

    Where no τ keeps the target, only what scores 0 is kept; without a labelled scene thresholds
    stay. Either is what the sentence says then.
    """
    if not labels:
        return Drawn(masks=masks, words=_NO_LABELS.format(method=method))
    if method == "quantile":
        found = quantile_thresholds(labels, masks, ranges=ranges, share=share)
        how = f"the {100 * share:g} % quantile of {_whose(labels)}"
        return Drawn(masks=found, words=f"{threshold_words(found)}: {how}")
    kept = risk_thresholds(labels, masks, ranges=ranges, target=target)
    if kept is not None:
        error = worst_error(labels, kept, ranges=ranges)
        how = f"kept pixels err by {error:.2g}, at most {target:g} is asked, of {_whose(labels)}"
        return Drawn(masks=kept, words=f"{threshold_words(kept)}: {how}")
    least = with_taus(masks, 0.0)
    return Drawn(
        masks=least,
        words=f"{threshold_words(least)}: no τ keeps the error within {target:g} for "
        f"{_whose(labels)}",
    )


def threshold_words(masks: MaskSettings) -> str:
    """Both thresholds, or what stands in place of τ_pi."""
    words = f"τ_pa {masks.tau_patch:.3f}"
    if masks.soft is not None:
        return f"{words}, pixels weighed around S_pi {masks.soft.mean:.3f}"
    if masks.tau_exposure is not None:
        by = zip(EXPOSURES, masks.tau_exposure, strict=True)
        return f"{words}, τ_pi " + ", ".join(f"{tau:.3f} {name}" for name, tau in by)
    return f"{words}, τ_pi {masks.tau_pixel:.3f}"


def _whose(labels: Sequence[LabelledMaps]) -> str:
    """Which scenes were asked, and whether the teacher knows them."""
    count = "1 scene" if len(labels) == 1 else f"{len(labels)} scenes"
    if any(each.learned for each in labels):
        return f"{count} it has learned from, which flatters"
    return f"{count} held out"


def quantile_thresholds(
    labels: Sequence[LabelledMaps], masks: MaskSettings, *, ranges: Ranges, share: float
) -> MaskSettings:
    """Both τ as the `share` quantile of what labelled scenes score (METHOD §7a).

    Scores are made as `masks` makes them, by the ranges of the pool. With two scenes or more each
    is left out in turn, and τ is the least of what the others say: one scene opens no gate.
    The pixel scores are those inside patches that the new τ_pa keeps. A gate that `masks` leaves
    open stays open.
    """
    patch_range, _ = ranges(masks)
    patches, means = [], []
    for each in labels:
        means.append(patch_means(each.sigma, size=masks.patch_size))
        found = trust(each.sigma, masks, patch_range=patch_range, means=means[-1])
        patches.append(scores(means[-1], found.patch_range).ravel())
    if masks.tau_patch < 1:
        masks = replace(masks, tau_patch=_left_out_quantile(patches, share))
    if masks.tau_pixel >= 1:
        return masks
    patch_range, pixel_range = ranges(masks)
    pixels = []
    for each, mean in zip(labels, means, strict=True):
        found = trust(
            each.sigma, masks, patch_range=patch_range, pixel_range=pixel_range, means=mean
        )
        pixels.append(kept_scores(each.sigma, found, masks))
    return replace(masks, tau_pixel=_left_out_quantile(pixels, share))


def risk_thresholds(
    labels: Sequence[LabelledMaps], masks: MaskSettings, *, ranges: Ranges, target: float
) -> MaskSettings | None:
    """The largest τ, for both gates, whose kept-pixel error stays within `target` (METHOD §7d).

    The error is the mean absolute one on the μ-law over all trusted pixels of the labelled scenes,
    and with two scenes or more the largest of it when each scene is left out in turn. A gate that
    `masks` leaves open stays open. None where no τ stays within the target.
    """
    for step in range(_STEPS, -1, -1):
        tried = with_taus(masks, step / _STEPS)
        if worst_error(labels, tried, ranges=ranges) <= target:
            return tried
    return None


def with_taus(masks: MaskSettings, tau: float) -> MaskSettings:
    """The settings with one τ for both gates, but for those that let everything pass."""
    return replace(
        masks,
        tau_patch=1.0 if masks.tau_patch >= 1 else tau,
        tau_pixel=1.0 if masks.tau_pixel >= 1 else tau,
    )


def worst_error(labels: Sequence[LabelledMaps], masks: MaskSettings, *, ranges: Ranges) -> float:
    """The largest mean error of kept pixels when each scene is left out in turn; ∞ without any."""
    sums = _sums(labels, masks, ranges=ranges)
    error, count = sums[:, 0], sums[:, 1]
    if len(labels) > 1:
        error, count = error.sum() - error, count.sum() - count
    if not (count > 0).all():
        return math.inf
    return float((error / count).max())


def kept_error(labels: Sequence[LabelledMaps], masks: MaskSettings, *, ranges: Ranges) -> KeptError:
    """What both gates would keep and drop of the labelled scenes, and how wrong each part is."""
    kept_sum, kept, whole_sum, whole = _sums(labels, masks, ranges=ranges).sum(0)
    dropped = whole - kept
    return KeptError(
        kept=float(kept_sum / kept) if kept else math.nan,
        dropped=float((whole_sum - kept_sum) / dropped) if dropped else math.nan,
        share=float(kept / whole) if whole else 0.0,
    )


def _sums(
    labels: Sequence[LabelledMaps], masks: MaskSettings, *, ranges: Ranges
) -> npt.NDArray[np.float64]:
    """Of each scene: error and count of kept pixels, then of all of them, scenes×4."""
    patch_range, pixel_range = ranges(masks)
    found = np.zeros((len(labels), 4))
    for row, each in zip(found, labels, strict=True):
        kept = trust(each.sigma, masks, patch_range=patch_range, pixel_range=pixel_range).trusted
        row[:2] = each.error.sum(where=kept, dtype=np.float64), np.count_nonzero(kept)
        row[2:] = each.error.sum(dtype=np.float64), kept.size
    return found


def _left_out_quantile(parts: Sequence[npt.NDArray[Any]], share: float) -> float:
    """The quantile of all values; the least of those without each part, of two parts or more."""
    there = [part for part in parts if part.size]
    if not there:
        return 1.0
    if len(there) == 1:
        return float(np.quantile(there[0].astype(np.float64), share))
    without = [
        np.quantile(np.concatenate(there[:at] + there[at + 1 :]).astype(np.float64), share)
        for at in range(len(there))
    ]
    return float(min(without))


def kept_scores(sigma: Floats, found: Trust, masks: MaskSettings) -> Floats:
    """S_pi of the pixels in retained patches, flat; `sigma` is H×W, `found` what masks it."""
    values: Floats = scores(sigma, found.pixel_range)[_inside(sigma, found, masks)]
    return values


def _inside(sigma: Floats, found: Trust, masks: MaskSettings) -> npt.NDArray[np.bool_]:
    height, width = sigma.shape
    kept: npt.NDArray[np.bool_] = expand(
        found.patch_mask, size=masks.patch_size, height=height, width=width
    )
    return kept


def exposure_bins(reference: Frame) -> Exposure:
    """How the reference exposes each pixel, H×W: 0 dark, 1 mid, 2 saturated.

    `reference` is H×W×3 camera values in 16 bits. Saturated is where any channel reads 0.98 or
    more, dark where the brightest reads less than 0.2.
    """
    found = np.ones(reference.shape[:2], np.uint8)
    found[reference.max(axis=2) < _DARK * np.iinfo(reference.dtype).max] = 0
    found[saturated(reference)] = 2
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningScores:
    """Moments of S_pi over the pixels in retained patches of a pool, averaged over steps.

    `mean` and `variance` are of all of them, `dark`, `mid` and `saturated` means by exposure of
    the reference. `step` is that of the run at which they were brought up to date.
    """

    step: int
    mean: float
    variance: float
    dark: float
    mid: float
    saturated: float

    @classmethod
    def from_state(cls, state: Mapping[str, Any] | None) -> "RunningScores | None":
        """What a checkpoint holds, if anything."""
        return None if state is None else cls(**state)

    def after(self, found: "RunningScores", *, ema: float) -> "RunningScores":
        """The averages at the step of `found`, had each step since added its moments.

        In n steps a mean m becomes αⁿ m + (1 − αⁿ) x: between two rounds the scores that a step
        would see do not change, so that one update stands for all of them.
        """
        keep = ema ** max(found.step - self.step, 0)

        def moved(name: str) -> float:
            return float(keep * getattr(self, name) + (1 - keep) * getattr(found, name))

        return RunningScores(
            step=found.step,
            mean=moved("mean"),
            variance=moved("variance"),
            dark=moved("dark"),
            mid=moved("mid"),
            saturated=moved("saturated"),
        )

    def masks(self, masks: MaskSettings, method: ThresholdMethod) -> MaskSettings:
        """The settings with what a running method makes of these scores."""
        if method == "softmatch":
            return replace(masks, soft=SoftWeights(mean=self.mean, variance=self.variance))
        by = ByExposure(dark=self.dark, mid=self.mid, saturated=self.saturated)
        return replace(masks, tau_pixel=self.mean, tau_exposure=by)


def score_moments(
    maps: Iterable[tuple[Floats, Trust, Exposure | None]], masks: MaskSettings, *, step: int
) -> RunningScores:
    """The moments of a pool, of each scene's H×W σ, what masks it, and its H×W exposure.

    An exposure without a pixel has the mean of all; without any pixel every score is 0.
    """
    sums = np.zeros((len(EXPOSURES) + 1, 3))  # count, sum and sum of squares; all pixels come last
    for sigma, found, exposure in maps:
        values = kept_scores(sigma, found, masks).astype(np.float64)
        sums[-1] += values.size, values.sum(), np.square(values).sum()
        if exposure is not None:
            bins = exposure[_inside(sigma, found, masks)]
            sums[:-1, 0] += np.bincount(bins, minlength=len(EXPOSURES))
            sums[:-1, 1] += np.bincount(bins, weights=values, minlength=len(EXPOSURES))
    count, total, squares = sums[-1]
    mean = total / count if count else 0.0
    by = [own[1] / own[0] if own[0] else mean for own in sums[:-1]]
    spread = squares / count - mean**2 if count else 0.0
    return RunningScores(
        step=step,
        mean=float(mean),
        variance=max(float(spread), _LEAST_VARIANCE),
        dark=float(by[0]),
        mid=float(by[1]),
        saturated=float(by[2]),
    )


def calibration_words(scale: float, before: float) -> str:
    """What was done to σ, and why."""
    if math.isnan(before):
        return "σ is left as it is: no held-out label has a ground truth to calibrate it on"
    return f"σ is multiplied by {scale:.3g}: e²/σ² was {before:.3g} on held-out labels"


def calibration_scale(calibrations: Iterable[float]) -> tuple[float, float]:
    """Scale s = √(mean e²/σ²) and the mean itself, from the mean e²/σ² of each held-out scene.

    σ·s is as large as the error where σ was not: mean e²/(sσ)² is 1. (1, NaN) without scenes.
    """
    known = [each for each in calibrations if math.isfinite(each) and each > 0]
    if not known:
        return 1.0, math.nan
    mean = math.fsum(known) / len(known)
    return math.sqrt(mean), mean
