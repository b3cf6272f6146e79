"""The diary of a run: its rounds, checks and wishes in words, to be read and copied."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit

from smarthdr_studio.core.running.diary import DiaryLine
from smarthdr_studio.studio.panels.parts import describe
from smarthdr_studio.studio.theme import Palette

_SIGNS: Final = {"plain": "", "good": "▲ ", "warn": "⚠ ", "bad": "✖ "}
_DAY: Final = "%A %d %B %Y"
_TIME: Final = "%H:%M"
_NOTHING: Final = "The run tells its story here: rounds, checks, and what was asked of it."


class DiaryPanel(QTextEdit):
    """Lines with time, epoch and words, newest last; follows them unless one scrolled back."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._lines: list[DiaryLine] = []
        self._day = ""
        self._following = True
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._follow)
        bar.actionTriggered.connect(self._see_whether_followed)
        describe(self, name="Diary of the run", tip="")
        self.setReadOnly(True)
        # The arrow keys stay with the scenes; Ctrl+C and the menu copy what is marked.
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WordWrap)
        self.setUndoRedoEnabled(False)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(2)

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
        QGuiApplication.clipboard().setText(self.toPlainText())

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
        # Rounds and checks come between two epochs: the number is of those that are over.
        cursor.insertText(f"{when:{_TIME}}\tepoch {line.epoch}\t", muted)
        colours = {
            "good": self._palette.good,
            "warn": self._palette.warn,
            "bad": self._palette.bad,
        }
        words = self._format(colours.get(line.tone, self._palette.text))
        cursor.insertText(f"{_SIGNS[line.tone]}{line.text}", words)

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
        """Words that need several lines stay in their column."""
        metrics = self.fontMetrics()
        first = metrics.horizontalAdvance("00:00  ")
        second = first + metrics.horizontalAdvance("epoch 0000  ")
        block = QTextBlockFormat()
        tabs = [
            QTextOption.Tab(place, QTextOption.TabType.LeftTab, "\t") for place in (first, second)
        ]
        block.setTabPositions(tabs)
        block.setLeftMargin(second)
        block.setTextIndent(-second)
        return block

    def _format(self, colour: str) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(QColor(colour))
        return made
