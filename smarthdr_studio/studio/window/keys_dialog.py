"""Every command with its keys, to be given others; whoever has a key already is named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QListWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.environment import resource
from smarthdr_studio.studio.actions import (
    ACTIONS,
    MENUS,
    Action,
    by_id,
    changed_keys,
    claims,
    clashes,
    with_keys,
)
from smarthdr_studio.studio.widgets.controls import (
    button,
    caption,
    describe,
    rename,
    size_within_screen,
)

_PORTABLE: Final = QKeySequence.SequenceFormat.PortableText
_NATIVE: Final = QKeySequence.SequenceFormat.NativeText
_COMMAND, _MENU, _KEYS = range(3)
_NAMES: Final = ("Key", "Other key")


class KeysDialog(QDialog):
    """Not modal; says by id which keys differ from the table, at every change."""

    keys_changed = Signal(object)

    def __init__(
        self, table: Sequence[Action], changes: Mapping[str, tuple[str, ...]], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        size_within_screen(self, 640, 560)
        self._table = tuple(table)
        self._actions = with_keys(self._table, changes)
        self._wished: tuple[str, ...] = ()
        self._filter, self._list = QLineEdit(), QTreeWidget()
        self._fields = tuple(QKeySequenceEdit() for _ in _NAMES)
        self._words = caption("", role="warn")
        self._take = button("", tip="The other command loses this key", role="link")
        self._none = button("No key", tip="Take both keys from this command")
        self._reset = button("Reset this", tip="The keys this command had at first")
        self._reset_all = button("Reset all", tip="The keys every command had at first")
        self._close = button("Close", tip="Every change is kept already (Esc)")
        self._lay_out()
        self._connect()
        self._show_actions()
        self._list.setCurrentItem(self._item(0))

    @Slot(str)
    def search(self, typed: str) -> None:
        """Show only commands that hold every word typed, in title, menu, tip or keys."""
        words = typed.casefold().split()
        for place, action in enumerate(self._actions):
            text = " ".join((action.title, action.menu, action.tip, *action.keys)).casefold()
            self._item(place).setHidden(not all(word in text for word in words))

    def _show_actions(self) -> None:
        """Keys in words, with a sign where two commands claim one."""
        clashing = clashes(self._actions)
        while self._list.topLevelItemCount() < len(self._actions):
            self._list.addTopLevelItem(QTreeWidgetItem())
        for place, action in enumerate(self._actions):
            item = self._item(place)
            keys = "   ".join(QKeySequence(key).toString(_NATIVE) for key in action.keys)
            clash = any(action in clashing.get(key, ()) for key in action.keys)
            item.setText(_COMMAND, action.title.rstrip("…"))
            item.setText(_MENU, action.menu)
            item.setText(_KEYS, f"{keys}  ⚠ taken twice" if clash else keys)
            item.setToolTip(_COMMAND, action.tip)
            font = item.font(_KEYS)
            font.setBold(action.keys != self._table[place].keys)
            item.setFont(_KEYS, font)
        self._reset_all.setEnabled(self._actions != self._table)

    @Slot()
    def _show_picked(self) -> None:
        """The keys of the picked command in both fields."""
        place = self._picked()
        known = place is not None
        keys = self._actions[place].keys if place is not None else ()
        for field, key in zip(self._fields, (*keys, "", "")[:2], strict=True):
            field.setEnabled(known)
            field.setKeySequence(QKeySequence(key))
        self._none.setEnabled(bool(keys))
        self._reset.setEnabled(place is not None and keys != self._table[place].keys)
        self._tell("", owner=None)

    @Slot()
    def _typed(self) -> None:
        place = self._picked()
        if place is None:
            return
        keys = (recorded(field.keySequence()) for field in self._fields)
        wished = tuple(dict.fromkeys(key for key in keys if key))
        if wished != self._actions[place].keys:
            self._wish(wished)

    def _wish(self, keys: tuple[str, ...]) -> None:
        """Give the picked command these keys, unless others have one of them: then say who."""
        place = self._picked()
        if place is None:
            return
        picked = self._actions[place]
        others = [action for action in self._actions if action.id != picked.id]
        claimed = ((key, claims(others, key, mode=picked.mode)) for key in keys)
        taken = [(key, owner) for key, owners in claimed for owner in owners]
        if taken:
            key, owner = taken[0]
            self._wished = keys
            self._tell(clash_in_words(key, owner), owner=owner)
        else:
            self._become({self._actions[place].id: keys})

    @Slot()
    def _take_over(self) -> None:
        place = self._picked()
        if place is None:
            return
        mode = self._actions[place].mode
        freed = {
            action.id: tuple(key for key in action.keys if key not in self._wished)
            for action in self._actions
            if action.mode == mode
        }
        self._become({**freed, self._actions[place].id: self._wished})

    @Slot()
    def _take_away(self) -> None:
        self._wish(())

    @Slot()
    def _reset_picked(self) -> None:
        place = self._picked()
        if place is not None:
            self._wish(self._table[place].keys)

    @Slot()
    def _reset_every(self) -> None:
        self._become({action.id: action.keys for action in self._table})

    def _become(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        self._actions = tuple(
            replace(action, keys=keys.get(action.id, action.keys)) for action in self._actions
        )
        self._show_actions()
        self._show_picked()
        self.keys_changed.emit(changed_keys(self._actions, self._table))

    def _tell(self, words: str, *, owner: Action | None) -> None:
        self._words.setText(words)
        rename(self._take, f"Take it from {_plain(owner)}" if owner else "")
        self._take.setVisible(owner is not None)

    def _picked(self) -> int | None:
        item = self._list.currentItem()
        return None if item is None else self._list.indexOfTopLevelItem(item)

    def _item(self, place: int) -> QTreeWidgetItem:
        item = self._list.topLevelItem(place)
        assert item is not None
        return item

    def _lay_out(self) -> None:
        self._filter.setPlaceholderText("Filter by words or by a key")
        self._filter.setClearButtonEnabled(True)
        describe(self._filter, name="Filter commands", tip="Words of the command, or its key")
        self._list.setHeaderLabels(("Command", "Menu", "Keys"))
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.setAllColumnsShowFocus(True)
        self._list.header().setSectionResizeMode(_COMMAND, QHeaderView.ResizeMode.Stretch)
        describe(self._list, name="Commands and their keys", tip="Pick one to change its keys")
        row, foot = QHBoxLayout(), QHBoxLayout()
        for name, field in zip(_NAMES, self._fields, strict=True):
            field.setMaximumSequenceLength(1)
            describe(field, name=name, tip=f"{name}: press the keys you want")
            row.addWidget(caption(name, role="muted"))
            row.addWidget(field, 1)
        row.addWidget(self._none)
        row.addWidget(self._reset)
        for part in (self._words, self._take):
            foot.addWidget(part)
        foot.addStretch(1)
        foot.addWidget(self._reset_all)
        foot.addWidget(self._close)
        column = QVBoxLayout(self)
        column.addWidget(self._filter)
        column.addWidget(self._list, 1)
        column.addLayout(row)
        column.addLayout(foot)
        for pressed in (self._take, self._none, self._reset, self._reset_all, self._close):
            pressed.setAutoDefault(False)  # Enter belongs to the fields

    def _connect(self) -> None:
        self._filter.textChanged.connect(self.search)
        self._list.currentItemChanged.connect(self._show_picked)
        for field in self._fields:
            # While keys are held down the field is empty for a moment: that is no wish.
            field.editingFinished.connect(self._typed)
        self._none.clicked.connect(self._take_away)
        self._take.clicked.connect(self._take_over)
        self._reset.clicked.connect(self._reset_picked)
        self._reset_all.clicked.connect(self._reset_every)
        self._close.clicked.connect(self.close)


def recorded(sequence: QKeySequence) -> str:
    """The portable name of keys that were pressed; a sign that needs Shift does not name it."""
    text = sequence.toString(_PORTABLE)
    sign = text.removeprefix("Shift+")
    return sign if len(sign) == 1 and not sign.isalnum() else text


def clash_in_words(key: str, owner: Action) -> str:
    """Who has a key already, in words."""
    return f"{QKeySequence(key).toString(_NATIVE)} is also {_plain(owner)}"


def _plain(action: Action) -> str:
    return action.title.rstrip("…")


class HelpSheet(QDialog):
    """Pages on the left, text on the right; not modal, smaller than the smallest window."""

    keys_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and guide")
        size_within_screen(self, 860, 600)
        self._pages = [("Keys", keys_as_markdown(ACTIONS)), *_guide()]
        self._list, self._text = QListWidget(), QTextBrowser(openExternalLinks=True)
        self._list.setAccessibleName("Pages")
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.addItems([title for title, _ in self._pages])
        self._list.currentRowChanged.connect(self._turn)
        change = button("Change keys…", tip=by_id("edit_keys").tip_with_key)
        change.setAutoDefault(False)
        change.clicked.connect(self.keys_asked)
        left = QVBoxLayout()
        left.addWidget(self._list, 1)
        left.addWidget(change)
        row = QHBoxLayout(self)
        row.addLayout(left)
        row.addWidget(self._text, 1)
        self._list.setCurrentRow(0)

    def showEvent(self, event: QShowEvent) -> None:
        """Give the titles their room once their font and padding are known."""
        super().showEvent(event)
        self._list.doItemsLayout()
        self._list.setFixedWidth(self._list.sizeHintForColumn(0) + 2 * self._list.frameWidth())

    def turn_to_keys(self) -> None:
        """Show what each key does."""
        self._list.setCurrentRow(0)

    def turn_to_guide(self) -> None:
        """Show the first steps, unless another page of the guide is open."""
        if self._list.currentRow() < 1:
            self._list.setCurrentRow(1)

    def show_keys(self, actions: Iterable[Action]) -> None:
        """Tell the keys these actions have now."""
        self._pages[0] = ("Keys", keys_as_markdown(actions))
        self._turn(self._list.currentRow())

    @Slot(int)
    def _turn(self, page: int) -> None:
        self._text.setMarkdown(self._pages[page][1])


def keys_as_markdown(actions: Iterable[Action]) -> str:
    """Every action that has a key, by menu, as a Markdown table."""
    keyed = [action for action in actions if action.keys]
    lines = ["# Keys", ""]
    for menu in MENUS:
        here = [action for action in keyed if action.menu == menu]
        if here:
            lines += ["", f"## {menu}", *_note(here), "", "| key | command | |", "|---|---|---|"]
        for action in here:
            keys = " or ".join(_shown(key) for key in action.keys)
            lines.append(f"| **{keys}** | {action.title.rstrip('…')} | {action.tip} |")
    return "\n".join(lines)


def _note(actions: Iterable[Action]) -> list[str]:
    """When keys of a mode count."""
    if all(action.mode != "brush" for action in actions):
        return []
    first = by_id("tool_brush").title.lower()
    return ["", f"But for the first, these count while the {first} is in the hand."]


def _shown(key: str) -> str:
    native = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    return native.replace("|", "\\|").replace("[", "\\[").replace("]", "\\]")


def _guide() -> list[tuple[str, str]]:
    pages = sorted(resource("guide").glob("*.md"), key=_number_of)
    return [(_title(page), _without_pictures(page)) for page in pages]


def _number_of(page: Path) -> int:
    """10 comes after 9, which names do not know."""
    return int(page.name.partition("-")[0])


def _without_pictures(page: Path) -> str:
    """Here the window itself stands beside the words, larger than any picture of it."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("!["))


def _title(page: Path) -> str:
    """What stands in the list of pages; what its title explains is read on the page."""
    first = page.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ").partition(":")[0].strip()
