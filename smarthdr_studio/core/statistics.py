"""The few numbers per patch of one σ map from which the trust of a whole pool is counted."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.masking import PATCH_SIZE, patch_means

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint32]

BINS = 256
_FORMAT = 1
_FLOOR = 1e-9  # the histogram is logarithmic in σ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneStatistics:
    """Mean, least, greatest and histogram of σ for every patch of one scene.

    `means`, `lows`, `highs` are P float32; `counts` is P×BINS, over bins equally wide in log σ
    between the scene's least and greatest σ.
    """

    means: Floats
    lows: Floats
    highs: Floats
    counts: Counts
    patch_size: int = PATCH_SIZE

    @classmethod
    def of(cls, sigma: Floats, *, size: int = PATCH_SIZE) -> "SceneStatistics":
        """The statistics of an H×W map σ."""
        height, width = sigma.shape
        rows, columns = np.arange(0, height, size), np.arange(0, width, size)
        lows = np.minimum.reduceat(np.minimum.reduceat(sigma, rows, 0), columns, 1)
        highs = np.maximum.reduceat(np.maximum.reduceat(sigma, rows, 0), columns, 1)
        return cls(
            means=patch_means(sigma, size=size).ravel(),
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
    def pixels(self) -> int:
        """How many pixels the scene has."""
        return int(self.counts.sum())

    @property
    def sigma_mean(self) -> float:
        """Mean σ over all pixels."""
        return float(self.means.astype(np.float64) @ self.counts.sum(1) / self.pixels)

    def save(self, path: Path) -> None:
        """Write whole, then replace."""
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
    def load(cls, path: Path) -> "SceneStatistics":
        """Read what `save` wrote; LabelError where that cannot be done."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                version, size = (int(value) for value in held["about"])
                if version != _FORMAT:
                    raise LabelError(
                        f"{path}: statistics of format {version}; label the scene anew"
                    )
                return cls(
                    means=held["means"],
                    lows=held["lows"],
                    highs=held["highs"],
                    counts=held["counts"].astype(np.uint32),
                    patch_size=size,
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise LabelError(f"{path}: not readable ({error}); label the scene anew") from None


def log_position(
    sigma: npt.ArrayLike, *, low: npt.ArrayLike, high: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Where σ lies between low (0) and high (1) on a logarithmic scale, not clipped."""
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
