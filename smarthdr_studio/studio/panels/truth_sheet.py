"""What was found out about a ground truth that is brought, and what is to be done with it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.truths.fixing import NO_FIX, NO_SHIFT, TruthFix
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, clear, describe
from smarthdr_studio.studio.panels.truth_pictures import TruthPicturesRow
from smarthdr_studio.studio.state import StudioState, TruthState, TruthWish

if TYPE_CHECKING:
    from smarthdr_studio.core.truths.checking import TruthFindings

_FORCED: Final = "Used anyway, all of it counts as exact light: only if you know better."
_WIDTH: Final = 840
_EVS: Final = "as in 0, 2, 4; else from the file beside them, or EXIF"


class TruthSheet(QDialog):
    """Not modal; nothing is decided but by its buttons. Says which scene it is for after all."""

    used = Signal(object)
    given_up = Signal()
    asked_again = Signal(str, object, object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Bring ground truth")
        self._truth: TruthState | None = None
        self._scene, self._source = QComboBox(), ElidedLabel(role="muted")
        self._pictures = TruthPicturesRow()
        self._summary = caption("", role="title")
        self._sentences = QVBoxLayout()
        self._scale, self._shift = QCheckBox(), QCheckBox()
        self._evs, self._note = QLineEdit(), QLineEdit()
        self._evs_row = QWidget()
        self._why_not = caption("", role="warn")
        self._use = button(
            "Use as ground truth", tip="Frozen in the project; one undo takes it back"
        )
        self._anyway = button("Use it anyway", tip="Against all advice; one undo takes it back")
        self._cancel = button("Cancel", tip="Nothing is changed (Esc)")
        self._lay_out()
        self._connect()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the ground truth that waits, or go."""
        truth = new.truth
        if truth is self._truth:
            return
        before, self._truth = self._truth, truth
        if truth is None:
            self.hide()
            return
        if before is None or before.files != truth.files:
            self._begin(truth, new)
        self._show(truth)
        self.show()

    def reject(self) -> None:
        """Escape gives up."""
        self.given_up.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._truth is not None:
            self.given_up.emit()

    def _begin(self, truth: TruthState, state: StudioState) -> None:
        """Other files."""
        self._scene.clear()
        self._scene.addItems([row.id for row in state.scenes])
        self._evs.clear()
        self._note.clear()
        self._evs_row.setVisible(len(truth.files) > 1)
        self._source.tell(", ".join(path.name for path in truth.files))
        self._source.setToolTip("\n".join(map(str, truth.files)))

    def _show(self, truth: TruthState) -> None:
        self._scene.setCurrentText(truth.scene)
        findings = truth.findings
        self._pictures.show_pictures(truth.pictures)
        self._summary.setText(_summary(truth))
        clear(self._sentences)
        for role, sentence in _sentences(truth):
            words = caption(sentence, role=role)
            words.setWordWrap(True)
            self._sentences.addWidget(words)
        self._offer(findings.suggested if findings is not None and findings.usable else NO_FIX)
        self._weigh()

    def _offer(self, fix: TruthFix) -> None:
        """A box for each fix, ticked: it is what the findings advise."""
        scale, shift = replace(fix, shift=NO_SHIFT), replace(fix, gain=1.0)
        for box, part in ((self._scale, scale), (self._shift, shift)):
            box.setText(part.sentence[:1].upper() + part.sentence[1:])
            box.setVisible(part.needed)
            box.setChecked(part.needed)
            describe(box, name=box.text(), tip="Done to the copy in the project, not to the file")

    @property
    def _wished(self) -> TruthFix:
        """The fixes that are ticked."""
        findings = self._truth.findings if self._truth is not None else None
        if findings is None:
            return NO_FIX
        offered = findings.suggested
        return TruthFix(
            gain=offered.gain if self._scale.isChecked() else 1.0,
            shift=offered.shift if self._shift.isChecked() else NO_SHIFT,
        )

    @Slot()
    def _weigh(self) -> None:
        """Which buttons make sense with the boxes as they are ticked."""
        findings = self._truth.findings if self._truth is not None else None
        self._pictures.show_mended(mended=self._scale.isChecked())
        reason = "" if findings is None else _why_not(findings, self._wished)
        self._use.setEnabled(findings is not None and not reason)
        forcible = bool(reason) and findings is not None and findings.forcible
        self._anyway.setVisible(forcible)
        usable = findings is not None and findings.usable
        self._why_not.setText(reason if usable else _FORCED)
        # What can never be used is told by the summary.
        self._why_not.setVisible(bool(reason) and (usable or forcible))
        self._use.setToolTip(reason or "Frozen in the project; one undo takes it back (Enter)")
        self.adjustSize()

    @Slot()
    def _take(self) -> None:
        self.used.emit(TruthWish(fix=self._wished, note=self._note.text().strip()))

    @Slot()
    def _ask_again(self) -> None:
        """For another scene, or with other exposures."""
        if self._truth is not None:
            evs = _numbers(self._evs.text(), len(self._truth.files))
            self.asked_again.emit(self._scene.currentText(), self._truth.files, evs)

    def _connect(self) -> None:
        self._scene.activated.connect(self._ask_again)
        self._evs.returnPressed.connect(self._ask_again)
        self._scale.toggled.connect(self._weigh)
        self._shift.toggled.connect(self._weigh)
        self._use.clicked.connect(self._take)
        self._anyway.clicked.connect(self._take)
        self._cancel.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        describe(self._scene, name="Scene", tip="The scene that this is the ground truth of")
        describe(self._evs, name="Exposures", tip=f"One EV for each frame, {_EVS}")
        describe(self._note, name="Note", tip="Why; kept in the journal")
        self._evs.setPlaceholderText(_EVS)
        self._note.setPlaceholderText("Why? (kept in the journal)")
        self._use.setProperty("role", "primary")
        self._use.setDefault(True)
        for other in (self._anyway, self._cancel):
            other.setAutoDefault(False)
        for words in (self._summary, self._why_not):
            words.setWordWrap(True)
        head, evs, last = QHBoxLayout(), QHBoxLayout(self._evs_row), QHBoxLayout()
        head.addWidget(caption("Ground truth of"))
        head.addWidget(self._scene)
        head.addWidget(self._source, 1)
        evs.setContentsMargins(0, 0, 0, 0)
        evs.addWidget(caption("Exposures in EV"))
        evs.addWidget(self._evs, 1)
        last.addStretch(1)
        for each in (self._cancel, self._anyway, self._use):
            last.addWidget(each)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._evs_row)
        column.addWidget(self._pictures)
        column.addWidget(self._summary)
        column.addLayout(self._sentences)
        for part in (self._scale, self._shift, self._note, self._why_not):
            column.addWidget(part)
        column.addLayout(last)
        self.setFixedWidth(_WIDTH)


def _summary(truth: TruthState) -> str:
    if truth.at_work:
        return "Comparing it with the reference frame …"
    return truth.findings.summary if truth.findings is not None else truth.fault


def _sentences(truth: TruthState) -> list[tuple[str, str]]:
    """Roles and words of everything else there is to say."""
    told = []
    if truth.findings is not None:
        told += [("bad", f"✕ {words}") for words in truth.findings.problems[1:]]
        told += [("warn", f"⚠ {words}") for words in truth.findings.warnings]
    if truth.replaces:
        told.append(("muted", f"{truth.scene} is {truth.replaces} now; one undo brings that back."))
    return told


def _why_not(findings: "TruthFindings", wished: TruthFix) -> str:
    """Why this cannot be used without being forced; "" where it can."""
    if not findings.usable:
        return "It cannot be used as ground truth of this scene."
    if wished != findings.suggested:
        return f"It fits only once {findings.suggested.sentence}."
    return ""


def _numbers(text: str, count: int) -> tuple[float, ...] | None:
    """Exposure values as typed; None where they are not one for each frame."""
    try:
        numbers = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        return None
    return numbers if len(numbers) == count else None
