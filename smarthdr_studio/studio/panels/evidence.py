"""Is σ any good? Curves, figures and a sentence, where ground truth knows the error."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from smarthdr_studio.core.evidence import Evidence, Part
from smarthdr_studio.core.journal import Status
from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.panels.clamped_label import ClampedLabel
from smarthdr_studio.studio.panels.evidence_words import TIPS, coverage, figures, sentence
from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, card, describe
from smarthdr_studio.studio.state import StudioState

_SCOPES: Final = {
    "scene": "The scene on the screen, where it has ground truth",
    "pool": "All scenes with ground truth, together",
}
_PARTS: Final = {
    Part.ALL: "Every pixel",
    Part.SATURATED: "Pixels that some frame clips",
    Part.MOVING: "Pixels whose frames disagree after alignment",
    Part.STATIC: "Pixels that neither clip nor move",
}
MEASURE: Final = "Measure scenes with ground truth"
ASK: Final = "Ask the teacher about this scene"
_HELP: Final = {
    MEASURE: "Compare σ with the true error on every scene that has ground truth; this takes a"
    " while and can be cancelled",
    ASK: "Let the teacher of the newest checkpoint judge this scene, whose ground truth is known",
}
_NOT_YET: Final = "Nobody has compared σ with true errors yet."
_UNKNOWN: Final = (
    "The error of this scene is not known: it takes a ground truth and a pseudo-label."
)
_LARGER: Final = 1.12


class EvidencePanel(QWidget):
    """Says what to look at and when to measure; both charts are placed in it by the window."""

    scope_picked = Signal(str)
    part_picked = Signal(str)
    measure_asked = Signal()
    cancel_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state = StudioState()
        self._scope = Choice(_SCOPES, name="Evidence of")
        self._parts = QComboBox()
        self._words, self._note = caption(""), ClampedLabel(lines=3, role="muted")
        self._measure = button(MEASURE, tip=_HELP[MEASURE])
        self._work, self._bar = ElidedLabel(role="muted"), QProgressBar(maximum=1000)
        self._cancel = button("Cancel", tip="Give up measuring", role="link")
        self._tables = (FactTable(name="Figures", tips=TIPS), FactTable(name="More", tips=TIPS))
        self._coverage = FactTable(name="Coverage", tips=TIPS)
        self._charts = QVBoxLayout()
        self._known, self._at_work = QWidget(), QWidget()
        self._prepare()
        self._lay_out()
        self._connect()
        self._show()

    def place_charts(self, sparsification: QWidget, calibration: QWidget) -> None:
        """Put both charts under the sentence."""
        for words, chart in (
            ("Absolute error left, least sure dropped first", sparsification),
            ("RMS error observed against σ predicted", calibration),
        ):
            title = ElidedLabel(role="muted")
            title.tell(words)
            self._charts.addWidget(title)
            self._charts.addWidget(chart, 1)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the evidence there is, or how to come by some."""
        self._state = new
        if (old.evidence, old.shown, old.scenes) != (new.evidence, new.shown, new.scenes):
            self._show()

    def _show(self) -> None:
        evidence = self._state.evidence
        self._scope.show_word(evidence.scope)
        self._parts.setCurrentText(str(evidence.part))
        self._known.setVisible(evidence.shown is not None)
        self._show_words(evidence.shown)
        if evidence.shown is not None:
            for table, facts in zip(self._tables, figures(evidence.shown), strict=True):
                table.show_facts(facts)
            self._coverage.show_facts(coverage(evidence.shown))
        self._at_work.setVisible(bool(evidence.work))
        self._work.tell(evidence.work)
        self._bar.setMaximum(0 if evidence.progress is None and evidence.work else 1000)
        self._bar.setValue(round(1000 * (evidence.progress or 0)))

    def _show_words(self, shown: Evidence | None) -> None:
        evidence = self._state.evidence
        nothing = _UNKNOWN if evidence.scope == "scene" else _NOT_YET
        self._words.setText(sentence(shown) if shown else "" if evidence.work else nothing)
        self._note.tell(_noted(evidence.note, evidence.scenes))
        self._note.setVisible(bool(evidence.note or evidence.scenes))
        help_with = self._what_helps()
        self._measure.setText(help_with)
        self._measure.setAccessibleName(help_with)
        self._measure.setToolTip(_HELP[help_with])
        idle = not evidence.work and self._state.folder is not None
        self._measure.setEnabled(idle)
        # A scene's own figures come by themselves; the pool's are measured again when asked to.
        useful = shown is None or evidence.scope == "pool"
        self._measure.setVisible(useful and not evidence.work)

    def _what_helps(self) -> str:
        row = self._state.row(self._state.shown)
        truth = row is not None and row.status in (Status.GROUND_TRUTH, Status.TEST)
        return ASK if truth and self._state.evidence.scope == "scene" else MEASURE

    def _prepare(self) -> None:
        for part, tip in _PARTS.items():
            self._parts.addItem(str(part))
            self._parts.setItemData(self._parts.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        describe(self._parts, name="Which pixels", tip="Which pixels the curves and figures count")
        font = self._words.font()
        font.setPointSizeF(font.pointSizeF() * _LARGER)
        self._words.setFont(font)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._measure.setStyleSheet("QPushButton { padding: 4px 2px; }")
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of measuring")
        for each in (self._measure, self._cancel):
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        frame, column = card(name="Is σ any good?", margin=8)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._scope)
        head.addWidget(self._parts, 1)
        column.addLayout(head)
        column.addWidget(self._words)
        column.addWidget(self._known, 1)
        column.addWidget(self._note)
        column.addWidget(self._measure)
        column.addWidget(self._at_work)
        column.addStretch(0)
        self._fill_known()
        self._fill_work()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def _fill_known(self) -> None:
        column = QVBoxLayout(self._known)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._charts.setSpacing(1)
        column.addLayout(self._charts, 1)
        both = QHBoxLayout()
        both.setSpacing(12)
        for table in self._tables:
            both.addWidget(table, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(both)
        column.addWidget(self._coverage)

    def _fill_work(self) -> None:
        row = QHBoxLayout(self._at_work)
        row.setContentsMargins(0, 0, 0, 0)
        self._bar.setFixedWidth(80)
        row.addWidget(self._work, 1)
        row.addWidget(self._bar)
        row.addWidget(self._cancel)

    def _connect(self) -> None:
        self._scope.picked.connect(self.scope_picked)
        self._parts.textActivated.connect(self.part_picked)
        self._measure.clicked.connect(self._help)
        self._cancel.clicked.connect(self.cancel_asked)

    @Slot()
    def _help(self) -> None:
        """Measuring the pool shows the pool, or nobody would see what came of it."""
        if self._what_helps() == MEASURE and self._state.evidence.scope == "scene":
            self.scope_picked.emit("pool")
        self.measure_asked.emit()


def _noted(note: str, scenes: tuple[str, ...]) -> str:
    """Which scenes the figures rest on, and what to keep in mind about them."""
    if not scenes:
        return note
    several = f"{len(scenes)} scenes" if len(scenes) > 1 else "1 scene"
    names = ", ".join(scenes[:4]) + (" …" if len(scenes) > 4 else "")
    return f"Measured on {several}: {names}. {note}".rstrip()
