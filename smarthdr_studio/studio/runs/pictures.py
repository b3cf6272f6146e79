"""One scene as several runs saw it, side by side; a double click shows one of them alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QRect, Qt, Signal, Slot
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from smarthdr_studio.core.display import DisplaySettings, Rgb8, to_rgb8, tone_table
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.imaging.printed import unheard
from smarthdr_studio.core.records import read_bytes
from smarthdr_studio.core.training.round_files import kept_rounds, open_round_file, round_path
from smarthdr_studio.studio.state import RunPicture, StudioState
from smarthdr_studio.studio.tasks import Report
from smarthdr_studio.studio.widgets.controls import Choice, ElidedLabel, describe

SAME, LAST = "same round", "last of each"
_LEAST: Final = 120  # pixels across
_MOST_AT_ONCE: Final = 6


class RunsPictures(QWidget):
    """Says which rounds are wanted; the scene is the current one."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"current", "runs"})

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
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
            painter.drawImage(QRect(QPoint(left, top), size), self._image)
        painter.end()


def _about(picture: RunPicture) -> str:
    if picture.round is None:
        return "no round to show"
    if picture.rgb8 is None:
        return f"round {picture.round}: not among its unlabelled scenes"
    return f"round {picture.round}{' · small preview' if picture.small else ''}"


_LARGEST: Final = 1600  # pixels of the long side: more than a part of a screen shows


def read_run_pictures(
    report: Report,
    *,
    runs: Sequence[Path],
    scene: str,
    display: DisplaySettings,
    common: bool,
) -> tuple[RunPicture, ...]:
    """One picture a run: the scene after its last round, or after the last that all of them made.

    A round that is kept whole is shown as the views show it; else its preview, which is small.
    """
    rounds = [_rounds_of(run) for run in runs]
    made = [known for known in rounds if known]
    shared = max(frozenset.intersection(*made), default=None) if made and common else None
    pictures = []
    for done, (run, known) in enumerate(zip(runs, rounds, strict=True)):
        report("", done, len(runs))
        number = shared if common and known else max(known, default=None)
        pictures.append(_picture(run, number, scene, display))
    return tuple(pictures)


def _rounds_of(run: Path) -> frozenset[int]:
    folders = (run / "previews").glob("*")
    previews = frozenset(int(folder.name) for folder in folders if folder.name.isdecimal())
    return previews | kept_rounds(run)


def _picture(run: Path, number: int | None, scene: str, display: DisplaySettings) -> RunPicture:
    if number is None:
        return RunPicture(run=run.name)
    whole = _kept(run, number, scene, display)
    small = _preview(run, number, scene) if whole is None else None
    return RunPicture(
        run=run.name,
        round=number,
        rgb8=small if whole is None else whole,
        small=small is not None,
    )


def _preview(run: Path, number: int, scene: str) -> Rgb8 | None:
    path = run / "previews" / f"{number:05d}" / f"{scene}.jpg"
    try:
        held = np.frombuffer(read_bytes(path), np.uint8)
    except (OSError, ValueError):
        return None
    with unheard():
        bgr = cv2.imdecode(held, cv2.IMREAD_COLOR) if held.size else None
    return None if bgr is None else np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)


def _kept(run: Path, number: int, scene: str, display: DisplaySettings) -> Rgb8 | None:
    path = round_path(run, number=number)
    if not path.is_file():
        return None
    try:
        maps = open_round_file(path).get(scene)
    except LabelError:  # its preview may still serve
        return None
    if maps is None:
        return None
    step = -(-max(maps.hdr.shape[:2]) // _LARGEST)
    table = tone_table(
        display.tone_map, exposure_ev=display.exposure_ev, mu=display.mu, gamma=display.gamma
    )
    return to_rgb8(np.ascontiguousarray(maps.hdr[::step, ::step]), table)
