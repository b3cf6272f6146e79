"""How one chart of curves is laid out and drawn: styles, scales, its heading, lines and cursor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from smarthdr_studio.studio.plots.axes import Axis, comfortable, worded
from smarthdr_studio.studio.plots.trace import Doubles, Sight, Trace
from smarthdr_studio.studio.theme import Palette

_DASHES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)
# Beyond the palette's own; told apart by every kind of eye, and from the panel by brightness.
_MORE: Final = {"dark": ("#d2a6f0", "#e8e07a"), "light": ("#6f3c9e", "#6a6200")}


@dataclass(frozen=True, slots=True)
class LineStyle:
    """The colour and the dashes of a line, by its number among its neighbours."""

    number: int

    @property
    def dash(self) -> Qt.PenStyle:
        """Solid for the first line."""
        return _DASHES[self.number % len(_DASHES)]

    def colour(self, palette: Palette) -> QColor:
        """On the panel of a palette."""
        first = (palette.accent, palette.warn, palette.good, palette.bad)
        colours = (*first, *_MORE[palette.name], palette.muted)
        return QColor(colours[self.number % len(colours)])


class LineStyles:
    """Gives every name a style of its own, and the same one for ever."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}

    def of(self, name: str) -> LineStyle:
        """The style of a name; a new name gets the next one."""
        return LineStyle(self._numbers.setdefault(name, len(self._numbers)))


BELOW_ZERO: Final = "linear: values below 0"
NOTHING_POSITIVE: Final = "linear: no value above 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Both axes; `fault` says why the upright one is not logarithmic though that was asked for."""

    across: Axis
    up: Axis
    fault: str = ""

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Across and up."""
        return self.across, self.up


def scaled(traces: Iterable[Trace], sight: Sight, *, frame: QRectF, log: bool) -> Scale:
    """Axes over the steps in sight and over the values these traces have there."""
    first, last = sight
    across = Axis(
        low=first,
        high=last if last > first else first + 1,
        first=frame.left(),
        last=frame.right(),
    )
    seen = [_seen(trace, (across.low, across.high), int(frame.width())) for trace in traces]
    values = np.concatenate(seen) if seen else np.zeros(1)
    fault = _fault(values) if log else ""
    log = log and not fault
    if log:
        values = values[values > 0]
    low, high = comfortable(float(values.min()), float(values.max()), log=log)
    up = Axis(low=low, high=high, first=frame.bottom(), last=frame.top(), log=log)
    return Scale(across=across, up=up, fault=fault)


def zoomed(sight: Sight, *, about: float, share: float, within: Sight) -> Sight | None:
    """Another share of what is seen, a step staying where it is; None once all is seen."""
    first = max(about - (about - sight[0]) * share, within[0])
    last = min(about + (sight[1] - about) * share, within[1])
    if first <= within[0] and last >= within[1]:
        return None
    return (first, last) if last - first >= 1 else sight


def _seen(trace: Trace, sight: Sight, columns: int) -> Doubles:
    """The values in sight; those at both ends where there is none between."""
    x, y = trace.outline(sight, columns=max(columns, 1))
    inside = y[(x >= sight[0]) & (x <= sight[1])]
    return inside if len(inside) else y


def _fault(values: Doubles) -> str:
    """Zeros are left out of a logarithmic chart; what is below tells another story."""
    if (values < 0).any():
        return BELOW_ZERO
    return "" if (values > 0).any() else NOTHING_POSITIVE


MARGIN: Final = 8
_SAMPLE: Final = 16.0
_GAP: Final = 10.0
_LOW: Final = 132.0  # a chart less high has one line of words, so that its curves have room
_CORNER: Final = 24.0  # of the first line, where the menu is
_WIDEST: Final = "0.0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the chart in its legend; `value` is the newest or the one under the cursor."""

    name: str
    value: float | None
    style: LineStyle
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where an entry stands and what is written there."""

    entry: Entry
    box: QRectF
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Title and legend laid out over a width; `height` is what they take."""

    title: str
    placed: tuple[Placed, ...]
    height: float
    left_out: int = 0

    def entry_at(self, where: QPointF) -> str | None:
        """The name of the line whose entry is there."""
        return next((each.entry.name for each in self.placed if each.box.contains(where)), None)


def lay_out(
    title: str, unit: str, entries: Sequence[Entry], *, room: QRectF, font: QFont, pointed: bool
) -> Heading:
    """Title and entries in one line or two: values and names, or what matters more.

    That is the names, so that colours can be told; under the cursor it is the values.
    """
    metrics, bold = QFontMetricsF(font), QFontMetricsF(_bold(font))
    line = metrics.height()
    start = bold.horizontalAdvance(title) + _GAP
    box = room.adjusted(MARGIN, MARGIN / 2, -MARGIN, 0)
    if len(entries) == 1:
        only = f"{_value(entries[0])} {unit}".strip()
        spot = QRectF(box.left() + start, box.top(), metrics.horizontalAdvance(only) + 4, line)
        alone = Placed(entry=entries[0], box=spot, words=only)
        return Heading(title=title, placed=(alone,), height=line + MARGIN / 2)
    names = [each.name for each in entries]
    longest = [f"{_WIDEST} {name}" for name in names]
    # So many lines as the longest values need: a chart does not jump while values change.
    low = room.height() < _LOW
    lines = 1 if low or _flow(longest, metrics, box, start=start, lines=1) else 2
    values = [_value(each, digits=3) for each in entries]
    words = [f"{value} {name}" for value, name in zip(values, names, strict=True)]
    spots = _flow(words, metrics, box, start=start, lines=lines)
    if spots is None:
        words = values if pointed else names
        spots = _flow(words, metrics, box, start=start, lines=len(words) + 1) or []
    placed = tuple(
        Placed(entry=each, box=spot, words=told)
        for each, spot, told in zip(entries, spots, words, strict=True)
        if spot.top() < box.top() + lines * line
    )
    left_out = len(entries) - len(placed)
    high = lines * line + MARGIN / 2
    return Heading(title=title, placed=placed, height=high, left_out=left_out)


def draw_heading(
    painter: QPainter, heading: Heading, *, room: QRectF, palette: Palette, sample: bool
) -> None:
    """The title in bold; every entry behind a sample of its line, struck out where it is off."""
    font = painter.font()
    line = painter.fontMetrics().height()
    painter.setFont(_bold(font))
    painter.setPen(QColor(palette.text))
    box = room.adjusted(MARGIN, MARGIN / 2, -MARGIN, 0)
    box.setHeight(line)
    title = painter.fontMetrics().elidedText(
        heading.title, Qt.TextElideMode.ElideRight, int(box.width() - _CORNER)
    )
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft, title)
    for each in heading.placed:
        entry = each.entry
        words = QFont(font)
        words.setStrikeOut(entry.hidden)
        painter.setFont(words)
        colour = QColor(palette.muted) if entry.hidden else entry.style.colour(palette)
        left = 0.0
        if sample:
            painter.setPen(QPen(colour, 2, entry.style.dash))
            middle = each.box.center().y() + 1
            painter.drawLine(QLineF(each.box.left(), middle, each.box.left() + _SAMPLE, middle))
            left = _SAMPLE + 4
        painter.setPen(colour)
        painter.drawText(each.box.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignLeft, each.words)
    painter.setFont(font)
    if heading.left_out:
        painter.setPen(QColor(palette.muted))
        after = QRectF(
            box.left(), box.top(), QFontMetricsF(_bold(font)).horizontalAdvance(title), line
        )
        last = heading.placed[-1].box if heading.placed else after
        rest = QRectF(last.right() + _GAP, last.top(), box.right() - last.right() - _GAP, line)
        painter.drawText(rest, Qt.AlignmentFlag.AlignLeft, f"+{heading.left_out}")


def _flow(
    words: Sequence[str], metrics: QFontMetricsF, box: QRectF, *, start: float, lines: int
) -> list[QRectF] | None:
    """A box for each of the words in reading order; None where so many lines are too few."""
    spots: list[QRectF] = []
    x, row = start, 0
    for each in words:
        wide = metrics.horizontalAdvance(each) + _SAMPLE + 4
        if x > 0 and x + wide > box.width() - (_CORNER if row == 0 else 0):
            x, row = 0.0, row + 1
        if row >= lines:
            return None
        top = box.top() + row * metrics.height()
        spots.append(QRectF(box.left() + x, top, min(wide, box.width()), metrics.height()))
        x += wide + _GAP
    return spots


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold


def _value(entry: Entry, *, digits: int | None = None) -> str:
    """The value; in few digits where several share a line."""
    if entry.value is None:
        return "–"
    return worded(entry.value if digits is None else float(f"{entry.value:.{digits}g}"))


_Doubles = npt.NDArray[np.float64]

_FAINT: Final = 0.22
_DENSE: Final = 1.2  # points a pixel from which single segments are not seen any more


def draw_trace(
    painter: QPainter, trace: Trace, axes: tuple[Axis, Axis], *, pen: QPen, smooth: float
) -> None:
    """One line; with `smooth` (in steps) the raw one lies faintly behind."""
    across, up = axes
    sight, columns = (across.low, across.high), _columns(across)
    raw = placed(*trace.outline(sight, columns=columns), across, up)
    if not smooth:
        _draw(painter, raw, pen, dense=len(raw) > columns * _DENSE)
        return
    faint = QPen(pen)
    colour = pen.color()
    colour.setAlphaF(_FAINT)
    faint.setColor(colour)
    faint.setStyle(Qt.PenStyle.SolidLine)
    _draw(painter, raw, faint, dense=True)
    x, y = trace.outline(sight, columns=columns, smooth=smooth)
    if len(x) > columns * _DENSE:
        # Two points a column, least and greatest: the line runs between them.
        pairs = len(x) // 2 * 2
        x, y = x[:pairs:2], y[:pairs].reshape(-1, 2).mean(1)
    _draw(painter, placed(x, y, across, up), pen, dense=False)


def foot_of(painter: QPainter, x: float, words: str, *, frame: QRectF, lowest: float) -> QRectF:
    """Where the words at the foot of the cursor stand, above `lowest`."""
    metrics = painter.fontMetrics()
    wide = metrics.horizontalAdvance(words) + 8
    left = min(max(x - wide / 2, frame.left()), frame.right() - wide)
    top = min(frame.bottom() + 2, lowest - metrics.height())
    return QRectF(left, top, wide, metrics.height())


def draw_cursor(
    painter: QPainter, x: float, words: str, *, palette: Palette, frame: QRectF, box: QRectF
) -> None:
    """A line at a pixel, and words in a box at its foot."""
    painter.setPen(QPen(QColor(palette.muted), 1))
    painter.drawLine(QLineF(x, frame.top(), x, frame.bottom()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.raised))
    painter.drawRoundedRect(box, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QColor(palette.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def draw_dot(
    painter: QPainter, where: QPointF, colour: QColor, *, palette: Palette, radius: float
) -> None:
    """A point on a line, in its colour."""
    painter.setPen(QPen(QColor(palette.panel), 1))
    painter.setBrush(colour)
    painter.drawEllipse(where, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Steps of a run worth seeing in every chart: where pseudo-labels began, and its best check."""

    begun: float | None = None
    best: float | None = None
    words: str = "pseudo-labels"  # at `begun`


_RING: Final = 4.5


def draw_ring(painter: QPainter, where: QPointF, colour: QColor) -> None:
    """Around a point of a line, in its colour."""
    painter.setPen(QPen(colour, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(where, _RING, _RING)


def draw_beginning(
    painter: QPainter, x: float, words: str, *, palette: Palette, frame: QRectF
) -> None:
    """A dashed line at a pixel, with words behind it where a chart is wide and high enough."""
    painter.setPen(QPen(QColor(palette.muted), 1, Qt.PenStyle.DashLine))
    painter.drawLine(QLineF(x, frame.top(), x, frame.bottom()))
    metrics = painter.fontMetrics()
    wide = metrics.horizontalAdvance(words)
    if x + 3 + wide <= frame.right() and frame.height() >= 6 * metrics.height():
        foot = QRectF(x + 3, frame.bottom() - metrics.height(), wide + 1, metrics.height())
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, words)


def draw_stretch(
    painter: QPainter, stretch: tuple[float, float], *, palette: Palette, frame: QRectF
) -> None:
    """What the hand is marking out, in pixels."""
    left = max(min(stretch), frame.left())
    right = min(max(stretch), frame.right())
    colour = QColor(palette.accent)
    painter.setPen(QPen(colour, 1))
    colour.setAlphaF(0.18)
    painter.setBrush(colour)
    painter.drawRect(QRectF(left, frame.top(), right - left, frame.height()))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def placed(x: _Doubles, y: _Doubles, across: Axis, up: Axis) -> _Doubles:
    """Points in pixels, N×2; those a logarithm cannot show are left out."""
    if up.log:
        shown = y > 0
        x, y = x[shown], y[shown]
    return np.stack((across.spread(x), up.spread(y)), 1)


def _columns(across: Axis) -> int:
    return max(int(across.last - across.first), 1)


def _draw(painter: QPainter, points: _Doubles, pen: QPen, *, dense: bool) -> None:
    """Smooth, wide and dashed where segments can be told apart; thousands would be slow."""
    if not len(points):
        return
    drawn = QPen(pen)
    if dense:
        drawn.setStyle(Qt.PenStyle.SolidLine)
        drawn.setWidthF(1.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=not dense)
    painter.setPen(drawn)
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
