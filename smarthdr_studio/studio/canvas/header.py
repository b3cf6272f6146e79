"""The title bar of a view: which layer, what is special about it, and the view's number."""

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from smarthdr_studio.studio.canvas.menu import LayerMenu
from smarthdr_studio.studio.theme import Palette

_SIGN: Final = 14  # width of the warning sign
_PLAIN: Final = "border: none; background: transparent; padding: 1px 2px;"


class Header(QWidget):
    """Says what was picked from its menu, and that the view should fill the place."""

    layer_picked = Signal(str)
    partner_picked = Signal(str)
    zebra_asked = Signal()
    maximise_asked = Signal()

    def __init__(self, *, number: int) -> None:
        super().__init__()
        self._title, self._detail = Title(), Detail()
        self._number = QToolButton()
        self.menu = LayerMenu(self, number=number)
        self._palette: Palette | None = None
        self._active = False
        self._lay_out(number)
        self._number.clicked.connect(self.maximise_asked)
        self.menu.layer_picked.connect(self.layer_picked)
        self.menu.partner_picked.connect(self.partner_picked)
        self.menu.zebra_asked.connect(self.zebra_asked)

    def show_words(self, title: str, detail: str, *, warning: str = "") -> None:
        """The layer's title, what is special about the picture, and what is wrong with it."""
        self._title.show_words(title)
        self._detail.show_words(detail, warning=warning)
        self.menu.check(title)

    def set_active(self, *, active: bool) -> None:
        """The number of the view that keys act upon is bold on a filled ground."""
        if active != self._active:
            self._active = active
            self._dress_number()

    def set_palette_colours(self, palette: Palette) -> None:
        """Title in the text's colour, everything else quieter."""
        self._palette = palette
        hover = f"QToolButton:hover {{ color: {palette.accent}; }}"
        self._title.setStyleSheet(
            f"QToolButton {{ {_PLAIN} font-weight: 600; color: {palette.text}; text-align: left; }}"
            f" {hover} QToolButton::menu-indicator {{ image: none; width: 0; }}"
        )
        self._detail.set_palette_colours(palette)
        self.menu.set_palette_colours(palette)
        self._dress_number()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click beside the words fills the place with this view, or brings all back."""
        self.maximise_asked.emit()
        event.accept()

    def _dress_number(self) -> None:
        palette = self._palette
        if palette is None:
            return
        if self._active:
            look = (
                f"border: none; border-radius: 3px; padding: 1px 5px; font-weight: 700;"
                f" background: {palette.accent}; color: {palette.on_accent};"
            )
            self._number.setStyleSheet(f"QToolButton {{ {look} }}")
        else:
            look = f"{_PLAIN} padding: 1px 5px; color: {palette.muted};"
            hover = f"QToolButton:hover {{ color: {palette.accent}; }}"
            self._number.setStyleSheet(f"QToolButton {{ {look} }} {hover}")

    def _lay_out(self, number: int) -> None:
        self._title.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._title.setMenu(self.menu)
        self._title.setAccessibleName(f"Layer of view {number}")
        self._number.setText(str(number))
        self._number.setMaximumWidth(26)
        self._number.setToolTip("Fill the place with this view, or show all again (Ctrl+Return)")
        self._number.setAccessibleName(f"Maximise view {number}")
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 3, 4, 3)
        row.setSpacing(5)
        for button in (self._title, self._number):
            # The arrow keys belong to the scene list, whatever was clicked.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self._title)
        row.addWidget(self._detail, 1)
        row.addWidget(self._number)


class Title(QToolButton):
    """A layer's name that ends in … where there is no room for all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_words(self, words: str) -> None:
        """Show this name; the tooltip holds all of it."""
        if words != self._words:
            self._words = words
            self.setToolTip(f"{words}: choose what this view shows (1 to 9 under the cursor)")
            self._shorten()
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for the whole name."""
        wide = self._room(self._words) + self._room(" ▾")
        return QSize(wide, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(self._room("Ab… ▾"), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As much of the name as there is room for."""
        super().resizeEvent(event)
        self._shorten()

    def changeEvent(self, event: QEvent) -> None:
        """Other letters need other room."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
            self._shorten()

    def _shorten(self) -> None:
        metrics = self.fontMetrics()
        room = self.width() - self._room(" ▾") - 2
        shown = metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, max(room, 0))
        self.setText(f"{shown} ▾")

    def _room(self, words: str) -> int:
        self.ensurePolished()  # bold letters are wider
        return self.fontMetrics().horizontalAdvance(words) + 4


class Detail(QWidget):
    """One quiet line, after a warning with its sign; ends in … and never asks for more width."""

    def __init__(self) -> None:
        super().__init__()
        self._words, self._warning = "", ""
        self._quiet, self._loud = QColor(), QColor()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_words(self, words: str, *, warning: str = "") -> None:
        """Show this line; the tooltip holds all of it."""
        if (words, warning) != (self._words, self._warning):
            self._words, self._warning = words, warning
            whole = " · ".join(part for part in (warning, words) if part)
            self.setToolTip(whole)
            self.setAccessibleName(f"Warning: {whole}" if warning else whole)
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """The colours of quiet words and of warnings."""
        self._quiet, self._loud = QColor(palette.muted), QColor(palette.warn)
        self.update()

    def sizeHint(self) -> QSize:
        """As high as a line of text."""
        return QSize(0, self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The line, shortened to the room there is."""
        painter = QPainter(self)
        place = self.rect()
        if self._warning and place.width() > _SIGN:
            _draw_sign(painter, place, self._loud)
            place.setLeft(place.left() + _SIGN + 4)
            place.setLeft(self._write(painter, place, self._warning, self._loud) + 10)
        self._write(painter, place, self._words, self._quiet)
        painter.end()

    def _write(self, painter: QPainter, place: QRect, words: str, colour: QColor) -> int:
        """Write what fits, and answer where it ends."""
        shown = self.fontMetrics().elidedText(
            words, Qt.TextElideMode.ElideRight, max(place.width(), 0)
        )
        painter.setPen(colour)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
        return place.left() + self.fontMetrics().horizontalAdvance(shown)


def _draw_sign(painter: QPainter, place: QRect, colour: QColor) -> None:
    """A triangle with a stroke and a dot: a shape that warns without its colour."""
    left, middle = float(place.left()), place.center().y() + 0.5
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.5))
    top, below = middle - 6, middle + 6
    painter.drawPolygon(
        QPolygonF(
            [
                QPointF(left + 1, below),
                QPointF(left + _SIGN / 2, top),
                QPointF(left + _SIGN - 1, below),
            ]
        )
    )
    x = left + _SIGN / 2
    painter.drawLine(QPointF(x, middle - 2), QPointF(x, middle + 1.5))
    painter.drawPoint(QPointF(x, middle + 4))
    painter.restore()
