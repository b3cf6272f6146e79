"""How one scene of the list is painted."""

from typing import Final

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from smarthdr_studio.core.journal import Status
from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.panels.scene_model import Role
from smarthdr_studio.studio.state import SceneRow
from smarthdr_studio.studio.theme import Palette

THUMBNAIL: Final = QSize(72, 54)
_PAD: Final = 6.0
_BAR: Final = 4.0
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
        row: SceneRow = index.data(Role.ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1, 2, -1, -2)
        self._frame(painter, box, state=option.state)
        inner = box.adjusted(_PAD, _PAD, -_PAD, -_PAD)
        picture = QRectF(
            inner.x(),
            inner.center().y() - THUMBNAIL.height() / 2,
            THUMBNAIL.width(),
            THUMBNAIL.height(),
        )
        self._thumbnail(painter, picture, index.data(Qt.ItemDataRole.DecorationRole))
        self._words(painter, inner.adjusted(THUMBNAIL.width() + 8, 0, 0, 0), row)
        painter.restore()

    def _frame(self, painter: QPainter, box: QRectF, *, state: QStyle.StateFlag) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        fill = QColor(self.palette.accent if selected else self.palette.raised)
        fill.setAlphaF(0.22 if selected else 0.45)
        painter.setPen(QColor(self.palette.accent if selected else self.palette.border))
        painter.setBrush(fill)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)

    def _thumbnail(self, painter: QPainter, box: QRectF, pixmap: QPixmap | None) -> None:
        clip = QPainterPath()
        clip.addRoundedRect(box, 3, 3)
        painter.save()
        painter.setClipPath(clip)
        painter.fillRect(box, QColor(self.palette.canvas))
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            scale = max(box.width() / pixmap.width(), box.height() / pixmap.height())
            size = QPointF(box.width() / scale, box.height() / scale)
            corner = QPointF((pixmap.width() - size.x()) / 2, (pixmap.height() - size.y()) / 2)
            painter.drawPixmap(box, pixmap, QRectF(corner.x(), corner.y(), size.x(), size.y()))
        painter.restore()

    def _words(self, painter: QPainter, box: QRectF, row: SceneRow) -> None:
        metrics = QFontMetricsF(painter.font())
        line = box.height() / 3
        first = QRectF(box.x(), box.y(), box.width(), line)
        second, third = first.translated(0, line), first.translated(0, 2 * line)
        self._name(painter, first, row, metrics)
        self._kept(painter, second, row, metrics)
        self._chip(painter, third, row.status, metrics)

    def _name(self, painter: QPainter, box: QRectF, row: SceneRow, metrics: QFontMetricsF) -> None:
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

    def _kept(self, painter: QPainter, box: QRectF, row: SceneRow, metrics: QFontMetricsF) -> None:
        painter.setPen(QColor(self.palette.muted))
        painter.drawText(box, _RIGHT, percent(row.retained))
        room = metrics.horizontalAdvance("> 99 %") + 8
        bar = QRectF(box.x(), box.center().y() - _BAR / 2, box.width() - room, _BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.palette.border))
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
        if row.retained is None:
            return
        bar.setWidth(max(_BAR, bar.width() * row.retained))
        painter.setBrush(QColor(self.palette.accent))
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)

    def _chip(self, painter: QPainter, box: QRectF, status: Status, metrics: QFontMetricsF) -> None:
        colour = QColor(status_colour(status, self.palette))
        width = metrics.horizontalAdvance(status) + 14
        chip = QRectF(box.x(), box.y() + 1, width, box.height() - 1)
        painter.setPen(colour)
        fill = QColor(colour)
        fill.setAlphaF(0.16)
        painter.setBrush(fill)
        painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
        painter.setPen(colour)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, status)


def status_colour(status: Status, palette: Palette) -> str:
    """The colour beside the word of a status."""
    return {
        Status.GROUND_TRUTH: palette.good,
        Status.PROMOTED: palette.accent,
        Status.UNLABELLED: palette.muted,
        Status.EXCLUDED: palette.bad,
        Status.TEST: palette.warn,
    }[status]
