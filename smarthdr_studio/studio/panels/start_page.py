"""The first thing anyone sees: what this is, and the ways in."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from smarthdr_studio.core.resources import resource
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, card, clear
from smarthdr_studio.studio.state import StudioState

_SHOWN_RECENT: Final = 6


class StartPage(QWidget):
    """Recent projects, the sample, a dataset folder, a project; folders may be dropped."""

    sample_asked = Signal()
    dataset_asked = Signal()
    project_asked = Signal()
    recent_picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._ways = (
            _entry("sample", "Try the sample project", "24 generated scenes, ready in seconds"),
            _entry("dataset", "Open a dataset folder…", "Three frames a scene, any known layout"),
            _entry("project", "Open a project…", "A folder called NAME.shdr"),
        )
        self._recent = QVBoxLayout()
        self._recent.setSpacing(4)
        self._work = ElidedLabel(role="muted")
        self._lay_out()
        self._show_recent(())
        for way, asked in zip(
            self._ways, (self.sample_asked, self.dataset_asked, self.project_asked), strict=True
        ):
            way.clicked.connect(asked)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show recent projects, and what is being prepared."""
        if old.recent != new.recent:
            self._show_recent(new.recent)
        self._work.tell(new.busy)
        for way in self._ways:
            way.setEnabled(not new.busy)

    def _show_recent(self, recent: tuple[Path, ...]) -> None:
        clear(self._recent)
        if not recent:
            self._recent.addWidget(caption("Projects you open appear here.", role="muted"))
        for folder in recent[:_SHOWN_RECENT]:
            self._recent.addWidget(self._recent_entry(folder))
        self._recent.addStretch(1)

    def _recent_entry(self, folder: Path) -> QWidget:
        entry = QFrame()
        name = button(folder.stem, tip=f"Open {folder}", role="link")
        where = ElidedLabel(role="muted", mode=Qt.TextElideMode.ElideMiddle)
        where.tell(str(folder.parent))
        name.setStyleSheet("text-align: left; font-weight: 600; padding: 2px 0;")
        name.clicked.connect(lambda: self.recent_picked.emit(folder))
        column = QVBoxLayout(entry)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(name)
        column.addWidget(where)
        return entry

    def _lay_out(self) -> None:
        title = caption("SmartHDR Studio", role="headline")
        sense = caption(
            "See where an HDR pseudo-label can be trusted, choose the few scenes that deserve a "
            "label, and train.",
            role="muted",
        )
        sense.setWordWrap(True)
        begin, begin_column = card(name="Begin", margin=16)
        begin_column.addWidget(caption("Begin", role="title"))
        for way in self._ways:
            begin_column.addWidget(way)
        begin_column.addStretch(1)
        recent, recent_column = card(name="Recent projects", margin=16)
        recent_column.addWidget(caption("Recent", role="title"))
        recent_column.addLayout(self._recent, 1)
        cards = QHBoxLayout()
        cards.setSpacing(14)
        cards.addWidget(begin, 1)
        cards.addWidget(recent, 1)
        column = QVBoxLayout()
        column.setSpacing(12)
        for part in (title, sense):
            column.addWidget(part)
        column.addLayout(cards)
        column.addWidget(
            caption("A dataset folder or a project can also be dropped here.", role="muted")
        )
        column.addWidget(self._work)
        middle = QWidget()
        middle.setLayout(column)
        middle.setMaximumWidth(880)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(middle, 20, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)


def _entry(icon: str, title: str, sense: str) -> QPushButton:
    """A large button with a picture, a title and a sentence."""
    entry = button("", tip=sense)
    entry.setAccessibleName(title)
    picture = QLabel()
    picture.setPixmap(QIcon(str(resource("icons", f"{icon}.svg"))).pixmap(QSize(34, 34)))
    words = QVBoxLayout()
    words.setSpacing(1)
    for part in (caption(title, role="title"), caption(sense, role="muted")):
        words.addWidget(part)
    row = QHBoxLayout(entry)
    row.setContentsMargins(14, 9, 14, 9)
    row.setSpacing(14)
    row.addWidget(picture)
    row.addLayout(words, 1)
    for label in entry.findChildren(QLabel):
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    entry.setMinimumHeight(row.sizeHint().height())
    return entry
