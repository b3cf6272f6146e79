"""One scene, or several, in full: what it is, its note, its tags, and what was decided about it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import (
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    percent,
)
from smarthdr_studio.studio.panels.tag_row import TagRow
from smarthdr_studio.studio.state import SceneFacts, SceneStory, StoryLine, StudioState

_PAUSE_MS: Final = 1200  # without a key, and what was written is saved
_MOST_LINES: Final = 40
_SEVERAL: Final = "Written here, it takes the place of all their notes."


class SceneCard(QWidget):
    """Saves a note when the cursor leaves it or after a pause; what is not saved says so."""

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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The cursor leaves the note."""
        if watched is self.note and event.type() is QEvent.Type.FocusOut:
            self.save()
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        """Nothing was shown while nobody looked."""
        super().showEvent(event)
        self._show()

    def _show_if_seen(self) -> None:
        if self.isVisible() or self._dirty:
            self._show()

    def _show(self) -> None:
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
        self.note.installEventFilter(self)
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
    return f"{len(rows):,} scenes" if rows else "No scene"


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
        ("kept", percent(row.retained)),
        ("label", mine.label),
        ("frozen with", mine.thresholds),
        ("painted", percent(row.painted) if row.painted else ""),
        ("PSNR-μ", "" if row.psnr_mu is None else f"{row.psnr_mu:.1f} dB"),
        ("motion", "" if row.motion is None else percent(row.motion)),
        ("saturated", "" if row.saturation is None else percent(row.saturation)),
        ("reviewed", "yes" if row.reviewed else "no"),
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
