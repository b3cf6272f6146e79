"""The retained share of the pool for every pair of thresholds, and the pair in use, to drag."""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.display import ColourMap, sigma_rgb8
from smarthdr_studio.core.trust.masking import Range
from smarthdr_studio.studio.plots.axes import (
    NOWHERE,
    ArrowKeys,
    Axis,
    draw_frame,
    place_for,
    stepped,
)
from smarthdr_studio.studio.theme import DARK, Palette

Doubles = npt.NDArray[np.float64]
Pair = tuple[float, float]

_FINER: Final = 6  # chords of a finer grid follow the curved lines of a bilinear map


def share_at(shares: npt.NDArray[Any], patch: float, pixel: float) -> float:
    """The share of one pair of thresholds, bilinear between the values of the grid.

    Row k of `shares` is the k-th τ_pi and column k the k-th τ_pa, both evenly over [0, 1].
    """
    rows, columns = shares.shape
    y, x = pixel * (rows - 1), patch * (columns - 1)
    top, left = min(int(y), max(rows - 2, 0)), min(int(x), max(columns - 2, 0))
    cell = np.asarray(shares[top : top + 2, left : left + 2], np.float64)
    up, across = np.clip(y - top, 0, 1), np.clip(x - left, 0, 1)
    lines = cell[0] + up * (cell[-1] - cell[0])
    return float(lines[0] + across * (lines[-1] - lines[0]))


def contour(shares: npt.NDArray[Any], level: float) -> list[Doubles]:
    """Every line along which a bilinear map has a level, as K×2 of (τ_pa, τ_pi).

    Marching squares over a finer grid of the same map: its vertices lie exactly on the level.
    A line that closes ends where it began. Shares need not rise with either threshold.
    """
    finer = _refined(np.asarray(shares, np.float64))
    links = _links(finer, level)
    points = _crossings(finer, level)
    return [np.array([points[edge] for edge in line]) for line in _joined(links)]


def nearest_on_iso(shares: npt.NDArray[Any], level: float, taus: Pair) -> Pair | None:
    """The pair (τ_pa, τ_pi) with this share that lies nearest to `taus`; None where none has it."""
    found = [_nearest(line, np.array(taus)) for line in contour(shares, level)]
    if not found:
        return None
    _, patch, pixel = min(found)
    return patch, pixel


def _nearest(line: Doubles, to: Doubles) -> tuple[float, float, float]:
    """The squared distance to a line and where it is met."""
    starts, ways = line[:-1], np.diff(line, axis=0)
    lengths = np.maximum((ways**2).sum(1), 1e-300)
    along = np.clip(((to - starts) * ways).sum(1) / lengths, 0, 1)
    feet = starts + along[:, None] * ways
    distances = ((feet - to) ** 2).sum(1)
    best = int(distances.argmin())
    return float(distances[best]), float(feet[best, 0]), float(feet[best, 1])


def _refined(shares: Doubles) -> Doubles:
    """The bilinear map at every `_FINER`-th of a cell."""
    for axis in (0, 1):
        n = shares.shape[axis]
        where = np.arange((n - 1) * _FINER + 1) / _FINER
        left = np.minimum(where.astype(np.int64), max(n - 2, 0))
        part = (where - left).reshape((-1, 1) if axis == 0 else (1, -1))
        before = shares.take(left, axis)
        shares = before + part * (shares.take(np.minimum(left + 1, n - 1), axis) - before)
    return shares


def _crossings(values: Doubles, level: float) -> dict[int, Pair]:
    """Where each edge of the grid that changes sides meets the level, by the edge's number.

    Edges along rows are even: 2·(row·columns + column); those along columns odd.
    """
    rows, columns = values.shape
    number = np.arange(rows * columns).reshape(rows, columns)
    inside = values >= level
    points: dict[int, Pair] = {}
    for axis, odd in ((1, 0), (0, 1)):
        head = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
        tail = (slice(None), slice(1, None)) if axis == 1 else (slice(1, None), slice(None))
        y, x = np.nonzero(inside[head] != inside[tail])
        before, after = values[head][y, x], values[tail][y, x]
        part = (level - before) / (after - before)
        patch = (x + (part if axis == 1 else 0)) / (columns - 1)
        pixel = (y + (part if axis == 0 else 0)) / (rows - 1)
        edges = 2 * number[head][y, x] + odd
        points.update(
            zip(edges.tolist(), zip(patch.tolist(), pixel.tolist(), strict=True), strict=True)
        )
    return points


def _links(values: Doubles, level: float) -> list[tuple[int, int]]:
    """Which crossings of a cell belong together."""
    columns = values.shape[1]
    inside = values >= level
    corners = (inside[:-1, :-1], inside[:-1, 1:], inside[1:, 1:], inside[1:, :-1])
    # below, right, above, left: between one corner and the next, around the cell
    changed = np.stack([a != b for a, b in zip(corners, (*corners[1:], corners[0]), strict=True)])
    links: list[tuple[int, int]] = []
    for y, x in zip(*np.nonzero(changed.any(0)), strict=True):
        at = int(y) * columns + int(x)
        edges = (2 * at, 2 * (at + 1) + 1, 2 * (at + columns), 2 * at + 1)
        met = [edge for edge, here in zip(edges, changed[:, y, x].tolist(), strict=True) if here]
        if len(met) == 4 and not _saddle_joins_first(values[y : y + 2, x : x + 2], level):
            met = [met[3], *met[:3]]
        links += [(met[k], met[k + 1]) for k in range(0, len(met), 2)]
    return links


def _saddle_joins_first(cell: Doubles, level: float) -> bool:
    """Whether the first corner and the one across are on one side, through the saddle point."""
    first, second, third, fourth = cell[0, 0], cell[0, 1], cell[1, 1], cell[1, 0]
    middle = (first * third - second * fourth) / (first + third - second - fourth)
    return bool((middle >= level) == (first >= level))


def _joined(links: list[tuple[int, int]]) -> list[list[int]]:
    """Lines of crossings, each as long as it can be; one that closes ends where it began."""
    beside: dict[int, list[int]] = {}
    for a, b in links:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    # Open lines first, from their ends; what is left are rings.
    starts = [edge for edge, ends in beside.items() if len(ends) == 1] + list(beside)
    return [_walk(start, beside) for start in starts if beside[start]]


def _walk(start: int, beside: dict[int, list[int]]) -> list[int]:
    line = [start]
    while beside[line[-1]]:
        here = line[-1]
        ahead = beside[here].pop()
        beside[ahead].remove(here)
        line.append(ahead)
    return line


STRONG: Final = 0.8
LEVELS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# Where room is short, the first of these get their number.
_BY_WEIGHT: Final = (0.8, 0.9, 0.5, 0.95, 0.7, 0.6)
_HALO: Final = QColor(0, 0, 0, 140)


class IsoLines:
    """The contours of one map, found once; laid out once for each size they are drawn at."""

    def __init__(self, shares: npt.NDArray[Any]) -> None:
        self._contours = {level: contour(shares, level) for level in LEVELS}
        self._frame = QRectF()
        self._polygons: dict[float, list[QPolygonF]] = {}
        self._numbers: dict[float, QRectF] = {}

    def draw_lines(self, painter: QPainter, *, across: Axis, up: Axis, frame: QRectF) -> None:
        """Draw every line inside the frame."""
        if frame != self._frame:
            self._frame = frame
            self._lay_out(painter.font(), across, up)
        painter.save()
        painter.setClipRect(frame)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for level, polygons in self._polygons.items():
            _draw_lines(painter, polygons, strong=level == STRONG)
        painter.restore()

    def draw_numbers(self, painter: QPainter, *, taken: list[QRectF]) -> None:
        """Draw the numbers of the lines drawn last that cover no place `taken`."""
        for level, box in self._numbers.items():
            if not any(box.intersects(other) for other in taken):
                _draw_number(painter, level, box)

    def _lay_out(self, font: QFont, across: Axis, up: Axis) -> None:
        corner = np.array((across.at(0.0), up.at(0.0)))
        scale = np.array((across.at(1.0), up.at(1.0))) - corner
        lines = {
            level: [corner + scale * line for line in found]
            for level, found in self._contours.items()
        }
        self._polygons = {
            level: [QPolygonF([QPointF(x, y) for x, y in each.tolist()]) for each in found]
            for level, found in lines.items()
        }
        self._numbers = {}
        for level in _BY_WEIGHT:
            metrics = QFontMetricsF(_font(font, level))
            size = (metrics.horizontalAdvance(_words(level)) + 4, metrics.ascent() + 2)
            # The chief number stands wherever it has room, even over another line.
            others = [
                line for other, found in lines.items() if STRONG != level != other for line in found
            ]
            box = place_for(
                lines[level],
                size=size,
                frame=self._frame,
                taken=list(self._numbers.values()),
                apart=np.concatenate(others or [NOWHERE]),
            )
            if box is not None:
                self._numbers[level] = box


def _font(font: QFont, level: float) -> QFont:
    font = QFont(font)
    font.setBold(level == STRONG)
    return font


def _words(level: float) -> str:
    return f"{100 * level:.0f} %"


def _draw_lines(painter: QPainter, polygons: list[QPolygonF], *, strong: bool) -> None:
    halo, line = (3.2, 1.7) if strong else (2.0, 0.8)
    white = QColor(255, 255, 255, 235 if strong else 200)
    for colour, width in ((_HALO, halo), (white, line)):
        painter.setPen(QPen(colour, width))
        for polygon in polygons:
            painter.drawPolyline(polygon)


def _draw_number(painter: QPainter, level: float, box: QRectF) -> None:
    path = QPainterPath()
    path.addText(box.left() + 2, box.bottom() - 2, _font(painter.font(), level), _words(level))
    painter.strokePath(path, QPen(_HALO, 3.0))
    painter.fillPath(path, QColor("#ffffff"))


Marks = tuple[tuple[str, float, float], ...]

_SMOOTH: Final = 256  # pixels the map is drawn with before Qt scales it
_MARGIN: Final = 8
_ON_LINE: Final = 10.0  # pixels a double click may lie beside an iso-line
_MARK: Final = 16.0
_WHITE, _BLACK = QColor("#ffffff"), QColor("#000000")


class RetentionMap(QWidget):
    """τ_pa to the right, τ_pi upwards, light where much is kept; lines of equal shares.

    The point moves when `set_taus` says so: a drag only tells where the hand is.
    """

    picked = Signal(float, float)
    released = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self._shares: npt.NDArray[np.float32] | None = None
        self._image: QImage | None = None
        self._lines: IsoLines | None = None
        self._ground: QPixmap | None = None
        self._taus, self._wish = (0.4, 0.4), (0.4, 0.4)
        self._kept: float | None = None
        self._marks: Marks = ()
        self._held = False
        self._palette = DARK
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, 165)
        self.setToolTip(
            "Retained share of the pool for τ_pa (→) and τ_pi (↑). Drag the point, or double-click"
            " a line to retain exactly its share. Arrow keys move the point by 0.01, with Shift by"
            " 0.1"
            " (Tab reaches it, Esc leaves it)"
        )
        self._keys = ArrowKeys(self)
        self._keys.stepped.connect(self._step)
        self._keys.let_go.connect(self._let_go)
        self._describe()

    def set_shares(self, shares: npt.NDArray[Any] | None) -> None:
        """Kept shares in [0, 1] as n×n, row k for the k-th τ_pi and column k for the k-th τ_pa.

        Both thresholds run evenly from 0 to 1. None says that nothing is known.
        """
        self._shares = None if shares is None else np.asarray(shares, np.float32)
        self._image = None if self._shares is None else _image(self._shares)
        self._lines = None if self._shares is None else IsoLines(self._shares)
        self._ground = None
        self._describe()
        self.update()

    def set_taus(self, patch: float, pixel: float, *, kept: float | None = None) -> None:
        """Put the point at a pair of thresholds in [0, 1]; `kept` is its exact share, if known."""
        if (patch, pixel, kept) != (*self._taus, self._kept):
            self._taus, self._kept = (patch, pixel), kept
            self._describe()
            self.update()

    def set_marks(self, marks: Marks) -> None:
        """Pairs set aside, as (letter, τ_pa, τ_pi)."""
        if marks != self._marks:
            self._marks = marks
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the map."""
        self._palette, self._ground = palette, None
        self.update()

    def share_at(self, patch: float, pixel: float) -> float | None:
        """The kept share of a pair of thresholds, between the grid's values bilinearly."""
        return None if self._shares is None else share_at(self._shares, patch, pixel)

    @Slot(float)
    def keep(self, level: float) -> None:
        """Take the point to the nearest pair that keeps a share in [0, 1], where there is one."""
        if (pair := self._nearest(level, self._taus)) is not None:
            self.released.emit(*pair)

    def sizeHint(self) -> QSize:
        """About a square."""
        return QSize(240, 220)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the point to the hand."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = True
            self.picked.emit(*self._under(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The point follows."""
        if self._held:
            self.picked.emit(*self._under(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The hand let go here."""
        if self._held:
            self._held = False
            self.released.emit(*self._under(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On a line: take the point exactly onto it."""
        here = self._under(event)
        across, up, _ = self._axes()
        near = []
        for level in LEVELS:
            if (pair := self._nearest(level, here)) is not None:
                away = QPointF(across.at(pair[0]), up.at(pair[1])) - event.position()
                near.append((float(np.hypot(away.x(), away.y())), pair))
        if near and min(near)[0] <= _ON_LINE:
            self.released.emit(*min(near)[1])

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The map, its lines, the pairs set aside and the point."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        across, up, frame = self._axes()
        if self._image is None or self._lines is None:
            painter.setPen(QColor(self._palette.muted))
            centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), centre, "Known once pseudo-labels exist")
            painter.end()
            return
        painter.drawPixmap(0, 0, self._ground_under(self._image, self._lines))
        point = QPointF(across.at(self._taus[0]), up.at(self._taus[1]))
        words = self._words()
        label = _label_box(painter, point, words, frame)
        marks = [_box_around(across.at(x), up.at(y)) for _, x, y in self._marks]
        words_of_axes = _axis_boxes(painter, frame)
        taken = [label, _box_around(point.x(), point.y()), *marks, *words_of_axes.values()]
        self._lines.draw_numbers(painter, taken=taken)
        painter.setPen(QColor(255, 255, 255, 200))
        for axis, box in words_of_axes.items():
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, axis)
        for (name, _, _), box in zip(self._marks, marks, strict=True):
            _draw_mark(painter, name, box)
        _draw_point(painter, point, accent=self._palette.accent if self.hasFocus() else None)
        _draw_label(painter, words, label)
        painter.end()

    def _ground_under(self, image: QImage, lines: IsoLines) -> QPixmap:
        """Map, axes and lines, which a moving point does not change."""
        ratio = self.devicePixelRatioF()
        if self._ground is None or self._ground.size() != self.size() * ratio:
            across, up, frame = self._axes()
            ground = QPixmap(self.size() * ratio)
            ground.setDevicePixelRatio(ratio)
            ground.fill(Qt.GlobalColor.transparent)
            painter = QPainter(ground)
            painter.setFont(self.font())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            draw_frame(painter, across, up, palette=self._palette, frame=frame)
            painter.drawImage(frame, image)
            lines.draw_lines(painter, across=across, up=up, frame=frame)
            painter.end()
            self._ground = ground
        return self._ground

    def _axes(self) -> tuple[Axis, Axis, QRectF]:
        metrics = self.fontMetrics()
        left, below = metrics.horizontalAdvance("0.0") + _MARGIN, metrics.height() + 4
        frame = QRectF(self.rect()).adjusted(left, metrics.height() / 2, -_MARGIN, -below)
        across = Axis(low=0.0, high=1.0, first=frame.left(), last=frame.right())
        up = Axis(low=0.0, high=1.0, first=frame.bottom(), last=frame.top())
        return across, up, frame

    def _under(self, event: QMouseEvent) -> Pair:
        across, up, _ = self._axes()
        where = event.position()
        return round(across.value(where.x()), 3), round(up.value(where.y()), 3)

    def _nearest(self, level: float, taus: Pair) -> Pair | None:
        pair = None if self._shares is None else nearest_on_iso(self._shares, level, taus)
        return None if pair is None else (round(pair[0], 3), round(pair[1], 3))

    @Slot(float, float)
    def _step(self, across: float, up: float) -> None:
        self._wish = stepped(self._taus[0], across), stepped(self._taus[1], up)
        self.picked.emit(*self._wish)

    @Slot()
    def _let_go(self) -> None:
        self.released.emit(*self._wish)

    def _words(self) -> str:
        share = self._kept if self._kept is not None else self.share_at(*self._taus)
        return "" if share is None else f"{100 * share:.0f} %"

    def _describe(self) -> None:
        words = self._words()
        kept = f", {words} retained" if words else ""
        patch, pixel = self._taus
        self.setAccessibleName(f"Map of retained shares, τ_pa {patch:.2f}, τ_pi {pixel:.2f}{kept}")


def _box_around(x: float, y: float) -> QRectF:
    return QRectF(x - _MARK / 2, y - _MARK / 2, _MARK, _MARK)


def _label_box(painter: QPainter, point: QPointF, words: str, frame: QRectF) -> QRectF:
    """Beside the point, on the side that has room."""
    wide, line = painter.fontMetrics().horizontalAdvance(words) + 8, 18
    box = QRectF(point.x() + 10, point.y() - line / 2, wide, line)
    if box.right() > frame.right():
        box.moveRight(point.x() - 10)
    box.moveTop(min(max(box.top(), frame.top()), frame.bottom() - line))
    return box


def _draw_label(painter: QPainter, words: str, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 165))
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(_WHITE)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def _draw_point(painter: QPainter, point: QPointF, *, accent: str | None) -> None:
    """White with a dark rim; with the focus a ring around it as well."""
    if accent is not None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((_BLACK, 5.0), (QColor(accent), 2.5)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(point, 10, 10)
    painter.setPen(QPen(_BLACK, 1.5))
    painter.setBrush(_WHITE)
    painter.drawEllipse(point, 6, 6)


def _axis_boxes(painter: QPainter, frame: QRectF) -> dict[str, QRectF]:
    """Which threshold runs which way, and where to say so; the map is dark in both corners."""
    metrics = painter.fontMetrics()
    size = metrics.horizontalAdvance("τ_pa →") + 6, metrics.height()
    return {
        "τ_pi ↑": QRectF(frame.left() + 2, frame.top() + 2, *size),
        "τ_pa →": QRectF(frame.right() - size[0] - 2, frame.bottom() - size[1] - 1, *size),
    }


def _draw_mark(painter: QPainter, name: str, box: QRectF) -> None:
    """A dark square with a letter, so that nobody takes it for the point."""
    painter.setPen(QPen(_WHITE, 1))
    painter.setBrush(QColor(0, 0, 0, 190))
    painter.drawRoundedRect(box, 3, 3)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)


def _image(shares: npt.NDArray[np.float32]) -> QImage:
    """The map upright and smooth: grid values lie on its edges, not inside them."""
    rows, columns = shares.shape
    where = np.linspace(0, 1, _SMOOTH, dtype=np.float32)
    x, y = np.meshgrid(where * (columns - 1), where[::-1] * (rows - 1))
    smooth = cv2.remap(shares, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rgb8 = sigma_rgb8(smooth.view(np.float32), span=Range(0.0, 1.0), colour_map=ColourMap.TIDE)
    return QImage(rgb8.data, _SMOOTH, _SMOOTH, _SMOOTH * 3, QImage.Format.Format_RGB888).copy()
