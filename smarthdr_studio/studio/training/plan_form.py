"""Every setting of a plan in its sections, to be scrolled, searched and changed."""

import math
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.training.plan_fields import PlanField, as_text
from smarthdr_studio.core.words import unit_for
from smarthdr_studio.studio.state import PlanningState
from smarthdr_studio.studio.widgets.controls import button, caption, describe, give_role
from smarthdr_studio.studio.widgets.file_dialogs import begin


class PlanValue(QWidget):
    """Says what a person typed or picked, as text; shows what it is told to."""

    typed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        """Show this value; a cursor stays where it is."""

    def show_fault(self, *, wrong: bool) -> None:
        """Mark the value as one that is not allowed."""

    def name(self, widget: QWidget, field: PlanField) -> None:
        """Place the control, and name it for a screen reader and the mouse."""
        widget.setAccessibleName(f"{field.title}, {field.unit}" if field.unit else field.title)
        widget.setAccessibleDescription(field.description)
        widget.setToolTip(f"{field.description}\n{field.key}: {field.allowed}")
        self.setFocusProxy(widget)
        self._row.addWidget(widget, 1)


_SWITCHED: Final = {"true": "on", "false": "off"}  # words of a switch, by its plan text


class SwitchValue(PlanValue):
    """On or off."""

    def __init__(self, field: PlanField) -> None:
        super().__init__()
        self._box = QCheckBox("on")
        self.name(self._box, field)
        self._box.clicked.connect(self._clicked)

    def show_text(self, text: str) -> None:
        """Tick it or not."""
        self._box.setChecked(text == "true")
        self._box.setText(_SWITCHED.get(text, "off"))

    @Slot(bool)
    def _clicked(self, on: object) -> None:
        self.typed.emit("true" if on else "false")


class ChoiceValue(PlanValue):
    """One of a few words."""

    def __init__(self, field: PlanField) -> None:
        super().__init__()
        self._list = _QuietList()
        self._list.addItems(list(field.choices))
        self.name(self._list, field)
        self._list.textActivated.connect(self.typed)

    def show_text(self, text: str) -> None:
        """Pick this word."""
        self._list.setCurrentText(text)


class LineValue(PlanValue):
    """A number or words; arrow keys count a number up and down."""

    def __init__(self, field: PlanField) -> None:
        super().__init__()
        self._line = _CountingLine(field)
        self.name(self._line, field)
        self._line.textEdited.connect(self.typed)

    def show_text(self, text: str) -> None:
        """Show this text."""
        if self._line.text() != text:
            self._line.setText(text)

    def show_fault(self, *, wrong: bool) -> None:
        """Give the line the frame of what is wrong."""
        give_role(self._line, role="fault" if wrong else "")


class PathValue(LineValue):
    """A file, typed or looked for."""

    def __init__(self, field: PlanField) -> None:
        super().__init__(field)
        self._title = field.title
        self._browse = button("…", tip=f"Look for {field.title}")
        self._browse.setAccessibleName(f"Look for {field.title}")
        self._browse.setAutoDefault(False)
        self._row.addWidget(self._browse)
        self._browse.clicked.connect(self._look)

    @Slot()
    def _look(self) -> None:
        dialog = QFileDialog(self, self._title)
        begin(dialog, "files of a plan")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.typed)
        dialog.open()


def value_for(field: PlanField) -> PlanValue:
    """The editor that fits the kind of a setting."""
    match field.kind:
        case "switch":
            return SwitchValue(field)
        case "choice":
            return ChoiceValue(field)
        case "path":
            return PathValue(field)
        case _:
            return LineValue(field)


class _QuietList(QComboBox):
    """A wheel that scrolls the form changes nothing in it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Left to the form."""
        event.ignore()


class _CountingLine(QLineEdit):
    """Up and down count, within what is allowed."""

    def __init__(self, field: PlanField) -> None:
        super().__init__()
        self._field = field

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Count, or type."""
        ways = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
        if event.key() in ways and self._field.kind in ("whole", "number"):
            self._count(ways[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _count(self, way: int) -> None:
        now = self._field.read(self.text())
        if not isinstance(now, int | float) or isinstance(now, bool):
            now = self._field.low or 0
        step = float(self._field.step)
        if self._field.kind == "number":
            step = 10.0 ** (math.floor(math.log10(abs(now))) - 1) if now else 0.01
        following = now + way * step
        low, high = self._field.low, self._field.high
        if low is not None and (following < low or (self._field.above and following <= low)):
            return
        if high is not None and (following > high or (self._field.below and following >= high)):
            return
        whole = self._field.kind == "whole"
        text = as_text(round(following) if whole else float(f"{following:.6g}"))
        self.setText(text)
        self.textEdited.emit(text)


CHANGED: Final = "●"
_NAME, _VALUE, _UNIT, _BACK = 164, 142, 84, 84


_LONGEST: Final = 7  # letters of a value that the button back names whole


class PlanRow(QWidget):
    """Says what was typed, and whether the preset's value is wanted back."""

    typed = Signal(str, str)
    reset_asked = Signal(str)

    def __init__(self, field: PlanField) -> None:
        super().__init__()
        self.field = field
        self.value = value_for(field)
        self.value.setFixedWidth(_VALUE)
        self._mark = caption("")
        self._mark.setFixedWidth(14)
        self._name, self._unit = caption(field.title), caption(field.unit, role="muted")
        self._name.setFixedWidth(_NAME)
        self._unit.setFixedWidth(_UNIT)
        self._back = button("", tip="", role="link")
        self._back.setFixedWidth(_BACK)
        self._back.setAutoDefault(False)
        default = as_text(field.default)
        if field.kind == "switch":
            default = _SWITCHED[str(field.default).lower()]
        default = f"Default {default}."
        self._about = caption(f"{field.description} {default}", role="muted")
        self._about.setWordWrap(True)
        self._wrong = caption("", role="bad")
        self._wrong.setWordWrap(True)
        self._lay_out()
        self.value.typed.connect(self._typed)
        self._back.clicked.connect(self._ask_reset)

    @property
    def complaint(self) -> str:
        """What is said to be wrong."""
        return self._wrong.text()

    def show_value(self, text: str, *, changed_from: str | None) -> None:
        """Show a value, and the preset's where it is another."""
        self.value.show_text(text)
        self._unit.setText(unit_for(text, self.field.unit))
        changed = changed_from is not None
        self._mark.setText(CHANGED if changed else "")
        self._mark.setAccessibleName("differs from the preset" if changed else "")
        words = changed_from or ""
        if self.field.kind == "switch":
            words = _SWITCHED.get(words, words)
        short = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
        self._back.setText(f"↺ {short}")
        self._back.setToolTip(f"Back to the preset's {words}")
        self._back.setAccessibleName(f"{self.field.title}: back to the preset's {words}")
        self._back.setVisible(changed)

    def show_complaint(self, wrong: str, idle: str) -> None:
        """Say under the row what is not allowed, or else what does nothing."""
        self.value.show_fault(wrong=bool(wrong))
        give_role(self._wrong, role="bad" if wrong else "warn")
        self._wrong.setText(f"✕ {wrong}" if wrong else f"△ {idle}" if idle else "")
        self._wrong.setVisible(bool(wrong or idle))

    def _lay_out(self) -> None:
        policy = self._back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._back.setSizePolicy(policy)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 2, 0, 6)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        for column, part in enumerate((self._mark, self._name, self.value, self._unit, self._back)):
            grid.addWidget(part, 0, column, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self._wrong, 1, 1, 1, 4)
        grid.addWidget(self._about, 2, 1, 1, 4)
        grid.setColumnStretch(4, 1)
        self._name.setBuddy(self.value)
        self._wrong.hide()
        self._back.hide()

    @Slot(str)
    def _typed(self, text: str) -> None:
        self.typed.emit(self.field.key, text)

    @Slot()
    def _ask_reset(self) -> None:
        self.reset_asked.emit(self.field.key)


_HIDDEN = frozenset({"preset"})  # says where a plan comes from; picked above the form
_SECTIONS_WIDTH = 120


class PlanForm(QWidget):
    """Rows are made from the plan's schema when it first comes."""

    typed = Signal(str, str)
    reset_asked = Signal(str)
    found = Signal(int, int)  # settings in sight, and all of them

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, PlanRow] = {}
        self._titles: dict[str, QLabel] = {}
        self._query, self._changed_only = "", False
        self._differs: tuple[str, ...] = ()
        self._wrong: frozenset[str] = frozenset()
        self._sections, self._scroll = QListWidget(), QScrollArea()
        self._nothing = caption("No setting has these words.", role="muted")
        self._inside = QWidget()
        self._inside.setObjectName("inside")
        self._column = QVBoxLayout(self._inside)
        self._lay_out()
        self._sections.currentRowChanged.connect(self._go_to)

    def show_planning(self, planning: PlanningState) -> None:
        """Show every value, what differs, and what is wrong."""
        book = planning.book
        if book is None:
            return
        if not self.rows:
            self._build(planning)
        values = book.values.get(planning.preset, {})
        for key, row in self.rows.items():
            base = as_text(values.get(key))
            differs = key in planning.differs
            row.show_value(planning.typed.get(key, base), changed_from=base if differs else None)
            row.show_complaint(planning.complaints.get(key, ""), planning.idle.get(key, ""))
        self._differs, self._wrong = planning.differs, frozenset(planning.complaints)
        self._count_changes()
        if self._changed_only:
            self._filter()

    @Slot(str)
    def search(self, query: str) -> None:
        """Show only settings that have these words in name, key or description."""
        self._query = query
        self._filter()

    @Slot(bool)
    def show_changed_only(self, only: object) -> None:
        """Show only what differs from the preset, or all."""
        self._changed_only = bool(only)
        self._filter()

    def _build(self, planning: PlanningState) -> None:
        assert planning.book is not None
        for field in planning.book.fields:
            if field.key in _HIDDEN:
                continue
            if field.section not in self._titles:
                title = caption(field.section, role="title")
                title.setContentsMargins(0, 10 if self._titles else 0, 0, 2)
                self._titles[field.section] = title
                self._column.addWidget(title)
                self._sections.addItem(field.section)
            row = PlanRow(field)
            row.typed.connect(self.typed)
            row.reset_asked.connect(self.reset_asked)
            self.rows[field.key] = row
            self._column.addWidget(row)
        self._column.addWidget(self._nothing)
        self._column.addStretch(1)
        self._filter()

    def _filter(self) -> None:
        full: set[str] = set()
        shown = 0
        for key, row in self.rows.items():
            seen = row.field.found_by(self._query)
            differs = key in self._differs or key in self._wrong
            seen = seen and (differs or not self._changed_only)
            row.setVisible(seen)
            shown += seen
            if seen:
                full.add(row.field.section)
        for section, title in self._titles.items():
            title.setVisible(section in full)
        for place in range(self._sections.count()):
            self._sections.item(place).setHidden(list(self._titles)[place] not in full)
        nothing = (
            "Nothing differs from the preset." if self._changed_only else self._words_missing()
        )
        self._nothing.setText(nothing)
        self._nothing.setVisible(not shown)
        self.found.emit(shown, len(self.rows))

    def _words_missing(self) -> str:
        return f"No setting has the words “{self._query}”."

    def _count_changes(self) -> None:
        for place, section in enumerate(self._titles):
            rows = {key for key, row in self.rows.items() if row.field.section == section}
            many = len(rows.intersection(self._differs))
            words = f"{section} · {many}" if many else section
            self._sections.item(place).setText(f"{words} ✕" if rows & self._wrong else words)

    @Slot(int)
    def _go_to(self, place: int) -> None:
        if 0 <= place < len(self._titles):
            title = list(self._titles.values())[place]
            bar = self._scroll.verticalScrollBar()
            bar.setValue(title.y() - 4 if place else 0)

    def _lay_out(self) -> None:
        describe(self._sections, name="Sections", tip="Go to a section of the plan")
        self._sections.setFixedWidth(_SECTIONS_WIDTH)
        self._sections.setFrameShape(QFrame.Shape.NoFrame)
        self._column.setContentsMargins(4, 2, 8, 8)
        self._column.setSpacing(0)
        self._scroll.setWidget(self._inside)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._sections)
        row.addWidget(self._scroll, 1)
