"""The plan as one line for a terminal, to be read, selected and copied."""

from PySide6.QtCore import Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import button, caption, card, describe
from smarthdr_studio.studio.state import PlanningState

_HEIGHT = 96


class PlanCommand(QWidget):
    """Shows the command; the button says for a moment that it was copied."""

    def __init__(self) -> None:
        super().__init__()
        self._line = QPlainTextEdit(readOnly=True)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self._line.setFont(font)
        self._line.setFixedHeight(_HEIGHT)
        self._line.setTabChangesFocus(True)
        describe(self._line, name="The same run from a terminal", tip="Starts exactly this plan")
        self._copy = button("Copy", tip="Copy the command line")
        self._copy.setAutoDefault(False)
        frame, column = card(name="Command line")
        head = QHBoxLayout()
        head.addWidget(caption("Command line", role="title"))
        head.addStretch(1)
        head.addWidget(self._copy)
        column.addLayout(head)
        column.addWidget(self._line)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._copy.clicked.connect(self._to_clipboard)

    @property
    def text(self) -> str:
        """What is shown."""
        return self._line.toPlainText()

    @Slot(object)
    def show_planning(self, planning: PlanningState) -> None:
        """Show the command of now, or that there is none."""
        words = planning.command
        if not words and planning.complaints:
            words = "(there is none while a setting is not allowed)"
        if words != self.text:
            self._line.setPlainText(words)
            self._copy.setText("Copy")
        self._copy.setEnabled(bool(planning.command))

    @Slot()
    def _to_clipboard(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self._copy.setText("Copied ✓")
