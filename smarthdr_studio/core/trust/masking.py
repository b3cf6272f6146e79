"""Which patches, then which pixels, of a pseudo-label are trusted.

The one definition of trust: the window paints it, the files keep it, the loss counts it. Every
function takes numpy arrays or torch tensors alike and answers in kind (METHOD §4).
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import repeat
from typing import Any, Final, Literal, NamedTuple, get_args

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.records import parse_json

Array = Any  # numpy.ndarray or torch.Tensor; core never imports torch
Normalisation = Literal["minmax", "percentile", "absolute"]
Scope = Literal["pool", "scene"]

PATCH_SIZE = 64
LARGEST: Final = float(np.finfo(np.float32).max)
"""Whatever is a finite number is at most this; what is no number or infinite is never trusted."""


class Range(NamedTuple):
    """The σ that scores 0 and the σ that scores 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How the scores of one level (patches or pixels) are normalised, and over what.

    By "absolute" a score is σ / `sigma_at_one`, whatever pool or scene: a threshold is then a σ,
    in μ-law values.
    """

    normalisation: Normalisation = "minmax"
    scope: Scope = "pool"
    low_percentile: float = 1.0
    high_percentile: float = 99.0
    sigma_at_one: float = 0.1

    def __post_init__(self) -> None:
        if self.normalisation not in get_args(Normalisation):
            raise ValueError(
                f"normalisation is {self.normalisation!r}; "
                f"allowed: {', '.join(get_args(Normalisation))}"
            )
        if self.scope not in ("pool", "scene"):
            raise ValueError(f"scope is {self.scope!r}; allowed: pool, scene")
        if not 0 <= self.low_percentile < self.high_percentile <= 100:
            raise ValueError(f"percentiles must rise within 0 to 100: {self}")
        if not 0 < self.sigma_at_one < math.inf:
            raise ValueError(f"sigma_at_one is {self.sigma_at_one}; a σ above 0")

    @property
    def range_words(self) -> str:
        """How σ is normalised."""
        if self.normalisation == "minmax":
            return "min–max"
        if self.normalisation == "absolute":
            return "σ itself"
        return f"percentiles {self.low_percentile:g}–{self.high_percentile:g}"

    @property
    def words(self) -> str:
        """The same, and over what; two of the same words make the same scores."""
        if self.normalisation == "absolute":
            return f"{self.range_words}, 1 at {self.sigma_at_one:g}"
        return f"{self.range_words} over the {self.scope}"

    @property
    def fixed_range(self) -> Range | None:
        """The range that holds whatever σ there is; None where it is measured."""
        return Range(0.0, self.sigma_at_one) if self.normalisation == "absolute" else None


class ByExposure(NamedTuple):
    """One value for each exposure of the reference."""

    dark: float
    mid: float
    saturated: float


EXPOSURES: Final = ByExposure._fields
"""What 0, 1 and 2 mean in a map of exposures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftWeights:
    """Mean and variance of S_pi from which a pixel's weight follows (SoftMatch, METHOD §7).

    With c = 1 − S_pi and m, v its mean and variance the weight is exp(−min(c − m, 0)²·n²/(2v)),
    n = 2: whole up to the mean score, then falling.
    """

    mean: float
    variance: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0 < self.variance < math.inf):
            raise ValueError(f"mean is {self.mean}, variance is {self.variance}; above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSettings:
    """Both thresholds and how their scores are made; the defaults are the paper's.

    A run may put something in place of τ_pi: `soft` weighs pixels instead of dropping them,
    `tau_exposure` has a threshold for each exposure of the reference. A project's never do.
    """

    tau_patch: float = 0.4
    tau_pixel: float = 0.4
    patch_size: int = PATCH_SIZE
    patches: Level = Level(scope="pool")
    pixels: Level = Level(scope="scene")
    soft: SoftWeights | None = None
    tau_exposure: ByExposure | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.tau_patch <= 1 and 0 <= self.tau_pixel <= 1):
            raise ValueError(
                f"thresholds lie in 0 to 1: tau_patch is {self.tau_patch}, "
                f"tau_pixel is {self.tau_pixel}"
            )
        if self.patch_size < 1:
            raise ValueError(f"patch_size is {self.patch_size}; at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """The answer of both gates for one scene; arrays are of the kind that was asked with."""

    patch_mask: Array  # rows×columns, True where the patch is kept
    pixel_mask: Array  # H×W, True where the pixel gate lets pass, whatever the patch gate says
    trusted: Array  # H×W, True where the loss counts the pixel
    patch_range: Range
    pixel_range: Range
    weight: Array | None = None  # H×W in [0, 1], how much the loss counts it; None is `trusted`

    @property
    def weights(self) -> Array:
        """H×W, how much the loss counts each pixel: a weight in [0, 1], or True and False."""
        return self.trusted if self.weight is None else self.weight

    @property
    def counted(self) -> float:
        """How many pixels the loss counts, each by its weight."""
        if self.weight is None:
            # The sum of a mask of numpy first makes a wide number of every pixel.
            torch = _is_torch(self.trusted)
            return float(self.trusted.sum() if torch else np.count_nonzero(self.trusted))
        return float((self.weight * _WEIGHTS).round().sum()) / _WEIGHTS

    @property
    def retained(self) -> float:
        """The share of the pixels that the loss counts, each by its weight."""
        height, width = self.trusted.shape
        return float(self.counted / (height * width))

    def painted(self, person: Array | None) -> "Trust":
        """With a person's brush over it: forced trust weighs 1, forced distrust nothing."""
        if person is None:
            return self
        weight = self.weight
        if weight is not None:
            weight = weight * (person == 0) + (person > 0)
        return replace(self, trusted=with_person(self.trusted, person), weight=weight)


def trust(  # noqa: PLR0913 - all that can decide
    sigma: Array,
    settings: MaskSettings,
    *,
    patch_range: Range | None = None,
    pixel_range: Range | None = None,
    person: Array | None = None,
    means: Array | None = None,
    exposure: Array | None = None,
) -> Trust:
    """Both gates over an H×W map σ.

    Args:
        sigma: the teacher's uncertainty, H×W float32, in units of μ-law radiance.
        settings: thresholds and normalisation.
        patch_range: the pool's range of patch means; None normalises within this scene.
        pixel_range: the pool's range of pixels; None normalises over this scene's kept pixels.
            Neither is heeded where the settings fix the range.
        person: H×W, > 0 where a person forces trust, < 0 where a person forces distrust.
        means: `patch_means(sigma)`, if it is known already.
        exposure: H×W, how the reference exposes each pixel (EXPOSURES); asked for only where the
            settings have a threshold for each. Raises ValueError where it is lacking.
    """
    height, width = sigma.shape
    if means is None:
        means = patch_means(sigma, size=settings.patch_size)
    patch_range = settings.patches.fixed_range or patch_range or span(means, settings.patches)
    patch_mask = means <= limit(patch_range, settings.tau_patch)
    kept = expand(patch_mask, size=settings.patch_size, height=height, width=width)
    pixel_range = settings.pixels.fixed_range or pixel_range
    if pixel_range is None:
        pixel_range = _span_of_kept(sigma, kept, settings.pixels)
    if settings.soft is not None:
        weight = soft_weights(sigma, pixel_range, settings.soft)
        passed, weight = weight > 0, weight * kept
        found = Trust(patch_mask, passed, weight > 0, patch_range, pixel_range, weight)
    else:
        pixel_mask = _pixel_gate(sigma, settings, pixel_range, exposure)
        found = Trust(patch_mask, pixel_mask, kept & pixel_mask, patch_range, pixel_range)
    return found.painted(person)


def _pixel_gate(
    sigma: Array, settings: MaskSettings, pixel_range: Range, exposure: Array | None
) -> Array:
    """True where σ is within its limit, H×W."""
    taus = settings.tau_exposure
    if taus is None:
        return sigma <= limit(pixel_range, settings.tau_pixel)
    if exposure is None:
        raise ValueError("thresholds by exposure need the exposure of every pixel")
    passed = exposure < 0  # nothing yet
    for place, tau in enumerate(taus):
        passed = passed | ((exposure == place) & (sigma <= limit(pixel_range, tau)))
    return passed


_SPREADS: Final = 2  # n of SoftMatch
_WEIGHTS: Final = 255  # steps a weight may take


def soft_weights(sigma: Array, span_of_scores: Range, soft: SoftWeights) -> Array:
    """The weight of each pixel of an H×W map σ by its score, a multiple of 1/255 in [0, 1].

    What is no finite number weighs nothing.
    """
    excess = (scores(sigma, span_of_scores) - soft.mean).clip(0, None)
    exponent = -(excess**2) * (_SPREADS**2 / (2 * soft.variance))
    falling = exponent.exp() if _is_torch(exponent) else np.exp(exponent)
    weight = (falling * _WEIGHTS).round() / _WEIGHTS
    weight[~(sigma <= LARGEST)] = 0
    return weight


def with_person(trusted: Array, person: Array | None) -> Array:
    """The machine's trust with a person's brush over it: ∨ forced trust, ∧ ¬ forced distrust."""
    return trusted if person is None else (trusted | (person > 0)) & (person >= 0)


def limit(span_of_scores: Range, tau: float) -> float:
    """The largest σ whose score is ≤ τ; the largest finite number where every score is.

    A score is (σ − low) / (high − low), clipped to 0 and 1, so `score <= τ` is `σ <= limit`.
    A constant map scores 0 everywhere: nothing is known to be worse than anything else.
    """
    low, high = span_of_scores
    if tau >= 1 or not high > low:
        return LARGEST
    return float(np.float32(low + tau * (high - low)))


def scores(values: Array, span_of_scores: Range) -> Array:
    """σ as a score in [0, 1]: 0 is the surest of the range, 1 the least sure."""
    low, high = span_of_scores
    if not high > low:
        return values * 0
    return ((values - low) / (high - low)).clip(0, 1)


def span(values: Array, level: Level) -> Range:
    """The range that normalises these values; (0, 0) when there are none.

    What is no finite number has no place in a range: it is passed over here, and no limit lets it
    pass (`trust`).
    """
    if level.fixed_range is not None:
        return level.fixed_range
    flat = values.reshape(-1)
    if flat.shape[0] == 0:
        return Range(0.0, 0.0)
    low, high = float(flat.min()), float(flat.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = abs(flat) < math.inf
        return span(flat[finite], level)
    match level.normalisation:
        case "minmax":
            return Range(low, high)
        case _:
            on_host = np.asarray(flat.cpu() if _is_torch(flat) else flat)
            low, high = np.percentile(on_host, (level.low_percentile, level.high_percentile))
            return Range(float(low), float(high))


def _span_of_kept(sigma: Array, kept: Array, level: Level) -> Range:
    """`span(sigma[kept], level)`; one pass under the mask is ten times faster than a copy."""
    quick = level.normalisation == "minmax" and not _is_torch(sigma) and sigma.dtype == np.float32
    if not quick or not kept.any():
        return span(sigma[kept], level)
    mask = np.ascontiguousarray(kept).view(np.uint8)
    low, high, _, _ = cv2.minMaxLoc(np.ascontiguousarray(sigma), mask)
    if not (math.isfinite(low) and math.isfinite(high)):
        return span(sigma[kept], level)
    return Range(low, high)


Map = npt.NDArray[np.float32]


def pool_ranges(
    sigmas: Iterable[Map],
    settings: MaskSettings,
    *,
    own: Iterable[MaskSettings] | None = None,
    means: Sequence[Map] | None = None,
) -> tuple[Range | None, Range | None]:
    """The ranges of patch means and of kept pixels that span the pool (METHOD §4).

    `sigmas` holds every scene's H×W map σ and is gone through at most twice, so it may read files
    instead of holding them; `means` are its rows×columns patch means where they are known. `own`
    are the settings of each scene where they differ in their patches. None stands for a level that
    is normalised scene by scene.
    """
    own = repeat(settings) if own is None else own
    patch_range, pixel_range = settings.patches.fixed_range, settings.pixels.fixed_range
    if patch_range is None and settings.patches.scope == "pool":
        if means is None:
            pairs = zip(sigmas, own, strict=False)
            means = [patch_means(sigma, size=masks.patch_size) for sigma, masks in pairs]
        patch_range = span(_joined([each.ravel() for each in means]), settings.patches)
    if pixel_range is None and settings.pixels.scope == "pool":
        kept = [
            _kept_pixels(sigma, masks, patch_range=patch_range, means=known)
            for sigma, masks, known in zip(sigmas, own, means or repeat(None), strict=False)
        ]
        pixel_range = span(_joined(kept), settings.pixels)
    return patch_range, pixel_range


def _kept_pixels(
    sigma: Map, settings: MaskSettings, *, patch_range: Range | None, means: Map | None
) -> Map:
    """σ inside kept patches; of a min-max only the two ends matter, so only they are held."""
    if means is None:
        means = patch_means(sigma, size=settings.patch_size)
    top = limit(patch_range or span(means, settings.patches), settings.tau_patch)
    height, width = sigma.shape
    inside = sigma[expand(means <= top, size=settings.patch_size, height=height, width=width)]
    if settings.pixels.normalisation == "minmax" and inside.size:
        return np.array([inside.min(), inside.max()], dtype=np.float32)
    return inside


def _joined(parts: list[Map]) -> Map:
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def patch_means(sigma: Array, *, size: int = PATCH_SIZE) -> Array:
    """Mean σ of each patch, rows×columns float32; the grid starts at the top-left corner.

    Border patches average the pixels they have. Sums are taken in double precision, so that a
    constant map has exactly constant means.
    """
    height, width = sigma.shape
    tall, wide = (np.diff(np.append(np.arange(0, n, size), n)) for n in (height, width))
    counts = np.multiply.outer(tall, wide)
    if _is_torch(sigma):
        up, across = (sigma.new_tensor(_membership(part)).double() for part in (tall, wide))
        return (up @ sigma.double() @ across.T / sigma.new_tensor(counts).double()).float()
    rows, columns = np.arange(0, height, size), np.arange(0, width, size)
    strips = np.add.reduceat(sigma, columns, 1, dtype=np.float64)
    return (np.add.reduceat(strips, rows, 0) / counts).astype(np.float32)


def expand(patch_mask: Array, *, size: int = PATCH_SIZE, height: int, width: int) -> Array:
    """A rows×columns patch mask as an H×W pixel mask."""
    if _is_torch(patch_mask):
        tall = patch_mask.repeat_interleave(size, 0)[:height]
        return tall.repeat_interleave(size, 1)[:, :width]
    return np.repeat(np.repeat(patch_mask, size, 1)[:, :width], size, 0)[:height]


def _membership(lengths: np.ndarray[Any, np.dtype[np.int64]]) -> Array:
    """Which patch each position belongs to, as 0 and 1, patches×positions."""
    return np.repeat(np.eye(len(lengths)), lengths, 1)


def _is_torch(array: Array) -> bool:
    return not isinstance(array, np.ndarray)


def masks_as_values(masks: MaskSettings) -> dict[str, Any]:
    """Every setting as plain values; what older versions did not know only where it is in use."""
    values = asdict(masks)
    for name in ("patches", "pixels"):
        if values[name]["normalisation"] != "absolute":
            del values[name]["sigma_at_one"]
    for name in ("soft", "tau_exposure"):
        if values[name] is None:
            del values[name]
    return values


def masks_as_text(masks: MaskSettings) -> str:
    """The same as JSON; reading it back gives the same numbers to the last bit."""
    return json.dumps(masks_as_values(masks), sort_keys=True)


def masks_from_text(text: str) -> MaskSettings:
    """What `masks_as_text` wrote; ValueError where it is something else."""
    values = parse_json(text)
    try:
        patches, pixels = (Level(**values.pop(name)) for name in ("patches", "pixels"))
        if (soft := values.pop("soft", None)) is not None:
            soft = SoftWeights(**soft)
        if (taus := values.pop("tau_exposure", None)) is not None:
            taus = ByExposure(*map(float, taus))
        return MaskSettings(**values, patches=patches, pixels=pixels, soft=soft, tau_exposure=taus)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not mask settings: {error}") from None


def range_as_text(span: Range) -> str:
    """Low and high as JSON, exact."""
    return json.dumps([span.low, span.high])


def range_from_text(text: str) -> Range:
    """What `range_as_text` wrote; ValueError where it is something else."""
    values = parse_json(text)
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError(f"not a range: {text}")
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in values):
        raise ValueError(f"not a range of finite numbers: {text}")
    low, high = values
    return Range(float(low), float(high))


def plain_values(header: Mapping[str, Any], name: str) -> str:
    """A header value as text; ValueError naming what is missing."""
    if name not in header:
        raise ValueError(f"no {name} in the header")
    return str(header[name])
