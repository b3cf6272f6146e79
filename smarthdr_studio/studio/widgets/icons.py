"""Icons for buttons that have no room for words: SVG in the colour of the text."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPixmap, QPolygonF
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QPushButton, QWidget

from smarthdr_studio.core.environment import resource

_FIELD: Final = 16
_WIDE: Final = 30
_ARROW: Final = 12
_SVG: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_FIELD} {_FIELD}" fill="none" '
    'stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="bevel">'
)


@dataclass(frozen=True, slots=True)
class Icon:
    """A drawing on a field of 16×16; `currentColor` in it is the colour it is wanted in."""

    svg: str

    def paint(self, painter: QPainter, where: QPointF, *, colour: QColor) -> None:
        """Draw it with its upper left corner here, as fine as the screen is."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _renderer(self.svg, colour.name()).render(painter, QRectF(where, QSizeF(_FIELD, _FIELD)))
        painter.restore()

    def for_menu(self, widget: QWidget, *, colour: QColor | None = None) -> QIcon:
        """As an icon for a menu of this widget, sharp on its screen; the text's colour if none."""
        dense = widget.devicePixelRatioF()
        pixmap = QPixmap(QSize(_FIELD, _FIELD) * dense)
        pixmap.setDevicePixelRatio(dense)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QPointF(0, 0), colour=colour or _ink(widget))
        painter.end()
        return QIcon(pixmap)


@cache
def icon(name: str) -> Icon:
    """The icon of this name under resources/icons."""
    return Icon(resource("icons", f"{name}.svg").read_text(encoding="utf-8"))


def grid_icon(columns: int, count: int, *, filled: bool = False) -> Icon:
    """Little views, row by row, the last row as full as it is."""
    rows = -(-count // columns)
    wide, high = (_FIELD - 1) / columns, (_FIELD - 3) / rows
    cells = "".join(
        f'<rect x="{column * wide + 0.5}" y="{row * high + 1.5}" '
        f'width="{wide - 2}" height="{high - 2}"/>'
        for row, column in (divmod(place, columns) for place in range(count))
    )
    return Icon(f'{_SVG}<g fill="{"currentColor" if filled else "none"}">{cells}</g></svg>')


class IconButton(QPushButton):
    """A button with an icon; with `opens` it also shows that a menu hangs below it."""

    def __init__(self, icon: Icon, *, name: str, tip: str, opens: bool = False) -> None:
        super().__init__()
        self._icon, self._opens, self._words = icon, opens, ""
        self.setAccessibleName(name)
        self.setAccessibleDescription(tip)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.spell("")

    def show_icon(self, icon: Icon) -> None:
        """Show another icon."""
        self._icon = icon
        self.update()

    def spell(self, words: str) -> None:
        """Write these words beside the icon; none where there is no room for them."""
        self._words = words
        self.setFixedWidth(_WIDE + (_ARROW if self._opens else 0) + self.room_for(words))
        self.update()

    @property
    def words(self) -> str:
        """What is written beside the icon."""
        return self._words

    def room_for(self, words: str) -> int:
        """How much wider words make the button."""
        return self.fontMetrics().horizontalAdvance(words) + 5 if words else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button as the style draws it, the icon and the words on it."""
        super().paintEvent(event)
        painter = QPainter(self)
        left, colour = (_WIDE - _FIELD) / 2, _ink(self)
        top = (self.height() - _FIELD) / 2
        self._icon.paint(painter, QPointF(left, top), colour=colour)
        painter.setPen(colour)
        room = QRectF(self.rect()).adjusted(left + _FIELD + 5, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self._words)
        if self._opens:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            corner = QPointF(self.width() - 8 - 7, self.height() / 2 - 2)
            points = (corner, corner + QPointF(7, 0), corner + QPointF(3.5, 4))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF(points))
        painter.end()


@lru_cache(maxsize=128)
def _renderer(svg: str, colour: str) -> QSvgRenderer:
    """The drawing in one colour, read once."""
    tinted = svg.replace("currentColor", colour)
    return QSvgRenderer(QByteArray(tinted.encode()))


def _ink(widget: QWidget) -> QColor:
    """The text's colour, faint where nothing can be pressed."""
    role = widget.palette().ColorRole.ButtonText
    group = widget.palette().ColorGroup
    return widget.palette().color(group.Normal if widget.isEnabled() else group.Disabled, role)
