"""The camera's curve in a picture and in words, and the choice between it and gamma 2.2.

Part of the import of brackets; of a project that is there, a sheet of its own, which measures the
curve and lets frames be read under another one from then on.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.datasets.camera_curve import measure_response
from smarthdr_studio.core.imaging.bracket import curve_in_words
from smarthdr_studio.core.imaging.response import ResponseCurve, ResponseFit
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.core.words import unbroken
from smarthdr_studio.studio.plots.response import ResponseChart
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import CurveState, StudioState
from smarthdr_studio.studio.tasks import LatestTask, Report, TaskRunner
from smarthdr_studio.studio.theme import current_palette
from smarthdr_studio.studio.widgets.controls import (
    ClampedLabel,
    ElidedLabel,
    button,
    caption,
    card,
    describe,
)


class CurveChoice(QWidget):
    """The camera's curve as brackets show it beside gamma 2.2, and which of both is used."""

    wished = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.chart = ResponseChart()
        self.words = caption("", role="muted")
        self.words.setWordWrap(True)
        self.gamma = QRadioButton("Gamma 2.2 (dashed)")
        self.measured = QRadioButton("Measured curve (solid)")
        self.other = QRadioButton("The one in use, which is neither")
        describe(self.gamma, name="Gamma 2.2", tip="As published sets are; sRGB is near it")
        describe(self.measured, name="Measured curve", tip="As these brackets show it")
        describe(self.other, name="The curve in use", tip="Of a file, or measured before")
        self.other.hide()
        frame, inside = card(name="Camera curve", margin=6)
        inside.addWidget(caption("Camera curve", role="title"))
        inside.addWidget(caption(self.chart.title, role="muted"))
        inside.addWidget(self.chart, 1)
        inside.addWidget(self.words)
        row = QHBoxLayout()
        row.addWidget(self.measured)
        row.addWidget(self.gamma)
        row.addWidget(self.other)
        row.addStretch(1)
        inside.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(frame)
        self.gamma.clicked.connect(lambda: self.wished.emit("gamma"))
        self.measured.clicked.connect(lambda: self.wished.emit("measured"))
        self.other.clicked.connect(lambda: self.wished.emit("other"))

    def show_fit(self, fit: ResponseFit | None, *, used: ResponseCurve | None, known: bool) -> None:
        """Show what was measured, if that is known by now, and the curve that is used."""
        self.chart.set_palette_colours(current_palette())
        self.chart.set_curve(None if fit is None else fit.curve, known=known)
        self.measured.setEnabled(fit is not None)
        is_other = known and used is not None and (fit is None or fit.curve != used)
        self.other.setVisible(is_other)
        if known:  # until then it stands as a person set it
            chosen = self.other if is_other else self.gamma if used is None else self.measured
            chosen.setChecked(True)
        self.words.setText(_fit_in_words(fit) if known else "")


def _fit_in_words(fit: ResponseFit | None) -> str:
    if fit is None:
        return (
            "Gamma 2.2 is taken: a curve shows only where EXIF or a file tells exposures, and "
            "frames share well-exposed places."
        )
    verdict = "It fits clearly better." if fit.is_better else "It fits no better than gamma 2.2."
    sentence = f"{fit.words[:1].upper()}{fit.words[1:]}."
    return unbroken(f"{sentence} {verdict}")


def measure_curve(report: Report, *, folder: Path) -> ResponseFit | None:
    """What the brackets of a project show, whatever they are read under. Raises StudioError."""
    words = "Measuring the camera's curve"
    report(words, 0, 0)
    with Project.open(folder) as project:
        return measure_response(project.scenes, progress=partial(report, words))


class CurveController(QObject):
    """Measures the curve of the open project; what a person chooses is the session's to decide."""

    chosen = Signal(object)  # a ResponseCurve, or None for gamma 2.2

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._measuring = LatestTask(tasks)
        store.switched.connect(self._switch)

    @Slot()
    def ask(self) -> None:
        """Show the curve that frames are read under, and measure what brackets show."""
        project = self._store.project
        if project is None or self._store.state.curve is not None:
            return
        used = project.reading.response
        self._store.become(curve=CurveState(used=used, wished=used, doing="…"))
        self._measure(project.folder)

    def take_journal(self, journal: JournalReading) -> None:
        """Somebody may have decided about the curve; what a person wished here stays wished."""
        state, used = self._store.state.curve, journal.ledger.reading.response
        if state is not None and used != state.used:
            self._become(used=used, wished=used if state.wished == state.used else state.wished)

    @Slot(str)
    def wish(self, wish: str) -> None:
        """Gamma 2.2 ("gamma"), the "measured" curve, or the "other" one, which is in use now."""
        state = self._store.state.curve
        if state is None or state.doing:
            return
        match wish:
            case "gamma":
                self._become(wished=None)
            case "measured" if state.fit is not None:
                self._become(wished=state.fit.curve)
            case _:
                self._become(wished=state.used)

    @Slot()
    def use(self) -> None:
        """Read frames under the curve a person wished."""
        state = self._store.state.curve
        if state is not None and not state.doing:
            self._store.become(curve=None)
            if state.wished != state.used:
                self.chosen.emit(state.wished)

    @Slot()
    def give_up(self) -> None:
        """Frames are read as before."""
        self._measuring.cancel()
        self._store.become(curve=None)

    @Slot()
    def _switch(self) -> None:
        """Of a project that was only read anew the sheet stays, and what it waits for is asked."""
        state, project = self._store.state.curve, self._store.project
        if state is not None and state.doing and project is not None:
            self._measure(project.folder)

    def _measure(self, folder: Path) -> None:
        job = partial(measure_curve, folder=folder)
        self._measuring.start(job, self._measured, self._refused, on_progress=self._progressed)

    def _become(self, **changes: Any) -> None:  # noqa: ANN401 - those of CurveState
        state = self._store.state.curve
        if state is not None:
            self._store.become(curve=replace(state, **changes))

    def _progressed(self, words: str, done: int, total: int) -> None:
        self._become(doing=words, progress=done / total if total else None)

    def _measured(self, fit: ResponseFit | None) -> None:
        self._become(fit=fit, doing="", progress=None)

    def _refused(self, sentence: str) -> None:
        self._become(doing="", progress=None, fault=sentence)


_SIZE: Final = (560, 460)
_STAYS: Final = (
    "No file changes, and Undo takes it back. Labels, pseudo-labels and runs made under another "
    "curve stay as they are and are told."
)


class CurveSheet(QDialog):
    """Not modal; frames are read as before until a curve is used."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"curve"})

    wished = Signal(str)
    used = Signal()
    given_up = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Camera curve")
        self._state: CurveState | None = None
        self._now = caption("", role="title")
        self.choice = CurveChoice()
        self._stays, self._fault = caption(_STAYS, role="muted"), ClampedLabel(lines=2, role="bad")
        self._doing, self._bar = ElidedLabel(role="muted"), QProgressBar(textVisible=False)
        self.close_it = button("Close", tip="Frames are read as before (Esc)")
        self.use = button("Use this curve", tip="From now on (Enter)", role="primary")
        self._lay_out()
        self.choice.wished.connect(self.wished)
        self.use.clicked.connect(self.used)
        self.close_it.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show what is known, or go."""
        before, self._state = self._state, new.curve
        if new.curve is None:
            self.hide()
            return
        self._show(new.curve)
        if before is None:
            self.show()
            self.activateWindow()

    def reject(self) -> None:
        """Escape changes nothing."""
        self.given_up.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._state is not None:
            self.given_up.emit()

    def _show(self, state: CurveState) -> None:
        curve = "" if state.used is None else state.used.digest[:8]
        self._now.setText(f"Frames are read {curve_in_words(curve)}.")
        known = not state.doing and not state.fault
        self.choice.show_fit(state.fit, used=state.used, known=known)
        if known and state.wished != state.used:
            choice = self.choice
            (choice.gamma if state.wished is None else choice.measured).setChecked(True)
        self.choice.setEnabled(known)
        self.use.setEnabled(known and state.wished != state.used)
        self._fault.tell(state.fault)
        self._doing.tell(state.doing)
        self._bar.setMaximum(0 if state.progress is None else 1000)
        self._bar.setValue(0 if state.progress is None else round(state.progress * 1000))
        for part in (self._doing, self._bar):
            part.setVisible(bool(state.doing))

    def _lay_out(self) -> None:
        self._stays.setWordWrap(True)
        self._bar.setAccessibleName("Progress")
        self._bar.setFixedWidth(180)
        self.close_it.setAutoDefault(False)
        self.use.setDefault(True)
        work, last = QHBoxLayout(), QHBoxLayout()
        work.addWidget(self._doing, 1)
        work.addWidget(self._bar)
        last.addStretch(1)
        last.addWidget(self.close_it)
        last.addWidget(self.use)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(self._now)
        column.addWidget(self.choice, 1)
        column.addWidget(self._stays)
        column.addWidget(self._fault)
        column.addLayout(work)
        column.addLayout(last)
        self.resize(*_SIZE)
