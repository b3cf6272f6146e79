"""How much of a pool is trusted, in milliseconds for any thresholds.

Patches are sorted by their mean once, so the patch gate keeps a prefix of them; the histogram of
every prefix is tabulated, so the pixel gate is one look-up per scene. Patch figures are exact;
pixel shares are interpolated inside one histogram bin of one scene. A person's brush is counted
the same way, from the patches it touched (`brush.painted_pool`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.brush.painted import PaintedStatistics
from smarthdr_studio.core.brush.painted_pool import PaintedPool, trusted_of, with_brush
from smarthdr_studio.core.masking import Level, MaskSettings, Range, limit, span
from smarthdr_studio.core.prefix_tables import PrefixTables
from smarthdr_studio.core.statistics import Counts, SceneStatistics, counted_below, quantile

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

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
        """How many patches of the pool have which score S_pa, over [0, 1]."""
        if masks.patches.scope == "pool":
            low, high = self.patch_range(masks.patches)
            values = _scores(self._every_mean.astype(np.float64), low, high)
        else:
            own = ((scene.means, span(scene.means, masks.patches)) for scene in self._scenes)
            parts = [_scores(means.astype(np.float64), *ends) for means, ends in own]
            values = np.concatenate(parts or [_NONE.astype(np.float64)])
        return np.histogram(values, bins, (0, 1))[0]

    def pixel_histogram(self, masks: MaskSettings, *, bins: int = 50) -> Integers:
        """How many pixels inside kept patches have which score S_pi, over [0, 1]."""
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
        """Whether each patch has a trusted pixel: all scenes in the order of `ids`, row by row.

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
        """The retained share in [0, 1] of scenes outside the pool, judged with its ranges.

        A pool without scenes has no ranges: then each scene is judged by its own. `painted` says
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
        low, high = self._tables.least[scene, kept], self._tables.greatest[scene, kept]
        if level.normalisation == "percentile":
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
    patch_top = limit(patch_range or span(scene.means, masks.patches), masks.tau_patch)
    kept = scene.means <= patch_top
    rows = np.append(0, scene.counts[kept].sum(0).cumsum())[None].astype(np.uint32)
    least, greatest = np.array([scene.low], float), np.array([scene.high], float)
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
    if level.normalisation == "minmax":
        return float(scene.lows[kept].min()), float(scene.highs[kept].max())
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
