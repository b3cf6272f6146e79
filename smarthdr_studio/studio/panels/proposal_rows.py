"""The proposed scenes as Qt wants them, and how one of them is painted."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from smarthdr_studio.core.curation.proposals import Candidate
from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.panels.scene_painting import (
    paint_frame,
    paint_rounds,
    paint_thumbnail,
)
from smarthdr_studio.studio.state import SceneFacts
from smarthdr_studio.studio.theme import Palette

Index = QModelIndex | QPersistentModelIndex

_HEIGHT: Final = 58.0
_THUMBNAIL: Final = QSize(64, 44)
_TICK: Final = 28.0  # the room of the check box
_CHECKED, _OPEN = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class _Role(IntEnum):
    PAIR = Qt.ItemDataRole.UserRole + 1


class ProposalModel(QAbstractListModel):
    """Candidates with a tick; `left_out` says which scenes have none."""

    left_out = Signal(object)
    thumbnails_wanted = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: tuple[Candidate, ...] = ()
        self._facts: Mapping[str, SceneFacts] = {}
        self._out: set[str] = set()
        self._pictures: dict[str, QPixmap | None] = {}

    def show(self, rows: Sequence[Candidate]) -> None:
        """List these; ticks stay as they were."""
        if tuple(rows) == self._rows:
            return
        same = [row.scene for row in rows] == [row.scene for row in self._rows]
        if same:
            self._rows = tuple(rows)
            self._all_changed()
            return
        self.beginResetModel()
        self._rows = tuple(rows)
        self._pictures = {r.scene: self._pictures.get(r.scene) for r in rows if self._has(r)}
        self.endResetModel()

    def take_facts(self, facts: Mapping[str, SceneFacts]) -> None:
        """What else is known of the scenes."""
        self._facts = facts
        self._all_changed()

    @Slot(str, QImage)
    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Keep the picture of a scene that was asked for."""
        if scene in self._pictures and not picture.isNull():
            self._pictures[scene] = QPixmap.fromImage(picture)
            self._all_changed()

    def scene(self, line: int) -> str:
        """The id in that line."""
        return self._rows[line].scene

    @Slot()
    def tick_all(self) -> None:
        """Every scene is in."""
        self._set_out(set())

    @Slot()
    def tick_none(self) -> None:
        """No scene is in."""
        self._set_out({row.scene for row in self._rows})

    def rowCount(self, parent: Index | None = None) -> int:
        """How many scenes are proposed."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Every scene can be ticked."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What is known of a proposed scene."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.scene
            case Qt.ItemDataRole.CheckStateRole:
                return _OPEN if row.scene in self._out else _CHECKED
            case Qt.ItemDataRole.DecorationRole:
                return self._picture(row.scene)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.scene}: {row.reason}"
            case _Role.PAIR:
                return row, self._facts.get(row.scene)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick a scene, or take the tick away."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        scene = self._rows[index.row()].scene
        ticked = Qt.CheckState(value) is _CHECKED
        self._set_out(self._out - {scene} if ticked else self._out | {scene})
        return True

    def _has(self, row: Candidate) -> bool:
        return row.scene in self._pictures

    def _picture(self, scene: str) -> QPixmap | None:
        if scene not in self._pictures:
            self._pictures[scene] = None
            self.thumbnails_wanted.emit((scene,))
        return self._pictures[scene]

    def _set_out(self, out: set[str]) -> None:
        if out != self._out:
            self._out = out
            self._all_changed()
            self.left_out.emit(frozenset(out))

    def _all_changed(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))


class ProposalDelegate(QStyledItemDelegate):
    """A tick, a thumbnail, the name, the shares as a line and as numbers, σ and pixels."""

    def __init__(self, palette: Palette, parent: QObject) -> None:
        super().__init__(parent)
        self.palette = palette

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines of text, or the thumbnail."""
        del index
        return QSize(300, int(max(_HEIGHT, 2 * option.fontMetrics.height() + 12)))

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractListModel,  # type: ignore[override]
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """A click on the tick turns it; Qt's own would look for it elsewhere."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            if event.position().x() - option.rect.x() <= _TICK:
                return _turn(model, index)
            return False
        return super().editorEvent(event, model, option, index)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1, 2, -1, -2)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        paint_frame(painter, box, self.palette, selected=selected)
        ticked = index.data(Qt.ItemDataRole.CheckStateRole) == _CHECKED
        _paint_tick(painter, box, ticked=ticked, view=option.widget)
        middle = box.center().y() - _THUMBNAIL.height() / 2
        picture = QRectF(box.x() + _TICK, middle, _THUMBNAIL.width(), _THUMBNAIL.height())
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        paint_thumbnail(painter, picture, pixmap, self.palette)
        left = picture.right() + 10
        words = QRectF(left, box.y() + 4, box.right() - left - 8, box.height() - 8)
        self._paint_words(painter, words, index)
        painter.restore()

    def _paint_words(self, painter: QPainter, box: QRectF, index: Index) -> None:
        candidate: Candidate
        facts: SceneFacts | None
        candidate, facts = index.data(_Role.PAIR)
        plain, bold = painter.font(), painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(self.palette.text))
        above, below = QRectF(box), QRectF(box)
        above.setHeight(box.height() / 2)
        below.setTop(box.center().y())
        painter.drawText(above, Qt.AlignmentFlag.AlignVCenter, candidate.scene)
        painter.setFont(plain)
        painter.setPen(QColor(self.palette.muted))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        sigma = "" if facts is None else f"σ {small(facts.sigma_mean)}   "
        painter.drawText(above, right, f"{sigma}{candidate.pixels / 1e6:.2f} million pixels")
        metrics, run = (
            QFontMetricsF(plain),
            QRectF(below.x(), below.y() + 3, 90, below.height() - 6),
        )
        rounds = facts.rounds if facts is not None and facts.rounds else candidate.shares
        numbers = f"{shares_in_words(candidate)}   now {percent(candidate.retained)}"
        room = below.width() - run.width() - 12
        shown = metrics.elidedText(numbers, Qt.TextElideMode.ElideLeft, room)
        painter.drawText(
            below.adjusted(run.width() + 12, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown
        )
        paint_rounds(painter, run, rounds, self.palette)


def shares_in_words(candidate: Candidate) -> str:
    """The shares of the last rounds, oldest first."""
    return ", ".join(map(percent, candidate.shares))


def _turn(model: QAbstractListModel, index: Index) -> bool:
    ticked = index.data(Qt.ItemDataRole.CheckStateRole) == _CHECKED
    return model.setData(index, _OPEN if ticked else _CHECKED, Qt.ItemDataRole.CheckStateRole)


def _paint_tick(painter: QPainter, box: QRectF, *, ticked: bool, view: QWidget | None) -> None:
    """As the style draws check boxes in lists."""
    style, option = QApplication.style(), QStyleOptionViewItem()
    side = style.pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth, option, view)
    middle = round(box.center().y() - side / 2)
    option.rect.setRect(round(box.x() + (_TICK - side) / 2), middle, side, side)
    option.state = QStyle.StateFlag.State_Enabled
    option.state |= QStyle.StateFlag.State_On if ticked else QStyle.StateFlag.State_Off
    style.drawPrimitive(
        QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, option, painter, view
    )
