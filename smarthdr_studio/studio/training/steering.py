"""What a person asks of a run while it goes, of this window or of another process."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.training.steering import (
    GoOn,
    LearningRate,
    NextRound,
    Pause,
    RefreshEvery,
    Snapshot,
    Stop,
    Wish,
    leave_wish,
)
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Activity, refused
from smarthdr_studio.studio.state.training import GO_ON, PAUSE, SNAPSHOT, STOP
from smarthdr_studio.studio.tasks import How, TaskRunner, plain
from smarthdr_studio.studio.training.controller import TrainingController

_LISTENING: Final = frozenset({Activity.RUNNING, Activity.PAUSED})


class RunSteering(QObject):
    """Hands wishes to the thread of this window, or leaves them in the folder of the run."""

    def __init__(self, store: Store, tasks: TaskRunner, training: TrainingController) -> None:
        super().__init__(store)
        self._store, self._tasks, self._training = store, tasks, training

    @Slot()
    def pause_or_go_on(self) -> None:
        """Hold the run between two steps, or let it go on."""
        state = self._training.state
        if not self.somebody_listens():
            return
        if not state.in_other_process:
            self._training.pause_or_go_on()
        elif state.activity is Activity.PAUSED:
            self._ask(GoOn(), GO_ON)
        else:
            self._ask(Pause(), PAUSE)

    @Slot()
    def stop(self) -> None:
        """Let the step at hand end, save and stop."""
        if not self._training.state.busy:
            self._tell_nobody_listens()
        elif self._training.state.in_other_process:
            self._ask(Stop(), STOP)
        else:
            self._training.stop()

    @Slot()
    def snapshot(self) -> None:
        """A checkpoint now."""
        self._ask(Snapshot(), SNAPSHOT)

    @Slot()
    def skip_to_round(self) -> None:
        """End the epoch here, and begin the next with a new round."""
        self._ask(NextRound(), "begin the next round")

    @Slot(float)
    def set_learning_rate(self, rate: float) -> None:
        """Another learning rate from the next epoch on."""
        self._ask(LearningRate(rate=rate), f"learn at {rate:g}")

    @Slot(int)
    def set_refresh(self, epochs: int) -> None:
        """So many epochs between two rounds from the next epoch on."""
        self._ask(
            RefreshEvery(epochs=epochs),
            "make a round every " + ("epoch" if epochs == 1 else f"{epochs} epochs"),
        )

    def somebody_listens(self) -> bool:
        """Whether a run could hear a wish now; says so where none could."""
        state = self._training.state
        listens = (state.in_other_process and state.busy) or state.activity in _LISTENING
        if not listens:
            self._tell_nobody_listens()
        return listens

    def _tell_nobody_listens(self) -> None:
        told = "No run is at work that could hear this; start one (Ctrl+T)."
        if self._training.state.busy:
            told = "The run cannot hear this while it starts or stops; ask again in a moment."
        self._store.notice(refused(told))

    def _ask(self, wish: Wish, words: str) -> None:
        if not self.somebody_listens():
            return
        state = self._training.state
        self._training.ask(words)
        if state.in_other_process and self._store.project is not None:
            # The run answers in its own time, by an event.
            job = plain(leave, run=self._store.project.runs_folder / state.run, wish=wish)
            self._tasks.start(job, on_refused=self._not_left, how=How(lasting=True))
        else:
            self._training.wish(wish)

    def _not_left(self, message: str) -> None:
        self._training.ask("")
        self._store.complain(message)


def leave(*, run: Path, wish: Wish) -> None:
    """Leave it in the folder of the run. Raises ProjectError (see `core.steering`)."""
    leave_wish(run, wish)
