"""The retained share of the pool for every pair of thresholds, and the pair in use, to drag."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont

from smarthdr_studio.core.display import ColourMap, Rgb8, sigma_rgb8
from smarthdr_studio.core.trust.masking import Range
from smarthdr_studio.core.words import percent, tau_words
from smarthdr_studio.studio.plots.axes import NOWHERE, ArrowKeys, Doubles, Places, stepped
from smarthdr_studio.studio.plots.chart import Chart, Column
from smarthdr_studio.studio.theme import Palette

if TYPE_CHECKING:
    from smarthdr_studio.studio.plots.plot import Plot, Words

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
_WHITE: Final = QColor(255, 255, 255)
_SHADE: Final = QColor(0, 0, 0, 165)

Marks = tuple[tuple[str, float, float], ...]

_SMOOTH: Final = 256  # pixels the map is drawn with
_ON_LINE: Final = 10.0  # pixels a double click may lie beside an iso-line
_MARK: Final = 20.0
_POINT: Final = 13
_TAKEN: Final = 62.0  # pixels beside the point that its words may cover
_BESIDE: Final = 10.0


class RetentionMap(Chart):
    """τ_pa to the right, τ_pi upwards, light where much is kept; lines of equal shares.

    The point moves when `set_taus` says so: a drag only tells where the hand is.
    """

    picked = Signal(float, float)
    released = Signal(float, float)

    def __init__(self) -> None:
        super().__init__("Retained share of the pool for τ_pa (→) and τ_pi (↑)")
        self._shares: npt.NDArray[np.float32] | None = None
        self._contours: dict[float, list[Doubles]] = {}
        self._taus = 0.4, 0.4
        self._wish: Pair | None = None  # of keys under way, which the point may follow later
        self._before = self._taus  # the hand came
        self._kept: float | None = None
        self._marks: Marks = ()
        self._drawn: object = None  # the room that the ground was drawn for; None anew
        self._places: dict[float, Places] = {}
        self.setMinimumSize(140, 165)
        self.setToolTip(
            f"{self.title}. Drag the point, or double-click a line to retain exactly its share."
            " Arrow keys move the point by 0.01, with Shift by 0.1 (Tab reaches it, Esc leaves it)."
            " Ctrl and the wheel zoom, a double click shows all again; more by the right button"
        )
        self._keys = ArrowKeys(self)
        self._keys.stepped.connect(self._step)
        self._keys.let_go.connect(self._let_go)
        self.describe()

    def set_shares(self, shares: npt.NDArray[Any] | None) -> None:
        """Kept shares in [0, 1] as n×n, row k for the k-th τ_pi and column k for the k-th τ_pa.

        Both thresholds run evenly from 0 to 1. None says that nothing is known.
        """
        self._shares = None if shares is None else np.asarray(shares, np.float32)
        self._contours = {}  # until somebody sees them
        self._drawn = None
        self.changed()

    def set_taus(self, patch: float, pixel: float, *, kept: float | None = None) -> None:
        """Put the point at a pair of thresholds in [0, 1]; `kept` is its exact share, if known."""
        if (patch, pixel, kept) != (*self._taus, self._kept):
            self._taus, self._kept = (patch, pixel), kept
            self.changed()

    def set_marks(self, marks: Marks) -> None:
        """Pairs set aside, as (letter, τ_pa, τ_pi)."""
        if marks != self._marks:
            self._marks = marks
            self.changed()

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

    def nothing(self) -> str:
        """Before there are pseudo-labels."""
        return "Known once pseudo-labels exist" if self._shares is None else ""

    def file_name(self) -> str:
        """After what is shown."""
        return "retention-map"

    def table(self) -> Mapping[str, Column]:
        """Every pair of the grid and its share."""
        shares = np.zeros((0, 0)) if self._shares is None else self._shares.astype(np.float64)
        pixel, patch = (np.linspace(0, 1, n) for n in shares.shape)
        across, up = np.meshgrid(patch, pixel)
        return {"tau_patch": across.ravel(), "tau_pixel": up.ravel(), "retained": shares.ravel()}

    def twin(self) -> Chart:
        """The same map and points."""
        made = RetentionMap()
        made.set_shares(self._shares)
        made.set_taus(*self._taus, kept=self._kept)
        made.set_marks(self._marks)
        return made

    def make_plot(self) -> "Plot":
        """The map, its lines and their numbers, the point and what is written beside it."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Plot, Words

        plot = Plot(weighs_clicks=True, margins=(4, 8, 12, 0))
        self.image = pg.ImageItem()
        self.lines = {level: pg.PlotCurveItem(connect="finite") for level in LEVELS}
        self.numbers = {level: Words(_WHITE, rim=_HALO) for level in LEVELS}
        self.corners = Words(_WHITE, rim=_HALO), Words(_WHITE, rim=_HALO)
        self.point = pg.TargetItem(movable=False, size=_POINT, symbol="o")
        self.ring = pg.ScatterPlotItem(size=20, useCache=False, brush=None)
        self.words = Words(_WHITE)
        self.words.ground = _SHADE
        self.marked: list[Words] = []
        texts = (*self.numbers.values(), *self.corners)
        plot.place(0, self.image, *self.lines.values(), *texts)
        plot.place(40, self.words, self.ring, self.point)
        self._listen(plot)
        return plot

    def _listen(self, plot: "Plot") -> None:
        plot.pressed.connect(self._press)
        plot.moved.connect(self._drag)
        plot.released.connect(self._release)
        plot.taken_back.connect(self._take_back)
        plot.resized.connect(self.changed)
        plot.viewport().setCursor(Qt.CursorShape.CrossCursor)

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """The map has its own colours in every theme."""
        plot.keep_gutter("0.00")
        for level, line in self.lines.items():
            strong = level == STRONG
            line.setPen(plot.pen(_WHITE, 1.7 if strong else 1.0))
            line.setShadowPen(plot.pen(_HALO, 3.6 if strong else 2.6))
        self.point.setPen(plot.pen("#000000", 1.5))
        self.point.setBrush(_WHITE)
        self.ring.setPen(plot.pen(palette.accent, 3))
        self.ring.setVisible(self.hasFocus())
        bold = QFont(self.font())
        bold.setBold(True)
        for text in (*self.numbers.values(), *self.corners, self.words):
            text.dress(bold if text is self.numbers[STRONG] else self.font(), _WHITE)
        self._drawn = None

    def show_grid(self, plot: "Plot") -> None:
        """Over the map both ways, or neither."""
        plot.show_grid(across=self.across_grid, up=self.across_grid)

    def draw(self, plot: "Plot") -> None:
        """The map and its lines where they changed, then the pairs set aside and the point."""
        plot.show_range(*self.seen)
        room = self.seen, plot.field.getRect()
        if self._shares is not None and room != self._drawn:
            self._drawn = room
            self._contours = self._contours or {n: contour(self._shares, n) for n in LEVELS}
            self.image.setImage(_rgb8(self._shares), levels=None)
            self.image.setRect(QRectF(0, 0, 1, 1))
            for level, found in self._contours.items():
                self.lines[level].setData(*_in_one(found).T)
            self._places = self._places_of_numbers(plot)
        self._draw_marks(plot)
        self._draw_point(plot)
        self._draw_numbers(plot)

    def _draw_marks(self, plot: "Plot") -> None:
        while len(self.marked) > len(self._marks):
            plot.vb.removeItem(self.marked.pop())
        while len(self.marked) < len(self._marks):
            self.marked.append(self._mark())
            plot.place(30, self.marked[-1])
        for text, (name, patch, pixel) in zip(self.marked, self._marks, strict=True):
            text.dress(self.font(), _WHITE)
            text.say(name)
            text.setPos(patch, pixel)

    @staticmethod
    def _mark() -> "Words":
        from smarthdr_studio.studio.plots.plot import Words

        mark = Words(_WHITE)
        mark.ground, mark.border = QColor(0, 0, 0, 190), _WHITE
        return mark

    def _draw_point(self, plot: "Plot") -> None:
        """The words stand on the side that has room."""
        patch, pixel = self._taus
        self.point.setPos(patch, pixel)
        self.ring.setData([patch], [pixel])
        self.words.setPos(patch, pixel)
        at, field = plot.place_of(patch, pixel), plot.field
        half = self.words.boundingRect().height() / 2
        down = min(max(at.y(), field.top() + half), field.bottom() - half) - at.y()
        beyond = at.x() + _TAKEN > field.right()
        side = (1.0, -_BESIDE) if beyond else (0.0, _BESIDE)
        self.words.say(self._words(), anchor=(side[0], 0.5), shift=(side[1], down))

    def _draw_numbers(self, plot: "Plot") -> None:
        """The share of each line on the line, where it covers nothing else."""
        taken = self._taken(plot)
        for level in _BY_WEIGHT:
            text, box = self.numbers[level], self._places[level].first(taken=taken)
            text.setVisible(box is not None)
            if box is not None:
                taken.append(box)
                text.setPos(plot.value_at(box.center()))

    def _places_of_numbers(self, plot: "Plot") -> dict[float, Places]:
        """Where each number may stand, whatever the hand moves; it says its share from now on."""
        placed = {
            level: [plot.places_of(line) for line in found]
            for level, found in self._contours.items()
        }
        places = {}
        for level in _BY_WEIGHT:
            text = self.numbers[level]
            text.say(f"{100 * level:.0f} %")
            # The chief number stands wherever it has room, even over another line.
            others = [line for n, lines in placed.items() if STRONG != level != n for line in lines]
            places[level] = Places(
                placed[level],
                size=text.boundingRect().size().toTuple(),
                frame=plot.field,
                apart=np.concatenate(others or [NOWHERE]),
            )
        return places

    def _taken(self, plot: "Plot") -> list[QRectF]:
        """Where the point, its words, the pairs set aside and the names of the axes stand."""
        field = plot.field
        (left, right), (low, high) = self.seen
        first, second = self.corners
        first.say("τ_pi ↑", anchor=(0, 0))
        first.setPos(left, high)
        second.say("τ_pa →", anchor=(1, 1))
        second.setPos(right, low)
        point = plot.place_of(*self._taus)
        half, near = _MARK / 2, self.words.boundingRect().translated(point)
        marks = [plot.place_of(patch, pixel) for _, patch, pixel in self._marks]
        return [
            first.boundingRect().translated(field.topLeft()),
            second.boundingRect().translated(field.bottomRight()),
            near,
            *(QRectF(-half, -half, _MARK, _MARK).translated(at) for at in (*marks, point)),
        ]

    def _nearest(self, level: float, taus: Pair) -> Pair | None:
        pair = None if self._shares is None else nearest_on_iso(self._shares, level, taus)
        return None if pair is None else (round(pair[0], 3), round(pair[1], 3))

    @Slot(QPointF)
    def _press(self, where: QPointF) -> None:
        self._before = self._taus
        self._drag(where)

    @Slot()
    def _take_back(self) -> None:
        self.picked.emit(*self._before)

    @Slot(QPointF)
    def _drag(self, where: QPointF) -> None:
        self.picked.emit(round(where.x(), 3), round(where.y(), 3))

    @Slot(QPointF)
    def _release(self, where: QPointF) -> None:
        self.released.emit(round(where.x(), 3), round(where.y(), 3))

    @Slot(QPointF)
    def twice(self, where: QPointF) -> None:
        """All there is where it is zoomed; else, on a line, the point exactly onto it."""
        if self._zoom is None:
            self._onto_line(where)
        else:
            self.view_all()

    def _onto_line(self, where: QPointF) -> None:
        plot, near = self.plot, []
        here = plot.place_of(where.x(), where.y())
        for level in LEVELS:
            if (pair := self._nearest(level, (where.x(), where.y()))) is not None:
                away = plot.place_of(*pair) - here
                near.append((float(np.hypot(away.x(), away.y())), pair))
        if near and min(near)[0] <= _ON_LINE:
            self.released.emit(*min(near)[1])

    @Slot(float, float)
    def _step(self, across: float, up: float) -> None:
        patch, pixel = self._wish or self._taus
        self._wish = stepped(patch, across), stepped(pixel, up)
        self.picked.emit(*self._wish)

    @Slot()
    def _let_go(self) -> None:
        wish, self._wish = self._wish or self._taus, None
        self.released.emit(*wish)

    def _words(self) -> str:
        share = self._kept if self._kept is not None else self.share_at(*self._taus)
        return "" if share is None else percent(share)

    def describe(self) -> None:
        """Where the thresholds stand."""
        words = self._words()
        kept = f", {words} retained" if words else ""
        patch, pixel = self._taus
        self.setAccessibleName(
            f"Map of retained shares, τ_pa {tau_words(patch)}, τ_pi {tau_words(pixel)}{kept}"
        )


def _in_one(lines: list[Doubles]) -> Doubles:
    """Several lines as one, N×2, parted by NaN."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)] or [NOWHERE])


def _rgb8(shares: npt.NDArray[np.float32]) -> Rgb8:
    """The map, smooth, the first row lowest: grid values lie on its edges, not inside them."""
    rows, columns = shares.shape
    where = np.linspace(0, 1, _SMOOTH, dtype=np.float32)
    x, y = np.meshgrid(where * (columns - 1), where * (rows - 1))
    smooth = cv2.remap(shares, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return sigma_rgb8(smooth.view(np.float32), span=Range(0.0, 1.0), colour_map=ColourMap.TIDE)
