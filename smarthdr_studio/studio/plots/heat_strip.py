"""The retained share of every scene in every round, as a strip of colours to point at."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QBrush,
    QColor,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsRectItem, QScrollBar, QToolTip

from smarthdr_studio.core.display import ColourMap, sigma_rgb8
from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.core.trust.masking import Range
from smarthdr_studio.core.words import counted, percent
from smarthdr_studio.studio.plots.axes import Doubles, ticks
from smarthdr_studio.studio.plots.chart import Chart, Column
from smarthdr_studio.studio.state import HeatStrip as Shares
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.controls import EventWatch

if TYPE_CHECKING:
    from smarthdr_studio.studio.plots.plot import Plot

_WHOLE: Final = Range(0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundLines:
    """What runs under the strip: PSNR-μ in dB, over the middle of the round it belongs to.

    `made_at` is what the newest check before each round had told, NaN where there was none. The
    line ends with the newest check at the right edge, where the last round has been learned from.
    """

    places: Doubles = field(default_factory=lambda: np.zeros(0))
    decibels: Doubles = field(default_factory=lambda: np.zeros(0))
    made_at: Doubles = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, history: RunHistory | None) -> "RoundLines":
        """Of a run."""
        if history is None or not history.records:
            return cls()
        steps, decibels = np.array(history.psnr_mu or np.zeros((0, 2)), float).T
        begins = [record.step for record in history.records]
        newest = np.searchsorted(steps, begins, side="right")
        made_at = np.append(np.nan, decibels)[newest]
        last = decibels[-1:] if newest[-1] < len(steps) else decibels[:0]
        places = np.append(np.arange(len(begins)) + 0.5, np.full(len(last), float(len(begins))))
        told = np.append(made_at, last)
        known = np.isfinite(told)
        return cls(places=places[known], decibels=told[known], made_at=made_at)


def mean_shares(shares: npt.NDArray[Any]) -> Doubles:
    """The mean share of the scenes that took part, per round; NaN where none did.

    `shares` is scenes×rounds. Scenes of a dataset are nearly of one size, so this is nearly the
    share of the pixels.
    """
    part = np.isfinite(shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Doubles = np.where(part, shares, 0).sum(0) / part.sum(0)
    return means


def _newest(values: Doubles) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else math.nan


def heat_rgba(shares: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Shares in [0, 1], scenes×rounds, as a picture of as many pixels; see-through where NaN."""
    values = np.ascontiguousarray(shares, np.float32)
    rgb8 = sigma_rgb8(values, span=_WHOLE, colour_map=ColourMap.TIDE)
    alpha = np.where(np.isfinite(values), 255, 0).astype(np.uint8)
    return np.ascontiguousarray(np.dstack([rgb8, alpha]))


_EDGE: Final = 6
_WIDEST_NAME: Final = 96
_LEAST_ROW, _GREATEST_ROW = 4.0, 24.0
_TOP: Final = 6
_BAR: Final = 12  # pixels, the scroll bar
_STEPS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_LINES: Final = (
    "Full line: PSNR-μ on held-out labels; the figure of a replayed round is that of the newest "
    "check before it. Dashes: mean retained share of the scenes"
)


class HeatStripChart(EventWatch, Chart):
    """Scenes down, rounds to the right, light where much is kept, striped where nothing is known.

    A press or a drag picks a round, and the scene where it ends; the arrow keys do the same. The
    marks move when `set_marks` says so. Below run the PSNR-μ and what all scenes together kept.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset({"heat", "history", "replay", "current"})
    ZOOMS = False

    round_picked = Signal(int)
    scene_picked = Signal(str)

    def __init__(self) -> None:
        super().__init__("Retained share of every scene (↓) in every round (→)")
        self._shares: Shares | None = None
        self._lines = RoundLines()
        self._round: int | None = None
        self._scene: str | None = None
        self._held = False
        self._drawn: object = None  # the shares that the picture was made of
        self.bar = QScrollBar(Qt.Orientation.Vertical, self)
        self.bar.hide()
        self.bar.valueChanged.connect(self.changed)
        self.setMinimumSize(160, 96)
        self._describe()

    def set_shares(self, shares: Shares | None) -> None:
        """Show these shares; None says that no round has been seen yet."""
        first = self._shares is None
        self._shares = shares if shares is not None and shares.shares.size else None
        self._measure()
        self._describe()
        if first:  # later ones leave alone what a hand has scrolled to
            self._scroll_to_scene()
        self.changed()

    def set_history(self, history: RunHistory | None) -> None:
        """Know the PSNR-μ of the run."""
        self._lines = RoundLines.of(history)
        self.changed()

    def set_marks(self, at_round: int | None, scene: str | None) -> None:
        """Mark the replayed round and the scene on the screen."""
        if (at_round, scene) != (self._round, self._scene):
            moved, self._round, self._scene = scene != self._scene, at_round, scene
            if moved:
                self._scroll_to_scene()
            self._describe()
            self.changed()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the history of the run, the replayed round and the current scene."""
        if old.heat is not new.heat:
            self.set_shares(new.heat)
        if old.history is not new.history:
            self.set_history(new.history)
        self.set_marks(new.replay, new.current)

    def sizeHint(self) -> QSize:
        """Room for a dozen scenes."""
        return QSize(420, 200)

    def nothing(self) -> str:
        """Before the first round."""
        return "" if self._shares is not None else "Known after the first round of training"

    def file_name(self) -> str:
        """After what is shown."""
        return "rounds"

    def table(self) -> Mapping[str, Column]:
        """A line for every scene and a column for every round."""
        if self._shares is None:
            return {}
        columns = self._shares.shares.T.astype(np.float64)
        rounds = {
            f"round {n}": column for n, column in zip(self._shares.rounds, columns, strict=True)
        }
        return {"scene": self._shares.scenes, **rounds}

    def twin(self) -> Chart:
        """The same rounds and marks."""
        made = HeatStripChart()
        made.set_shares(self._shares)
        made._lines = self._lines
        made.set_marks(self._round, self._scene)
        return made

    @property
    def rows_in_sight(self) -> range:
        """The scenes of which anything is seen."""
        if self._shares is None:
            return range(0)
        first, last = self._rows()
        return range(int(first), min(math.ceil(last), len(self._shares.scenes)))

    def plots(self) -> "tuple[Plot, ...]":
        """The strip, and the lines below it."""
        return self.plot, self.below

    def make_plot(self) -> "Plot":
        """Stripes, cells over them, frames around the scene and the round, and two lines below."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Hatch, Plot

        plot = Plot(margins=(0, _TOP, 2, 0))
        plot.vb.invertY(b=True)
        self.stripes, self.image = Hatch(), pg.ImageItem()
        self.frames = [QGraphicsRectItem() for _ in range(4)]  # dark and light, row and column
        plot.place(0, self.stripes, self.image, *self.frames)
        self.below = Plot(margins=(0, 2, 2, 2))
        self.below.left.hide()
        self.below.bottom.hide()
        self.decibels, self.kept = (pg.PlotDataItem(antialias=True) for _ in range(2))
        self.below.place(0, self.decibels, self.kept)
        plot.pressed.connect(self._press)
        plot.moved.connect(self._drag)
        plot.released.connect(self._release)
        plot.resized.connect(self.changed)
        self.watch(plot.viewport(), self.below.viewport())
        return plot

    def lay_out(self, plot: "Plot") -> None:
        """Names at the left, the bar at the right, the lines below."""
        room, line = self.room(), self.fontMetrics().height()
        foot = 2 * line + 4
        wide = _BAR if self.bar.maximum() else 0
        plot.setGeometry(room.adjusted(0, 0, -wide, -foot))
        left = room.left() + self._gutter()
        self.below.setGeometry(left, room.bottom() - foot + 1, room.right() - wide - left + 1, foot)
        self.bar.setVisible(bool(wide))
        self.bar.setGeometry(room.right() - wide + 1, room.top(), wide, room.height() - foot)

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """Cells have their own colours in every theme."""
        plot.left.setWidth(self._gutter())
        self.stripes.setBrush(QBrush(QColor(palette.muted), Qt.BrushStyle.BDiagPattern))
        for place, frame in enumerate(self.frames):
            light = place % 2
            colour = QColor(255, 255, 255) if light else QColor(0, 0, 0, 200)
            frame.setPen(plot.pen(colour, 1.2 if light else 3.0))
        self.decibels.setPen(plot.pen(palette.accent, 1.5))
        self.kept.setPen(plot.pen(palette.warn, 1.5, Qt.PenStyle.DashLine))
        self._drawn = None

    def draw(self, plot: "Plot") -> None:
        """What there is of the rows in sight."""
        shares = self._shares
        if shares is None:
            return
        self._measure()
        rows, columns = shares.shares.shape
        plot.show_grid(across=False, up=False)
        plot.left.setWidth(self._gutter())
        plot.show_range((0, columns), self._rows())
        if self._drawn is not shares:
            self._drawn = shares
            self.image.setImage(heat_rgba(shares.shares), levels=None)
            self.image.setRect(QRectF(0, 0, columns, rows))
            corners = ((0, 0), (columns, 0), (columns, rows), (0, rows))
            self.stripes.fill(np.array(corners, np.float64))
        self._draw_names(plot, shares)
        self._draw_frames(rows, columns)
        self._draw_lines(shares, columns)

    def _draw_names(self, plot: "Plot", shares: Shares) -> None:
        """As many names as fit, that of the current scene always; the numbers of some rounds."""
        metrics, here = self.fontMetrics(), self._row()
        first, last = self._rows()
        every = max(math.ceil((last - first) * metrics.height() / max(plot.field.height(), 1)), 1)
        rows = [
            row
            for row in self.rows_in_sight
            if row == here or (row % every == 0 and (here is None or abs(row - here) >= every))
        ]
        wide = self._gutter() - 2 * _EDGE
        named = []
        for row in rows:
            name = ("▸" if row == here else "") + shares.scenes[row]
            short = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, wide)
            named.append((row + 0.5, short))
        plot.left.setTicks([named])
        rounds = shares.rounds
        most = max(int(plot.field.width() / metrics.horizontalAdvance("0000")), 1)
        round_ones = ticks(rounds[0], max(rounds[-1], rounds[0] + 1), most=most, whole=True)
        marks = {round(tick) for tick in round_ones}
        told = [(k + 0.5, str(number)) for k, number in enumerate(rounds) if number in marks]
        plot.bottom.setTicks([told])

    def _draw_frames(self, rows: int, columns: int) -> None:
        row, column = self._row(), self._column()
        boxes = (
            None if row is None else QRectF(0, row, columns, 1),
            None if column is None else QRectF(column, 0, 1, rows),
        )
        for place, frame in enumerate(self.frames):
            box = boxes[place // 2]
            frame.setVisible(box is not None)
            frame.setRect(box or QRectF())

    def _draw_lines(self, shares: Shares, columns: int) -> None:
        """Each as high as there is room; the values stand at the left."""
        kept = mean_shares(shares.shares)
        middles = np.arange(len(kept)) + 0.5
        self.below.show_range((0, columns), (-0.1, 1.1))
        pairs = (self._lines.places, self._lines.decibels), (middles, kept)
        for item, (x, y) in zip((self.decibels, self.kept), pairs, strict=True):
            known = np.isfinite(y)
            item.setData(x[known], _stretched(y[known]))

    def paint_words(self, painter: QPainter) -> None:
        """The values of the two lines in their colours: of the replayed round, or the newest."""
        super().paint_words(painter)
        if self._shares is None:
            return
        line, (decibels, kept) = self.fontMetrics().height(), self.values()
        top = self.room().bottom() - 2 * line - 1
        told = (
            (f"{decibels:.1f} dB" if math.isfinite(decibels) else "–", self._palette.accent),
            (percent(kept) if math.isfinite(kept) else "–", self._palette.warn),
        )
        for place, (words, colour) in enumerate(told):
            painter.setPen(QPen(QColor(colour)))
            box = QRect(0, top + place * line, self._gutter() - _EDGE, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, words)

    def values(self) -> tuple[float, float]:
        """PSNR-μ in dB when the replayed round was made, and what it kept; else the newest."""
        shares, lines, column = self._shares, self._lines, self._column()
        if shares is None:
            return math.nan, math.nan
        kept = mean_shares(shares.shares)
        if column is None:
            return _newest(lines.decibels), _newest(kept)
        made_at = lines.made_at
        return float(made_at[column]) if column < len(made_at) else math.nan, float(kept[column])

    def event(self, event: QEvent) -> bool:
        """While the strip has the focus, which only Tab gives, the arrow keys are its own."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            mine = event.key() in _STEPS and not event.modifiers()
            if mine:
                event.accept()
                return True
        return super().event(event)

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """Tell the value under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cells = self._plot is not None and watched is self._plot.viewport()
            words = self.words_at(event.pos()) if cells else _LINES
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return False

    def words_at(self, point: QPoint) -> str:
        """Scene, round and share of a point of the plot, in words."""
        if self._shares is None:
            return "What every round retained of every scene"
        where = QPointF(point)
        place = self._cell(self.plot.value_at(where)) if self.plot.field.contains(where) else None
        if place is None:
            return _LINES
        row, column = place
        share = self._shares.shares[row, column]
        kept = f"{percent(share, decimals=1)} retained" if np.isfinite(share) else "took no part"
        return f"{self._shares.scenes[row]} · round {self._shares.rounds[column]} · {kept}"

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step to the neighbouring round or scene."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or self._shares is None:
            super().keyPressEvent(event)
            return
        across, down = step
        rounds, scenes = self._shares.rounds, self._shares.scenes
        if across:
            now = rounds.index(self._round) if self._round in rounds else len(rounds)
            self._pick_round(min(max(now + across, 0), len(rounds) - 1))
        else:
            row = scenes.index(self._scene) if self._scene in scenes else -down
            self._pick_scene(min(max(row + down, 0), len(scenes) - 1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Through the scenes that have no room."""
        if self.bar.maximum() and event.angleDelta().y():
            self.bar.setValue(self.bar.value() - round(event.angleDelta().y() / 2))
            event.accept()
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer rows fit."""
        self._measure()
        super().resizeEvent(event)

    @Slot(QPointF)
    def _press(self, where: QPointF) -> None:
        """Take up the round and the scene under the hand."""
        place = self._cell(where)
        self._held = place is not None
        if place is not None:
            self._pick_round(place[1])

    @Slot(QPointF)
    def _drag(self, where: QPointF) -> None:
        """The round follows; a scene is only fetched where the hand lets go."""
        if self._held:
            self._pick_round(self._nearest(where)[1])

    @Slot(QPointF)
    def _release(self, where: QPointF) -> None:
        if self._held:
            self._held = False
            self._pick_scene(self._nearest(where)[0])

    def _cell(self, where: QPointF) -> tuple[int, int] | None:
        """Row and column, None below the last scene."""
        rows = 0 if self._shares is None else len(self._shares.scenes)
        return self._nearest(where) if 0 <= where.y() < rows else None

    def _nearest(self, where: QPointF) -> tuple[int, int]:
        assert self._shares is not None
        rows, columns = self._shares.shares.shape
        return min(max(int(where.y()), 0), rows - 1), min(max(int(where.x()), 0), columns - 1)

    def _pick_round(self, column: int) -> None:
        assert self._shares is not None
        if self._shares.rounds[column] != self._round:
            self.round_picked.emit(self._shares.rounds[column])

    def _pick_scene(self, row: int) -> None:
        assert self._shares is not None
        if self._shares.scenes[row] != self._scene:
            self.scene_picked.emit(self._shares.scenes[row])

    def _row(self) -> int | None:
        scenes = self._shares.scenes if self._shares else ()
        return scenes.index(self._scene) if self._scene in scenes else None

    def _column(self) -> int | None:
        rounds = self._shares.rounds if self._shares else ()
        return rounds.index(self._round) if self._round in rounds else None

    def _gutter(self) -> int:
        """The room at the left: for names, and for the values of the lines."""
        metrics = self.fontMetrics()
        longest = max(self._shares.scenes if self._shares else (), key=len, default="")
        names = min(metrics.horizontalAdvance("▸" + longest), _WIDEST_NAME)
        return max(names, metrics.horizontalAdvance("00.0 dB")) + 2 * _EDGE

    def _high(self) -> tuple[float, float]:
        """Pixels of a row, and of all that is seen."""
        line = self.fontMetrics().height()
        seen = max(self.room().height() - 3 * line - 8 - _TOP, 1)
        rows = 1 if self._shares is None else len(self._shares.scenes)
        return min(max(seen / rows, _LEAST_ROW), _GREATEST_ROW), float(seen)

    def _rows(self) -> tuple[float, float]:
        """The first and the last row in sight, and parts of them."""
        row, seen = self._high()
        first = self.bar.value() / row
        return first, first + seen / row

    def _measure(self) -> None:
        """Let the scroll bar know how many pixels of rows have no room."""
        row, seen = self._high()
        rows = 0 if self._shares is None else len(self._shares.scenes)
        self.bar.setRange(0, max(math.ceil(rows * row - seen), 0))
        self.bar.setPageStep(max(int(seen) // 2, 1))
        self.bar.setSingleStep(self.fontMetrics().height())

    def _scroll_to_scene(self) -> None:
        """Bring the current scene into sight."""
        here = self._row()
        if here is None:
            return
        row, seen = self._high()
        low, high = (here + 1) * row - seen, here * row
        self.bar.setValue(round(min(max(self.bar.value(), low), high)))

    def _describe(self) -> None:
        words = "What every round retained of every scene"
        if self._shares is not None:
            words += f", {counted(len(self._shares.scenes), 'scene')}"
            words += f", {counted(len(self._shares.rounds), 'round')}"
        row, column = self._row(), self._column()
        if self._shares is not None and column is not None and row is not None:
            share = self._shares.shares[row, column]
            kept = f"{percent(share)} retained" if np.isfinite(share) else "took no part"
            words += f"; {self._scene} in round {self._round}: {kept}"
        self.setAccessibleName(words)


def _stretched(values: Doubles) -> Doubles:
    """From 0 to 1, whatever they are; a constant lies in the middle."""
    if not len(values):
        return values
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
