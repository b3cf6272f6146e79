"""Histograms of σ per patch, sorted by mean: what the trust of a whole pool is counted from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.arrays import read_arrays
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.trust.masking import PATCH_SIZE, patch_means

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint32]
Doubles = npt.NDArray[np.float64]

BINS = 256
_FORMAT = 1
_FLOOR = 1e-9  # the histogram is logarithmic in σ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneStatistics:
    """Mean, least, greatest and histogram of σ for every patch of one scene.

    `means`, `lows`, `highs` are P float32; `counts` is P×bins, over bins equally wide in log σ
    between the scene's least and greatest σ. There are BINS of them, or fewer after `coarser`.
    """

    means: Floats
    lows: Floats
    highs: Floats
    counts: Counts
    patch_size: int = PATCH_SIZE

    @classmethod
    def of(
        cls, sigma: Floats, *, size: int = PATCH_SIZE, means: Floats | None = None
    ) -> "SceneStatistics":
        """The statistics of an H×W map σ; `means` are its patch means where they are known."""
        height, width = sigma.shape
        rows, columns = np.arange(0, height, size), np.arange(0, width, size)
        lows = np.minimum.reduceat(np.minimum.reduceat(sigma, rows, 0), columns, 1)
        highs = np.maximum.reduceat(np.maximum.reduceat(sigma, rows, 0), columns, 1)
        return cls(
            means=(patch_means(sigma, size=size) if means is None else means).ravel(),
            lows=lows.ravel(),
            highs=highs.ravel(),
            counts=_histograms(sigma, size=size, low=float(lows.min()), high=float(highs.max())),
            patch_size=size,
        )

    @property
    def low(self) -> float:
        """The scene's least σ."""
        return float(self.lows.min())

    @property
    def high(self) -> float:
        """The scene's greatest σ."""
        return float(self.highs.max())

    @property
    def patches(self) -> int:
        """How many patches the scene has."""
        return len(self.means)

    @property
    def bins(self) -> int:
        """How many bins each histogram has."""
        return int(self.counts.shape[1])

    @property
    def pixels(self) -> int:
        """How many pixels the scene has."""
        return int(self.counts.sum())

    @property
    def sigma_mean(self) -> float:
        """Mean σ over all pixels."""
        return float(self.means.astype(np.float64) @ self.counts.sum(1) / self.pixels)

    def coarser(self, bins: int) -> "SceneStatistics":
        """The same statistics with this many bins; ValueError unless they divide those it has."""
        if bins < 1 or self.bins % bins:
            raise ValueError(f"{self.bins} bins cannot be made {bins}: choose a divisor")
        counts = self.counts.reshape(self.patches, bins, -1).sum(2, dtype=np.uint32)
        return replace(self, counts=counts)

    def save(self, path: AnyPath) -> None:
        """Write whole, then replace."""
        path = Path(path)
        with replacing(path) as draft, draft.open("wb") as file:
            np.savez(
                file,
                means=self.means,
                lows=self.lows,
                highs=self.highs,
                counts=self.counts.astype(np.min_scalar_type(int(self.counts.max(initial=0)))),
                about=np.array([_FORMAT, self.patch_size]),
            )

    @classmethod
    def load(cls, path: AnyPath) -> "SceneStatistics":
        """Read what `save` wrote; LabelError where that cannot be done."""
        path = Path(path)
        try:
            with open_plain(path) as file:
                held = read_arrays(file, "about", "means", "lows", "highs", "counts")
            version, size = (int(value) for value in held["about"])
            if version != _FORMAT:
                raise LabelError(f"{path}: statistics of format {version}; label the scene anew")
            return cls(
                means=held["means"],
                lows=held["lows"],
                highs=held["highs"],
                counts=held["counts"].astype(np.uint32),
                patch_size=size,
            )
        except (OSError, ValueError, TypeError) as error:
            raise LabelError(f"{path}: not readable ({error}); label the scene anew") from None


def log_position(sigma: npt.ArrayLike, *, low: npt.ArrayLike, high: npt.ArrayLike) -> Doubles:
    """(ln σ − ln low) / (ln high − ln low), not clipped; scalars or arrays that broadcast."""
    start = np.log(np.maximum(low, _FLOOR))
    width = np.log(np.maximum(high, _FLOOR)) - start
    above = np.log(np.maximum(sigma, _FLOOR)) - start
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = above / width
    return np.where(width > 0, inside, np.where(above >= 0, 1.0, 0.0))


def counted_below(rows: Counts, top: Doubles, *, least: Doubles, greatest: Doubles) -> Doubles:
    """How many of each row's pixels have σ ≤ top, interpolated inside a bin.

    `rows` are running counts, scenes×(bins + 1), from each scene's least to its greatest σ. The
    others and the answer are flat, one value per scene.
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


def _histograms(sigma: Floats, *, size: int, low: float, high: float) -> Counts:
    height, width = sigma.shape
    columns = -(-width // size)
    position = log_position(sigma, low=low, high=high) if high > low else np.zeros(sigma.shape)
    bins = np.clip((position * BINS).astype(np.int64), 0, BINS - 1)
    patch = (np.arange(height) // size * columns)[:, None] + (np.arange(width) // size)[None, :]
    total = columns * -(-height // size)
    flat = np.bincount((patch * BINS + bins).ravel(), minlength=total * BINS)
    return flat.reshape(total, BINS).astype(np.uint32)


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
