"""A curve that may grow without end and never costs more to keep or to draw than its outline."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

LARGEST: Final = 1024  # blocks; more than a chart has columns


class Trace:
    """Appends points; beyond 1024 of them, neighbours share a block of least and greatest value.

    Blocks double their length whenever there are too many, so a million points are at most 1024
    blocks, and no peak is ever lost.
    """

    def __init__(self) -> None:
        self._x, self._low, self._high = (np.empty(LARGEST) for _ in range(3))
        self._blocks = 0
        self._length = 1  # points in a full block
        self._filled = 1  # points in the last block
        self._last: tuple[float, float] | None = None

    def __len__(self) -> int:
        return self._blocks

    @property
    def last(self) -> tuple[float, float] | None:
        """The newest point."""
        return self._last

    def add(self, x: float, y: float) -> None:
        """Append a point; x never falls. A value that is not a number is left out."""
        if not (np.isfinite(x) and np.isfinite(y)):
            return
        self._last = (float(x), float(y))
        if self._blocks and self._filled < self._length:
            here = self._blocks - 1
            self._low[here] = min(self._low[here], y)
            self._high[here] = max(self._high[here], y)
            self._filled += 1
            return
        if self._blocks == LARGEST:
            self._halve()
        here = self._blocks
        self._x[here], self._low[here], self._high[here] = x, y, y
        self._blocks, self._filled = here + 1, 1

    def extend(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        """Append many points, as if one by one."""
        known = np.isfinite(x) & np.isfinite(y)
        xs, ys = np.asarray(x, float)[known], np.asarray(y, float)[known]
        at = 0
        while at < len(xs):
            whole = min((len(xs) - at) // self._length, LARGEST - self._blocks)
            if self._filled < self._length or whole == 0:
                self.add(xs[at], ys[at])
                at += 1
                continue
            taken = whole * self._length
            self._take(xs[at : at + taken], ys[at : at + taken], blocks=whole)
            at += taken

    def outline(self) -> tuple[Doubles, Doubles]:
        """What to draw: each block's least and greatest value at the x where it begins."""
        blocks = slice(0, self._blocks)
        if self._length == 1:
            return self._x[blocks].copy(), self._low[blocks].copy()
        y = np.stack((self._low[blocks], self._high[blocks]), 1)
        return np.repeat(self._x[blocks], 2), y.ravel()

    def span(self) -> tuple[float, float, float, float] | None:
        """First x, last x, least y, greatest y."""
        if self._last is None:
            return None
        blocks = slice(0, self._blocks)
        low, high = float(self._low[blocks].min()), float(self._high[blocks].max())
        return float(self._x[0]), self._last[0], low, high

    def near(self, x: float) -> float | None:
        """The value at the last point not beyond x; the greatest where points share a block."""
        index = int(np.searchsorted(self._x[: self._blocks], x, side="right")) - 1
        return float(self._high[index]) if 0 <= index < self._blocks else None

    def _take(self, xs: Doubles, ys: Doubles, *, blocks: int) -> None:
        new = slice(self._blocks, self._blocks + blocks)
        rows = ys.reshape(blocks, self._length)
        self._x[new] = xs[:: self._length]
        self._low[new], self._high[new] = rows.min(1), rows.max(1)
        self._blocks += blocks
        self._filled = self._length
        self._last = (float(xs[-1]), float(ys[-1]))

    def _halve(self) -> None:
        """Join neighbours two by two; called with every block full."""
        half = LARGEST // 2
        self._x[:half] = self._x[::2]
        self._low[:half] = self._low.reshape(half, 2).min(1)
        self._high[:half] = self._high.reshape(half, 2).max(1)
        self._blocks, self._length = half, self._length * 2
        self._filled = self._length
