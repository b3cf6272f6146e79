"""A question about the run, asked in the place of its buttons so that nothing else has to wait."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from smarthdr_studio.studio.panels.parts import ElidedLabel, button, describe, give_role

_WIDTH: Final = 90


class SteeringQuestion(QWidget):
    """Asks for a yes, or for a number; `closed` tells that the buttons may come back."""

    discard_confirmed = Signal()
    rate_picked = Signal(float)
    refresh_picked = Signal(int)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._words, self._rest = ElidedLabel(), ElidedLabel(role="muted")
        self._field = _Field()
        self._field.setFixedWidth(_WIDTH)
        self._yes = button("Set", tip="Ask this of the run (Return)", role="primary")
        self._no = button("Cancel", tip="Leave the run as it is (Esc)")
        self._answer: Callable[[], bool] = lambda: True
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for part in (self._words, self._field, self._rest, self._yes, self._no):
            row.addWidget(part, 1 if part is self._rest else 0)
        self._words.setSizePolicy(self._no.sizePolicy())
        self._yes.clicked.connect(self._take)
        self._field.returnPressed.connect(self._take)
        self._no.clicked.connect(self.closed)
        self._field.left.connect(self.closed)

    def ask_discard(self, *, at_work: bool) -> None:
        """Whether the run is to go to the trash."""
        words = "Stop and discard this run?" if at_work else "Discard this run?"
        self._say(words, "to the trash; it can be restored", yes="Discard", no="Keep")
        self._field.hide()
        give_role(self._yes, role="")
        self._answer = self._discard
        self._no.setFocus()

    def ask_rate(self, rate: float | None, *, epoch: int) -> None:
        """For a learning rate; `epoch` counts from 0."""
        self._ask(f"{rate or 2e-4:.3g}", "Learning rate", f"from epoch {epoch + 2} on")
        describe(self._field, name="Learning rate", tip="A number above 0, as 0.0002 or 2e-4")
        self._answer = self._pick_rate

    def ask_refresh(self, *, epoch: int) -> None:
        """For the epochs between two rounds; `epoch` counts from 0."""
        self._ask("1", "A round every", f"epochs, from epoch {epoch + 2} on")
        describe(self._field, name="Epochs between two rounds", tip="A whole number from 1")
        self._answer = self._pick_refresh

    def _ask(self, value: str, words: str, rest: str) -> None:
        self._say(words, rest, yes="Set", no="Cancel")
        give_role(self._yes, role="primary")
        self._field.show()
        self._field.setText(value)
        self._field.selectAll()
        self._field.setFocus()

    def _say(self, words: str, rest: str, *, yes: str, no: str) -> None:
        self._words.tell(words)
        self._rest.tell(rest)
        for made, text in ((self._yes, yes), (self._no, no)):
            made.setText(text)
            made.setAccessibleName(text)

    @Slot()
    def _take(self) -> None:
        if self._answer():
            self.closed.emit()
        else:
            self._rest.tell(self._field.toolTip().lower())
            self._field.selectAll()

    def _discard(self) -> bool:
        self.discard_confirmed.emit()
        return True

    def _pick_rate(self) -> bool:
        try:
            rate = float(self._field.text().replace(",", "."))
        except ValueError:
            return False
        if not 0 < rate < 1:
            return False
        self.rate_picked.emit(rate)
        return True

    def _pick_refresh(self) -> bool:
        text = self._field.text().strip()
        if not (text.isdecimal() and int(text) > 0):
            return False
        self.refresh_picked.emit(int(text))
        return True


class _Field(QLineEdit):
    """Tells when Escape has given the keyboard back."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        """A click elsewhere leaves the question open: who looks something up comes back."""
        done = super().event(event)
        if isinstance(event, QFocusEvent) and event.lostFocus() and _was_given_back(event):
            self.left.emit()
        return done


def _was_given_back(event: QFocusEvent) -> bool:
    return event.reason() is Qt.FocusReason.OtherFocusReason
