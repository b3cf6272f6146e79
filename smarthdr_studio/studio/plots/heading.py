"""Above a chart of curves: its title, and every line by its name with a sample and its value.

A legend of pyqtgraph lies over the curves, tells no values and cuts no words to the room there is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from smarthdr_studio.core.words import telling
from smarthdr_studio.studio.plots.axes import worded
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
        colours = (*first, *_MORE.get(palette.name, _MORE["dark"]), palette.muted)
        return QColor(colours[self.number % len(colours)])


class LineStyles:
    """Gives every name a style of its own, and the same one for ever."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}

    def of(self, name: str) -> LineStyle:
        """The style of a name; a new name gets the next one."""
        return LineStyle(self._numbers.setdefault(name, len(self._numbers)))


MARGIN: Final = 8
_SAMPLE: Final = 16.0
_GAP: Final = 10.0
_LEAST_GAP: Final = 3.0  # before the count of lines that have no room
_LOW: Final = 132.0  # a chart less high has one line of words, so that its curves have room
_CORNER: Final = 24.0  # of the first line, where the menu is
_WIDEST: Final = "0.0000"
_THOUSAND: Final = 999.5  # from here on three digits are not all there are before the point


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

    That is the names, so that colours can be told; under the cursor it is the values. The unit
    stands once: behind the only value, or behind the title where it leaves room for every line.
    """
    if unit and len(entries) > 1:
        whole = lay_out(f"{title}, {unit}", "", entries, room=room, font=font, pointed=pointed)
        if not whole.left_out:
            return whole
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
    values = list(map(_value, entries))
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
    if left_out and placed:
        rest = metrics.horizontalAdvance(f"+{left_out}")
        if placed[-1].box.right() + _LEAST_GAP + rest > box.right():
            placed, left_out = placed[:-1], left_out + 1
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
        wide = QFontMetricsF(_bold(font)).horizontalAdvance(title)
        after = QRectF(box.left(), box.top(), wide, line)
        painter.setPen(QColor(palette.muted))
        _draw_rest(painter, heading, after=after, right=box.right())


def _draw_rest(painter: QPainter, heading: Heading, *, after: QRectF, right: float) -> None:
    """How many lines have no room, behind the last one that has, or the title."""
    count = f"+{heading.left_out}"
    wide = QFontMetricsF(painter.font()).horizontalAdvance(count) + 1
    last = heading.placed[-1].box if heading.placed else after
    left = min(last.right() + _GAP, right - wide)
    rest = QRectF(left, last.top(), wide, last.height())
    painter.drawText(rest, Qt.AlignmentFlag.AlignLeft, count)


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


def _value(entry: Entry) -> str:
    """The value in three telling digits, noughts too: 34.0 here is 34.0 in the line of the run."""
    if entry.value is None:
        return "–"
    small = 1e-4 <= abs(entry.value) < _THOUSAND
    return (telling(entry.value) if small else worded(entry.value)).replace("-", "−")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Steps of a run worth seeing in every chart: where pseudo-labels began, rounds, best check."""

    begun: float | None = None
    best: float | None = None
    rounds: tuple[float, ...] = ()
    words: str = "pseudo-labels"  # at `begun`
