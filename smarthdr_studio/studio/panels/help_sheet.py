"""The guide and every key, beside the window."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QTextBrowser, QVBoxLayout, QWidget

from smarthdr_studio.core.resources import resource
from smarthdr_studio.studio.actions import ACTIONS, MENUS, Action, by_id
from smarthdr_studio.studio.panels.parts import button


class HelpSheet(QDialog):
    """Pages on the left, text on the right; not modal, smaller than the smallest window."""

    keys_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and guide")
        self.resize(860, 600)
        self._pages = [("Keys", keys_as_markdown(ACTIONS)), *_guide()]
        self._list, self._text = QListWidget(), QTextBrowser(openExternalLinks=True)
        self._list.setAccessibleName("Pages")
        self._list.setFixedWidth(200)
        self._list.setWordWrap(True)
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
        """Lay the pages out once their font and padding are known."""
        super().showEvent(event)
        self._list.doItemsLayout()

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
    pages = sorted(resource("guide").glob("*.md"))
    return [(_title(page), _without_pictures(page)) for page in pages]


def _without_pictures(page: Path) -> str:
    """Here the window itself stands beside the words, larger than any picture of it."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("!["))


def _title(page: Path) -> str:
    first = page.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ").strip()
