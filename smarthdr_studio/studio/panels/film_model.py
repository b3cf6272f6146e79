"""The rounds of a film as Qt wants them: each asks for its picture when it is painted."""

from collections import OrderedDict
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QImage, QPixmap

from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.state.watching import FilmFrame, FilmState

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
    if frame.retained is None and frame.sigma is None:
        return f"Round {frame.round}: took no part"
    return f"Round {frame.round}: kept {percent(frame.retained)}, σ {small(frame.sigma)}"
