"""The retained share of a pool, brushes included, in milliseconds for any thresholds.

Patches are sorted by their mean once, so the patch gate keeps a prefix of them; the histogram of
every prefix is tabulated, so the pixel gate is one look-up per scene. Patch figures are exact;
pixel shares are interpolated inside one histogram bin of one scene. A brush is counted the same
way, from a few numbers per patch that it touched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.trust.masking import Level, MaskSettings, Range, limit, span
from smarthdr_studio.core.trust.patch_statistics import (
    BINS,
    Counts,
    Doubles,
    Integers,
    PaintedStatistics,
    SceneStatistics,
    log_position,
)

Flags = npt.NDArray[np.bool_]
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
        self._each = np.arange(len(self._scenes))
        self._count = np.array([scene.patches for scene in self._scenes], dtype=np.int64)
        self._pixels = np.array([scene.pixels for scene in self._scenes], dtype=np.float64)
        self._low = np.array([scene.low for scene in self._scenes], dtype=np.float64)
        self._high = np.array([scene.high for scene in self._scenes], dtype=np.float64)
        self._sigma = [scene.sigma_mean for scene in self._scenes]
        self._every_mean = np.concatenate([s.means for s in self._scenes] or [_NONE])
        self._ranges: dict[Level, Range] = {}
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
        if level not in self._ranges:
            self._ranges[level] = span(self._every_mean, level)
        return self._ranges[level]

    def retention(self, masks: MaskSettings) -> Retention:
        """What both gates keep, with the person's brush over it."""
        tops = self._patch_limits(masks)
        kept = self._kept_patches(tops)
        rows = self._tables.counted[self._each, kept]
        low, high = self._pixel_ranges(masks.pixels, kept, rows)
        pixels = self._trusted(rows, tops, _limits(low, high, masks.tau_pixel))
        shares = (pixels / self._pixels).tolist(), (kept / self._count).tolist()
        pooled_patches = masks.patches.scope == "pool"
        pooled_pixels = masks.pixels.scope == "pool" and len(self) > 0
        return Retention(
            retained=_share(float(pixels.sum()), float(self._pixels.sum())),
            patches_retained=_share(float(kept.sum()), float(self._count.sum())),
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
            table = self._tables.counted[self._each, kept]
            low, high = self._pixel_ranges(masks.pixels, kept, table)
            limits = np.array([_limits(low, high, float(tau_pixel)) for tau_pixel in taus])
            trusted = self._trusted(table, tops, limits).sum(-1)
            shares[row] = [_share(float(each), float(self._pixels.sum())) for each in trusted]
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
        rows = self._tables.counted[self._each, kept]
        low, high = self._pixel_ranges(masks.pixels, kept, rows)
        bins_of = self._tables.bins
        middles = (np.arange(bins_of) + 0.5) / bins_of
        floor = np.maximum(self._low, 1e-9)[:, None]
        sigma = floor * (np.maximum(self._high, 1e-9)[:, None] / floor) ** middles
        values = _scores(sigma, low[:, None], high[:, None])
        many = np.diff(rows.astype(np.int64))
        return np.histogram(values, bins, (0, 1), weights=many)[0].astype(np.int64)

    def trusted_patches(self, masks: MaskSettings) -> npt.NDArray[np.bool_]:
        """Whether each patch has a trusted pixel: flat, scenes in the order of `ids`, row by row.

        That is so where a person forces trust in it, or where it is kept and the least σ that is
        not painted is within the pixel limit; exact but for percentiles of pixels, which are
        interpolated inside one histogram bin.
        """
        tops = self._patch_limits(masks)
        kept = self._kept_patches(tops)
        low, high = self._pixel_ranges(masks.pixels, kept, self._tables.counted[self._each, kept])
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
        match level.normalisation:
            case "absolute":
                return np.zeros(len(self)), np.full(len(self), level.sigma_at_one)
            case "minmax":
                low = self._tables.least[self._each, kept]
                high = self._tables.greatest[self._each, kept]
            case "percentile":
                low, high = (
                    quantile(rows, share / 100, least=self._low, greatest=self._high)
                    for share in (level.low_percentile, level.high_percentile)
                )
        some = kept > 0
        if level.scope == "pool" and some.any():
            low = np.full(len(self), low[some].min())
            high = np.full(len(self), high[some].max())
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


_TABLE_BYTES = 128 * 2**20


class PrefixTables:
    """The patch gate keeps a prefix of a scene's patches; here are its least, greatest, histogram.

    With n scenes of at most p patches: `means` is n×p float32, ascending and filled up with
    infinity; `least` and `greatest` are n×(p + 1) float64; `counted` is n×(p + 1)×(bins + 1) uint32
    and cumulative. The coarsest histogram says how many `bins` are used. Scenes that `before` had
    laid out just so are taken over, so that a scene more or less costs little.
    """

    def __init__(
        self, scenes: Sequence[SceneStatistics], before: "PrefixTables | None" = None
    ) -> None:
        self._scenes = tuple(scenes)
        n, most = len(scenes), max((scene.patches for scene in scenes), default=0)
        self.bins = _bins(scenes, most)
        self.means = np.full((n, most), np.inf, dtype=np.float32)
        self.least = np.zeros((n, most + 1))
        self.greatest = np.zeros((n, most + 1))
        self.counted = np.zeros((n, most + 1, self.bins + 1), dtype=np.uint32)
        known = self._take_over(before) if before is not None else frozenset[int]()
        for index, scene in enumerate(scenes):
            if index not in known:
                self._lay_out(index, scene)

    def _take_over(self, before: "PrefixTables") -> frozenset[int]:
        """Copy what was laid out; the places of these scenes."""
        if (before.bins, before.means.shape[1]) != (self.bins, self.means.shape[1]):
            return frozenset()
        places = {id(scene): place for place, scene in enumerate(before._scenes)}
        found = {
            index: places[id(scene)]
            for index, scene in enumerate(self._scenes)
            if id(scene) in places
        }
        now, then = (np.array(list(part), dtype=np.int64) for part in (found, found.values()))
        for mine, theirs in (
            (self.means, before.means),
            (self.least, before.least),
            (self.greatest, before.greatest),
            (self.counted, before.counted),
        ):
            _copy_rows(mine, now, theirs, then)
        return frozenset(found)

    def _lay_out(self, index: int, scene: SceneStatistics) -> None:
        order, p = np.argsort(scene.means, kind="stable"), scene.patches
        self.means[index, :p] = scene.means[order]
        self.least[index, 1 : p + 1] = np.minimum.accumulate(scene.lows[order])
        self.greatest[index, 1 : p + 1] = np.maximum.accumulate(scene.highs[order])
        counts = scene.coarser(self.bins).counts[order]
        self.counted[index, 1 : p + 1, 1:] = counts.cumsum(0).cumsum(1)


def _bins(scenes: Sequence[SceneStatistics], most: int) -> int:
    """As many as every scene has and memory allows."""
    bins = min((scene.bins for scene in scenes), default=BINS)
    while len(scenes) * (most + 1) * (bins + 1) * 4 > _TABLE_BYTES and bins > 16:
        bins //= 2
    return bins


def _copy_rows(
    mine: npt.NDArray[np.generic],
    now: npt.NDArray[np.int64],
    theirs: npt.NDArray[np.generic],
    then: npt.NDArray[np.int64],
) -> None:
    """Rows `then` of one array into rows `now` of another, neighbours in one go."""
    ends = np.flatnonzero((np.diff(now) != 1) | (np.diff(then) != 1)) + 1
    for run_now, run_then in zip(np.split(now, ends), np.split(then, ends), strict=True):
        if len(run_now):
            mine[run_now[0] : run_now[-1] + 1] = theirs[run_then[0] : run_then[-1] + 1]


def counted_below(rows: Counts, top: Doubles, *, least: Doubles, greatest: Doubles) -> Doubles:
    """How many of each row's pixels have σ ≤ top, interpolated inside a bin.

    `rows` are running counts, scenes×(bins + 1), from each scene's least to its greatest σ. The
    others are flat, one value per scene; `top` and the answer may be several of such, n×scenes.
    """
    bins = rows.shape[1] - 1
    place = log_position(np.minimum(top, greatest), low=least, high=greatest)
    place = np.clip(place, 0, 1) * bins
    left = np.minimum(place.astype(np.int64), bins - 1)
    scene = np.arange(len(rows))
    below, above = rows[scene, left].astype(float), rows[scene, left + 1].astype(float)
    return np.where(top < least, 0.0, below + (above - below) * (place - left))


def quantile(rows: Counts, share: float, *, least: Doubles, greatest: Doubles) -> Doubles:
    """The σ that this share of each row's pixels does not exceed: `counted_below` inverted.

    `rows` is scenes×(bins + 1); the others and the answer are flat, one value per scene.
    """
    bins = rows.shape[1] - 1
    wanted = rows[:, -1].astype(float) * share
    right = np.clip((rows < wanted[:, None]).sum(1), 1, bins)
    scene = np.arange(len(rows))
    below, above = rows[scene, right - 1].astype(float), rows[scene, right].astype(float)
    inside = np.where(above > below, (wanted - below) / np.maximum(above - below, 1), 0.0)
    floor = np.maximum(least, 1e-9)
    ratio = np.maximum(greatest, 1e-9) / floor
    values: Doubles = floor * ratio ** ((right - 1 + inside) / bins)
    return values


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
        value per scene; `machine`, `pixel_tops` and the answer may be several of such, n×scenes.
        """
        own = self._places
        kept = np.minimum((self._means <= patch_tops[own, None]).sum(1), self._count)
        below = counted_below(
            self._table[self._starts + kept],
            pixel_tops[..., own],
            least=self._low,
            greatest=self._high,
        )
        trusted = machine.copy()
        trusted[..., own] = np.maximum(machine[..., own] - below, 0) + self._forced
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
