"""Is σ any good? Curves, figures and a sentence, where ground truth knows the error."""

import math
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.core.trust.reliability import Evidence, Part, gaussian_coverage
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.widgets.controls import (
    Choice,
    ClampedLabel,
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    rename,
)
from smarthdr_studio.studio.widgets.tables import FactTable

DROPPED: Final = 0.1
GAUSSIAN: Final = (gaussian_coverage(1), gaussian_coverage(2), gaussian_coverage(3))
# Which share of what an oracle gains over chance the words ask for.
_KNOWS, _ROUGHLY, _HARDLY = 0.5, 0.2, 0.03

ABSOLUTE: Final = "absolute error: |error| on the μ-law, mean over channels"
RMS: Final = "RMS error: root of the mean over channels of the squared error on the μ-law"

TIPS: Final = {
    "AUSE": "Area between the curve by σ and the oracle's: 0 is as good as knowing the error"
    f" ({ABSOLUTE})",
    "AURG": f"Area between random and the curve by σ: 0 is no better than chance ({ABSOLUTE})",
    "Spearman": "Rank correlation of σ and the absolute error: 1 is the same order, 0 is none"
    f" ({ABSOLUTE})",
    "AUROC": "How well σ tells absolute errors above 10/255 from the rest: 1 always, 0.5 is"
    f" chance ({ABSOLUTE})",
    "ENCE": "How far σ is from the RMS error it predicts, on average over bins: 0 is calibrated"
    f" ({RMS})",
    "within σ": f"Share of pixels whose RMS error is within σ, 2σ and 3σ ({RMS})",
    "Gaussian": "What those shares would be if the errors of the three channels were independent"
    " Gaussians of standard deviation σ",
    "pixels": "How many pixels these figures rest on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Shares of the summed absolute error that go with the least sure `dropped` of the pixels."""

    dropped: float
    by_sigma: float
    oracle: float


def removed(shown: Evidence, *, dropped: float = DROPPED) -> Removed:
    """What dropping the least sure pixels removes of the summed absolute error.

    A curve y holds mean absolute error of the rest ÷ that of all, so the rest keeps
    (1 − dropped)·y of the sum.
    """
    return Removed(
        dropped=dropped,
        by_sigma=1 - (1 - dropped) * _at(shown.by_sigma, dropped),
        oracle=1 - (1 - dropped) * _at(shown.oracle, dropped),
    )


def sentence(shown: Evidence) -> str:
    """Whether σ knows where the errors are, said with numbers."""
    if shown.pixels == 0:
        return "There are no such pixels here."
    gone = removed(shown)
    if not (math.isfinite(gone.by_sigma) and math.isfinite(gone.oracle)):
        return "There is no error here to be found."
    room = gone.oracle - gone.dropped
    if room < 0.01:
        return "All errors are alike here: there is nothing for σ to know."
    return (
        f"{_verdict((gone.by_sigma - gone.dropped) / room)}: dropping the least sure"
        f" {_percent(gone.dropped)} removes {_percent(gone.by_sigma)} of the absolute"
        f" error (an oracle {_percent(gone.oracle)})."
    )


def figures(shown: Evidence) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Two columns of figures."""
    first = (
        Fact(name="AUSE", value=_number(shown.ause)),
        Fact(name="Spearman", value=_number(shown.spearman)),
        Fact(name="ENCE", value=_number(shown.ence)),
    )
    second = (
        Fact(name="AURG", value=_number(shown.aurg)),
        Fact(name="AUROC", value=_number(shown.auroc)),
        Fact(name="pixels", value=count(shown.pixels)),
    )
    return first, second


def coverage(shown: Evidence) -> tuple[Fact, ...]:
    """Coverage of 1, 2 and 3 σ, and what it would be of three independent Gaussian channels."""
    return (
        Fact(name="within σ", value=_three(shown.coverage), beside="1, 2, 3 σ"),
        Fact(name="Gaussian", value=_three(GAUSSIAN)),
    )


def count(pixels: int) -> str:
    """How many, short: 40,000 or 1.21 M."""
    return f"{pixels:,}" if pixels < 1_000_000 else f"{pixels / 1_000_000:.2f} M"


def _verdict(gain: float) -> str:
    """`gain` is 1 for an oracle and 0 for chance."""
    if gain >= _KNOWS:
        return "σ knows where the errors are"
    if gain >= _ROUGHLY:
        return "σ knows roughly where the errors are"
    if gain >= _HARDLY:
        return "σ hardly knows where the errors are"
    return "σ does not know where the errors are"


def _at(curve: npt.NDArray[np.float64], dropped: float) -> float:
    return float(np.interp(dropped, np.linspace(0, 1, len(curve)), curve))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _three(shares: tuple[float, float, float]) -> str:
    """Whole percent, and tenths near everything, where tenths tell."""
    return ", ".join(map(_near_everything, shares)) + " %"


def _near_everything(share: float) -> str:
    if 0.9995 <= share < 1:
        return ">99.9"
    return f"{100 * share:.1f}" if 0.99 < share < 1 else f"{100 * share:.0f}"


def _number(value: float) -> str:
    """Two decimals, or two telling digits of what is smaller."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.095 else f"{value:.2g}"


_SCOPES: Final = {
    "scene": "The scene on the screen, where it has ground truth",
    "pool": "Unlabelled scenes with ground truth, together, by their pseudo-labels",
    "labels": "Test and labelled scenes, together, as the newest teacher sees them; those it"
    " learned from flatter it",
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
    MEASURE: "Compare σ with the true error on every such scene that has ground truth; this takes"
    " a while and can be cancelled",
    ASK: "Let the teacher of the newest checkpoint predict this scene, whose ground truth is known",
}
_NOT_YET: Final = "Nobody has compared σ with true errors yet."
_UNKNOWN: Final = (
    "The error of this scene is not known: it takes a ground truth and a pseudo-label."
)
_LARGER: Final = 1.12

_LEAST: Final = 112  # pixels; of a lower chart nothing can be read


class EvidencePanel(QWidget):
    """Says what to look at and when to measure; both charts are placed in it by the window."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"evidence", "shown", "scenes", "folder"})

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
            ("Error left, least sure dropped first", sparsification),
            ("RMS error against predicted σ", calibration),
        ):
            title = ElidedLabel(role="muted")
            title.tell(words)
            chart.setMinimumHeight(_LEAST)
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
        rename(self._measure, help_with, tip=_HELP[help_with])
        idle = not evidence.work and self._state.folder is not None
        self._measure.setEnabled(idle)
        # A scene's own figures come by themselves; the pool's are measured again when asked to.
        useful = shown is None or evidence.scope != "scene"
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
