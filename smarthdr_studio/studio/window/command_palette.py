"""One line to type in, and the commands that are meant by it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

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
from smarthdr_studio.studio.widgets.controls import (
    OF_A_LIST,
    EventWatch,
    caption,
    describe,
    takes_first,
)

# A keyboard without Greek letters finds them all the same.
_SPELT: Final = {"τ": "tau", "σ": "sigma", "μ": "mu", "γ": "gamma", "_": " ", "…": ""}

_BEGINS, _INITIALS, _INSIDE, _SCATTERED = 0.0, 0.5, 1.0, 2.0
_IN_MENU, _IN_TIP = 2.5, 5.0
_LOOSEST: Final = 2.0  # letters of room per letter typed, beyond which nobody meant it


class Entry(NamedTuple):
    """What is known of one command in words."""

    title: str
    menu: str = ""
    tip: str = ""


def ranked(typed: str, entries: Sequence[Entry]) -> list[int]:
    """The places of the entries that hold every word typed, best first, ties in their order.

    A word is best at the beginning of a word of the title, then as the initials of the title,
    then inside a word, then scattered; in the name of the menu or in the tip it counts less.
    """
    words = _plain(typed).split()
    if not words:
        return list(range(len(entries)))
    grades = ((place, _grade(words, entry)) for place, entry in enumerate(entries))
    found = [(grade, place) for place, grade in grades if grade is not None]
    return [place for _, place in sorted(found)]


def _grade(words: Sequence[str], entry: Entry) -> float | None:
    """How far an entry is from what was typed; None where a word is not in it."""
    title, menu, tip = (_plain(text) for text in entry)
    total = 0.0
    for word in words:
        hits = [_in_title(word, title)]
        if menu.startswith(word):
            hits.append(_IN_MENU)
        if f" {word}" in f" {tip}":
            hits.append(_IN_TIP)
        best = min((hit for hit in hits if hit is not None), default=None)
        if best is None:
            return None
        total += best
    # Of equals, the title of which more was typed.
    return total + len(title) / 1000


def _in_title(word: str, title: str) -> float | None:
    if f" {word}" in f" {title}":
        return _BEGINS if title.startswith(word) else _BEGINS + 0.25
    if len(word) > 1 and "".join(part[0] for part in title.split()).startswith(word):
        return _INITIALS
    if word in title:
        return _INSIDE
    room = tightest(word, title)
    if room is None or room > _LOOSEST * len(word):
        return None
    return _SCATTERED + room / (_LOOSEST * len(word))


def tightest(word: str, text: str) -> int | None:
    """The length of the shortest stretch of text that holds the letters of a word in order."""
    lengths = []
    for start, letter in enumerate(text):
        if letter != word[0]:
            continue
        end = start
        for following in word[1:]:
            end = text.find(following, end + 1)
            if end < 0:
                break
        else:
            lengths.append(end - start + 1)
    return min(lengths, default=None)


def _plain(text: str) -> str:
    lowered = text.casefold()
    for sign, spelt in _SPELT.items():
        lowered = lowered.replace(sign, spelt)
    return lowered


_WIDE: Final = 560
_LINES: Final = 10
_EDGE: Final = 10
_MOVES: Final = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown})
_MENU, _KEYS, _PLACE = (Qt.ItemDataRole.UserRole + number for number in range(3))

_Index = QModelIndex | QPersistentModelIndex


class CommandPalette(EventWatch, QFrame):
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
        self.watch(self._line)
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

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """The arrows move in the list while the line keeps the letters."""
        if watched is self._line:
            if takes_first(event, OF_A_LIST):
                return True
            key = event.key() if isinstance(event, QKeyEvent) else None
            if key in _MOVES and event.type() == QEvent.Type.KeyPress:
                QApplication.sendEvent(self._list, event)
                return True
        return False

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
