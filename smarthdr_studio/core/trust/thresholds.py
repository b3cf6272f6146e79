"""Choices of τ: score histograms, thresholds for a wished share, and what a pair would mean."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.trust.masking import PATCH_SIZE, MaskSettings, Trust, expand, scores
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics, Retention

Counts = npt.NDArray[np.int64]

BINS = 50


def score_counts(
    sigma: Floats, means: Floats, trust: Trust, *, patch_size: int
) -> tuple[Counts, Counts]:
    """Counts of S_pa over all patches and of S_pi over pixels in retained patches (METHOD §4).

    `sigma` is H×W in μ-law values, `means` the patches' rows×columns. Both counts are in 50
    even bins over [0, 1]; bin k holds scores from k/50 up to, not including, (k+1)/50, and the last
    one holds 1 as well.
    """
    height, width = sigma.shape
    kept = expand(trust.patch_mask, size=patch_size, height=height, width=width)
    return (
        counted(scores(means, trust.patch_range)),
        counted(scores(sigma, trust.pixel_range)[kept]),
    )


def counted(values: Floats) -> Counts:
    """Scores of any shape counted in those bins."""
    bins = np.minimum((values * np.float32(BINS)).astype(np.uint8), BINS - 1)
    return np.bincount(bins.ravel(), minlength=BINS)


_HALVINGS = 10  # a thousandth of a threshold


def thresholds_for_share(
    wanted: float, masks: MaskSettings, *, share: Callable[[MaskSettings], float]
) -> MaskSettings:
    """The thresholds nearest to `masks` that keep a share in [0, 1]; `share` says what any keep.

    τ_pa stays unless even an open pixel gate keeps too little; then it opens as far as needed.
    τ_pi does the rest.
    """
    opened = replace(masks, tau_pixel=1.0)
    if share(opened) < wanted:
        masks = replace(
            masks, tau_patch=_least(lambda tau: share(replace(opened, tau_patch=tau)) >= wanted)
        )
    return replace(
        masks, tau_pixel=_least(lambda tau: share(replace(masks, tau_pixel=tau)) >= wanted)
    )


def _least(enough: Callable[[float], bool]) -> float:
    """The least threshold that is enough, halving the doubt each time; 1 where none is."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return min(math.ceil(high * 1000) / 1000, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchLocation:
    """A patch of a scene by its number, row by row, and its mean σ."""

    scene: str
    patch: int
    sigma: float


def least_trusted_patches(
    scenes: Mapping[str, SceneStatistics], *, most: int = 50
) -> tuple[PatchLocation, ...]:
    """The least sure patch of each scene, the worst scene first."""
    worst = (
        PatchLocation(scene=name, patch=int(np.argmax(held.means)), sigma=float(held.means.max()))
        for name, held in scenes.items()
    )
    return tuple(sorted(worst, key=lambda place: -place.sigma)[:most])


def crop_grid(length: int, *, crop: int, stride: int) -> list[int]:
    """Where crops begin along one side: evenly from border to border, about `stride` apart.

    As many as fit at that stride (22×14 = 308 in 1500×1000 at 128/64), and never so few that
    pixels between two crops are left out. `length` is at least one crop.
    """
    count = max((length - crop) // stride + 1, -(-length // crop))
    return [int(start) for start in np.linspace(0, length - crop, count).round()]


Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Counts over the pool of unlabelled scenes.

    A crop counts when it keeps at least one trusted pixel; statistics per patch bound that number
    from both sides, and both are equal wherever crops lie on the grid of patches.
    `epoch_seconds` is None until a run has said how fast it is.
    """

    pixels: int
    trusted_pixels: int
    patches: int
    kept_patches: int
    crops: int
    crops_at_least: int
    crops_at_most: int
    epoch_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """Along one side of a scene, for each crop: the patches it holds whole, and those it touches.

    Each is a half-open span of patch numbers; a crop smaller than a patch may hold none.
    """

    patches: int
    whole: tuple[Integers, Integers]
    touched: tuple[Integers, Integers]

    @classmethod
    def of(cls, length: int, *, crop: int, stride: int, patch_size: int) -> "_Side":
        count = -(-length // patch_size)
        begins = crop_grid(length, crop=crop, stride=stride) if length >= crop else []
        first = np.array(begins, dtype=np.int64)
        last = first + crop
        # The patch at the border may be smaller: a crop that reaches the border holds it whole.
        held = np.where(last >= length, count, last // patch_size)
        start = -(-first // patch_size)
        return cls(
            patches=count,
            whole=(start, np.maximum(held, start)),
            touched=(first // patch_size, -(-last // patch_size)),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _SizeGroup:
    """The scenes of one size: which patches of the pool are theirs, scenes×rows×columns."""

    places: Integers
    rows: _Side
    columns: _Side

    @property
    def crops(self) -> int:
        return len(self.places) * len(self.rows.whole[0]) * len(self.columns.whole[0])


class CropsOfPool:
    """Every crop that training would draw from a pool, laid out once for fast questions.

    `sizes` is (width, height) of each scene, in the order of the pool's `ids`. A scene smaller
    than a crop has none. `patch_size` is one for all of them, or one of each.
    """

    def __init__(
        self,
        sizes: Mapping[str, tuple[int, int]],
        *,
        crop: int,
        stride: int,
        patch_size: int | Sequence[int] = PATCH_SIZE,
    ) -> None:
        self.ids = tuple(sizes)
        self._groups: list[_SizeGroup] = []
        tiles = np.broadcast_to(patch_size, len(sizes)).tolist()
        shapes = [(*size, tile) for size, tile in zip(sizes.values(), tiles, strict=True)]
        sides = {
            (length, tile): _Side.of(length, crop=crop, stride=stride, patch_size=tile)
            for width, height, tile in set(shapes)
            for length in (width, height)
        }
        counts = [sides[w, tile].patches * sides[h, tile].patches for w, h, tile in shapes]
        self.patches = sum(counts)
        starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])[:-1]
        every = np.array(shapes, dtype=np.int64).reshape(-1, 3)
        for shape in dict.fromkeys(shapes):
            width, height, tile = shape
            rows, columns = sides[height, tile], sides[width, tile]
            own = starts[(every == shape).all(1)]
            inside = np.arange(rows.patches * columns.patches).reshape(rows.patches, -1)
            self._groups.append(
                _SizeGroup(places=own[:, None, None] + inside, rows=rows, columns=columns)
            )

    def __len__(self) -> int:
        return sum(group.crops for group in self._groups)

    def bounds(self, trusted_patches: Flags) -> tuple[int, int]:
        """How many crops surely, and how many possibly, hold a trusted pixel.

        `trusted_patches` is `PoolStatistics.trusted_patches`, flat. A crop surely does where
        a patch it holds whole has one, possibly where a patch it touches has one.
        """
        at_least = at_most = 0
        for group in self._groups:
            table = _summed(trusted_patches[group.places])
            at_least += _holding(table, group.rows.whole, group.columns.whole)
            at_most += _holding(table, group.rows.touched, group.columns.touched)
        return at_least, at_most


def what_if(
    pool: PoolStatistics,
    crops: CropsOfPool,
    masks: MaskSettings,
    *,
    seconds_per_crop: float | None = None,
    most_crops: int | None = None,
    kept: Retention | None = None,
) -> WhatIf:
    """What this pair of thresholds would keep, with every brush that the pool knows of.

    `epoch_seconds` reckons with the middle between both bounds of the crops, or with `most_crops`
    where an epoch ends sooner; `kept` is the pool's `retention(masks)` if it is known. Raises
    ValueError where `crops` were laid for other scenes.
    """
    if crops.ids != pool.ids or crops.patches != pool.patches:
        raise ValueError("these crops belong to another pool: lay them for the scenes it has now")
    kept = kept or pool.retention(masks)
    at_least, at_most = crops.bounds(pool.trusted_patches(masks))
    drawn = (at_least + at_most) / 2
    if most_crops is not None:
        drawn = min(drawn, most_crops)
    return WhatIf(
        pixels=pool.pixels,
        trusted_pixels=round(kept.retained * pool.pixels),
        patches=pool.patches,
        kept_patches=round(kept.patches_retained * pool.patches),
        crops=len(crops),
        crops_at_least=at_least,
        crops_at_most=at_most,
        epoch_seconds=None if seconds_per_crop is None else drawn * seconds_per_crop,
    )


def _summed(flags: Flags) -> npt.NDArray[np.int32]:
    """How many patches are flagged above and left of each corner, scenes×(rows + 1)×(columns + 1).

    Any window is then four look-ups.
    """
    scenes, rows, columns = flags.shape
    table = np.zeros((scenes, rows + 1, columns + 1), dtype=np.int32)
    np.cumsum(flags, axis=1, out=table[:, 1:, 1:])
    return np.cumsum(table, axis=2, out=table)


def _holding(
    table: npt.NDArray[np.int32],
    rows: tuple[Integers, Integers],
    columns: tuple[Integers, Integers],
) -> int:
    """In how many windows, spans of rows × spans of columns, at least one patch is flagged."""
    tall = table[:, rows[1]] - table[:, rows[0]]
    inside = tall[:, :, columns[1]] - tall[:, :, columns[0]]
    return int(np.count_nonzero(inside))
