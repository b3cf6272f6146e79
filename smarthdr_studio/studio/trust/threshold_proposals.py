"""Thresholds that a method proposes, with what they would mean, to be taken or left."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.threshold_proposals import (
    ProposalMethod,
    ThresholdProposal,
    Wish,
    propose_thresholds,
)
from smarthdr_studio.studio.project.predictions import network_of, predicted
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import StudioState, ThresholdState
from smarthdr_studio.studio.tasks import LatestTask, Repeating, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import button, caption, rename

_BELOW: Final = 8  # pixels
_TARGETS: Final = (0.005, 0.01, 0.02, 0.05)
_TIP: Final = (
    "Draw both thresholds from labelled scenes or exposures; the newest teacher is asked for"
    " labelled scenes first. Nothing changes until you apply it"
)
_DISMISS_TIP: Final = "Leave the thresholds as they are"
_METHOD_TIPS: Final[Mapping[ProposalMethod, str]] = {
    "quantile": "The score that 85 % of the patches, then of the pixels, of labelled scenes stay"
    " within",
    "exposure": "The mean score of the pool's pixels, told by exposure of the reference",
    "risk": "The largest τ, of both gates, whose kept pixels of labelled scenes err by no more",
}


def propose_for(
    report: Report, *, folder: Path, wish: Wish, frames: FrameStore
) -> ThresholdProposal:
    """Thresholds by the newest checkpoint's teacher. Raises StudioError."""
    report("loading the teacher", 0, 0)
    asked = network_of(folder, who="teacher", frames=frames).labelling
    repeating = Repeating(report)
    with Project.open(folder) as project:
        return propose_thresholds(
            project,
            wish,
            predict=lambda scene: predicted(
                lambda _words, done, total: repeating.again(done, total), asked, scene, words=""
            ),
            frames=frames,
            run=asked.run,
            said=repeating,
        )


class ThresholdProposalController(QObject):
    """Finds thresholds off the GUI thread; `settled` says which were taken."""

    settled = Signal(object)

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store, self._finding = store, LatestTask(tasks)
        store.switched.connect(self._forget)

    def propose(self, wish: Wish, frames: FrameStore) -> None:
        """Ask for thresholds; a question that is under way is given up."""
        if self._store.project is None:
            return
        job = partial(propose_for, folder=self._store.project.folder, wish=wish, frames=frames)
        self._finding.start(job, self._found, self._refused, on_progress=self._progressed)
        self._store.become(drawn=ThresholdState(work="looking at the pool"))

    @Slot()
    def apply(self) -> None:
        """Take what is proposed: one decision, which undo takes back."""
        shown = self._store.state.drawn.shown
        self._forget()
        if shown is not None:
            self.settled.emit(shown.masks)

    @Slot()
    def dismiss(self) -> None:
        """Leave it, or give up looking for it."""
        if self._finding.at_work:
            self._finding.cancel()
        self._forget()

    def _found(self, proposal: ThresholdProposal) -> None:
        self._store.become(drawn=ThresholdState(shown=proposal))

    def _refused(self, message: str) -> None:
        self._forget()
        self._store.complain(message)

    def _progressed(self, text: str, done: int, total: int) -> None:
        progress = done / total if total else None
        self._store.become(drawn=ThresholdState(work=text, progress=progress))

    @Slot()
    def _forget(self) -> None:
        self._store.become(drawn=ThresholdState())


class ThresholdProposals(QWidget):
    """A menu of methods; what one proposes, and whether to take it."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"drawn", "masks", "pool"})

    asked = Signal(object)  # Wish
    applied = Signal()
    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._masks = StudioState().masks
        self._open = button("Propose thresholds…", tip=_TIP)
        self._open.setMenu(self._menu())
        self._words = caption("")
        self._words.setWordWrap(True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._progress = QProgressBar(textVisible=False)
        self._progress.setAccessibleName("Proposing thresholds")
        self._apply = button("Apply", tip="Make these the project's thresholds; undo takes it back")
        self._dismiss = button("Dismiss", tip=_DISMISS_TIP)
        self._lay_out()
        self._apply.clicked.connect(self.applied)
        self._dismiss.clicked.connect(self.dismissed)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addStretch(1)
        for each in (self._open, self._dismiss, self._apply):
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            each.setStyleSheet("QPushButton { padding: 1px 6px; }")
        row.addWidget(self._dismiss)
        row.addWidget(self._apply)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        outer.addWidget(self._open, 0, Qt.AlignmentFlag.AlignLeft)
        outer.addWidget(self._words)
        outer.addWidget(self._progress)
        outer.addLayout(row)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show what is proposed, or how far the search for it has come."""
        self._masks = new.masks
        shown, work = new.drawn.shown, new.drawn.work
        self._open.setEnabled(new.pool is not None)
        self._words.setVisible(shown is not None or bool(work))
        self._dismiss.setVisible(shown is not None or bool(work))
        self._words.setText("\n".join(shown.words) if shown else work)
        self._progress.setVisible(bool(work))
        done = new.drawn.progress
        self._progress.setRange(0, 0 if done is None else 100)
        self._progress.setValue(round(100 * (done or 0)))
        self._apply.setVisible(shown is not None)
        self._apply.setEnabled(shown is not None and shown.masks != new.masks)
        if work:
            rename(self._dismiss, "Stop", tip="Look for no thresholds any more")
        else:
            rename(self._dismiss, "Dismiss", tip=_DISMISS_TIP)
        if shown is not None and old.drawn is not new.drawn:
            QTimer.singleShot(0, self, self._come_into_sight)  # once it is laid out

    def _come_into_sight(self) -> None:
        """In a low window the words would be below what is seen of the panel."""
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None:
            above.ensureWidgetVisible(self, 0, _BELOW)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        quantile = menu.addAction("From labels: 85 % quantile")
        exposure = menu.addAction("From exposures: mean scores")
        risks = menu.addMenu("From errors: largest mean error")
        quantile.triggered.connect(lambda: self._ask("quantile"))
        exposure.triggered.connect(lambda: self._ask("exposure"))
        quantile.setToolTip(_METHOD_TIPS["quantile"])
        exposure.setToolTip(_METHOD_TIPS["exposure"])
        risks.setToolTipsVisible(True)
        for target in _TARGETS:
            action = risks.addAction(f"{target:g} on the μ-law")
            action.setToolTip(_METHOD_TIPS["risk"])
            action.triggered.connect(partial(self._ask_risk, target))
        return menu

    def _ask(self, method: ProposalMethod) -> None:
        self.asked.emit(Wish(method=method, masks=self._masks))

    def _ask_risk(self, target: float, _checked: object = None) -> None:
        self.asked.emit(Wish(method="risk", masks=self._masks, target=target))
