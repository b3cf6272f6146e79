"""Histograms of σ for each patch of a scene, and of what is painted on it; pools count by them."""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.arrays import read_arrays
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import PATCH_SIZE, patch_means

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
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


def log_position(sigma: npt.ArrayLike, *, low: npt.ArrayLike, high: npt.ArrayLike) -> Doubles:
    """(ln σ − ln low) / (ln high − ln low), not clipped; scalars or arrays that broadcast."""
    start = np.log(np.maximum(low, _FLOOR))
    width = np.log(np.maximum(high, _FLOOR)) - start
    above = np.log(np.maximum(sigma, _FLOOR)) - start
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = above / width
    return np.where(width > 0, inside, np.where(above >= 0, 1.0, 0.0))


def _histograms(sigma: Floats, *, size: int, low: float, high: float) -> Counts:
    height, width = sigma.shape
    columns = -(-width // size)
    position = log_position(sigma, low=low, high=high) if high > low else np.zeros(sigma.shape)
    bins = np.clip((position * BINS).astype(np.int64), 0, BINS - 1)
    patch = (np.arange(height) // size * columns)[:, None] + (np.arange(width) // size)[None, :]
    total = columns * -(-height // size)
    flat = np.bincount((patch * BINS + bins).ravel(), minlength=total * BINS)
    return flat.reshape(total, BINS).astype(np.uint32)
