"""One line to type in, and the commands that are meant by it."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.actions import ACTIONS
from smarthdr_studio.studio.panels.command_search import Entry, ranked
from smarthdr_studio.studio.panels.own_keys import OF_A_LIST, takes_first
from smarthdr_studio.studio.panels.parts import caption, describe

_WIDE: Final = 560
_LINES: Final = 10
_EDGE: Final = 10
_MOVES: Final = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown})
_MENU, _KEYS, _PLACE = (Qt.ItemDataRole.UserRole + number for number in range(3))

_Index = QModelIndex | QPersistentModelIndex


class CommandPalette(QFrame):
    """Runs the command picked, once it is closed; Esc or a click beside it only closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("card")
        self.setAccessibleName("Command palette")
        self._above = parent.window()
        self._actions: tuple[QAction, ...] = ()
        self._entries: tuple[Entry, ...] = ()
        self._line, self._list = QLineEdit(), QListWidget()
        self._none = caption("No command is called that", role="muted")
        self._line.setPlaceholderText("Type what you want to do")
        describe(self._line, name="Find a command", tip="↑ and ↓ choose, Enter runs, Esc closes")
        describe(self._list, name="Commands found", tip="Enter or a click runs the command")
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setItemDelegate(_CommandDelegate(self._list))
        self._line.installEventFilter(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        for part in (self._line, self._list, self._none):
            column.addWidget(part)
        self.setFixedWidth(_WIDE)
        self._line.textChanged.connect(self._search)
        self._line.returnPressed.connect(self._run)
        self._list.itemClicked.connect(self._run)

    def open_with(self, actions: Sequence[QAction]) -> None:
        """Offer these actions, those that can be run now, with nothing typed yet."""
        self._actions = tuple(a for a in actions if a.isEnabled() and not a.isSeparator())
        menus = {action.id: action.menu for action in ACTIONS}
        self._entries = tuple(
            Entry(a.text(), menus.get(a.objectName(), ""), a.toolTip()) for a in self._actions
        )
        self._line.clear()
        self._search("")
        above = self._above
        self.move(above.mapToGlobal(QPoint((above.width() - _WIDE) // 2, above.height() // 8)))
        self.show()
        self._line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrows move in the list while the line keeps the letters."""
        if watched is self._line:
            if takes_first(event, OF_A_LIST):
                return True
            key = event.key() if isinstance(event, QKeyEvent) else None
            if key in _MOVES and event.type() == QEvent.Type.KeyPress:
                QApplication.sendEvent(self._list, event)
                return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _search(self, typed: str) -> None:
        self._list.clear()
        for place in ranked(typed, self._entries):
            self._list.addItem(_item(self._actions[place], self._entries[place], place=place))
        found = self._list.count()
        self._list.setCurrentRow(0 if found else -1)
        self._list.setVisible(found > 0)
        self._none.setVisible(found == 0)
        line = self._list.sizeHintForRow(0) if found else 0
        self._list.setFixedHeight(min(found, _LINES) * line + 2 * self._list.frameWidth())
        self.adjustSize()

    @Slot()
    def _run(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            self.close()
            self._actions[item.data(_PLACE)].trigger()


class _CommandDelegate(QStyledItemDelegate):
    """The title, the menu it is in, and its key at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """One comfortable line."""
        return QSize(0, option.fontMetrics.height() + 10)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Words in the colours of the line they stand on."""
        picked = bool(option.state & QStyle.StateFlag.State_Selected)
        colours, role = option.palette, QPalette.ColorRole
        if picked:
            painter.fillRect(option.rect, colours.color(role.Highlight))
        ink = colours.color(role.HighlightedText if picked else role.Text)
        quiet = ink if picked else colours.color(role.PlaceholderText)
        room = option.rect.adjusted(_EDGE, 0, -_EDGE, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.save()
        painter.setFont(option.font)
        painter.setPen(quiet)
        keys = str(index.data(_KEYS))
        painter.drawText(room, middle | Qt.AlignmentFlag.AlignRight, keys)
        measure = option.fontMetrics
        left = room.width() - measure.horizontalAdvance(keys) - _EDGE
        title = measure.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, left)
        menu = QRect(room).adjusted(measure.horizontalAdvance(title) + _EDGE, 0, 0, 0)
        painter.drawText(menu, middle, str(index.data(_MENU)))
        painter.setPen(ink)
        painter.drawText(room, middle, title)
        painter.restore()


def _item(action: QAction, entry: Entry, *, place: int) -> QListWidgetItem:
    native = QKeySequence.SequenceFormat.NativeText
    keys = "  ".join(key.toString(native) for key in action.shortcuts())
    item = QListWidgetItem(entry.title)
    item.setToolTip(entry.tip)
    item.setData(_MENU, entry.menu)
    item.setData(_KEYS, keys)
    item.setData(_PLACE, place)
    spoken = ", ".join(part for part in (entry.title, entry.menu, keys) if part)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
    return item
