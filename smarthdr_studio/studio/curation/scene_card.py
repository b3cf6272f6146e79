"""One scene, or several, in full: what it is, its note, its tags, and what was decided about it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import ClassVar, Final

from PySide6.QtCore import (
    QEvent,
    QObject,
    QPoint,
    QRect,
    QSize,
    QStringListModel,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.state import SceneStory, StoryLine, StudioState
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    EventWatch,
    button,
    caption,
    card,
    describe,
    percent,
)
from smarthdr_studio.studio.widgets.tables import FactTable

_GAP = 4


class Flow(QLayout):
    """Parts one after another, broken into lines like words."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)

    def clear(self) -> None:
        """Let every part go."""
        for item in self._items:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._items.clear()
        self.invalidate()

    def addItem(self, item: QLayoutItem) -> None:
        """One more part at the end."""
        self._items.append(item)

    def count(self) -> int:
        """How many parts there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """One part, None beyond the last."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """One part, taken out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """It grows in no direction of its own."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """Narrower is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """How high so wide."""
        return self._placed(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, box: QRect) -> None:
        """Place the parts."""
        super().setGeometry(box)
        self._placed(box, move=True)

    def sizeHint(self) -> QSize:
        """As the largest part."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """As the largest part."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _placed(self, box: QRect, *, move: bool) -> int:
        x, y, high = box.x(), box.y(), 0
        for item in self._items:
            size = item.sizeHint().boundedTo(QSize(box.width(), 10_000))
            if high and x + size.width() > box.right() + 1:
                x, y, high = box.x(), y + high + _GAP, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), size))
            x, high = x + size.width() + _GAP, max(high, size.height())
        return y + high - box.y()


class TagRow(QWidget):
    """Says which tags were added or taken off; a tag that only some scenes have says so."""

    added = Signal(object)
    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[tuple[str, int], ...] = ()
        self._of = 0
        self._known = QStringListModel(self)
        self.line = QLineEdit(placeholderText="Add a tag, Enter")
        completer = QCompleter(self._known, self.line)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.line.setCompleter(completer)
        describe(self.line, name="Add a tag", tip="Words of your own; Enter adds (Ctrl+Shift+J)")
        self.line.returnPressed.connect(self._add)
        self._chips = QWidget()
        self._flow = Flow(self._chips)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._chips)
        column.addWidget(self.line)

    def show_tags(self, counts: Mapping[str, int], *, of: int, known: Iterable[str]) -> None:
        """Show how many of the scenes have which tag, and what to complete to."""
        shown = tuple(sorted(counts.items()))
        if (shown, of) != (self._shown, self._of):
            self._shown, self._of = shown, of
            self._fill(shown, of)
        words = sorted(known)
        if words != self._known.stringList():
            self._known.setStringList(words)

    def _fill(self, shown: Sequence[tuple[str, int]], of: int) -> None:
        self._flow.clear()
        for tag, count in shown:
            some = f"  {count} of {of}" if count < of else ""
            chip = button(f"{tag}{some}  ✕", tip=f"Take the tag {tag} off")
            chip.setAccessibleName(f"Take the tag {tag} off")
            chip.setProperty("tag", tag)
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            chip.clicked.connect(self._remove)
            self._flow.addWidget(chip)
        self._chips.setVisible(bool(shown))
        self._chips.updateGeometry()

    @Slot()
    def _add(self) -> None:
        words = tuple(word for word in self.line.text().replace(",", " ").split() if word)
        if words:
            self.added.emit(words)
            self.line.clear()

    @Slot()
    def _remove(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.removed.emit(str(sender.property("tag")))


_PAUSE_MS: Final = 1200  # without a key, and what was written is saved
_MOST_LINES: Final = 40
_SEVERAL: Final = "Written here, it takes the place of all their notes."


class SceneCard(EventWatch, QWidget):
    """Saves a note when the cursor leaves it or after a pause; what is not saved says so."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"folder", "scenes", "story", "current"})

    note_written = Signal(object, str)  # ids, text
    tags_changed = Signal(object, object, object)  # ids, added, removed

    def __init__(self) -> None:
        super().__init__()
        self._ids: tuple[str, ...] = ()
        self._rows: tuple[SceneFacts, ...] = ()
        self._state = StudioState()
        self._dirty = self._filling = False
        self._name = ElidedLabel(role="title")
        self._facts = FactTable(name="About the scene")
        self.note, self.tags = QPlainTextEdit(), TagRow()
        self._told = caption("", role="muted")
        self._save = button("Save", tip="Save the note now", role="link")
        self._lines = caption("")
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._set_up()
        self._lay_out()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show what is known now; a note that is being written is left alone."""
        if old.folder != new.folder:
            self._dirty = False
            self._pause.stop()
        self._state = new
        if old.scenes is not new.scenes or old.story != new.story or old.current != new.current:
            self._show_if_seen()

    @Slot(object)
    def show_selection(self, ids: tuple[str, ...]) -> None:
        """These scenes are meant; what was written about others is saved first."""
        if ids != self._ids:
            self.save()
            self._dirty = False
            self._ids = ids
            self._show_if_seen()

    def write_note(self) -> None:
        """Put the cursor into the note."""
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def add_tag(self) -> None:
        """Put the cursor where tags are added."""
        self.tags.line.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def save(self) -> None:
        """Save the note, if something was written."""
        self._pause.stop()
        if not self._dirty or not self._ids:
            return
        self.note_written.emit(self._ids, self.note.toPlainText())
        self._take_note()
        if self._dirty:
            self._tell("Not saved yet", wrong=True)

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """The cursor leaves the note."""
        if watched is self.note and event.type() is QEvent.Type.FocusOut:
            self.save()
        return False

    def showEvent(self, event: QShowEvent) -> None:
        """Nothing was shown while nobody looked."""
        super().showEvent(event)
        self.come_out()

    def _show_if_seen(self) -> None:
        if self._dirty or not self.visibleRegion().isEmpty():
            self.come_out()

    def come_out(self) -> None:
        """From behind a tab, where nothing was shown either: show what is known now."""
        wanted = frozenset(self._ids)
        self._rows = tuple(row for row in self._state.scenes if row.id in wanted)
        self.setEnabled(bool(self._rows))
        self._name.tell(_name_of(self._rows))
        self._facts.show_facts(_facts_of(self._rows, self._state))
        counts = Counter(tag for row in self._rows for tag in row.tags)
        known = {tag for row in self._state.scenes for tag in row.tags}
        self.tags.show_tags(counts, of=len(self._rows), known=known)
        self._take_note()
        self._lines.setText(_story(self._rows, self._state))

    def _take_note(self) -> None:
        """Show the note as it is kept, unless another is being written."""
        wanted = frozenset(self._ids)
        notes = {row.note for row in self._state.scenes if row.id in wanted}
        kept = next(iter(notes)) if len(notes) == 1 else ""
        if self._dirty and len(notes) == 1 and self.note.toPlainText() == kept:
            self._dirty = False
            self._tell("Saved" if kept else "")
        if not self._dirty and self.note.toPlainText() != kept:
            self._filling = True
            self.note.setPlainText(kept)
            self._filling = False
            self._tell("")
        several = len(self._rows) > 1
        self.note.setPlaceholderText(_SEVERAL if several and len(notes) > 1 else "What to remember")

    @Slot()
    def _written(self) -> None:
        if self._filling:
            return
        self._dirty = True
        self._tell("Being written")
        self._pause.start()

    def _tell(self, words: str, *, wrong: bool = False) -> None:
        self._told.setText(f"⚠ {words}" if wrong else words)
        self._save.setVisible(wrong)

    @Slot(object)
    def _add(self, tags: tuple[str, ...]) -> None:
        self.tags_changed.emit(self._ids, tags, ())

    @Slot(str)
    def _remove(self, tag: str) -> None:
        self.tags_changed.emit(self._ids, (), (tag,))

    def _set_up(self) -> None:
        describe(self.note, name="Note", tip="Saved when you pause or leave it (Ctrl+J)")
        self.note.setTabChangesFocus(True)
        self.note.setMinimumHeight(72)
        self.note.setMaximumHeight(150)
        self.watch(self.note)
        self.note.textChanged.connect(self._written)
        self._pause.timeout.connect(self.save)
        self._save.clicked.connect(self.save)
        self._save.hide()
        self.tags.added.connect(self._add)
        self.tags.removed.connect(self._remove)
        self._lines.setWordWrap(True)
        self._lines.setTextFormat(Qt.TextFormat.RichText)
        self._lines.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        about, inside = card(name="About the scene")
        inside.addWidget(self._name)
        inside.addWidget(self._facts)
        column.addWidget(about)
        noted, inside = card(name="Note and tags")
        head = QHBoxLayout()
        head.addWidget(caption("Note", role="title"))
        head.addStretch(1)
        head.addWidget(self._told)
        head.addWidget(self._save)
        inside.addLayout(head)
        inside.addWidget(self.note)
        inside.addWidget(caption("Tags", role="title"))
        inside.addWidget(self.tags)
        column.addWidget(noted)
        told, inside = card(name="What was decided")
        inside.addWidget(caption("What was decided", role="title"))
        inside.addWidget(self._lines)
        column.addWidget(told)
        column.addStretch(1)


def _name_of(rows: Sequence[SceneFacts]) -> str:
    if len(rows) == 1:
        return rows[0].id
    return counted(len(rows), "scene") if rows else "No scene"


def _facts_of(rows: Sequence[SceneFacts], state: StudioState) -> tuple[Fact, ...]:
    """What is worth a line: of one scene what it is, of several how many are what."""
    if len(rows) != 1:
        counts = Counter(row.status for row in rows)
        told = [(str(status), f"{count:,}") for status, count in counts.most_common()]
    else:
        told = _about(rows[0], state.story)
    return tuple(Fact(name=name, value=value) for name, value in told if value)


def _about(row: SceneFacts, story: SceneStory | None) -> list[tuple[str, str]]:
    """Names and values of one scene; "" is not worth a line."""
    mine = story if story is not None and story.scene == row.id else SceneStory(scene=row.id)
    return [
        ("status", str(row.status)),
        ("retained", percent(row.retained)),
        ("label", mine.label),
        ("frozen with", mine.thresholds),
        ("painted", percent(row.painted) if row.painted else ""),
        ("PSNR-μ", "" if row.psnr_mu is None else f"{row.psnr_mu:.1f} dB"),
        ("motion", "" if row.motion is None else percent(row.motion)),
        ("saturated", "" if row.saturation is None else percent(row.saturation)),
        ("reviewed", "yes" if row.reviewed else "no"),
        ("frames read", mine.frames),
    ]


def _story(rows: Sequence[SceneFacts], state: StudioState) -> str:
    story = state.story
    if len(rows) != 1 or story is None or story.scene != rows[0].id:
        return "Select one scene to read its history." if len(rows) > 1 else ""
    more = len(story.lines) - _MOST_LINES
    days = groupby(story.lines[:_MOST_LINES], key=_day_and_who)
    told = "".join(f"<div>{escape(head)}</div>{_table(lines)}" for head, lines in days)
    return f"{told}<div>… and {more} before</div>" if more > 0 else told


def _day_and_who(line: StoryLine) -> str:
    """What is told once for all decisions of one day and one person."""
    return f"{line.at.rpartition(' ')[0]} · {line.who}"


def _table(lines: Iterable[StoryLine]) -> str:
    """One row a decision: at what time, and what."""
    rows = (
        f"<tr><td style='white-space: nowrap; padding-right: 8px'>"
        f"{escape(line.at.rpartition(' ')[2])}</td><td>{escape(line.what)}</td></tr>"
        for line in lines
    )
    return f"<table cellspacing='0' cellpadding='0'>{''.join(rows)}</table>"
