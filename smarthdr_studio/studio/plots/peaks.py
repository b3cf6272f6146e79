"""The least and the greatest value of any stretch of a long row of numbers, quickly."""

from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

BLOCK: Final = 64  # neighbours that share a least and a greatest value


class Peaks:
    """Least and greatest of every 64 neighbours, so that a stretch is not looked through whole."""

    def __init__(self) -> None:
        self._low, self._high = np.empty(0), np.empty(0)
        self._blocks = 0

    def drop(self, count: int) -> None:
        """Only the first so many values are still what they were."""
        self._blocks = min(self._blocks, count // BLOCK)

    def follow(self, values: Doubles) -> None:
        """Take in the whole blocks that were added to a row since it was last seen."""
        whole = len(values) // BLOCK
        if whole <= self._blocks:
            return
        if whole > len(self._low):
            room = max(2 * len(self._low), whole)
            self._low, self._high = _longer(self._low, room), _longer(self._high, room)
        new = values[self._blocks * BLOCK : whole * BLOCK].reshape(-1, BLOCK)
        self._low[self._blocks : whole] = new.min(1)
        self._high[self._blocks : whole] = new.max(1)
        self._blocks = whole

    def of(self, values: Doubles, starts: Indices, end: int) -> tuple[Doubles, Doubles]:
        """Least and greatest of values[starts[k]:starts[k + 1]], the last one up to `end`.

        `starts` rises and lies below `end`. Stretches much longer than a block may begin up to a
        block too early; none of their values is passed over.
        """
        if end - starts[0] < 4 * BLOCK * len(starts):
            here = values[:end]
            return np.minimum.reduceat(here, starts), np.maximum.reduceat(here, starts)
        last = min(end // BLOCK, self._blocks)
        blocks = np.minimum(starts // BLOCK, last - 1)
        low = np.minimum.reduceat(self._low[:last], blocks)
        high = np.maximum.reduceat(self._high[:last], blocks)
        rest = values[last * BLOCK : end]
        if len(rest):
            low[-1], high[-1] = min(low[-1], rest.min()), max(high[-1], rest.max())
        return low, high


def _longer(row: Doubles, length: int) -> Doubles:
    longer = np.empty(length)
    longer[: len(row)] = row
    return longer
