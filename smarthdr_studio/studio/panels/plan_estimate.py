"""What the plan would take: asked for by a button, measured in seconds, given up at any time."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import button, caption, card
from smarthdr_studio.studio.panels.plan_words import disk_in_words, estimate_in_facts
from smarthdr_studio.studio.state import PlanningState

_BEGIN = "Times a few real steps, about two seconds, and writes nothing."
_STALE = "For the plan before your last change."


class PlanEstimate(QWidget):
    """A card that tells times, memory and disk."""

    asked = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._ask = button("Estimate", tip="Measure what this plan takes")
        self._cancel = button("Cancel", tip="Give it up after the step at hand")
        self._bar = QProgressBar(minimum=0, maximum=0, textVisible=False)
        self._bar.setAccessibleName("Estimating")
        self.facts = FactTable(name="What the run will take")
        self.words, self._warnings = caption(_BEGIN, role="muted"), caption("", role="warn")
        frame, column = card(name="Estimate")
        head = QHBoxLayout()
        head.addWidget(caption("Estimate", role="title"))
        head.addStretch(1)
        for each in (self._ask, self._cancel):
            each.setAutoDefault(False)
            head.addWidget(each)
        column.addLayout(head)
        for part in (self._bar, self.facts, self._warnings, self.words):
            column.addWidget(part)
        for label in (self.words, self._warnings):
            label.setWordWrap(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._ask.clicked.connect(self.asked)
        self._cancel.clicked.connect(self.cancelled)
        self.show_planning(PlanningState(), able=False)

    @Slot(object)
    def show_planning(self, planning: PlanningState, *, able: bool) -> None:
        """Show how far it is, and what was found; `able` lets a person ask."""
        at_work, found = bool(planning.estimating), planning.estimate
        self._ask.setVisible(not at_work)
        self._ask.setEnabled(able)
        self._cancel.setVisible(at_work)
        self._bar.setVisible(at_work)
        self.facts.setVisible(found is not None)
        self.facts.setEnabled(not planning.stale)
        self.facts.show_facts(estimate_in_facts(found) if found is not None else ())
        warnings = [planning.refused] if planning.refused else []
        warnings += found.warnings if found is not None and not planning.stale else ()
        self._warnings.setText("\n".join(f"△ {each}" for each in warnings))
        self._warnings.setVisible(bool(warnings))
        self.words.setText(_words(planning))


def _words(planning: PlanningState) -> str:
    found = planning.estimate
    if planning.estimating:
        return f"{planning.estimating} …"
    if found is None:
        return "" if planning.refused else _BEGIN
    if planning.stale:
        return _STALE
    timed = f"Timed on {found.device} in {found.precision}: {found.measured}."
    return f"{disk_in_words(found)}. {timed}"
