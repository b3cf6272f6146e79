"""Small drawn signs for buttons that have no room for words, in the colour of the text."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QPushButton, QWidget

from smarthdr_studio.studio.panels.parts import describe

Glyph = Callable[[QPainter], None]  # draws on a field of 16×16 with the pen it is given

_FIELD: Final = 16
_WIDE: Final = 30
_ARROW: Final = 12


class GlyphButton(QPushButton):
    """A button with a drawn sign; with `opens` it also shows that a menu hangs below it."""

    def __init__(self, glyph: Glyph, *, name: str, tip: str, opens: bool = False) -> None:
        super().__init__()
        self._glyph, self._opens, self._words = glyph, opens, ""
        describe(self, name=name, tip=tip)
        self.setAccessibleDescription(tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.spell("")

    def draw_with(self, glyph: Glyph) -> None:
        """Show another sign."""
        self._glyph = glyph
        self.update()

    def spell(self, words: str) -> None:
        """Write these words beside the sign; none where there is no room for them."""
        self._words = words
        self.setFixedWidth(_WIDE + (_ARROW if self._opens else 0) + self.room_for(words))
        self.update()

    @property
    def words(self) -> str:
        """What is written beside the sign."""
        return self._words

    def room_for(self, words: str) -> int:
        """How much wider words make the button."""
        return self.fontMetrics().horizontalAdvance(words) + 5 if words else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button as the style draws it, the sign and the words on it."""
        super().paintEvent(event)
        painter = QPainter(self)
        left, colour = (_WIDE - _FIELD) / 2, _ink(self)
        top = (self.height() - _FIELD) / 2
        put_glyph(painter, self._glyph, QPointF(left, top), colour=colour)
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


def glyph_icon(glyph: Glyph, widget: QWidget) -> QIcon:
    """The sign as an icon for a menu of this widget, sharp on its screen."""
    dense = widget.devicePixelRatioF()
    pixmap = QPixmap(QSize(_FIELD, _FIELD) * dense)
    pixmap.setDevicePixelRatio(dense)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    put_glyph(painter, glyph, QPointF(0, 0), colour=_ink(widget))
    painter.end()
    return QIcon(pixmap)


def put_glyph(painter: QPainter, glyph: Glyph, where: QPointF, *, colour: QColor) -> None:
    """Draw a sign with its upper left corner here."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(where)
    painter.setPen(QPen(colour, 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    glyph(painter)
    painter.restore()


def grid(columns: int, count: int, *, filled: bool = False) -> Glyph:
    """Little views, row by row, the last row as full as it is."""
    rows = -(-count // columns)

    def draw(painter: QPainter) -> None:
        painter.setBrush(painter.pen().color() if filled else Qt.BrushStyle.NoBrush)
        wide, high = (_FIELD - 1) / columns, (_FIELD - 3) / rows
        for place in range(count):
            row, column = divmod(place, columns)
            cell = QRectF(column * wide + 0.5, row * high + 1.5, wide - 2, high - 2)
            painter.drawRect(cell)

    return draw


def hand(painter: QPainter) -> None:
    """Arrows to all four sides: the picture is moved."""
    for angle in range(4):
        painter.save()
        painter.translate(8, 8)
        painter.rotate(90 * angle)
        painter.drawLine(QLineF(0, 0, 0, -6.5))
        painter.drawPolyline(QPolygonF([QPointF(-2, -4.5), QPointF(0, -7), QPointF(2, -4.5)]))
        painter.restore()


def rectangle(painter: QPainter) -> None:
    """A dashed rectangle."""
    pen = painter.pen()
    pen.setDashPattern([2.0, 1.6])
    painter.setPen(pen)
    painter.drawRect(QRectF(1.5, 3.5, 13, 9))


def lasso(painter: QPainter) -> None:
    """A loop with a loose end."""
    loop = QPainterPath(QPointF(4.5, 10.2))
    loop.cubicTo(-2, 7, 2, 1.5, 8.5, 1.8)
    loop.cubicTo(16, 2, 16.5, 9.5, 9, 10.4)
    loop.cubicTo(5, 10.8, 3.2, 9.4, 4.5, 10.2)
    loop.cubicTo(6, 12, 5, 14, 3, 14.8)
    painter.drawPath(loop)


def brush(painter: QPainter) -> None:
    """A brush that leans, and the drop it leaves."""
    painter.drawLine(QLineF(14.2, 1.8, 8.6, 7.8))
    painter.drawLine(QLineF(12.2, 1.2, 7, 7))
    tip = QPainterPath(QPointF(7.8, 8.2))
    tip.cubicTo(9, 12, 5.5, 14.6, 1.6, 14.2)
    tip.cubicTo(4, 12.8, 2.4, 8.6, 6.2, 7.4)
    tip.closeSubpath()
    painter.fillPath(tip, painter.pen().color())
    painter.drawPath(tip)


def disc(painter: QPainter) -> None:
    """A round dab."""
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(8, 8), 5, 5)


def bucket(painter: QPainter) -> None:
    """A tilted bucket that spills a drop."""
    sides = (QPointF(6.5, 2), QPointF(12.8, 8.2), QPointF(7.6, 13.4), QPointF(1.4, 7.2))
    painter.drawPolygon(QPolygonF(sides))
    painter.drawLine(QLineF(2.4, 7.6, 12, 7.6))
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(14, 12.4), 1.1, 1.7)


def polygon(painter: QPainter) -> None:
    """Straight sides between corners."""
    corners = (QPointF(3, 4), QPointF(13, 2.6), QPointF(13.4, 11), QPointF(7.5, 13.4))
    painter.drawPolygon(QPolygonF(corners))
    painter.setBrush(painter.pen().color())
    for corner in corners:
        painter.drawEllipse(corner, 1.5, 1.5)


def sliders(painter: QPainter) -> None:
    """Three sliders, each at another place."""
    for y, x in ((3.5, 10.5), (8, 5), (12.5, 9)):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawLine(QLineF(1.5, y, 14.5, y))
        painter.setBrush(painter.pen().color())
        painter.drawEllipse(QPointF(x, y), 1.7, 1.7)


def halves(painter: QPainter) -> None:
    """A picture in two halves, one of them filled: held against another."""
    painter.drawRect(QRectF(1.5, 2.5, 13, 11))
    painter.fillRect(QRectF(8, 2.5, 6.5, 11), painter.pen().color())
    painter.drawLine(QLineF(8, 0.5, 8, 15.5))


def chain(painter: QPainter) -> None:
    """Two links of a chain."""
    painter.translate(8, 8)
    painter.rotate(-35)
    painter.drawRoundedRect(QRectF(-8, -2.8, 8.6, 5.6), 2.8, 2.8)
    painter.drawRoundedRect(QRectF(-0.6, -2.8, 8.6, 5.6), 2.8, 2.8)


def outbox(painter: QPainter) -> None:
    """An arrow that leaves a tray."""
    painter.drawLine(QLineF(8, 10, 8, 1.5))
    painter.drawPolyline(QPolygonF([QPointF(4.8, 4.6), QPointF(8, 1.4), QPointF(11.2, 4.6)]))
    tray = (QPointF(1.5, 9), QPointF(1.5, 14.5), QPointF(14.5, 14.5), QPointF(14.5, 9))
    painter.drawPolyline(QPolygonF(tray))


def dots(painter: QPainter) -> None:
    """More than fits here."""
    painter.setBrush(painter.pen().color())
    for x in (2.5, 8, 13.5):
        painter.drawEllipse(QPointF(x, 8), 0.9, 0.9)


def play(painter: QPainter) -> None:
    """A triangle to the right: let it run."""
    painter.setBrush(painter.pen().color())
    painter.drawPolygon(QPolygonF([QPointF(4, 2.5), QPointF(13.5, 8), QPointF(4, 13.5)]))


def halt(painter: QPainter) -> None:
    """A filled square: hold it here."""
    painter.fillRect(QRectF(3.5, 3.5, 9, 9), painter.pen().color())


def _ink(widget: QWidget) -> QColor:
    """The text's colour, faint where nothing can be pressed."""
    role = widget.palette().ColorRole.ButtonText
    group = widget.palette().ColorGroup
    return widget.palette().color(group.Normal if widget.isEnabled() else group.Disabled, role)
