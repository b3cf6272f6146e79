"""Round values and their words, places for words at lines, and the arrow keys that move marks."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QWidget

from smarthdr_studio.studio.widgets.controls import EventWatch

Doubles = npt.NDArray[np.float64]


def ticks(low: float, high: float, *, most: int, whole: bool = False) -> tuple[float, ...]:
    """At most so many round values (1, 2 or 5 times a power of ten) within low to high.

    Only `whole` numbers, where nothing lies between them.
    """
    if not high > low or most < 1:
        return ()
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 5, 10, 20) if power * times >= raw * 0.999)
    step = max(step, 1.0) if whole else step
    slack = min(1e-9, 1e-6 * (high - low) / step)
    first = math.ceil(low / step - slack)
    last = math.floor(high / step + slack)
    return tuple(round(k * step, 12) for k in range(first, last + 1))


def log_ticks(low: float, high: float, *, most: int) -> tuple[float, ...]:
    """At most so many round values between 10^low and 10^high: all of 1, 2, 5, or powers of ten."""
    for times in ((1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(low), math.ceil(high) + 1)
        values = [round(k * 10.0**power, 12) for power in powers for k in times]
        inside = tuple(v for v in values if v > 0 and low <= math.log10(v) <= high)
        if len(inside) <= most:
            return inside
    return inside[:: max(math.ceil(len(inside) / max(most, 1)), 1)]


def worded(value: float) -> str:
    """A tick or a value as short as it can be said: 0.02, 40, 12k, 3M, 1.2e-05."""
    if value and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.2g}"
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:.4g}M"
    if abs(value) >= 10_000:
        return f"{value / 1000:.4g}k"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3g}"


def worded_apart(values: Sequence[float]) -> tuple[str, ...]:
    """Ticks as short as they can be said, and with as many decimals as tell them from another."""
    words = tuple(map(worded, values))
    if len(set(words)) == len(words):
        return words
    step = min(abs(after - before) for before, after in pairwise(values))
    decimals = max(0, math.ceil(-math.log10(step))) if step else 0
    return tuple(f"{value:.{decimals}f}" for value in values)


_ROUNDING: Final = 1e-9


def comfortable(low: float, high: float, *, log: bool = False) -> tuple[float, float]:
    """A little air above and below; a constant, but for rounding, gets room of its own."""
    varies = high - low > _ROUNDING * max(abs(low), abs(high))
    if log:
        air = (high / low) ** 0.06 if varies else 2.0
        return low / air, high * air
    if varies:
        air = (high - low) * 0.06
        return low - air, high + air
    air = abs(low) * 0.1 or 1.0
    return low - air, high + air


NOWHERE: Final[Doubles] = np.zeros((0, 2))
_SPACING: Final = 6.0  # pixels between the places tried
# On the line, or else above, below, right or left of it, in widths and heights of the words.
CLOSE: Final = ((0.0, 0.0), (0.0, -0.65), (0.0, 0.65), (0.6, 0.0), (-0.6, 0.0))
# For sloping lines, whose words must keep away from the line itself.
LOOSE: Final = (*CLOSE, (0.0, -1.0), (0.0, 1.0), (0.0, -1.4), (0.0, 1.4))


class Places:
    """Where a box of one width and height may stand on the longest of some lines, in pixels.

    The right end of the line comes first. A box lies inside the frame, and over none of the
    points `apart`, N×2, which are looked at once, however often something else is in the way.
    """

    def __init__(
        self,
        lines: list[Doubles],
        *,
        size: tuple[float, float],
        frame: QRectF,
        apart: Doubles = NOWHERE,
        beside: tuple[tuple[float, float], ...] = CLOSE,
    ) -> None:
        self._half, self._apart = np.array(size) / 2, apart
        line = max(lines, key=len, default=NOWHERE)
        forwards = len(line) == 0 or line[0, 0] <= line[-1, 0]
        places = _spaced(line if forwards else line[::-1])[::-1]
        shifts = np.array(beside) * size
        middles = (places + shifts[:, None]).reshape(-1, 2)
        left_top, right_bottom = _ends(frame)
        inside = (middles - self._half >= left_top) & (middles + self._half <= right_bottom)
        self._middles = middles[inside.all(1)]
        self._covers: dict[int, bool] = {}

    def first(self, *, taken: list[QRectF]) -> QRectF | None:
        """The first box that lies over nothing taken; None where there is none."""
        low, high = self._middles - self._half, self._middles + self._half
        free = np.ones(len(low), bool)
        for left_top, right_bottom in map(_ends, taken):
            free &= ((low >= right_bottom) | (high <= left_top)).any(1)
        for place in np.flatnonzero(free).tolist():
            if not self._is_over(place):
                return QRectF(QPointF(*low[place]), QSizeF(*(2 * self._half)))
        return None

    def _is_over(self, place: int) -> bool:
        if place not in self._covers:
            away = np.abs(self._apart - self._middles[place])
            self._covers[place] = bool((away < self._half).all(1).any())
        return self._covers[place]


def place_for(
    lines: list[Doubles],
    *,
    size: tuple[float, float],
    frame: QRectF,
    taken: list[QRectF],
    apart: Doubles = NOWHERE,
    beside: tuple[tuple[float, float], ...] = CLOSE,
) -> QRectF | None:
    """The first of the `Places` for a box that lies over nothing taken."""
    return Places(lines, size=size, frame=frame, apart=apart, beside=beside).first(taken=taken)


_BESIDE_A_LINE: Final = 3.0  # pixels between words and a line

Span = tuple[float, float]
Line = tuple[Doubles, Doubles]


def quiet_spot(
    lines: Iterable[Line],
    *,
    at: float,
    sight: tuple[Span, Span],
    field: QSizeF,
    words: QSizeF,
    foot: float,
) -> tuple[int, float] | None:
    """On which side of their step the words stand, 0 right and 1 left, and how high, in pixels.

    `lines` and `sight`, first and last value across and up, are in the units of the plot; the
    sizes of its `field` and of the words with the air beside them in pixels. They stand right and
    at the lowest place above `foot` that no line crosses, else left. None where lines are
    everywhere, or the words are too wide for either side.
    """
    (first, last), (low, high) = sight
    if not (last > first and high > low and field.width() > 0):
        return None
    per_pixel = (last - first) / field.width()
    before = (at - first) / per_pixel
    sides = [
        side for side, room in ((0, field.width() - before), (1, before)) if words.width() <= room
    ]
    known = list(lines)
    for side in sides:
        left = at - side * words.width() * per_pixel
        across = left, left + words.width() * per_pixel
        taken = (_heights(line, across) for line in known)
        pixels = [_in_pixels(each, sight[1], field.height()) for each in taken if each is not None]
        free = _lowest_free(pixels, foot=foot, tall=words.height(), high=field.height())
        if free is not None:
            return side, free
    return None


def _heights(line: Line, across: Span) -> Span | None:
    """The least and the greatest value of a line between two steps; None where it is not there."""
    x, y = line
    known = np.isfinite(y)
    x, y = x[known], y[known]
    if not len(x) or x[0] > across[1] or x[-1] < across[0]:
        return None
    inside = y[(x >= across[0]) & (x <= across[1])]
    ends = np.interp(np.clip(across, x[0], x[-1]), x, y)
    values = np.append(inside, ends)
    return float(values.min()), float(values.max())


def _in_pixels(heights: Span, up: Span, high: float) -> Span:
    """From the foot of the field on."""
    low, scale = up[0], high / (up[1] - up[0])
    return (heights[0] - low) * scale - _BESIDE_A_LINE, (heights[1] - low) * scale + _BESIDE_A_LINE


def _lowest_free(taken: Iterable[Span], *, foot: float, tall: float, high: float) -> float | None:
    """The lowest place for something so tall that nothing takes, between a foot and the top."""
    place = foot
    for low, top in sorted(taken):
        if place + tall <= low:
            break
        place = max(place, top)
    return place if place + tall <= high else None


def _ends(box: QRectF) -> tuple[tuple[float, float], tuple[float, float]]:
    """The left upper and the right lower corner."""
    return (box.left(), box.top()), (box.right(), box.bottom())


def _spaced(line: Doubles) -> Doubles:
    """Places along a line, evenly apart."""
    if not len(line):
        return NOWHERE
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    where = np.arange(0.0, along[-1] + 1e-9, _SPACING)
    return np.stack([np.interp(where, along, part) for part in line.T], 1)


STEP: Final = 0.01
LARGE_STEP: Final = 0.1

_WAYS: Final = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Down: (0.0, -1.0),
    Qt.Key.Key_Up: (0.0, 1.0),
}


class ArrowKeys(EventWatch, QObject):
    """Watches a chart: a step for every press, and when the last key was let go.

    The chart is reached by the Tab key alone, so that a click leaves the arrows to the scenes;
    Escape gives them back.
    """

    stepped = Signal(float, float)  # to the right and upwards, in the units of the chart
    let_go = Signal()

    def __init__(self, chart: QWidget) -> None:
        super().__init__(chart)
        self._chart = chart
        self._on_the_way = False
        chart.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.watch(chart)

    def heard(self, _watched: QObject, event: QEvent) -> bool:
        """Take the arrows before the window takes them for its own keys."""
        kind = event.type()
        if kind in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._chart.update()
            self._end()
            return False
        if not isinstance(event, QKeyEvent) or event.key() not in (*_WAYS, Qt.Key.Key_Escape):
            return False
        if event.key() == Qt.Key.Key_Escape and isinstance(self._chart.parentWidget(), QDialog):
            return False  # which it closes
        if kind is QEvent.Type.ShortcutOverride:
            event.accept()
        elif kind is QEvent.Type.KeyPress:
            self._press(event)
        elif kind is QEvent.Type.KeyRelease and not event.isAutoRepeat():
            self._end()
        return True

    def _press(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._chart.clearFocus()
            return
        large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        across, up = _WAYS[Qt.Key(event.key())]
        step = LARGE_STEP if large else STEP
        self._on_the_way = True
        self.stepped.emit(across * step, up * step)

    def _end(self) -> None:
        if self._on_the_way:
            self._on_the_way = False
            self.let_go.emit()


def stepped(value: float, step: float) -> float:
    """A share after a step, held within 0 to 1 and free of rounding's crumbs."""
    return round(min(max(value + step, 0.0), 1.0), 3)
