"""Numbers a person sets: typed, with point or comma, or on a slider, even or logarithmic."""

import math
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QToolTip, QWidget

from smarthdr_studio.core.words import number
from smarthdr_studio.studio.widgets.controls import ALONG, describe, takes_first

_SETTLED_MS: Final = 200  # after which the click or key that ended the typing is over


class NumberField(QDoubleSpinBox):
    """Takes what lies in its range; of anything else it says why, and keeps the value it had."""

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Whatever is typed may still become a number: it is judged once it is left."""
        good = QValidator.State.Intermediate if self._refusal(text) else QValidator.State.Acceptable
        return good, text, pos

    def valueFromText(self, text: str) -> float:  # noqa: N802 - called by Qt
        """The number, whose decimals may stand behind a comma; what was refused is past then."""
        self.setAccessibleDescription("")
        return number(self._bare(text))

    def fixup(self, text: str) -> str:
        """Asked by Qt as soon as something is left that is no value."""
        self.setAccessibleDescription(self._refusal(text))
        # Qt takes words away when the focus goes or a button is let go, as both now do.
        if self.isVisible():
            QTimer.singleShot(_SETTLED_MS, self, self._tell)
        return text

    @Slot()
    def leave(self) -> None:
        """Give the keyboard back; where something was refused, it is typed again."""
        if self.accessibleDescription():
            self.selectAll()
        else:
            self.clearFocus()

    @Slot()
    def _tell(self) -> None:
        words = self.accessibleDescription()
        if words:
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), words, self)

    def _refusal(self, text: str) -> str:
        bare = self._bare(text)
        low, high = (f"{end:g}{self.suffix()}" for end in (self.minimum(), self.maximum()))
        asked = f"type a number from {low} to {high}"
        try:
            value = number(bare)
        except ValueError:
            return f"“{bare}” is no number: {asked}" if bare else f"Nothing is typed: {asked}"
        if self.minimum() <= value <= self.maximum():
            return ""
        side = "below" if value < self.minimum() else "above"
        return f"{bare} is {side} {low if side == 'below' else high}: {asked}"

    def _bare(self, text: str) -> str:
        return text.strip().removesuffix(self.suffix().strip()).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which values a dial has: `steps` of them on its slider, evenly or by equal factors."""

    low: float
    high: float
    steps: int
    decimals: int = 0
    suffix: str = ""
    logarithmic: bool = False

    def value(self, step: int) -> float:
        """The value of a step, as short as the number beside the slider can say it."""
        share = step / self.steps
        if not self.logarithmic:
            return round(self.low + share * (self.high - self.low), self.decimals)
        exact = self.low * math.exp(share * math.log(self.high / self.low))
        return round(exact, min(self.decimals, 1 - math.floor(math.log10(exact))))

    def step(self, value: float) -> int:
        """The step next to a value, which may lie beyond both ends."""
        held = self.held(value)
        if self.logarithmic:
            return round(self.steps * math.log(held / self.low) / math.log(self.high / self.low))
        return round(self.steps * (held - self.low) / (self.high - self.low))

    def held(self, value: float) -> float:
        """The value, or the end it lies beyond."""
        return min(max(value, self.low), self.high)


class Dial(QWidget):
    """Says which value the hand picked; shows the one it is given."""

    turned = Signal(float)

    def __init__(self, span: Span, *, name: str, tip: str) -> None:
        super().__init__()
        self._span, self._shown = span, span.low
        self._slider = KeyedSlider()
        self._slider.setRange(0, span.steps)
        self._slider.setPageStep(max(span.steps // 20, 1))
        self._number = NumberField(
            minimum=span.low,
            maximum=span.high,
            decimals=span.decimals,
            singleStep=(span.high - span.low) / span.steps,
            suffix=span.suffix,
        )
        # Half a number typed is not yet a value.
        self._number.setKeyboardTracking(False)
        widest = f"{-span.high:.{span.decimals}f}{span.suffix}"
        self._number.setFixedWidth(self.fontMetrics().horizontalAdvance(widest) + 16)
        describe(self._slider, name=name, tip=tip)
        describe(self._number, name=f"{name}, number", tip=tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._slider, 1)
        row.addWidget(self._number)
        self._slider.valueChanged.connect(self._slid)
        self._number.valueChanged.connect(self._typed)
        self._number.editingFinished.connect(self._leave_number)

    @property
    def slider(self) -> QSlider:
        """The slider, to be given its room."""
        return self._slider

    @property
    def number(self) -> QDoubleSpinBox:
        """The number, to be as wide as those above and below."""
        return self._number

    def show_value(self, value: float) -> None:
        """Show a value without saying that somebody picked it."""
        if value != self._shown:
            self._shown = value
            with QSignalBlocker(self._slider), QSignalBlocker(self._number):
                self._slider.setValue(self._span.step(value))
                self._number.setValue(value)

    @Slot(int)
    def _slid(self, step: int) -> None:
        # A value set from elsewhere may lie between two steps of the slider.
        if step != self._span.step(self._shown):
            self.turned.emit(self._span.value(step))

    @Slot(float)
    def _typed(self, value: float) -> None:
        if value != round(self._span.held(self._shown), self._span.decimals):
            self.turned.emit(value)

    @Slot()
    def _leave_number(self) -> None:
        # The arrow keys belong to the scene list again.
        self._number.leave()


class KeyedSlider(QSlider):
    """A level slider that keeps the arrow keys while it has the focus, which only Tab gives."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def event(self, event: QEvent) -> bool:
        """Take the arrow keys before the window does."""
        return takes_first(event, ALONG) or super().event(event)
