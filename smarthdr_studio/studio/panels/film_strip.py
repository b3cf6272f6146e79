"""One scene in every round, as small pictures side by side, the newest at the right."""

from typing import Final

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QScrollBar

from smarthdr_studio.studio.panels.film_model import FilmModel
from smarthdr_studio.studio.panels.film_tiles import FilmTiles
from smarthdr_studio.studio.panels.own_keys import ALONG, takes_first
from smarthdr_studio.studio.panels.parts import describe
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import Palette

_NOTHING: Final = "A film of the scene grows here, one picture for every round of training."
_NO_ROUNDS: Final = (
    "No film of {scene}: it begins with the first round, and only unlabelled scenes have one."
)


class FilmStrip(QListView):
    """Says which round is to be replayed; follows the newest unless one has scrolled back."""

    round_picked = Signal(object)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.frames = FilmModel(self)
        self._tiles = FilmTiles(palette, self.frames, self)
        self._replay: int | None = None
        self._words = _NOTHING
        describe(self, name="Film of a scene", tip="")
        self.setModel(self.frames)
        self.setItemDelegate(self._tiles)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # A click leaves the arrow keys to the scenes, as everywhere.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.selectionModel().currentChanged.connect(self._turned)
        self.clicked.connect(self._pick)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the rounds there are, and which is replayed."""
        if old.film is not new.film:
            other = (old.film.run, old.film.scene) != (new.film.run, new.film.scene)
            following = other or self._at_newest
            self.frames.show_film(new.film)
            self._words = _NO_ROUNDS.format(scene=new.film.scene) if new.film.scene else _NOTHING
            if following:
                self.go_to_newest()
        if old.film is not new.film or old.replay != new.replay:
            self._mark(new.replay)

    @Slot()
    def go_to_newest(self) -> None:
        """Scroll to the last round."""
        self.executeDelayedItemsLayout()
        self._bar.setValue(self._bar.maximum())

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._tiles.palette = palette
        self.viewport().update()

    def event(self, event: QEvent) -> bool:
        """The arrow keys are the strip's while it has the keyboard."""
        return takes_first(event, ALONG) or super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Higher pictures where there is more room; what was followed is followed on."""
        following = self._at_newest
        super().resizeEvent(event)
        room = self.maximumViewportSize().height() - self.horizontalScrollBar().sizeHint().height()
        several = self._tiles.fit(room, line=self.fontMetrics().height()) > 1
        self.setWrapping(several)
        off, needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self.setHorizontalScrollBarPolicy(off if several else needed)
        self.setVerticalScrollBarPolicy(needed if several else off)
        self.scheduleDelayedItemsLayout()
        if following:
            self.go_to_newest()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """There is only one way to scroll."""
        turned = event.angleDelta().x() or event.angleDelta().y()
        self._bar.setValue(self._bar.value() - turned)
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Words where there are no pictures."""
        super().paintEvent(event)
        if self.frames.rowCount():
            return
        painter = QPainter(self.viewport())
        painter.setPen(QColor(self._tiles.palette.muted))
        centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.viewport().rect().adjusted(12, 0, -12, 0), centre, self._words)
        painter.end()

    @property
    def _bar(self) -> QScrollBar:
        """A high strip has several rows and is scrolled down, a low one has one."""
        return self.verticalScrollBar() if self.isWrapping() else self.horizontalScrollBar()

    @property
    def _at_newest(self) -> bool:
        return self._bar.value() >= self._bar.maximum()

    def _mark(self, replay: int | None) -> None:
        self._replay = replay
        row = self.frames.row_of(replay)
        index = self.frames.index(row) if row is not None else QModelIndex()
        if row is None:
            self.clearSelection()
        self.setCurrentIndex(index)

    @Slot(QModelIndex)
    def _turned(self, index: QModelIndex) -> None:
        """The keyboard went to another round."""
        if self.hasFocus() and index.isValid():
            self._pick(index)

    @Slot(QModelIndex)
    def _pick(self, index: QModelIndex) -> None:
        number = self.frames.frame(index.row()).round
        if number != self._replay:
            self._replay = number  # a click that moves the keyboard's place picks once
            self.round_picked.emit(number)
