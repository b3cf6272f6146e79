"""Which three frames of a scene's bracket networks and views use, as a person chooses them."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.imaging.bracket import Scene, Three, refuse_three
from smarthdr_studio.studio.widgets.controls import button, caption, describe

_PARTS = ("Under", "Reference", "Over")
_STAYS = (
    "No file changes, and Undo takes it back. Labels made of other frames stay as they are and are "
    "told; a pseudo-label of other frames is made anew before it is promoted."
)


class FramesSheet(QDialog):
    """Not modal; nothing changes before the frames are used."""

    chosen = Signal(object)  # three places in the whole bracket, None as it was found

    def __init__(self, scene: Scene, found: Scene, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Frames of {scene.id}")
        self._scene = found
        bracket = scene.whole_bracket
        names = [
            f"{number}  {frame.path.name}  ({frame.ev - bracket[0].ev:+.3g} stops)"
            for number, frame in enumerate(bracket, start=1)
        ]
        paths = [frame.path for frame in bracket]
        self._now = tuple(paths.index(path) for path in scene.frames)
        self._found = tuple(paths.index(path) for path in found.frames)
        self.boxes = [
            _box(part, names, place) for part, place in zip(_PARTS, self._now, strict=True)
        ]
        self.fault = caption("", role="warn")
        self.auto = button("As found", tip="The three that the program chose by their pixels")
        self.close_it = button("Close", tip="Nothing changes (Esc)")
        self.use = button("Use these frames", tip="From now on (Enter)", role="primary")
        self._lay_out()
        for box in self.boxes:
            box.currentIndexChanged.connect(self._weigh)
        self.auto.clicked.connect(self._show_found)
        self.close_it.clicked.connect(self.reject)
        self.use.clicked.connect(self._use)
        self._weigh()

    @property
    def three(self) -> Three:
        """The places that are picked."""
        under, reference, over = (box.currentIndex() for box in self.boxes)
        return under, reference, over

    @Slot()
    def _weigh(self) -> None:
        try:
            refuse_three(self._scene, self.three)
        except BadScene:
            self.fault.setText("Under may not be brighter than the reference, nor over darker.")
        else:
            self.fault.setText("")
        self.use.setEnabled(not self.fault.text() and self.three != self._now)
        self.auto.setEnabled(self.three != self._found)

    @Slot()
    def _show_found(self) -> None:
        for box, place in zip(self.boxes, self._found, strict=True):
            box.setCurrentIndex(place)

    @Slot()
    def _use(self) -> None:
        self.chosen.emit(None if self.three == self._found else self.three)
        self.accept()

    def _lay_out(self) -> None:
        words = caption(_STAYS, role="muted")
        for label in (words, self.fault):
            label.setWordWrap(True)
        grid, last = QGridLayout(), QHBoxLayout()
        for row, (part, box) in enumerate(zip(_PARTS, self.boxes, strict=True)):
            grid.addWidget(caption(part), row, 0)
            grid.addWidget(box, row, 1)
        grid.setColumnStretch(1, 1)
        for other in (self.auto, self.close_it):
            other.setAutoDefault(False)
        self.use.setDefault(True)
        last.addWidget(self.auto)
        last.addStretch(1)
        last.addWidget(self.close_it)
        last.addWidget(self.use)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(caption("By rising exposure; networks and views use three", role="title"))
        column.addLayout(grid)
        column.addWidget(self.fault)
        column.addWidget(words)
        column.addLayout(last)
        self.setMinimumWidth(480)


def _box(part: str, names: list[str], place: int) -> QComboBox:
    box = QComboBox()
    box.addItems(names)
    box.setCurrentIndex(place)
    describe(box, name=part, tip=f"The {part.lower()} frame")
    return box
