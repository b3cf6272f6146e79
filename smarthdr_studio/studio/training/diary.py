"""The diary of the run that is watched: read from its log once, then written as it goes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from PySide6.QtCore import QMimeData, QObject, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit

from smarthdr_studio.core.training.diary import Diary, DiaryLine
from smarthdr_studio.core.training.events import PhaseChanged, StepReported, TrainingEvent
from smarthdr_studio.core.training.run_folder import RunFolder, run_of
from smarthdr_studio.core.training.run_log import TimedEvent, rare_events
from smarthdr_studio.core.words import plain_hyphens, unbroken
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import TrainingState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.controls import describe


def read_rare_events(*, run: RunFolder) -> tuple[TimedEvent, ...]:
    """Everything in the log of a run but steps and phases."""
    return rare_events(run)


class DiaryController(QObject):
    """Says when another diary begins, and every line of it."""

    began = Signal()
    wrote = Signal(object)  # tuple of DiaryLine

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._reading = LatestTask(tasks)
        self._run, self._diary = "", Diary()
        self._held: list[TimedEvent] | None = None  # what is said while the log is being read
        self._taken = 0  # events
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._turn_to("")

    @Slot(object)
    def follow(self, training: TrainingState) -> None:
        """Turn to the run that is watched."""
        if training.run != self._run:
            self._turn_to(training.run)

    @Slot(object)
    def hear(self, events: tuple[TrainingEvent, ...]) -> None:
        """What the run has said since the last time; it was just said."""
        rare = [each for each in events if not isinstance(each, StepReported | PhaseChanged)]
        if not rare:
            return
        now = datetime.now(UTC)
        timed = [TimedEvent(time=now, event=event) for event in rare]
        if self._held is not None:
            self._held += timed
        else:
            self._write(timed)

    @Slot()
    def catch_up(self) -> None:
        """A run that is closed logs its last words when nobody hears it any more."""
        self._read_log()

    def _turn_to(self, run: str) -> None:
        project = self._store.project
        self._diary = Diary(project=None if project is None else project.folder)
        self._run, self._held, self._taken = run, None, 0
        self._reading.cancel()
        self.began.emit()
        self._read_log()

    def _read_log(self) -> None:
        project = self._store.project
        if self._run and project is not None:
            self._held = self._held or []
            folder = run_of(project.folder, self._run)
            self._reading.start(plain(read_rare_events, run=folder), self._read, self._unreadable)

    def _read(self, told: tuple[TimedEvent, ...]) -> None:
        held, self._held = self._held or [], None
        # What was said meanwhile may be in the log already.
        known = [each.event for each in told[-len(held) - 8 :]] if held else []
        new = told[self._taken :]
        self._write([*new, *(each for each in held if each.event not in known)])

    def _unreadable(self, _message: str) -> None:
        held, self._held = self._held or [], None
        self._write(held)

    def _write(self, events: list[TimedEvent]) -> None:
        self._taken += len(events)
        lines = tuple(line for each in events if (line := self._diary.take(each)) is not None)
        if lines:
            self.wrote.emit(lines)


_SIGNS: Final = {"plain": "", "good": "▲ ", "warn": "⚠ ", "bad": "✖ "}
_DAY: Final = "%A %d %B %Y"
_TIME: Final = "%H:%M"
_LEAST_ACROSS: Final = 22  # digits, of the whole panel
_WORDS_ACROSS: Final = 34  # digits, that a column of words has room for at least
_NOTHING: Final = "The run tells its story here: rounds, checks, and what was asked of it."


class DiaryPanel(QTextEdit):
    """Lines with time, epoch and words, newest last; follows them unless one scrolled back."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._lines: list[DiaryLine] = []
        self._day = ""
        self._following, self._narrow = True, False
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._follow)
        bar.actionTriggered.connect(self._see_whether_followed)
        describe(self, name="Diary of the run", tip="")
        self.setReadOnly(True)
        # The arrow keys stay with the scenes; Ctrl+C and the menu copy what is marked.
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFrameShape(QFrame.Shape.NoFrame)
        # A path may be one word that is wider than the column.
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setUndoRedoEnabled(False)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(2)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("0" * _LEAST_ACROSS))

    @property
    def lines(self) -> tuple[DiaryLine, ...]:
        """What is written, oldest first."""
        return tuple(self._lines)

    @Slot()
    def begin(self) -> None:
        """Another run: an empty diary."""
        self._lines, self._day, self._following = [], "", True
        self.clear()

    @Slot(object)
    def write(self, lines: Sequence[DiaryLine]) -> None:
        """Append lines."""
        self._lines += lines
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for line in lines:
            self._append(cursor, line)
        cursor.endEditBlock()
        self._follow()

    @Slot()
    def copy_all(self) -> None:
        """The whole diary as text to the clipboard."""
        QGuiApplication.clipboard().setText(plain_hyphens(self.toPlainText()))

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is marked, with hyphens as others write them."""
        held = QMimeData()
        words = self.textCursor().selection().toPlainText()
        held.setText(plain_hyphens(words))
        return held

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._palette = palette
        lines = self.lines
        self.begin()
        self.write(lines)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Marking past the edge scrolls as well."""
        super().mouseReleaseEvent(event)
        self._see_whether_followed()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Words where there are no lines."""
        super().paintEvent(event)
        if self._lines:
            return
        painter = QPainter(self.viewport())
        painter.setPen(QColor(self._palette.muted))
        centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.viewport().rect(), centre, _NOTHING)
        painter.end()

    @Slot()
    def _follow(self) -> None:
        # Written while nobody looks, lines are laid out only once they are shown.
        if self._following:
            bar = self.verticalScrollBar()
            bar.setValue(bar.maximum())

    @Slot()
    def _see_whether_followed(self) -> None:
        bar = self.verticalScrollBar()
        self._following = bar.sliderPosition() >= bar.maximum()

    def _append(self, cursor: QTextCursor, line: DiaryLine) -> None:
        when = line.time.astimezone()
        self._append_day(cursor, when)
        self._new_block(cursor, self._hanging())
        muted = self._format(self._palette.muted)
        cursor.insertText(f"{when:{_TIME}}\tepoch {line.epoch}\t", muted)
        colours = {
            "good": self._palette.good,
            "warn": self._palette.warn,
            "bad": self._palette.bad,
        }
        words = self._format(colours.get(line.tone, self._palette.text))
        cursor.insertText(f"{_SIGNS[line.tone]}{unbroken(line.text)}", words)

    def _append_day(self, cursor: QTextCursor, when: datetime) -> None:
        day = f"{when:{_DAY}}"
        if day != self._day:
            self._day = day
            self._new_block(cursor, QTextBlockFormat())
            bold = self._format(self._palette.muted)
            bold.setFontWeight(QFont.Weight.DemiBold)
            cursor.insertText(day, bold)

    def _new_block(self, cursor: QTextCursor, block: QTextBlockFormat) -> None:
        if self.document().isEmpty():
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)

    def _hanging(self) -> QTextBlockFormat:
        """Words that need several lines stay in their column; if it is narrow, under the epoch."""
        first, second = self._columns()
        block = QTextBlockFormat()
        tabs = [
            QTextOption.Tab(place, QTextOption.TabType.LeftTab, "\t") for place in (first, second)
        ]
        block.setTabPositions(tabs)
        margin = first if self._narrow else second
        block.setLeftMargin(margin)
        block.setTextIndent(-margin)
        return block

    def _columns(self) -> tuple[int, int]:
        """Where epochs begin, and words."""
        metrics = self.fontMetrics()
        first = metrics.horizontalAdvance("00:00  ")
        return first, first + metrics.horizontalAdvance("epoch 000  ")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines may have to be laid out otherwise."""
        super().resizeEvent(event)
        words = self.viewport().width() - self._columns()[1]
        narrow = words < self.fontMetrics().horizontalAdvance("0" * _WORDS_ACROSS)
        if narrow != self._narrow:
            self._narrow = narrow
            self.dress(self._palette)

    def _format(self, colour: str) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(QColor(colour))
        return made
