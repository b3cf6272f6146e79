"""How one scene of the list is painted."""

from typing import Final

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.panels.scene_model import Role
from smarthdr_studio.studio.panels.scene_painting import (
    BAR,
    paint_bar,
    paint_chip,
    paint_frame,
    paint_thumbnail,
    status_colour,
)
from smarthdr_studio.studio.state import SceneFacts
from smarthdr_studio.studio.theme import Palette

THUMBNAIL: Final = QSize(72, 54)
_PAD: Final = 6.0
_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class SceneDelegate(QStyledItemDelegate):
    """Thumbnail, name, kept share as a bar and a number, status as a word, mean σ."""

    def __init__(self, palette: Palette, parent: QObject) -> None:
        super().__init__(parent)
        self.palette = palette

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Three lines of text, or the thumbnail, whatever is taller."""
        del index
        text = option.fontMetrics.height() * 3 + 6
        return QSize(160, int(max(text, THUMBNAIL.height()) + 2 * _PAD + 4))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        row: SceneFacts = index.data(Role.ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1, 2, -1, -2)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        paint_frame(painter, box, self.palette, selected=selected)
        inner = box.adjusted(_PAD, _PAD, -_PAD, -_PAD)
        picture = QRectF(
            inner.x(),
            inner.center().y() - THUMBNAIL.height() / 2,
            THUMBNAIL.width(),
            THUMBNAIL.height(),
        )
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        paint_thumbnail(painter, picture, pixmap, self.palette)
        self._words(painter, inner.adjusted(THUMBNAIL.width() + 8, 0, 0, 0), row)
        painter.restore()

    def _words(self, painter: QPainter, box: QRectF, row: SceneFacts) -> None:
        metrics = QFontMetricsF(painter.font())
        line = box.height() / 3
        first = QRectF(box.x(), box.y(), box.width(), line)
        second, third = first.translated(0, line), first.translated(0, 2 * line)
        self._name(painter, first, row, metrics)
        self._kept(painter, second, row, metrics)
        wide = paint_chip(
            painter, third, row.status, status_colour(row.status, self.palette), metrics
        )
        self._tags(painter, third.adjusted(wide + 6, 0, 0, 0), row, metrics)

    def _name(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        plain, bold = painter.font(), painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(self.palette.text))
        wide = QFontMetricsF(bold)
        name = wide.elidedText(row.id, Qt.TextElideMode.ElideMiddle, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(plain)
        sigma = f"σ {small(row.sigma_mean)}"
        room = box.width() - wide.horizontalAdvance(name) - 8
        if row.sigma_mean is not None and metrics.horizontalAdvance(sigma) <= room:
            painter.setPen(QColor(self.palette.muted))
            painter.drawText(box, _RIGHT, sigma)

    def _kept(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        painter.setPen(QColor(self.palette.muted))
        painter.drawText(box, _RIGHT, percent(row.retained))
        room = metrics.horizontalAdvance("> 99 %") + 8
        bar = QRectF(box.x(), box.center().y() - BAR / 2, box.width() - room, BAR)
        paint_bar(painter, bar, row.retained, self.palette)

    def _tags(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        """Tags, the sign of a note and that of a review, as far as there is room."""
        sign = tuple(mark for mark, there in (("✎", row.note), ("✓", row.reviewed)) if there)
        many = (f"#{len(row.tags)}",) if row.tags else ()
        for parts in ((*(f"#{tag}" for tag in row.tags), *sign), (*many, *sign), sign):
            words = " ".join(parts)
            if words and metrics.horizontalAdvance(words) <= box.width():
                painter.setPen(QColor(self.palette.muted))
                painter.drawText(box, _RIGHT, words)
                return
