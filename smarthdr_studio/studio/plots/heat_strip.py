"""What every round kept of every scene, as a strip of colours to be pointed at and scrolled."""

from typing import Final

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.studio.plots.heat_cells import Cells, RoundLines, heat_image
from smarthdr_studio.studio.plots.heat_drawing import (
    EDGE,
    HeatView,
    draw_cells,
    draw_lines,
    draw_marks,
    draw_names,
    draw_rounds,
    footer,
    gutter,
)
from smarthdr_studio.studio.state import HeatStrip as Shares
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import DARK, Palette

_LEAST_ROW, _GREATEST_ROW = 4.0, 24.0
_TOP: Final = 9
_STEPS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class HeatStrip(QAbstractScrollArea):
    """Scenes down, rounds to the right, light where much is kept, striped where nothing is known.

    A press or a drag picks a round, and the scene where it ends; the arrow keys do the same. The
    marks move when `set_marks` says so. Below run the PSNR-μ and what all scenes together kept.
    """

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
            return "What every round kept of every scene"
        place = self.cells().at(QPointF(point))
        if place is None:
            return "Full line: PSNR-μ on held-out labels. Dashes: mean kept share of the scenes"
        row, column = place
        share = self._shares.shares[row, column]
        kept = f"{100 * share:.1f} % kept" if np.isfinite(share) else "took no part"
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
        words = "What every round kept of every scene"
        if self._shares is not None:
            words += f", {len(self._shares.scenes)} scenes, {len(self._shares.rounds)} rounds"
        column = self._place_of_round()
        if self._shares is not None and column is not None and self._scene in self._shares.scenes:
            share = self._shares.shares[self._shares.scenes.index(self._scene), column]
            kept = f"{share:.0%} kept" if np.isfinite(share) else "took no part"
            words += f"; {self._scene} in round {self._round}: {kept}"
        self.setAccessibleName(words)
