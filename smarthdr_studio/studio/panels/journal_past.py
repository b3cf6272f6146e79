"""How the project stood at a moment of the past, and what differs from a later one."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.journal_words import (
    EXAMPLE,
    counts,
    differences,
    moment_of,
    title,
)
from smarthdr_studio.studio.panels.parts import ElidedLabel, caption, describe, give_role
from smarthdr_studio.studio.state import PastState

_HOW = "Choose a decision to see how the project stood after it, or two (Ctrl+click) to compare."
_SAME = "Nothing differs."


class JournalPast(QWidget):
    """Says which moment was typed; shows the past it is given."""

    moment_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._typed = QLineEdit(placeholderText=EXAMPLE, clearButtonEnabled=True)
        describe(
            self._typed,
            name="As it was on",
            tip=f"A day, a time or both, as in {EXAMPLE}; Enter shows the project as it was",
        )
        self._title = ElidedLabel(role="title")
        self._counts = caption("", role="muted")
        self._fault = ElidedLabel(role="warn")
        self._text = QPlainTextEdit(readOnly=True)
        describe(self._text, name="Differences", tip="")
        self._lay_out()
        self._typed.returnPressed.connect(self._ask)
        self._typed.textEdited.connect(self._forgive)
        self.show_past(None)

    def show_past(self, past: PastState | None) -> None:
        """Show a moment, or how to choose one."""
        self._title.tell("" if past is None else title(past))
        self._title.setVisible(past is not None)
        self._counts.setText("" if past is None else counts(past))
        self._counts.setVisible(past is not None and bool(past.counts) and past.known)
        self._text.setPlainText(_HOW if past is None else _words(past))

    def go(self) -> None:
        """Put the cursor where a moment is typed."""
        self._typed.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._typed.selectAll()

    def _lay_out(self) -> None:
        self._counts.setWordWrap(True)
        self._fault.hide()
        self._text.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        row = QHBoxLayout()
        row.addWidget(caption("As it was on"))
        row.addWidget(self._typed, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        for part in (self._fault, self._title, self._counts):
            column.addWidget(part)
        column.addWidget(self._text, 1)

    @Slot()
    def _ask(self) -> None:
        text = self._typed.text().strip()
        moment = moment_of(text) if text else None
        if moment is not None:
            self.moment_asked.emit(moment)
        elif text:
            self._fault.tell(f"“{text}” is no moment; type it as in {EXAMPLE}")
            give_role(self._fault, role="warn")
            self._fault.show()

    @Slot()
    def _forgive(self) -> None:
        self._fault.hide()


def _words(past: PastState) -> str:
    if not past.known:
        return "That was before the project was made."
    later = "then" if past.after else "now"
    return differences(past) or f"{_SAME[:-1]} between that moment and {later}."
