"""What a pair of thresholds would mean for the next epoch of training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.crop_grid import grid
from smarthdr_studio.core.masking import PATCH_SIZE, MaskSettings
from smarthdr_studio.core.retention import PoolStatistics, Retention

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
        begins = grid(length, crop=crop, stride=stride) if length >= crop else []
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
    than a crop has none.
    """

    def __init__(
        self,
        sizes: Mapping[str, tuple[int, int]],
        *,
        crop: int,
        stride: int,
        patch_size: int = PATCH_SIZE,
    ) -> None:
        self.ids = tuple(sizes)
        self._groups: list[_SizeGroup] = []
        sides = {
            length: _Side.of(length, crop=crop, stride=stride, patch_size=patch_size)
            for size in sizes.values()
            for length in size
        }
        counts = [sides[width].patches * sides[height].patches for width, height in sizes.values()]
        self.patches = sum(counts)
        starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])[:-1]
        every = np.array(list(sizes.values()), dtype=np.int64).reshape(-1, 2)
        for width, height in dict.fromkeys(sizes.values()):
            rows, columns = sides[height], sides[width]
            own = starts[(every == (width, height)).all(1)]
            inside = np.arange(rows.patches * columns.patches).reshape(rows.patches, -1)
            self._groups.append(
                _SizeGroup(places=own[:, None, None] + inside, rows=rows, columns=columns)
            )

    def __len__(self) -> int:
        return sum(group.crops for group in self._groups)

    def bounds(self, trusted_patches: Flags) -> tuple[int, int]:
        """How many crops surely, and how many possibly, hold a trusted pixel.

        `trusted_patches` is `PoolStatistics.trusted_patches`. A crop surely does where a patch it
        holds whole has one, possibly where a patch it touches has one.
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
    kept: Retention | None = None,
) -> WhatIf:
    """What this pair of thresholds would keep, with every brush that the pool knows of.

    `epoch_seconds` reckons with the middle between both bounds of the crops; `kept` is the pool's
    `retention(masks)` if it is known. Raises ValueError where `crops` were laid for other scenes.
    """
    if crops.ids != pool.ids or crops.patches != pool.patches:
        raise ValueError("these crops belong to another pool: lay them for the scenes it has now")
    kept = kept or pool.retention(masks)
    at_least, at_most = crops.bounds(pool.trusted_patches(masks))
    middle = (at_least + at_most) / 2
    return WhatIf(
        pixels=pool.pixels,
        trusted_pixels=round(kept.retained * pool.pixels),
        patches=pool.patches,
        kept_patches=round(kept.patches_retained * pool.patches),
        crops=len(crops),
        crops_at_least=at_least,
        crops_at_most=at_most,
        epoch_seconds=None if seconds_per_crop is None else middle * seconds_per_crop,
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
