"""A number that is typed: with point or comma, and refused in words where it is out of range."""

from PySide6.QtCore import QPoint
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QToolTip

from smarthdr_studio.core.words import number

_TOLD_FOR_MS = 6000


class NumberField(QDoubleSpinBox):
    """Takes what lies in its range; of anything else it says why, and keeps the value it had."""

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Whatever is typed may still become a number: it is judged once it is left."""
        good = QValidator.State.Intermediate if self._refusal(text) else QValidator.State.Acceptable
        return good, text, pos

    def valueFromText(self, text: str) -> float:  # noqa: N802 - called by Qt
        """The number, whose decimals may stand behind a comma."""
        return number(self._bare(text))

    def fixup(self, text: str) -> str:
        """Asked by Qt as soon as something is left that is no value."""
        words = self._refusal(text)
        self.setAccessibleDescription(words)
        QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), words, self)
        return text

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
