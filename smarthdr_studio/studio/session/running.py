"""Everything about runs: the one at work in any process, those on disk, and the next plan."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.training.run_folder import best_of
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.runs.benchmark import BenchmarkController
from smarthdr_studio.studio.runs.controller import RunListController
from smarthdr_studio.studio.runs.trash import DiscardController
from smarthdr_studio.studio.state import (
    BUSY_ACTIVITIES,
    Activity,
    Asks,
    Notice,
    Offer,
    TrainingState,
)
from smarthdr_studio.studio.tasks import TaskRunner
from smarthdr_studio.studio.training.controller import RunSteering, TrainingController
from smarthdr_studio.studio.training.other_process import OtherProcess
from smarthdr_studio.studio.training.plan import ContinueController, PlanController

_MOST_REMEDIES: Final = 3
_NEXT: Final[tuple[tuple[str, str, Asks], ...]] = (
    ("Evaluate", "How good each scene came out", "evaluate"),
    ("Review the queue", "The safest pseudo-labels first", "review"),
    ("Export the model…", "Student or teacher as a file", "export"),
)


class Running(QObject):
    """Starts and resumes runs of the open project, and says how they stand."""

    run_ended = Signal()
    next_asked = Signal(str, str)  # "evaluate", "review" or "export", and the run

    def __init__(
        self, store: Store, tasks: TaskRunner, curating: CurationController, *, presets: Path
    ) -> None:
        """`presets` is the folder of a person's own."""
        super().__init__(store)
        self._store = store
        self._remedies: tuple[Remedy, ...] = ()
        self._slept = ""  # the run that was stopped because the computer went to sleep
        self.training = TrainingController(tasks, self)
        store.switched.connect(self.training.forget)  # before anybody looks for other runs
        self.plans = PlanController(store, tasks, own=presets, parent=self)
        self.other_process = OtherProcess(store, tasks, self.training)
        self.steering = RunSteering(store, tasks, self.training)
        self.discarding = DiscardController(store, tasks)
        self.runs = RunListController(store, tasks, curating)
        self.benchmark = BenchmarkController(store, tasks)
        self.continuing = ContinueController(store, tasks, self.plans)
        self.discarding.changed.connect(self.other_process.look)
        self.discarding.changed.connect(self.runs.look)
        self.runs.trash.changed.connect(self.other_process.look)
        self.training.became.connect(self._training_became)
        self.training.remedies_found.connect(self._take_remedies)
        self.training.rested.connect(self._run_ended)

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it is at work."""
        return self.training.at_rest

    def shut_down(self) -> None:
        """Stop the run of this window, and look for no other."""
        self.other_process.rest()
        self.benchmark.rest()
        self.runs.rest()
        self.training.stop()

    def rest(self) -> None:
        """Nothing is to be watched any more."""
        self.other_process.rest()
        self.benchmark.rest()
        self.runs.rest()

    def may_leave(self) -> bool:
        """Whether the project may be left; says why not while a run of this window goes on."""
        state = self.training.state
        if state.in_other_process or not state.busy:
            return True
        words = "A run is going on; stop it before leaving this project."
        self._store.notice(Notice(text=words, tone="warn"))
        return False

    def train(self, *, preset: str, device: str) -> None:
        """Start a run by a preset, or by the plan in the editor (EDITED)."""
        if self._store.project is not None:
            self._forget_fault()
            name, changes = self.plans.wish_for(preset, device=device)
            self.training.start(self._store.project.folder, preset=name, changes=changes)

    def resume(
        self,
        run: str | None = None,
        *,
        device: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        """Go on with a run, or the last one, with changes of its plan by dotted key.

        Without a device it goes on where its plan says.
        """
        name = run or self.training.state.resumable
        if self._store.project is None or not name:
            return
        self._forget_fault()
        wishes = {**(changes or {}), **({"device": device} if device else {})}
        self.training.resume(self._store.project.folder, run=name, changes=wishes)

    @Slot()
    def discard(self) -> None:
        """Stop the run on the screen, if it is at work, and move it to the trash."""
        state = self.training.state
        if state.busy:
            self.discarding.discard_once_stopped(state.run)
            self.steering.stop()
        elif state.run:
            self.discarding.discard(state.run)

    @Slot(object)
    def take_offer(self, offer: Offer) -> None:
        """What a person picked on a notice."""
        self._store.notice(None)
        if offer.asks == "resume":
            self.resume(offer.about, changes=offer.changes)
        elif offer.asks == "restore_run":
            self.discarding.restore(offer.about)
        else:
            self.next_asked.emit(offer.asks, offer.about)

    @Slot()
    def stop_for_sleep(self) -> None:
        """The computer goes to sleep: the run of this window is stopped and kept."""
        if self.training.is_ours:
            self._slept = self.training.state.run
            self.training.stop()

    @Slot()
    def has_woken(self) -> None:
        """Say that a run was stopped meanwhile, and offer to go on."""
        run, self._slept = self._slept, ""
        if run:
            go_on = Offer(text="Resume", tip="Go on where it stopped", asks="resume", about=run)
            words = f"{run} was stopped because the computer went to sleep; Resume goes on."
            self._store.notice(Notice(text=words, tone="warn", offers=(go_on,)))

    @Slot(object)
    def _training_became(self, training: TrainingState) -> None:
        before = self._store.state.training.activity
        self._store.become(training=training)
        # One line of the panel may be too short for the reason and the remedy.
        failed = training.activity is Activity.FAILED and not training.past
        if failed and before is not Activity.FAILED:
            self._tell_failure(training)
        done = training.activity is Activity.DONE and not training.past
        if done and before in BUSY_ACTIVITIES and training.run:
            self._tell_what_next(training)

    def _tell_what_next(self, training: TrainingState) -> None:
        """A run came to its end: what is done with it next, each one click away."""
        best = best_of(training.checks)
        told = f", best {best.psnr_mu:.1f} dB at epoch {best.epoch + 1}" if best is not None else ""
        offers = tuple(
            Offer(text=text, tip=tip, asks=asks, about=training.run) for text, tip, asks in _NEXT
        )
        self._store.notice(Notice(text=f"Trained{told}. What next?", offers=offers))

    def _tell_failure(self, training: TrainingState) -> None:
        offers = tuple(
            Offer(
                text=remedy.text,
                tip="Go on from the last step with this change of the plan",
                asks="resume",
                about=training.run,
                changes=remedy.changes,
            )
            for remedy in self._remedies[:_MOST_REMEDIES]
            if training.run
        )
        self._store.notice(Notice(text=training.message, tone="bad", offers=offers))

    @Slot(object)
    def _take_remedies(self, remedies: tuple[Remedy, ...]) -> None:
        self._remedies = remedies

    def _forget_fault(self) -> None:
        """Another run begins: what was told about the last one is over."""
        self._remedies = ()
        notice = self._store.state.notice
        if notice is not None and notice.offers:
            self._store.notice(None)

    @Slot()
    def _run_ended(self) -> None:
        self.discarding.has_stopped(self.training.state.run)
        self.run_ended.emit()
