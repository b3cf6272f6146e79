"""One of the views: a title bar over a picture."""

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QVBoxLayout

from smarthdr_studio.core.display import Painted
from smarthdr_studio.studio.canvas.exhibit import Mode
from smarthdr_studio.studio.canvas.header import Header
from smarthdr_studio.studio.canvas.picture import Picture
from smarthdr_studio.studio.theme import DARK, Palette


class View(QFrame):
    """Shows what was painted; its picture and header say what the hand asks for."""

    layer_picked = Signal(str)
    partner_picked = Signal(str)
    zebra_asked = Signal()
    maximise_asked = Signal()
    pointed = Signal()

    def __init__(self, *, number: int) -> None:
        super().__init__()
        self._number, self._active, self._palette = number, False, DARK
        self.header, self.picture = Header(number=number), Picture()
        self.setObjectName("card")
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 0, 5, 5)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.picture, 1)
        self.header.layer_picked.connect(self.layer_picked)
        self.header.partner_picked.connect(self.partner_picked)
        self.header.zebra_asked.connect(self.zebra_asked)
        self.header.maximise_asked.connect(self.maximise_asked)
        self.picture.pointed.connect(self.pointed)
        self.setAccessibleName(f"View {number}")

    @property
    def painted(self) -> Painted:
        """The view's own picture."""
        return self.picture.exhibit.own.painted

    def show_painted(self, painted: Painted) -> None:
        """Show a finished picture, or why there is none."""
        self.header.show_words(painted.title, painted.detail, warning=painted.warning)
        self.picture.show_picture(painted)
        self._describe()

    def show_partner(self, painted: Painted | None, *, mode: Mode) -> None:
        """Hold a partner against the picture, or take it away."""
        self.picture.show_partner(painted, mode=mode)
        self._describe()

    def set_active(self, *, active: bool) -> None:
        """Mark the view that keys act upon, by its frame and by its number."""
        if active != self._active:
            self._active = active
            self.header.set_active(active=active)
            self.picture.set_minimap(visible=active)
            self._describe()
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress header and picture."""
        self._palette = palette
        self.header.set_palette_colours(palette)
        self.picture.set_palette_colours(palette)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the frame or beside the words of the title bar is meant for this view."""
        self.pointed.emit()
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame, with a quiet line around the active view."""
        super().paintEvent(event)
        if self._active:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._palette.accent), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5.5, 5.5)
            painter.end()

    def _describe(self) -> None:
        """Say in words what is shown, for those who hear the screen."""
        painted, partner = self.painted, self.picture.exhibit.partner
        parts = [painted.title, painted.warning, painted.why_empty or painted.detail]
        if partner is not None:
            parts.append(f"compared with {partner.painted.title}")
        words = ", ".join(part for part in parts if part)
        active = " (active)" if self._active else ""
        self.setAccessibleName(f"View {self._number}{active}: {words}")
        self.picture.setAccessibleName(f"Picture {self._number}: {words}")
