"""Words over a few lines, and … where they do not end in time."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy


class ClampedLabel(QLabel):
    """A label of so many lines; the tooltip holds all of the words."""

    def __init__(self, *, lines: int, role: str = "") -> None:
        super().__init__()
        self._whole, self._lines = "", lines
        if role:
            self.setProperty("role", role)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def tell(self, words: str) -> None:
        """Show these words."""
        if words != self._whole:
            self._whole = words
            self.setToolTip(words)
            self.setAccessibleName(words)
            self._fit()

    def sizeHint(self) -> QSize:
        """Room for all lines, whatever is told, so that nothing around it jumps."""
        return QSize(200, QFontMetrics(self.font()).lineSpacing() * self._lines)

    def minimumSizeHint(self) -> QSize:
        """As high as it would be."""
        return QSize(80, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        words = self._whole.split(" ")
        kept = len(words)
        while kept > 1 and not self._fits(_ended(words, kept)):
            kept -= 1
        self.setText(_ended(words, kept))

    def _fits(self, text: str) -> bool:
        room = self.contentsRect().adjusted(0, 0, 0, 10_000)
        taken = QFontMetrics(self.font()).boundingRect(room, Qt.TextFlag.TextWordWrap, text)
        return taken.height() <= self.sizeHint().height()


def _ended(words: list[str], kept: int) -> str:
    return " ".join(words[:kept]) + (" …" if kept < len(words) else "")
