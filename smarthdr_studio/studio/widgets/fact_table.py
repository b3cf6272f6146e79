"""Facts in two tidy columns: a name, and a value with what it is to be held against."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.studio.widgets.controls import caption, give_role

SIGN: Final = "▲"
_ALARM: Final = "speaks against trust"


class FactTable(QWidget):
    """Shows facts; an alarming one has a sign and words as well as a colour.

    Rows are made once and used again, so that a table may follow the mouse.
    """

    def __init__(self, *, name: str, tips: Mapping[str, str] | None = None) -> None:
        """`tips` says, for some names, what the fact means."""
        super().__init__()
        self._tips = dict(tips or {})
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._facts: tuple[Fact, ...] = ()
        self.setAccessibleName(name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What is shown."""
        return self._facts

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show these facts, in this order."""
        if tuple(facts) != self._facts:
            self._facts = tuple(facts)
            self._fill()

    def as_text(self) -> str:
        """The facts, one per line, to be copied."""
        return "\n".join(" ".join(filter(None, _three(fact))) for fact in self._facts)

    def changeEvent(self, event: QEvent) -> None:
        """Write quiet words in the quiet colour of another palette."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._fill()

    def _fill(self) -> None:
        while len(self._rows) < len(self._facts):
            self._add_row()
        for place, (name, value) in enumerate(self._rows):
            fact = self._facts[place] if place < len(self._facts) else None
            name.setVisible(fact is not None)
            value.setVisible(fact is not None)
            if fact is not None:
                self._show(name, value, fact)

    def _add_row(self) -> None:
        name, value = caption("", role="muted"), caption("")
        name.setTextFormat(Qt.TextFormat.PlainText)
        value.setTextFormat(Qt.TextFormat.RichText)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setWordWrap(True)
        for column, label in enumerate((name, value)):
            self._grid.addWidget(label, len(self._rows), column, Qt.AlignmentFlag.AlignTop)
        self._rows.append((name, value))

    def _show(self, name: QLabel, value: QLabel, fact: Fact) -> None:
        quiet = self.palette().placeholderText().color().name()
        beside = f' <span style="color:{quiet}">{escape(fact.beside)}</span>' if fact.beside else ""
        give_role(value, role="bad" if fact.alarming else "")
        name.setText(fact.name)
        value.setText(f"{SIGN + ' ' if fact.alarming else ''}{escape(fact.value)}{beside}")
        spoken = (*_three(fact), _ALARM if fact.alarming else "")
        value.setAccessibleName(" ".join(filter(None, spoken)))
        tip = self._tips.get(fact.name, "") or (_ALARM.capitalize() if fact.alarming else "")
        name.setToolTip(tip)
        value.setToolTip(tip)


def _three(fact: Fact) -> tuple[str, str, str]:
    return fact.name, fact.value, fact.beside
