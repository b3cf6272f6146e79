"""Steers the run on the screen, be it of this window or of another process."""

from typing import Final

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.steering import (
    GoOn,
    LearningRate,
    NextRound,
    Pause,
    RefreshEvery,
    Snapshot,
    Stop,
    Wish,
)
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.training_desk import TrainingDesk
from smarthdr_studio.studio.state import Activity, Notice
from smarthdr_studio.studio.state.training import GO_ON, PAUSE, SNAPSHOT, STOP
from smarthdr_studio.studio.tasks import How, TaskRunner, plain
from smarthdr_studio.studio.threads.wishes import leave

_LISTENING: Final = frozenset({Activity.RUNNING, Activity.PAUSED})


class Helm(QObject):
    """Hands wishes to the thread of this window, or leaves them in the folder of the run."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, training: TrainingDesk) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks, self._training = keeper, tasks, training

    @Slot()
    def pause_or_go_on(self) -> None:
        """Hold the run between two steps, or let it go on."""
        state = self._training.state
        if not state.elsewhere:
            self._training.pause_or_go_on()
        elif state.activity is Activity.PAUSED:
            self._ask(GoOn(), GO_ON)
        else:
            self._ask(Pause(), PAUSE)

    @Slot()
    def stop(self) -> None:
        """Let the step at hand end, save and stop."""
        if self._training.state.elsewhere and self._training.state.busy:
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
        self._ask(RefreshEvery(epochs=epochs), f"make a round every {epochs} epochs")

    def _ask(self, wish: Wish, words: str) -> None:
        state = self._training.state
        if not (state.elsewhere and state.busy) and state.activity not in _LISTENING:
            told = "No run is at work that could hear this; start one (Ctrl+T)."
            self._keeper.notice(Notice(text=told, tone="warn"))
            return
        self._training.ask(words)
        if state.elsewhere and self._keeper.project is not None:
            # The run answers in its own time, by an event.
            job = plain(leave, run=self._keeper.project.runs_folder / state.run, wish=wish)
            self._tasks.start(job, on_refused=self._not_left, how=How(lasting=True))
        else:
            self._training.wish(wish)

    def _not_left(self, message: str) -> None:
        self._training.ask("")
        self._keeper.complain(message)
