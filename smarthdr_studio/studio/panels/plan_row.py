"""One setting of a plan: its name and value, what it does, and what is wrong with it."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QWidget

from smarthdr_studio.core.plan_field import PlanField, as_text
from smarthdr_studio.studio.panels.parts import button, caption, give_role
from smarthdr_studio.studio.panels.plan_value import value_for

CHANGED: Final = "●"
_NAME, _VALUE, _UNIT, _BACK = 164, 180, 92, 96


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
        default = f"Default {as_text(field.default)}."
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
        changed = changed_from is not None
        self._mark.setText(CHANGED if changed else "")
        self._mark.setAccessibleName("differs from the preset" if changed else "")
        words = changed_from or ""
        short = words if len(words) <= 8 else f"{words[:7]}…"
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
