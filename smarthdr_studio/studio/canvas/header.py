"""The title bar of a view: which layer, what is special about it, and the view's number."""

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from smarthdr_studio.core.display import Layer
from smarthdr_studio.studio.theme import Palette

_KEYS = 9


class Header(QWidget):
    """Says which layer was picked from its menu, and that the view should fill the place."""

    layer_picked = Signal(str)
    maximise_asked = Signal()

    def __init__(self, *, number: int) -> None:
        super().__init__()
        self._title, self._detail = QToolButton(), Faint()
        self._number = QToolButton()
        self._menu, self._group = QMenu(self), QActionGroup(self)
        self._fill_menu()
        self._lay_out(number)
        self._number.clicked.connect(self.maximise_asked)
        self._group.triggered.connect(self._picked)

    def show_words(self, title: str, detail: str) -> None:
        """The layer's title and what is special about the picture."""
        self._title.setText(f"{title} ▾")
        self._detail.show_words(detail)
        for action in self._group.actions():
            action.setChecked(action.data() == title)

    def set_palette_colours(self, palette: Palette) -> None:
        """Title in the text's colour, everything else quieter."""
        plain = "border: none; background: transparent; padding: 1px 2px;"
        hover = f"QToolButton:hover {{ color: {palette.accent}; }}"
        self._title.setStyleSheet(
            f"QToolButton {{ {plain} font-weight: 600; color: {palette.text}; }} {hover}"
            "QToolButton::menu-indicator { image: none; width: 0; }"
        )
        self._number.setStyleSheet(f"QToolButton {{ {plain} color: {palette.muted}; }} {hover}")
        self._detail.set_palette_colours(palette)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click beside the words fills the place with this view, or brings all back."""
        self.maximise_asked.emit()
        event.accept()

    def _fill_menu(self) -> None:
        for position, layer in enumerate(Layer, 1):
            key = f"\t{position}" if position <= _KEYS else ""
            action = QAction(layer.value + key, self._group)
            action.setData(layer.value)
            action.setCheckable(True)
            action.setToolTip(layer.tip)
            self._menu.addAction(action)
        self._menu.setToolTipsVisible(True)

    def _lay_out(self, number: int) -> None:
        self._title.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._title.setMenu(self._menu)
        self._title.setToolTip("Choose what this view shows (1 to 9 under the cursor)")
        self._title.setAccessibleName(f"Layer of view {number}")
        self._number.setText(str(number))
        self._number.setToolTip("Fill the place with this view, or show all four again")
        self._number.setAccessibleName(f"Maximise view {number}")
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 6, 3)
        row.setSpacing(6)
        for button in (self._title, self._number):
            # The arrow keys belong to the scene list, whatever was clicked.
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row.addWidget(self._title)
        row.addWidget(self._detail, 1)
        row.addWidget(self._number)

    @Slot(QAction)
    def _picked(self, action: QAction) -> None:
        self.layer_picked.emit(action.data())


class Faint(QWidget):
    """One quiet line that ends in … where there is no room; never asks for more width."""

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self._colour = QColor()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_words(self, words: str) -> None:
        """Show this line; the tooltip holds all of it."""
        if words != self._words:
            self._words = words
            self.setToolTip(words)
            self.setAccessibleName(words)
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """The colour of quiet words."""
        self._colour = QColor(palette.muted)
        self.update()

    def sizeHint(self) -> QSize:
        """As high as a line of text."""
        return QSize(0, self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The line, shortened to the room there is."""
        painter = QPainter(self)
        words = self.fontMetrics().elidedText(
            self._words, Qt.TextElideMode.ElideRight, self.width()
        )
        painter.setPen(self._colour)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()
