"""The retained share of every scene in every round, as a strip of colours to point at."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QLineF, QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from smarthdr_studio.core.display import ColourMap, sigma_rgb8
from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.core.trust.masking import Range
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.plots.axes import ticks
from smarthdr_studio.studio.state import HeatStrip, StudioState
from smarthdr_studio.studio.state import HeatStrip as Shares
from smarthdr_studio.studio.theme import DARK, Palette

Doubles = npt.NDArray[np.float64]

_WHOLE: Final = Range(0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Rows of scenes and columns of rounds over a frame that may show only some of the rows."""

    frame: QRectF
    rows: int
    columns: int
    row_height: float
    scrolled: float = 0.0

    @property
    def column_width(self) -> float:
        """The width of one round."""
        return self.frame.width() / self.columns

    @property
    def hidden(self) -> int:
        """How many pixels of rows have no room."""
        return max(math.ceil(self.rows * self.row_height - self.frame.height()), 0)

    @property
    def shown(self) -> QRectF:
        """What of the frame is covered by rows."""
        high = min(self.frame.height(), self.rows * self.row_height - self.scrolled)
        return QRectF(self.frame.left(), self.frame.top(), self.frame.width(), max(high, 0.0))

    def top(self, row: float) -> float:
        """The upper edge of a row."""
        return self.frame.top() + row * self.row_height - self.scrolled

    def left(self, column: float) -> float:
        """The left edge of a column."""
        return self.frame.left() + column * self.column_width

    def rows_in_sight(self) -> range:
        """The rows of which anything is seen."""
        first = int(self.scrolled / self.row_height)
        last = math.ceil((self.scrolled + self.frame.height()) / self.row_height)
        return range(first, min(last, self.rows))

    def at(self, point: QPointF) -> tuple[int, int] | None:
        """Row and column of a point, None beside the cells."""
        return self.held_at(point) if self.shown.contains(point) else None

    def held_at(self, point: QPointF) -> tuple[int, int]:
        """Row and column nearest to a point."""
        row = int((point.y() - self.frame.top() + self.scrolled) // self.row_height)
        column = int((point.x() - self.frame.left()) // self.column_width)
        return min(max(row, 0), self.rows - 1), min(max(column, 0), self.columns - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundLines:
    """What runs under the strip: PSNR-μ in dB, and where among the rounds it was measured."""

    places: Doubles = field(default_factory=lambda: np.zeros(0))
    decibels: Doubles = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, history: RunHistory | None) -> "RoundLines":
        """Of a run; what was measured before its first round is left out."""
        if history is None or not history.records:
            return cls()
        steps, decibels = np.array(history.psnr_mu or np.zeros((0, 2)), float).T
        places = among_rounds(steps, begins=[record.step for record in history.records])
        known = np.isfinite(places)
        return cls(places=places[known], decibels=decibels[known])


def mean_shares(shares: npt.NDArray[Any]) -> Doubles:
    """The mean share of the scenes that took part, per round; NaN where none did.

    `shares` is scenes×rounds. Scenes of a dataset are nearly of one size, so this is nearly the
    share of the pixels.
    """
    part = np.isfinite(shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Doubles = np.where(part, shares, 0).sum(0) / part.sum(0)
    return means


def among_rounds(steps: npt.ArrayLike, *, begins: list[int]) -> Doubles:
    """Where training steps lie among rounds: k + ½ halfway through the k-th, NaN before the first.

    A round lasts until the next begins; the last is held to be as long as the one before it.
    """
    asked = np.asarray(steps, float)
    long = begins[-1] - begins[-2] if len(begins) > 1 else 1
    edges = [*begins, begins[-1] + max(long, 1)]
    places: Doubles = np.interp(asked, edges, np.arange(len(edges)))
    return np.where(asked < begins[0], np.nan, places)


def heat_image(shares: npt.NDArray[Any]) -> QImage:
    """Shares in [0, 1], scenes×rounds, as one image of as many pixels; see-through where NaN."""
    values = np.ascontiguousarray(shares, np.float32)
    rgb8 = sigma_rgb8(values, span=_WHOLE, colour_map=ColourMap.TIDE)
    alpha = np.where(np.isfinite(values), 255, 0).astype(np.uint8)
    rgba = np.ascontiguousarray(np.dstack([rgb8, alpha]))
    height, width = values.shape
    image = QImage(rgba.data, width, height, width * 4, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


EDGE: Final = 6
_WIDEST_NAME: Final = 96
_AIR: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatView:
    """What is drawn and where; `row` is the current scene's and `column` the replayed round's."""

    shares: HeatStrip
    cells: Cells
    row: int | None
    column: int | None
    palette: Palette


def gutter(metrics: QFontMetrics, scenes: tuple[str, ...]) -> int:
    """The room at the left: for names, and for the values of the lines."""
    longest = max(scenes, key=len, default="")
    names = min(metrics.horizontalAdvance(longest), _WIDEST_NAME)
    return max(names, metrics.horizontalAdvance("00.0 dB")) + 2 * EDGE


def footer(metrics: QFontMetrics) -> int:
    """The room below: for the rounds, and for two lines with their values."""
    return metrics.height() * 3 + 3 * _AIR


def draw_cells(painter: QPainter, view: HeatView, image: QImage) -> None:
    """One pixel of the image per cell; stripes show through where nothing is known."""
    cells, sight = view.cells, view.cells.rows_in_sight()
    painter.save()
    painter.setClipRect(cells.shown)
    stripes = QBrush(QColor(view.palette.muted), Qt.BrushStyle.BDiagPattern)
    painter.fillRect(cells.shown, stripes)
    high = len(sight) * cells.row_height
    target = QRectF(cells.frame.left(), cells.top(sight.start), cells.frame.width(), high)
    painter.drawImage(target, image, QRectF(0, sight.start, cells.columns, len(sight)))
    painter.restore()


def draw_names(painter: QPainter, view: HeatView) -> None:
    """As many names as fit; that of the current scene always, and bold."""
    cells, line = view.cells, painter.fontMetrics().height()
    every = max(math.ceil(line / cells.row_height), 1)
    painter.save()
    painter.setClipRect(QRectF(0, 0, cells.frame.left(), cells.frame.bottom() + line / 2))
    for row in cells.rows_in_sight():
        if row % every == 0 and (view.row is None or abs(row - view.row) >= every):
            _draw_name(painter, view, row)
    if view.row is not None and view.row in cells.rows_in_sight():
        bold = painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        _draw_name(painter, view, view.row)
    painter.restore()


def draw_marks(painter: QPainter, view: HeatView) -> None:
    """A frame around the scene and one around the round, legible on any colour."""
    cells, boxes = view.cells, []
    if view.row is not None:
        top, wide = cells.top(view.row), cells.frame.width()
        boxes.append(QRectF(cells.frame.left(), top, wide, cells.row_height))
    if view.column is not None:
        left, wide = cells.left(view.column), cells.column_width
        boxes.append(QRectF(left, cells.frame.top(), wide, cells.shown.height()))
        _draw_flag(painter, QPointF(left + wide / 2, cells.frame.top() - 1), view.palette)
    painter.save()
    painter.setClipRect(cells.shown.adjusted(-2, -2, 2, 2))
    for colour, thick in ((QColor(0, 0, 0, 200), 3.0), (QColor(255, 255, 255), 1.2)):
        painter.setPen(QPen(colour, thick))
        for box in boxes:
            painter.drawRect(box)
    painter.restore()


def draw_rounds(painter: QPainter, view: HeatView) -> None:
    """The numbers of some rounds under their columns."""
    cells, metrics = view.cells, painter.fontMetrics()
    rounds = view.shares.rounds
    wide = metrics.horizontalAdvance("0000")
    most = max(int(cells.frame.width() / wide), 1)
    painter.setPen(QColor(view.palette.muted))
    marks = {round(tick) for tick in ticks(rounds[0], max(rounds[-1], rounds[0] + 1), most=most)}
    for column, number in enumerate(rounds):
        if number in marks:
            middle = cells.left(column + 0.5)
            box = QRectF(middle - wide, cells.shown.bottom() + 1, 2 * wide, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, str(number))


def draw_lines(painter: QPainter, view: HeatView, lines: RoundLines) -> None:
    """PSNR-μ in full strokes, the mean share of the scenes in dashes; their values at the left."""
    cells, line = view.cells, painter.fontMetrics().height()
    top = cells.shown.bottom() + line + 2 * _AIR
    kept = mean_shares(view.shares.shares)
    middles = np.arange(len(kept)) + 0.5
    upto = cells.columns if view.column is None else view.column + 1
    strip = QRectF(cells.frame.left(), top, cells.frame.width(), 2 * line)
    rows = (
        (lines.places, lines.decibels, "{:.1f} dB", view.palette.accent, Qt.PenStyle.SolidLine),
        (middles, 100 * kept, "{:.0f} %", view.palette.warn, Qt.PenStyle.DashLine),
    )
    for place, (across, values, form, colour, style) in enumerate(rows):
        known = np.isfinite(values)
        if not known.any():
            continue
        painter.setPen(QPen(QColor(colour), 1.5, style))
        _draw_line(painter, strip, across[known] / cells.columns, values[known])
        before = values[known & (across <= upto)]
        box = QRectF(0, top + place * line, cells.frame.left() - EDGE, line)
        words = form.format(before[-1]) if before.size else "–"
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, words)


def _draw_line(
    painter: QPainter,
    frame: QRectF,
    across: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
) -> None:
    """Values over shares of the width, as high as there is room; a single one is a dot."""
    low, high = float(values.min()), float(values.max())
    up = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    points = [
        QPointF(frame.left() + x * frame.width(), frame.bottom() - 2 - y * (frame.height() - 4))
        for x, y in zip(across.tolist(), up.tolist(), strict=True)
    ]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawPolyline(QPolygonF(points))
    painter.drawLine(QLineF(points[-1], points[-1] + QPointF(0.1, 0)))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


def _draw_name(painter: QPainter, view: HeatView, row: int) -> None:
    metrics, wide = painter.fontMetrics(), view.cells.frame.left() - 2 * EDGE
    y = view.cells.top(row + 0.5) - metrics.height() / 2
    colour = view.palette.text if row == view.row else view.palette.muted
    painter.setPen(QColor(colour))
    short = metrics.elidedText(view.shares.scenes[row], Qt.TextElideMode.ElideMiddle, int(wide))
    box = QRectF(EDGE, y, wide, metrics.height())
    painter.drawText(box, Qt.AlignmentFlag.AlignRight, short)


def _draw_flag(painter: QPainter, tip: QPointF, palette: Palette) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.text))
    painter.drawPolygon(QPolygonF([tip, tip + QPointF(-5, -7), tip + QPointF(5, -7)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


_LEAST_ROW, _GREATEST_ROW = 4.0, 24.0
_TOP: Final = 9
_STEPS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class HeatStripChart(QAbstractScrollArea):
    """Scenes down, rounds to the right, light where much is kept, striped where nothing is known.

    A press or a drag picks a round, and the scene where it ends; the arrow keys do the same. The
    marks move when `set_marks` says so. Below run the PSNR-μ and what all scenes together kept.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset({"heat", "history", "replay", "current"})

    round_picked = Signal(int)
    scene_picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shares: Shares | None = None
        self._lines = RoundLines()
        self._image: QImage | None = None
        self._round: int | None = None
        self._scene: str | None = None
        self._held = False
        self._palette = DARK
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.viewport().installEventFilter(self)
        self.setMinimumSize(160, 96)
        self._describe()

    def set_shares(self, shares: Shares | None) -> None:
        """Show these shares; None says that no round has been seen yet."""
        first = self._shares is None
        self._shares = shares if shares is not None and shares.shares.size else None
        self._image = None if self._shares is None else heat_image(self._shares.shares)
        self._refresh()
        if first:  # later ones leave alone what a hand has scrolled to
            self._scroll_to_scene()

    def set_history(self, history: RunHistory | None) -> None:
        """Know the PSNR-μ of the run."""
        self._lines = RoundLines.of(history)
        self._refresh()

    def set_marks(self, at_round: int | None, scene: str | None) -> None:
        """Mark the replayed round and the scene on the screen."""
        if (at_round, scene) != (self._round, self._scene):
            moved, self._round, self._scene = scene != self._scene, at_round, scene
            if moved:
                self._scroll_to_scene()
            self._describe()
            self.viewport().update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the strip."""
        self._palette = palette
        self.viewport().update()

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

    def cells(self) -> Cells:
        """Where which scene and round lies in the viewport."""
        assert self._shares is not None
        metrics = self.fontMetrics()
        left = gutter(metrics, self._shares.scenes)
        frame = QRectF(self.viewport().rect()).adjusted(left, _TOP, -EDGE, -footer(metrics))
        rows, columns = self._shares.shares.shape
        high = min(max(frame.height() / rows, _LEAST_ROW), _GREATEST_ROW)
        return Cells(
            frame=frame,
            rows=rows,
            columns=columns,
            row_height=high,
            scrolled=float(self.verticalScrollBar().value()),
        )

    def event(self, event: QEvent) -> bool:
        """While the strip has the focus, which only Tab gives, the arrow keys are its own."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            mine = event.key() in _STEPS and not event.modifiers()
            if mine:
                event.accept()
                return True
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell the value under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(event.pos()), self.viewport())
            return True
        return super().eventFilter(watched, event)

    def words_at(self, point: QPoint) -> str:
        """Scene, round and share of a point of the viewport, in words."""
        if self._shares is None:
            return "What every round retained of every scene"
        place = self.cells().at(QPointF(point))
        if place is None:
            return "Full line: PSNR-μ on held-out labels. Dashes: mean retained share of the scenes"
        row, column = place
        share = self._shares.shares[row, column]
        kept = f"{100 * share:.1f} % retained" if np.isfinite(share) else "took no part"
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

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take up the round and the scene under the hand."""
        if event.button() == Qt.MouseButton.LeftButton and self._shares is not None:
            place = self.cells().at(event.position())
            self._held = place is not None
            if place is not None:
                self._pick_round(place[1])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The round follows; a scene is only fetched where the hand lets go."""
        if self._held and self._shares is not None:
            self._pick_round(self.cells().held_at(event.position())[1])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The hand let go over this scene."""
        if self._held and self._shares is not None:
            self._held = False
            self._pick_scene(self.cells().held_at(event.position())[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer rows fit."""
        super().resizeEvent(event)
        self._refresh()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Cells, names, marks, rounds and lines."""
        painter = QPainter(self.viewport())
        if self._shares is None or self._image is None:
            painter.setPen(QColor(self._palette.muted))
            centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(
                self.viewport().rect(), centre, "Known after the first round of training"
            )
            painter.end()
            return
        scene = (
            self._shares.scenes.index(self._scene) if self._scene in self._shares.scenes else None
        )
        view = HeatView(
            shares=self._shares,
            cells=self.cells(),
            row=scene,
            column=self._place_of_round(),
            palette=self._palette,
        )
        draw_cells(painter, view, self._image)
        draw_names(painter, view)
        draw_marks(painter, view)
        draw_rounds(painter, view)
        draw_lines(painter, view, self._lines)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._palette.accent), 1))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _pick_round(self, column: int) -> None:
        assert self._shares is not None
        if self._shares.rounds[column] != self._round:
            self.round_picked.emit(self._shares.rounds[column])

    def _pick_scene(self, row: int) -> None:
        assert self._shares is not None
        if self._shares.scenes[row] != self._scene:
            self.scene_picked.emit(self._shares.scenes[row])

    def _place_of_round(self) -> int | None:
        rounds = self._shares.rounds if self._shares else ()
        return rounds.index(self._round) if self._round in rounds else None

    def _refresh(self) -> None:
        """Let the scroll bar know how many rows have no room."""
        hidden = 0 if self._shares is None else self.cells().hidden
        bar = self.verticalScrollBar()
        bar.setRange(0, hidden)
        bar.setPageStep(max(self.viewport().height() // 2, 1))
        bar.setSingleStep(self.fontMetrics().height())
        self._describe()
        self.viewport().update()

    def _scroll_to_scene(self) -> None:
        """Bring the current scene into sight."""
        if self._shares is None or self._scene not in self._shares.scenes:
            return
        cells = self.cells()
        y = self._shares.scenes.index(self._scene) * cells.row_height
        low, high = y + cells.row_height - cells.frame.height(), y
        bar = self.verticalScrollBar()
        bar.setValue(round(min(max(bar.value(), low), high)))

    def _describe(self) -> None:
        words = "What every round retained of every scene"
        if self._shares is not None:
            words += f", {counted(len(self._shares.scenes), 'scene')}"
            words += f", {counted(len(self._shares.rounds), 'round')}"
        column = self._place_of_round()
        if self._shares is not None and column is not None and self._scene in self._shares.scenes:
            share = self._shares.shares[self._shares.scenes.index(self._scene), column]
            kept = f"{share:.0%} retained" if np.isfinite(share) else "took no part"
            words += f"; {self._scene} in round {self._round}: {kept}"
        self.setAccessibleName(words)
