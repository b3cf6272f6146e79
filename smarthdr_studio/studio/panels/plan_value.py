"""An editor for one value of a plan: a tick, a list of words, or a line to type in."""

import math

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QWidget,
)

from smarthdr_studio.core.plan_field import PlanField, as_text
from smarthdr_studio.studio.panels.parts import button, give_role


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
        self._box.setText("on" if text == "true" else "off")

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
