"""The few numbers per painted patch from which a brush counts in the trust of a whole pool."""

from dataclasses import dataclass, replace
from io import BytesIO
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.masking import PATCH_SIZE
from smarthdr_studio.core.statistics import BINS, Counts, Floats, log_position

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
            with np.load(BytesIO(data), allow_pickle=False) as held:
                version, size = (int(value) for value in held["about"])
                arrays = {name: held[name] for name in ("patches", "trust", "distrust", "lows")}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
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
