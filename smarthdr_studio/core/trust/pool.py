"""The retained share of a pool, brushes included, in milliseconds for any thresholds.

Patches are sorted by their mean once, so the patch gate keeps a prefix of them; the histogram of
every prefix is tabulated, so the pixel gate is one look-up per scene. Patch figures are exact;
pixel shares are interpolated inside one histogram bin of one scene. A brush is counted the same
way, from a few numbers per patch that it touched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.arrays import read_arrays
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import PATCH_SIZE, Level, MaskSettings, Range, limit, span
from smarthdr_studio.core.trust.patch_statistics import (
    BINS,
    Counts,
    Floats,
    PrefixTables,
    SceneStatistics,
    counted_below,
    log_position,
    quantile,
)

Integers = npt.NDArray[np.int64]

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PaintedStatistics:
    """How many pixels of which σ a person painted in every patch that was touched.

    `patches` are the K numbers of those patches, rising, counted row by row; `trust` and
    `distrust` are K×bins, over the bins of the scene's `SceneStatistics`; `lows` is the least σ
    of a patch's pixels that are not painted, NaN where all are.
    """

    patches: Integers
    trust: Counts
    distrust: Counts
    lows: Floats
    patch_size: int = PATCH_SIZE

    @classmethod
    def of(cls, sigma: Floats, person: Brush, *, size: int = PATCH_SIZE) -> "PaintedStatistics":
        """What `person` (H×W: 1 forced trust, −1 forced distrust) painted on an H×W map σ.

        Raises ValueError: the two are of different sizes.
        """
        if sigma.shape != person.shape:
            raise ValueError(f"a mask of {person.shape} does not fit a map of {sigma.shape}")
        row, column = np.nonzero(person)
        wide = -(-sigma.shape[1] // size)
        patch = row // size * wide + column // size
        touched = np.bincount(patch) > 0
        patches, which = np.flatnonzero(touched), (np.cumsum(touched) - 1)[patch]
        low, high = float(sigma.min()), float(sigma.max())
        values, sign = sigma[row, column], person[row, column]
        place = log_position(values, low=low, high=high) if high > low else np.zeros(len(row))
        bins = np.clip((place * BINS).astype(np.int64), 0, BINS - 1)
        cells, shape = which * BINS + bins, (len(patches), BINS)
        trust, distrust = (
            np.bincount(cells[chosen], minlength=len(patches) * BINS).reshape(shape)
            for chosen in (sign > 0, sign < 0)
        )
        return cls(
            patches=patches,
            trust=trust.astype(np.uint32),
            distrust=distrust.astype(np.uint32),
            lows=_lows(sigma, person, patches, size=size),
            patch_size=size,
        )

    @property
    def painted(self) -> Counts:
        """All painted pixels, K×bins, whichever way they are forced."""
        return self.trust + self.distrust

    @property
    def trusted_pixels(self) -> int:
        """How many pixels a person forces to be trusted."""
        return int(self.trust.sum())

    def coarser(self, bins: int) -> "PaintedStatistics":
        """The same with this many bins; ValueError unless they divide those it has."""
        held = self.trust.shape[1]
        if bins < 1 or held % bins:
            raise ValueError(f"{held} bins cannot be made {bins}: choose a divisor")
        trust, distrust = (
            counts.reshape(len(self.patches), bins, held // bins).sum(2, dtype=np.uint32)
            for counts in (self.trust, self.distrust)
        )
        return replace(self, trust=trust, distrust=distrust)

    def packed(self) -> bytes:
        """As bytes that `unpacked` reads, for a cache."""
        file = BytesIO()
        np.savez_compressed(
            file,
            patches=self.patches,
            trust=self.trust,
            distrust=self.distrust,
            lows=self.lows,
            about=np.array([_FORMAT, self.patch_size]),
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, data: bytes) -> "PaintedStatistics":
        """What `packed` gave. Raises ValueError: of another format, or damaged."""
        try:
            arrays = read_arrays(BytesIO(data), "about", "patches", "trust", "distrust", "lows")
            version, size = (int(value) for value in arrays.pop("about"))
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"statistics of a brush that cannot be read ({error})") from None
        if version != _FORMAT:
            raise ValueError(f"statistics of a brush of format {version}, not {_FORMAT}")
        return cls(**arrays, patch_size=size)


def _lows(sigma: Floats, person: Brush, patches: Integers, *, size: int) -> Floats:
    """The least σ of the unpainted pixels of these patches."""
    wide = -(-sigma.shape[1] // size)
    found = np.full(len(patches), np.nan, dtype=np.float32)
    for index, patch in enumerate(patches):
        top, left = patch // wide * size, patch % wide * size
        part = slice(top, top + size), slice(left, left + size)
        free = person[part] == 0
        if free.any():
            found[index] = sigma[part].min(where=free, initial=np.inf)
    return found


Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class PaintedPool:
    """The painted scenes of a pool, each laid out like the pool itself but for its patches.

    Only painted patches are held: sorted by their mean, with the running histogram of every
    prefix. `painted` says by the scene's place in the pool; `bins` are the pool's. Raises
    ValueError: the patches of a brush are not those of its scene.
    """

    def __init__(
        self,
        scenes: Sequence[SceneStatistics],
        painted: Mapping[int, PaintedStatistics],
        *,
        bins: int,
    ) -> None:
        self._places = np.array(list(painted), dtype=np.int64)
        chosen = [scenes[place] for place in painted]
        self._low = np.array([scene.low for scene in chosen], dtype=np.float64)
        self._high = np.array([scene.high for scene in chosen], dtype=np.float64)
        self._forced = np.array([each.trusted_pixels for each in painted.values()], dtype=float)
        self._count = np.array([len(each.patches) for each in painted.values()], dtype=np.int64)
        shape = len(chosen), int(self._count.max(initial=0))
        self._means = np.full(shape, np.inf, dtype=np.float32)
        tables = []
        for index, (scene, brush) in enumerate(zip(chosen, painted.values(), strict=True)):
            if brush.patch_size != scene.patch_size or (brush.patches >= scene.patches).any():
                raise ValueError("a brush was counted in other patches than its scene")
            means = scene.means[brush.patches]
            order = np.argsort(means, kind="stable")
            self._means[index, : len(order)] = means[order]
            tables.append(_running(brush.coarser(bins).painted[order]))
        self._starts = np.append(0, np.cumsum(self._count + 1))[:-1]
        self._table = np.concatenate(tables or [np.zeros((0, bins + 1), np.uint32)])

    def __len__(self) -> int:
        return len(self._places)

    def over(self, machine: Doubles, *, patch_tops: Doubles, pixel_tops: Doubles) -> Doubles:
        """Trusted pixels of each scene of the pool with the brush, from those without it.

        Both gates keep what is at most `patch_tops` and `pixel_tops`, in σ. All are flat, one
        value per scene.
        """
        own = self._places
        kept = np.minimum((self._means <= patch_tops[own, None]).sum(1), self._count)
        below = counted_below(
            self._table[self._starts + kept],
            pixel_tops[own],
            least=self._low,
            greatest=self._high,
        )
        trusted = machine.copy()
        trusted[own] = np.maximum(machine[own] - below, 0) + self._forced
        return trusted


def with_brush(
    lows: Sequence[npt.NDArray[np.float32]], painted: Mapping[int, PaintedStatistics]
) -> tuple[list[npt.NDArray[np.float32]], list[Flags]]:
    """The least σ of every patch that its gates still decide on, and whether trust is forced in it.

    `lows` are the scenes' own, flat, one array per scene; `painted` says by the scene's place.
    """
    least, forced = list(lows), [np.zeros(len(each), dtype=bool) for each in lows]
    for place, brush in painted.items():
        least[place] = lows[place].copy()
        least[place][brush.patches] = brush.lows
        forced[place][brush.patches] = brush.trust.any(1)
    return least, forced


def trusted_of(
    scene: SceneStatistics,
    brush: PaintedStatistics,
    machine: float,
    *,
    patch_top: float,
    pixel_top: float,
) -> float:
    """Trusted pixels of one scene with its brush, from those without it; limits in σ."""
    one = PaintedPool([scene], {0: brush}, bins=scene.bins)
    tops = np.array([patch_top]), np.array([pixel_top])
    return float(one.over(np.array([machine]), patch_tops=tops[0], pixel_tops=tops[1])[0])


def _running(counts: Counts) -> Counts:
    """(K + 1)×(bins + 1): how many pixels the first k patches have in the first b bins."""
    table = np.zeros((len(counts) + 1, counts.shape[1] + 1), dtype=np.uint32)
    table[1:, 1:] = counts.cumsum(0).cumsum(1)
    return table


_NONE = np.empty(0, dtype=np.float32)


class SceneShare(NamedTuple):
    """Of one scene: shares in [0, 1] of pixels trusted and patches kept, and its mean σ."""

    retained: float
    patches_retained: float
    sigma_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Of a pool: shares in [0, 1] of pixels trusted and patches kept, and the ranges behind them.

    A brush changes what is trusted, not which patches the gate keeps.
    """

    retained: float
    patches_retained: float
    scenes: Mapping[str, SceneShare]
    patch_range: Range | None  # None where every scene has its own
    pixel_range: Range | None


class PoolStatistics:
    """The statistics of every scene of a pool, laid out for fast questions.

    Histograms may have any power of two of bins up to BINS; the coarsest says how many are used.
    `painted` says what a person painted on which scene; scenes outside the pool are passed over.
    `before` is a pool with many of the same statistics: they need not be laid out again.
    """

    def __init__(
        self,
        scenes: Mapping[str, SceneStatistics],
        painted: Mapping[str, PaintedStatistics] | None = None,
        *,
        before: "PoolStatistics | None" = None,
    ) -> None:
        self.ids = tuple(scenes)
        self._scenes = tuple(scenes.values())
        self._count = np.array([scene.patches for scene in self._scenes], dtype=np.int64)
        self._pixels = np.array([scene.pixels for scene in self._scenes], dtype=np.float64)
        self._low = np.array([scene.low for scene in self._scenes], dtype=np.float64)
        self._high = np.array([scene.high for scene in self._scenes], dtype=np.float64)
        self._sigma = [scene.sigma_mean for scene in self._scenes]
        self._every_mean = np.concatenate([s.means for s in self._scenes] or [_NONE])
        tables = before._tables if before is not None else None
        self._tables: PrefixTables = PrefixTables(self._scenes, tables)
        known = painted or {}
        brushes = {k: known[name] for k, name in enumerate(self.ids) if name in known}
        self._painted = PaintedPool(self._scenes, brushes, bins=self._tables.bins)
        lows, forced = with_brush([scene.lows for scene in self._scenes], brushes)
        self._every_low = np.concatenate(lows or [_NONE])
        self._every_forced = np.concatenate(forced or [_NONE.astype(bool)])

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def patch_sizes(self) -> tuple[int, ...]:
        """The side of the patches that each scene was counted in, in pixels."""
        return tuple(scene.patch_size for scene in self._scenes)

    def fitted(self, masks: MaskSettings) -> MaskSettings:
        """The same settings in the patches that most of the pool was counted in.

        A run may have others than the project; its pseudo-labels keep them.
        """
        sizes = self.patch_sizes
        return replace(masks, patch_size=max(sizes, key=sizes.count)) if sizes else masks

    @property
    def pixels(self) -> int:
        """How many pixels all scenes have together."""
        return int(self._pixels.sum())

    @property
    def patches(self) -> int:
        """How many patches all scenes have together."""
        return int(self._count.sum())

    def patch_range(self, level: Level) -> Range:
        """The range of patch means over the whole pool (METHOD §4, "globally normalised")."""
        return span(self._every_mean, level)

    def retention(self, masks: MaskSettings) -> Retention:
        """What both gates keep, with the person's brush over it."""
        tops = self._patch_limits(masks)
        kept = self._kept_patches(tops)
        rows = self._tables.counted[np.arange(len(self)), kept]
        low, high = self._pixel_ranges(masks.pixels, kept, rows)
        pixels = self._trusted(rows, tops, _limits(low, high, masks.tau_pixel))
        shares = (pixels / self._pixels).tolist(), (kept / self._count).tolist()
        pooled_patches = masks.patches.scope == "pool"
        pooled_pixels = masks.pixels.scope == "pool" and len(self) > 0
        return Retention(
            retained=_share(pixels.sum(), self._pixels.sum()),
            patches_retained=_share(kept.sum(), self._count.sum()),
            scenes=dict(zip(self.ids, map(SceneShare, *shares, self._sigma), strict=True)),
            patch_range=self.patch_range(masks.patches) if pooled_patches else None,
            pixel_range=Range(float(low[0]), float(high[0])) if pooled_pixels else None,
        )

    def retention_map(self, masks: MaskSettings, *, steps: int = 21) -> Doubles:
        """The retained share over a steps×steps grid of τ_pa (rows) × τ_pi (columns) in [0, 1]."""
        taus = np.linspace(0.0, 1.0, steps)
        shares = np.zeros((steps, steps))
        for row, tau_patch in enumerate(taus):
            tops = self._patch_limits(masks, tau=float(tau_patch))
            kept = self._kept_patches(tops)
            table = self._tables.counted[np.arange(len(self)), kept]
            low, high = self._pixel_ranges(masks.pixels, kept, table)
            for column, tau_pixel in enumerate(taus):
                trusted = self._trusted(table, tops, _limits(low, high, float(tau_pixel)))
                shares[row, column] = _share(trusted.sum(), self._pixels.sum())
        return shares

    def patch_histogram(self, masks: MaskSettings, *, bins: int = 50) -> Integers:
        """How many patches of the pool have which score S_pa: flat, even bins over [0, 1]."""
        if masks.patches.scope == "pool":
            low, high = self.patch_range(masks.patches)
            values = _scores(self._every_mean.astype(np.float64), low, high)
        else:
            own = ((scene.means, span(scene.means, masks.patches)) for scene in self._scenes)
            parts = [_scores(means.astype(np.float64), *ends) for means, ends in own]
            values = np.concatenate(parts or [_NONE.astype(np.float64)])
        return np.histogram(values, bins, (0, 1))[0]

    def pixel_histogram(self, masks: MaskSettings, *, bins: int = 50) -> Integers:
        """How many pixels in retained patches have which S_pi: flat, even bins over [0, 1]."""
        kept = self._kept_patches(self._patch_limits(masks))
        rows = self._tables.counted[np.arange(len(self)), kept]
        low, high = self._pixel_ranges(masks.pixels, kept, rows)
        bins_of = self._tables.bins
        middles = (np.arange(bins_of) + 0.5) / bins_of
        floor = np.maximum(self._low, 1e-9)[:, None]
        sigma = floor * (np.maximum(self._high, 1e-9)[:, None] / floor) ** middles
        values = _scores(sigma, low[:, None], high[:, None])
        return np.histogram(values, bins, (0, 1), weights=np.diff(rows.astype(np.int64)))[0]

    def trusted_patches(self, masks: MaskSettings) -> npt.NDArray[np.bool_]:
        """Whether each patch has a trusted pixel: flat, scenes in the order of `ids`, row by row.

        That is so where a person forces trust in it, or where it is kept and the least σ that is
        not painted is within the pixel limit; exact but for percentiles of pixels, which are
        interpolated inside one histogram bin.
        """
        tops = self._patch_limits(masks)
        kept = self._kept_patches(tops)
        low, high = self._pixel_ranges(
            masks.pixels, kept, self._tables.counted[np.arange(len(self)), kept]
        )
        patch_top = np.repeat(tops, self._count)
        pixel_top = np.repeat(_limits(low, high, masks.tau_pixel), self._count)
        by_gates = (self._every_mean <= patch_top) & (self._every_low <= pixel_top)
        found: npt.NDArray[np.bool_] = by_gates | self._every_forced
        return found

    def shares_outside(
        self,
        scenes: Mapping[str, SceneStatistics],
        masks: MaskSettings,
        *,
        painted: Mapping[str, PaintedStatistics] | None = None,
        kept: Retention | None = None,
    ) -> dict[str, float]:
        """The retained share in [0, 1] of scenes outside the pool, by its ranges.

        A pool without scenes has no ranges: then each scene is scored by its own. `painted` says
        what a person painted on which of these scenes, `kept` is `retention(masks)` if it is known.
        """
        pool = kept or self.retention(masks)
        ranges = (pool.patch_range, pool.pixel_range) if len(self) else (None, None)
        return {
            name: _share_of(scene, masks, *ranges, brush=(painted or {}).get(name))
            for name, scene in scenes.items()
        }

    def _kept_patches(self, tops: Doubles) -> Integers:
        kept: Integers = np.minimum((self._tables.means <= tops[:, None]).sum(1), self._count)
        return kept

    def _patch_limits(self, masks: MaskSettings, *, tau: float | None = None) -> Doubles:
        """The largest patch mean that each scene keeps."""
        tau = masks.tau_patch if tau is None else tau
        if masks.patches.scope == "pool":
            return np.full(len(self), limit(self.patch_range(masks.patches), tau))
        return np.array([limit(span(s.means, masks.patches), tau) for s in self._scenes])

    def _pixel_ranges(self, level: Level, kept: Integers, rows: Counts) -> tuple[Doubles, Doubles]:
        scene = np.arange(len(self))
        match level.normalisation:
            case "absolute":
                return np.zeros(len(self)), np.full(len(self), level.sigma_at_one)
            case "minmax":
                low, high = self._tables.least[scene, kept], self._tables.greatest[scene, kept]
            case "percentile":
                low, high = (
                    quantile(rows, share / 100, least=self._low, greatest=self._high)
                    for share in (level.low_percentile, level.high_percentile)
                )
        if level.scope == "pool" and (kept > 0).any():
            low = np.full(len(self), low[kept > 0].min())
            high = np.full(len(self), high[kept > 0].max())
        return low, high

    def _trusted(self, rows: Counts, patch_tops: Doubles, pixel_tops: Doubles) -> Doubles:
        machine = counted_below(rows, pixel_tops, least=self._low, greatest=self._high)
        if not self._painted:
            return machine
        return self._painted.over(machine, patch_tops=patch_tops, pixel_tops=pixel_tops)


def _share_of(
    scene: SceneStatistics,
    masks: MaskSettings,
    patch_range: Range | None,
    pixel_range: Range | None,
    *,
    brush: PaintedStatistics | None,
) -> float:
    """What is trusted of one scene; a range that is None is the scene's own."""
    ends = masks.patches.fixed_range or patch_range or span(scene.means, masks.patches)
    patch_top = limit(ends, masks.tau_patch)
    kept = scene.means <= patch_top
    rows = np.append(0, scene.counts[kept].sum(0).cumsum())[None].astype(np.uint32)
    least, greatest = np.array([scene.low], float), np.array([scene.high], float)
    pixel_range = masks.pixels.fixed_range or pixel_range
    low, high = _own_ends(scene, kept, rows, masks.pixels) if pixel_range is None else pixel_range
    tops = _limits(np.array([low], float), np.array([high], float), masks.tau_pixel)
    trusted = float(counted_below(rows, tops, least=least, greatest=greatest)[0])
    if brush is not None:
        trusted = trusted_of(scene, brush, trusted, patch_top=patch_top, pixel_top=float(tops[0]))
    return _share(trusted, scene.pixels)


def _own_ends(
    scene: SceneStatistics, kept: npt.NDArray[np.bool_], rows: Counts, level: Level
) -> tuple[float, float]:
    """The range of σ over a scene's kept pixels; (0, 0) when there are none."""
    if not kept.any():
        return 0.0, 0.0
    match level.normalisation:
        case "absolute":
            return 0.0, level.sigma_at_one
        case "minmax":
            return float(scene.lows[kept].min()), float(scene.highs[kept].max())
        case "percentile":
            least, greatest = np.array([scene.low], float), np.array([scene.high], float)
            low, high = (
                float(quantile(rows, share / 100, least=least, greatest=greatest)[0])
                for share in (level.low_percentile, level.high_percentile)
            )
            return low, high


def _limits(low: Doubles, high: Doubles, tau: float) -> Doubles:
    """`masking.limit` for many ranges at once."""
    if tau >= 1:
        return np.full(len(low), np.inf)
    rounded = (low + tau * (high - low)).astype(np.float32).astype(np.float64)
    return np.where(high > low, rounded, np.inf)


def _scores(values: Doubles, low: Doubles | float, high: Doubles | float) -> Doubles:
    width = np.subtract(high, low)
    scaled = (values - low) / np.where(width > 0, width, 1)
    return np.where(width > 0, np.clip(scaled, 0, 1), 0.0)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
