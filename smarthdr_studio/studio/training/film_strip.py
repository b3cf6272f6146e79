"""One scene in every round, as small pictures side by side, the newest at the right."""

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    QSizeF,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QScrollBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.training.rounds import RecordedStatistics, RoundRecord
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.state.training import FilmFrame, FilmState
from smarthdr_studio.studio.tasks import Report, TaskRunner
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.controls import ALONG, describe, percent, small, takes_first

Index = QModelIndex | QPersistentModelIndex

_KEPT: Final = 256  # pictures of 192 pixels: some 24 MiB
_GATHER_MS: Final = 30  # what one scroll brings into sight is asked for at once
_ROOT: Final = QModelIndex()


class FilmModel(QAbstractListModel):
    """One row for every round; pictures seen longest ago are let go, and asked for anew."""

    pictures_wanted = Signal(object)  # tuple of rounds

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._film = FilmState()
        self._pictures: OrderedDict[int, QPixmap] = OrderedDict()
        self._asked: set[int] = set()
        self._wanted: set[int] = set()
        self._soon = QTimer(self, singleShot=True, interval=_GATHER_MS)
        self._soon.timeout.connect(self._ask)

    def show_film(self, film: FilmState) -> None:
        """Show these rounds; pictures stay while run and scene do."""
        before, frames = self._film, film.frames
        if (before.run, before.scene) != (film.run, film.scene):
            self._pictures.clear()
            self._asked.clear()
            self._wanted.clear()
        grown = before.frames == frames[: len(before.frames)]
        if grown and before.scene == film.scene and before.run == film.run:
            if len(frames) > len(before.frames):
                self.beginInsertRows(_ROOT, len(before.frames), len(frames) - 1)
                self._film = film
                self.endInsertRows()
            self._film = film
            return
        self.beginResetModel()
        self._film = film
        self.endResetModel()

    def take_pictures(self, run: str, scene: str, pictures: dict[int, QImage]) -> None:
        """Pictures that were asked for."""
        if (run, scene) != (self._film.run, self._film.scene):
            return
        for number, picture in pictures.items():
            self._pictures[number] = QPixmap.fromImage(picture)
            self._asked.discard(number)
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)
        if self._film.frames:
            self.dataChanged.emit(self.index(0), self.index(len(self._film.frames) - 1))

    def frame(self, row: int) -> FilmFrame:
        """What is known of the round in a row."""
        return self._film.frames[row]

    def row_of(self, number: int | None) -> int | None:
        """Where a round stands; None where it is not in the film."""
        rounds = [frame.round for frame in self._film.frames]
        return rounds.index(number) if number in rounds else None

    def picture(self, row: int) -> QPixmap | None:
        """The picture of a row that is being painted, null where there is none; None before."""
        number = self._film.frames[row].round
        if number in self._pictures:
            self._pictures.move_to_end(number)
            return self._pictures[number]
        if number not in self._asked:
            self._wanted.add(number)
            self._soon.start()
        return None

    def rowCount(self, parent: Index = _ROOT) -> int:
        """As many as rounds."""
        return 0 if parent.isValid() else len(self._film.frames)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The caption, for screen readers and as a tooltip."""
        if not index.isValid():
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return frame_in_words(self.frame(index.row()))
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{frame_in_words(self.frame(index.row()))}; click to replay it"
        return None

    @Slot()
    def _ask(self) -> None:
        wanted, self._wanted = self._wanted, set()
        self._asked |= wanted
        if wanted:
            self.pictures_wanted.emit(tuple(sorted(wanted)))


def frame_in_words(frame: FilmFrame) -> str:
    """The caption in one line."""
    if frame.took_no_part:
        return f"Round {frame.round}: took no part"
    return f"Round {frame.round}: retained {percent(frame.retained)}, σ {small(frame.sigma)}"


_SHAPE: Final = 3 / 2
_PAD: Final = 5
_NARROWEST: Final = 92
_LOWEST: Final = 48  # a tile
_HIGHEST: Final = 128  # a picture: as large as it is kept
_ENLARGED: Final = 1.5
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def instead_of_picture(frame: FilmFrame) -> str:
    """What stands where a round has no picture of the scene."""
    return "took no part" if frame.took_no_part else "no picture"


class FilmTiles(QStyledItemDelegate):
    """The replayed round has a frame, bold words and a sign."""

    def __init__(self, palette: Palette, frames: FilmModel, parent: QObject) -> None:
        super().__init__(parent)
        self.palette, self._frames, self._height, self._across = palette, frames, 96, 0

    def fit(self, room: QSize, *, line: int) -> int:
        """Tiles as high as the room, or as pictures are; how many rows of them there can be.

        `line` is the height of a line of words.
        """
        self._across, high = room.width(), room.height()
        whole = _HIGHEST + 2 * line + 2 * _PAD
        rows = max(high // whole, 1)
        self._height = max(min(high // rows, round(whole * _ENLARGED)), _LOWEST)
        return rows

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """As high as the strip, as wide as the picture; none is cut where not all have room."""
        del index
        line = option.fontMetrics.height()
        high = self._height - self._lines(line) * line - 2 * _PAD
        wide = max(round(high * _SHAPE) + 2 * _PAD, _NARROWEST)
        if self._frames.rowCount() * wide > self._across >= wide:
            wide = self._across // (self._across // wide)
        return QSize(wide, self._height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one round."""
        frame, picture = self._frames.frame(index.row()), self._frames.picture(index.row())
        line = option.fontMetrics.height()
        tile = self._tile(QRectF(option.rect))
        room, caption = self._parts(tile, line=line)
        replayed = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(option.font)
        self._draw_picture(painter, room, picture, instead=instead_of_picture(frame))
        if replayed:
            painter.setPen(QPen(QColor(self.palette.accent), 2))
            painter.drawRect(tile.adjusted(1, 1, -1, -1))
        words = QRectF(caption.topLeft(), QSizeF(caption.width(), line))
        self._draw_words(painter, words, frame, replayed=replayed)
        if caption.height() > line:
            painter.setFont(option.font)
            painter.setPen(QColor(self.palette.muted))
            painter.drawText(words.translated(0, line), _LEFT, f"σ {small(frame.sigma)}")
        painter.restore()

    def _draw_picture(
        self, painter: QPainter, room: QRectF, picture: QPixmap | None, *, instead: str
    ) -> None:
        painter.fillRect(room, QColor(self.palette.canvas))
        if picture is None:
            return
        if picture.isNull():
            painter.setPen(QColor(self.palette.text))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, instead)
            return
        size = picture.size().toSizeF()
        size.scale(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        corner = room.center() - QPointF(size.width() / 2, size.height() / 2)
        painter.drawPixmap(QRectF(corner, size), picture, QRectF(picture.rect()))

    def _draw_words(
        self, painter: QPainter, room: QRectF, frame: FilmFrame, *, replayed: bool
    ) -> None:
        font = QFont(painter.font())
        font.setBold(replayed)
        painter.setFont(font)
        painter.setPen(QColor(self.palette.text))
        painter.drawText(room, _LEFT, f"{'▸ ' if replayed else ''}{frame.round}")
        painter.drawText(room, _RIGHT, percent(frame.retained))

    def words_in(self, place: QRect, *, row: int, line: int) -> QRectF:
        """Where words stand in the place of a row, whose lines are `line` high."""
        tile = self._tile(QRectF(place))
        _room, caption = self._parts(tile, line=line)
        picture = self._frames.picture(row)
        return tile if picture is not None and picture.isNull() else caption

    def _tile(self, place: QRectF) -> QRectF:
        """A list of one row makes its items as high as itself."""
        return QRectF(place.topLeft(), QSizeF(place.width(), min(place.height(), self._height)))

    def _parts(self, tile: QRectF, *, line: int) -> tuple[QRectF, QRectF]:
        """The room of the picture, and that of the words below it."""
        foot = self._lines(line) * line
        room = tile.adjusted(_PAD, _PAD, -_PAD, -_PAD - foot)
        return room, QRectF(room.left(), room.bottom(), room.width(), foot)

    def _lines(self, line: int) -> int:
        """σ stands in a line of its own where the strip is high enough."""
        return 2 if self._height > 5 * line else 1


_CENTRE: Final = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
_NOTHING: Final = "A film of the scene grows here, one picture for every round of training."
_NO_ROUNDS: Final = "No film of {scene} yet: it begins with the first round of training."
_NOT_YET: Final = "No round of this run yet: its film of {scene} begins with the first one."
_NOT_IN_POOL: Final = "No film of {scene}, which is {status}: only unlabelled scenes have one."
_IS: Final[Mapping[Status, str]] = {
    Status.GROUND_TRUTH: "labelled",
    Status.PROMOTED: "promoted",
    Status.EXCLUDED: "excluded",
    Status.TEST: "for testing",
}


def why_no_film(scene: str, status: Status, *, of_this_run: bool) -> str:
    """Why there are no pictures of a scene; `of_this_run` where a run before had some."""
    if status in _IS:
        return _NOT_IN_POOL.format(scene=scene, status=_IS[status])
    return (_NOT_YET if of_this_run else _NO_ROUNDS).format(scene=scene)


class FilmStrip(QListView):
    """Says which round is to be replayed; follows the newest unless one has scrolled back."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"film", "replay", "scenes", "training"})

    round_picked = Signal(object)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.frames = FilmModel(self)
        self._tiles = FilmTiles(palette, self.frames, self)
        self._replay: int | None = None
        self._words, self._film = _NOTHING, FilmState()
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
        """Show the rounds there are, and which is replayed; none of a run before that at work."""
        before, film, words = self._film, new.film, _NOTHING
        older = new.training.busy and new.training.run and film.run not in ("", new.training.run)
        if older:
            film = replace(film, frames=())
        if film.scene:
            row = new.row(film.scene)
            status = Status.UNLABELLED if row is None else row.status
            words = why_no_film(film.scene, status, of_this_run=bool(older))
        changed = before != film or self._words != words
        if changed:
            other = (before.run, before.scene) != (film.run, film.scene)
            following = other or self._at_newest
            self.frames.show_film(film)
            self._film, self._words = film, words
            self.viewport().update()
            if following:
                self.go_to_newest()
        if changed or old.replay != new.replay:
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
        room = self.maximumViewportSize()
        room.setHeight(room.height() - self.horizontalScrollBar().sizeHint().height())
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
        painter.drawText(self._room_of_words, _CENTRE, self._words)
        painter.end()

    def places_of_words(self) -> tuple[QRectF, ...]:
        """Under the pictures in sight, or in the middle where there are none."""
        metrics, sight = self.fontMetrics(), self.viewport().rect()
        if not self.frames.rowCount():
            return (QRectF(metrics.boundingRect(self._room_of_words, _CENTRE, self._words)),)
        places = (self.visualRect(self.frames.index(row)) for row in range(self.frames.rowCount()))
        return tuple(
            self._tiles.words_in(place, row=row, line=metrics.height())
            for row, place in enumerate(places)
            if place.intersects(sight)
        )

    @property
    def _room_of_words(self) -> QRect:
        return self.viewport().rect().adjusted(12, 0, -12, 0)

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


def read_previews(
    report: Report, *, run: Path, scene: str, rounds: tuple[int, ...]
) -> dict[int, QImage]:
    """A picture of each round; one that is not there, or cannot be read, is a null picture.

    Args:
        report: hears how many are read; it may raise to give up.
        run: the run's folder, in which they lie as previews/00012/<scene>.jpg.
        scene: whose pictures.
        rounds: of which rounds.
    """
    found = {}
    for done, number in enumerate(rounds):
        report("reading pictures of past rounds", done, len(rounds))
        found[number] = QImage(str(run / "previews" / f"{number:05d}" / f"{scene}.jpg"))
    return found


class FilmController(QObject):
    """Follows the scene on the screen, or keeps to one; pictures are read as they are wanted."""

    pictures_came = Signal(str, str, object)  # run, scene, pictures by round; null where none

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store, self._tasks = store, tasks

    @Slot()
    def refresh(self) -> None:
        """Another scene is looked at, or there are more rounds."""
        state = self._store.state
        known = {row.id for row in state.scenes}
        pinned = state.film.pinned if state.film.pinned in known else ""
        scene, history = pinned or state.current or "", state.history
        frames: tuple[FilmFrame, ...] = ()
        if history is not None and scene:
            frames = tuple(_frame(record, scene) for record in history.records)
            if all(frame.retained is None for frame in frames):
                frames = ()  # a scene with a label takes no part in rounds
        run = history.run if history is not None else ""
        self._store.become(film=FilmState(run=run, scene=scene, pinned=pinned, frames=frames))

    @Slot(bool)
    def pin(self, on: object) -> None:
        """Keep to the scene that is shown, or follow the one on the screen again."""
        film = self._store.state.film
        self._store.become(
            film=FilmState(
                run=film.run, scene=film.scene, pinned=film.scene if on else "", frames=film.frames
            )
        )
        self.refresh()

    @Slot(object)
    def want(self, rounds: tuple[int, ...]) -> None:
        """Read the pictures of these rounds."""
        film = self._store.state.film
        if self._store.project is None or not film.run or not rounds:
            return
        run = self._store.project.runs_folder / film.run
        self._tasks.start(
            partial(read_previews, run=run, scene=film.scene, rounds=rounds),
            partial(self._came, film.run, film.scene),
        )

    def _came(self, run: str, scene: str, pictures: dict[int, QImage]) -> None:
        film = self._store.state.film
        if (run, scene) == (film.run, film.scene):
            self.pictures_came.emit(run, scene, pictures)


def _frame(record: RoundRecord, scene: str) -> FilmFrame:
    sigma = None
    if isinstance(record.statistics, RecordedStatistics) and scene in record.statistics:
        # Border patches may be smaller; for a caption their mean is near enough.
        sigma = float(np.mean(record.statistics.means(scene)))
        sigma = sigma if math.isfinite(sigma) else None
    return FilmFrame(round=record.round, retained=record.retained.get(scene), sigma=sigma)
