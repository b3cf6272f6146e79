"""One threshold: a slider, a number, how scores are made, and room for their histogram."""

from typing import Final

from PySide6.QtCore import Qt, Signal, SignalInstance, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from smarthdr_studio.core.masking import Level
from smarthdr_studio.studio.panels.level_choice import LevelChoice
from smarthdr_studio.studio.panels.parts import ElidedLabel, caption, describe

_STEPS: Final = 100


class ThresholdControl(QWidget):
    """Says where the hand moves the threshold, and where it left it."""

    moved = Signal(float)
    settled = Signal(float)
    level_picked = Signal(object)

    def __init__(self, *, symbol: str, what: str, score: str, tip: str) -> None:
        super().__init__()
        self._score = score
        self._shown = -1.0
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _STEPS)
        self._slider.setPageStep(_STEPS // 10)
        self._number = QDoubleSpinBox(minimum=0.0, maximum=1.0, singleStep=1 / _STEPS, decimals=2)
        self._number.setFixedWidth(self.fontMetrics().horizontalAdvance("0.00") + 20)
        # Half a number typed is not yet a threshold.
        self._number.setKeyboardTracking(False)
        describe(self._slider, name=f"{symbol} {what}", tip=tip)
        describe(self._number, name=f"{symbol} {what}, number", tip=tip)
        self._level = LevelChoice(score=score)
        self._whose = ElidedLabel(role="muted")
        self._column = QVBoxLayout(self)
        self._lay_out(symbol, what)
        self._level.picked.connect(self.level_picked)
        self._slider.valueChanged.connect(self._slid)
        self._slider.sliderReleased.connect(self._released)
        self._number.valueChanged.connect(self._typed)
        self._number.editingFinished.connect(self._leave_number)

    def show_value(self, value: float) -> None:
        """Show a threshold without saying that somebody moved it."""
        if value != self._shown:
            self._shown = value
            self._slider.setValue(round(value * _STEPS))
            self._number.setValue(value)

    def show_level(self, level: Level) -> None:
        """Show how the scores are made."""
        self._level.show_level(level)

    def show_scope(self, scope: str) -> None:
        """Say whose scores the histogram counts."""
        self._whose.tell(f"{self._score} of {scope}")

    def listen_to(self, dragged: SignalInstance, released: SignalInstance) -> None:
        """Take the hand on a histogram for a hand on the slider."""
        dragged.connect(self.moved)
        released.connect(self.settled)

    def place_histogram(self, histogram: QWidget) -> None:
        """Put the histogram under the slider."""
        self._column.addWidget(histogram, 1)

    def _lay_out(self, symbol: str, what: str) -> None:
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(caption(f"<b>{symbol}</b> {what}"))
        row.addWidget(self._slider, 1)
        row.addWidget(self._number)
        self._column.addLayout(row)
        below = QHBoxLayout()
        below.setSpacing(4)
        below.addWidget(self._whose, 1)
        below.addWidget(self._level)
        self._column.addLayout(below)

    @Slot(int)
    def _slid(self, step: int) -> None:
        # A threshold set from elsewhere may lie between two steps of the slider.
        if step != round(self._shown * _STEPS):
            self._say(step / _STEPS, final=not self._slider.isSliderDown())

    @Slot(float)
    def _typed(self, value: float) -> None:
        if value != round(self._shown, 2):
            self._say(value, final=True)

    @Slot()
    def _released(self) -> None:
        self.settled.emit(self._shown)

    @Slot()
    def _leave_number(self) -> None:
        # The arrow keys belong to the scene list again.
        self._number.clearFocus()

    def _say(self, value: float, *, final: bool) -> None:
        self.moved.emit(value)
        if final:
            self.settled.emit(value)
