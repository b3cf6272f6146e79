"""A curve that may grow without end: every point is kept, and only what can be seen is drawn."""

import math
from typing import Any, Final

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

        `starts` rises and lies below `end`. Stretches much longer than a block may begin and end
        up to a block too wide; none of their values is passed over.
        """
        if end - starts[0] < 4 * BLOCK * len(starts):
            here = values[:end]
            return np.minimum.reduceat(here, starts), np.maximum.reduceat(here, starts)
        last = min(end // BLOCK, self._blocks)
        blocks = np.minimum(starts // BLOCK, last - 1)
        low = np.minimum.reduceat(self._low[:last], blocks)
        high = np.maximum.reduceat(self._high[:last], blocks)
        # A stretch that ends inside a block has a part of it too.
        np.minimum(low[:-1], self._low[blocks[1:]], out=low[:-1])
        np.maximum(high[:-1], self._high[blocks[1:]], out=high[:-1])
        rest = values[last * BLOCK : end]
        if len(rest):
            reaching = np.append(starts[1:] > last * BLOCK, True)
            low[reaching] = np.minimum(low[reaching], rest.min())
            high[reaching] = np.maximum(high[reaching], rest.max())
        return low, high


def _longer(row: Doubles, length: int) -> Doubles:
    longer = np.empty(length)
    longer[: len(row)] = row
    return longer


Carry = tuple[float, float]  # weighted sum and weight up to the last point

NOTHING: Final[Carry] = (0.0, 0.0)

_FORGOTTEN: Final = 40.0  # spans after which a point counts for nothing a double could show
_SAFE: Final = 300.0  # e to this power is far from what a double can hold
_LONGEST: Final = 4096


def exponential_means(
    gaps: Doubles, values: Doubles, *, span: float, carry: Carry = NOTHING
) -> tuple[Doubles, Carry]:
    """The mean of every value and all before it, each weighted by e^(−distance / span).

    Args:
        gaps: how far each value lies behind the one before, in steps; N, none negative.
        values: N.
        span: steps after which a value counts 1/e.
        carry: what an earlier call answered, to go on where it ended.

    Returns:
        N means, each within the values so far, and the carry at the last one.
    """
    count = len(values)
    decays = np.minimum(gaps / span, _FORGOTTEN)
    width = max(min(int(_SAFE / max(float(decays.max(initial=0.0)), 1e-9)), _LONGEST, count), 1)
    rows = -(-count // width)
    far = np.cumsum(_in_rows(decays, rows, width), 1)
    grown = np.exp(far)
    sums = np.cumsum(_in_rows(values, rows, width) * grown, 1)
    weights = np.cumsum(grown, 1)
    before = np.empty((rows, 2))
    ends = np.stack((sums[:, -1], weights[:, -1]), 1).tolist()
    shrunk = np.exp(-far)
    left, right = carry
    for row, (fall, (last_sum, last_weight)) in enumerate(
        zip(shrunk[:, -1].tolist(), ends, strict=True)
    ):
        before[row] = left, right
        left, right = fall * (left + last_sum), fall * (right + last_weight)
    sums = (shrunk * (sums + before[:, :1])).ravel()[:count]
    weights = (shrunk * (weights + before[:, 1:])).ravel()[:count]
    return sums / weights, (float(sums[-1]), float(weights[-1]))


def _in_rows(values: Doubles, rows: int, width: int) -> Doubles:
    """The values row by row, the last row filled with nothing."""
    filled = np.zeros(rows * width)
    filled[: len(values)] = values
    return filled.reshape(rows, width)


Sight = tuple[float, float]  # first and last x to be seen

LARGEST: Final = 1024  # columns, where nobody says how many there are
_FIRST_ROOM: Final = 256
_PIECE: Final = 16_384  # values smoothed at once: what fits a processor's own memory
_EVERYTHING: Final[Sight] = (-math.inf, math.inf)


class Trace:
    """Points by rising x; drawn as the least and greatest value of each column of pixels.

    A point that lies before the last one takes back what was known from there on: a run that was
    killed goes on from its checkpoint, and tells those steps again.
    """

    def __init__(self) -> None:
        self._x, self._y = np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM)
        self._count = 0
        self._peaks = Peaks()
        self._smooth: _Smooth | None = None
        self._last: tuple[float, float] | None = None
        self._drawn: tuple[object, tuple[Doubles, Doubles]] | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> tuple[float, float] | None:
        """The newest point."""
        return self._last

    @property
    def reach(self) -> Sight | None:
        """The first and the last x."""
        return None if self._last is None else (float(self._x[0]), self._last[0])

    @property
    def points(self) -> tuple[Doubles, Doubles]:
        """Every point, x and y; not to be written to."""
        return self._x[: self._count], self._y[: self._count]

    def add(self, x: float, y: float) -> None:
        """Append a point. A value that is not a number is left out."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        if self._last is not None and x < self._last[0]:
            self._take_back(x)
        if self._count == len(self._x):
            self._make_room(self._count + 1)
        self._x[self._count] = x
        self._y[self._count] = y
        self._count += 1
        self._last = (float(x), float(y))

    def extend(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        """Append many points by rising x, as if one by one."""
        known = np.isfinite(x) & np.isfinite(y)
        xs, ys = np.asarray(x, float)[known], np.asarray(y, float)[known]
        if not len(xs):
            return
        if self._last is not None and xs[0] < self._last[0]:
            self._take_back(float(xs[0]))
        end = self._count + len(xs)
        self._make_room(end)
        self._x[self._count : end], self._y[self._count : end] = xs, ys
        self._count, self._last = end, (float(xs[-1]), float(ys[-1]))

    def put_before(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        """Take in what was known before the first point here; the points here win."""
        mine = tuple(part.copy() for part in self.points)
        before = np.asarray(x, float) < (mine[0][0] if len(mine[0]) else math.inf)
        self._take_back(-math.inf)
        self.extend(np.asarray(x)[before], np.asarray(y)[before])
        self.extend(*mine)

    def outline(
        self, sight: Sight = _EVERYTHING, *, columns: int = LARGEST, smooth: float = 0.0
    ) -> tuple[Doubles, Doubles]:
        """What to draw: at most two points a column, and one neighbour beyond either end.

        Args:
            sight: first and last x to be seen.
            columns: how many pixels there are for it.
            smooth: over how many steps values are smoothed; 0 is not at all.
        """
        asked = (self._count, self._last, sight, columns, smooth)
        if self._drawn is None or self._drawn[0] != asked:
            self._drawn = asked, self._outline(sight, columns, smooth)
        return self._drawn[1]

    def span(self) -> tuple[float, float, float, float] | None:
        """First x, last x, least y, greatest y."""
        if self._last is None:
            return None
        _, y = self.outline()
        return float(self._x[0]), self._last[0], float(y.min()), float(y.max())

    def near(self, x: float, *, smooth: float = 0.0) -> float | None:
        """The value at the last point not beyond x."""
        point = self.point_near(x, smooth=smooth)
        return None if point is None else point[1]

    def point_near(self, x: float, *, smooth: float = 0.0) -> tuple[float, float] | None:
        """The last point not beyond x, as the line has it: between points nothing was measured."""
        index = int(np.searchsorted(self._x[: self._count], x, side="right")) - 1
        if index < 0:
            return None
        return float(self._x[index]), float(self._values(smooth)[0][index])

    def _outline(self, sight: Sight, columns: int, smooth: float) -> tuple[Doubles, Doubles]:
        x = self._x[: self._count]
        values, peaks = self._values(smooth)
        first, last = np.searchsorted(x, sight[0]), np.searchsorted(x, sight[1], side="right")
        begin, end = max(int(first) - 1, 0), min(int(last) + 1, self._count)
        if end - begin <= 2 * columns:
            return x[begin:end].copy(), values[begin:end].copy()
        edges = np.linspace(x[begin], x[end - 1], columns + 1)[:-1]
        starts = np.unique(np.searchsorted(x[begin:end], edges)) + begin
        peaks.follow(values)
        low, high = peaks.of(values, starts, end)
        return np.repeat(x[starts], 2), np.stack((low, high), 1).ravel()

    def _values(self, smooth: float) -> tuple[Doubles, Peaks]:
        if not smooth:
            return self._y[: self._count], self._peaks
        if self._smooth is None or self._smooth.span != smooth:
            self._smooth = _Smooth(smooth)
        return self._smooth.follow(*self.points), self._smooth.peaks

    def _take_back(self, x: float) -> None:
        self._count = int(np.searchsorted(self._x[: self._count], x))
        here = self._count - 1
        self._last = (float(self._x[here]), float(self._y[here])) if self._count else None
        self._peaks.drop(self._count)
        self._smooth = self._drawn = None

    def _make_room(self, count: int) -> None:
        if count > len(self._x):
            room = max(2 * len(self._x), count)
            self._x, self._y = np.resize(self._x, room), np.resize(self._y, room)


class _Smooth:
    """The smoothed values of a trace, worked out as far as they have been asked for."""

    def __init__(self, span: float) -> None:
        self.span, self.peaks = span, Peaks()
        self._values, self._count = np.empty(0), 0
        self._carry = NOTHING

    def follow(self, x: Doubles, y: Doubles) -> Doubles:
        """All smoothed values."""
        done, count = self._count, len(x)
        if count > len(self._values):
            self._values = np.resize(self._values, max(2 * len(self._values), count))
        for begin in range(done, count, _PIECE):
            piece = slice(begin, min(begin + _PIECE, count))
            gaps = np.diff(x[max(begin - 1, 0) : piece.stop], prepend=x[: begin == 0])
            self._values[piece], self._carry = exponential_means(
                gaps, y[piece], span=self.span, carry=self._carry
            )
        self._count = count
        return self._values[:count]
