"""The small pieces every panel is built of: cards, captions, buttons, words for numbers."""

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

GAP: Final = 8


def card(*, name: str, margin: int = 10) -> tuple[QFrame, QVBoxLayout]:
    """A framed box and its column."""
    frame = QFrame()
    frame.setObjectName("card")
    frame.setAccessibleName(name)
    column = QVBoxLayout(frame)
    column.setContentsMargins(margin, margin - 2, margin, margin)
    column.setSpacing(6)
    return frame, column


def caption(text: str, *, role: str = "") -> QLabel:
    """A label; roles are those of the style sheet."""
    label = QLabel(text)
    if role:
        label.setProperty("role", role)
    return label


def button(text: str, *, tip: str, role: str = "") -> QPushButton:
    """A push button that tells what it does, to the eye and to a screen reader."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAccessibleName(text)
    made.setAccessibleDescription(tip)
    if role:
        made.setProperty("role", role)
    return made


def describe(widget: QWidget, *, name: str, tip: str) -> None:
    """Name a control for a screen reader and for the mouse."""
    widget.setAccessibleName(name)
    widget.setToolTip(tip)


def give_role(widget: QWidget, *, role: str) -> None:
    """Change a widget's role of the style sheet."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def clear(layout: QLayout) -> None:
    """Take every widget out of a layout and let it go."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()


def percent(share: float | None) -> str:
    """A share in [0, 1] as whole percent; a dash where there is none."""
    if share is None:
        return "–"
    whole = round(share * 100)
    if whole in (0, 100) and share not in (0, 1):
        return "< 1 %" if whole == 0 else "> 99 %"
    return f"{whole} %"


def small(value: float | None) -> str:
    """A small positive number with two telling digits; a dash where there is none."""
    return "–" if value is None else f"{value:.2g}" if value < 0.0095 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """How long, in words, as precise as anyone needs."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class ElidedLabel(QLabel):
    """One line of text that shortens itself and tells the whole in its tooltip."""

    def __init__(
        self, *, role: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight
    ) -> None:
        super().__init__()
        self._whole, self._mode = "", mode
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if role:
            self.setProperty("role", role)

    def tell(self, text: str) -> None:
        """Show this text."""
        if text != self._whole:
            self._whole = text
            self._fit()

    @property
    def whole(self) -> str:
        """The text before it was shortened."""
        return self._whole

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(24, QFontMetrics(self.font()).height())

    def sizeHint(self) -> QSize:
        """The whole text, if there is room."""
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self._whole) + 2, metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        short = QFontMetrics(self.font()).elidedText(self._whole, self._mode, self.width())
        self.setText(short)
        self.setToolTip(self._whole if short != self._whole else "")
        self.setAccessibleName(self._whole)
        self.updateGeometry()
