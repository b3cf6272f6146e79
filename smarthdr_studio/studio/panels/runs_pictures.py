"""One scene as several runs saw it, side by side; a double click shows one of them alone."""

from typing import Final

from PySide6.QtCore import QPoint, QRect, Qt, Signal, Slot
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.panels.parts import ElidedLabel, describe
from smarthdr_studio.studio.state import RunPicture, StudioState

SAME, LAST = "same round", "last of each"
_LEAST: Final = 120  # pixels across
_MOST_AT_ONCE: Final = 6


class RunsPictures(QWidget):
    """Says which rounds are wanted; the scene is the current one."""

    common_picked = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._alone = -1
        self._titles: dict[str, str] = {}
        self._scene = ElidedLabel(role="title")
        self._which = Choice(
            {
                SAME: "The last round that all of these runs have made",
                LAST: "The last round of each run",
            },
            name="Round",
        )
        self._which.show_word(SAME)
        self._row = QHBoxLayout()
        self._frames = [_Frame() for _ in range(_MOST_AT_ONCE)]
        self._lay_out()
        self._which.picked.connect(self._pick)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """The scene these pictures are of, and what the runs are called."""
        if old.current != new.current:
            self._scene.tell(f"Scene {new.current}" if new.current else "No scene")
        if old.runs.common != new.runs.common:
            self._which.show_word(SAME if new.runs.common else LAST)
        if old.runs.titles != new.runs.titles:
            self._titles = dict(new.runs.titles)

    @Slot(object)
    def show_pictures(self, pictures: tuple[RunPicture, ...]) -> None:
        """Show these, in their order."""
        self._which.setEnabled(len(pictures) > 1)
        if self._alone >= len(pictures):
            self._alone = -1
        for place, frame in enumerate(self._frames):
            picture = pictures[place] if place < len(pictures) else None
            frame.setVisible(picture is not None and self._alone in (-1, place))
            if picture is not None:
                frame.show_picture(picture, self._titles.get(picture.run, picture.run))

    @Slot(str)
    def _pick(self, word: str) -> None:
        self._which.show_word(word)
        self.common_picked.emit(word == SAME)

    @Slot()
    def _toggle(self) -> None:
        """One picture alone, or all again."""
        frame = self.sender()
        shown = [each for each in self._frames if not each.empty]
        place = self._frames.index(frame) if isinstance(frame, _Frame) else 0
        self._alone = -1 if self._alone == place else place
        for each in shown:
            each.setVisible(self._alone in (-1, self._frames.index(each)))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._scene, 1)
        head.addWidget(self._which)
        self._row.setSpacing(8)
        for frame in self._frames:
            frame.hide()
            frame.alone_asked.connect(self._toggle)
            self._row.addWidget(frame, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addLayout(self._row, 1)


class _Frame(QWidget):
    """One picture, as large as there is room, under the name of its run."""

    alone_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.empty = True
        self._image = QImage()
        self._name, self._about = ElidedLabel(), ElidedLabel(role="muted")
        self._view = _View()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._name)
        column.addWidget(self._view, 1)
        column.addWidget(self._about)
        describe(self._view, name="Picture", tip="Double click: this one alone, or all again")

    def show_picture(self, picture: RunPicture, title: str) -> None:
        """Show it and say which round it is of."""
        self.empty = False
        self._name.tell(title)
        self._about.tell(_about(picture) if picture.rgb8 is not None else "")
        self._view.show_picture(picture)
        self._view.setAccessibleName(f"{title}: {_about(picture)}")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """This one alone, or all again."""
        self.alone_asked.emit()
        event.accept()


class _View(QWidget):
    """Paints a picture whole, in the middle of its room."""

    def __init__(self) -> None:
        super().__init__()
        self._image, self._words = QImage(), ""
        self.setMinimumSize(_LEAST, _LEAST // 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: RunPicture) -> None:
        """Show these pixels, or none."""
        rgb8 = picture.rgb8
        self._words = _about(picture) if rgb8 is None else ""
        if rgb8 is None:
            self._image = QImage()
        else:
            height, width, _ = rgb8.shape
            form = QImage.Format.Format_RGB888
            # copy() because QImage does not own the array's memory.
            self._image = QImage(rgb8.data, width, height, 3 * width, form).copy()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Shrunk or enlarged smoothly: this is for comparing at a glance."""
        painter = QPainter(self)
        if self._image.isNull():
            painter.setPen(self.palette().placeholderText().color())
            middle = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), middle, self._words)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        painter.drawImage(QRect(QPoint(left, top), size), self._image)


def _about(picture: RunPicture) -> str:
    if picture.round is None:
        return "no round to show"
    if picture.rgb8 is None:
        return f"round {picture.round}: not among its unlabelled scenes"
    return f"round {picture.round}{' · small preview' if picture.small else ''}"
