"""What a person asks of a run, granted between two steps and said as an event."""

import time
from collections.abc import Generator
from typing import Final

from smarthdr_studio.core.events import CheckpointSaved, PhaseChanged, Steered, TrainingEvent
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.core.steering import (
    GoOn,
    LearningRate,
    NextRound,
    Pause,
    RefreshEvery,
    Snapshot,
    Stop,
    Wish,
    Wishes,
    take_wishes,
)
from smarthdr_studio.learning.keeping import save
from smarthdr_studio.learning.run import TrainingRun

_LISTENS_EVERY_S: Final = 0.2  # while paused


class StopAsked(Exception):
    """A wish to stop; the message is the last word of the run."""


class Steering:
    """Takes wishes from this process and from the run's folder."""

    def __init__(self, wishes: Wishes | None = None) -> None:
        self._wishes = wishes or Wishes()

    def heed(self, run: TrainingRun, folder: RunFolder) -> Generator[TrainingEvent, None, None]:
        """Grants what was asked since the last step. Raises StopAsked."""
        for wish in self._heard(folder):
            yield from self._grant(wish, run, folder)

    def _heard(self, folder: RunFolder) -> tuple[Wish, ...]:
        return (*self._wishes.take(), *take_wishes(folder.path))

    def _grant(
        self, wish: Wish, run: TrainingRun, folder: RunFolder
    ) -> Generator[TrainingEvent, None, None]:
        match wish:
            case Stop():
                raise StopAsked("stopped from elsewhere; resume to go on")
            case Pause():
                yield from self._pause(run, folder)
            case Snapshot():
                yield snapshot(run, folder)
            case NextRound() | LearningRate() | RefreshEvery():
                yield Steered(
                    step=run.progress.step, epoch=run.progress.epoch, text=_changed(wish, run)
                )
            case GoOn():
                pass

    def _pause(self, run: TrainingRun, folder: RunFolder) -> Generator[TrainingEvent, None, None]:
        """Waits for GoOn, holding memory; other wishes are granted meanwhile."""
        at = run.progress
        yield Steered(step=at.step, epoch=at.epoch, text="paused")
        while True:
            yield PhaseChanged(phase="paused", text="paused; it goes on when asked", step=at.step)
            time.sleep(_LISTENS_EVERY_S)
            for wish in self._heard(folder):
                if isinstance(wish, GoOn):
                    yield Steered(step=at.step, epoch=at.epoch, text="goes on")
                    return
                if not isinstance(wish, Pause):
                    yield from self._grant(wish, run, folder)


def snapshot(run: TrainingRun, folder: RunFolder) -> CheckpointSaved:
    """A checkpoint of the run as it stands."""
    path = save(run, folder=folder)
    return CheckpointSaved(step=run.progress.step, epoch=run.progress.epoch, folder=str(path))


def _changed(wish: NextRound | LearningRate | RefreshEvery, run: TrainingRun) -> str:
    """Changes the run; the sentence says from when it counts."""
    following = f"from epoch {run.progress.epoch + 2} on"
    match wish:
        case NextRound():
            return run.want_round()
        case LearningRate(rate=rate):
            run.changes = run.changes.asking("learning_rate", rate)
            return f"learning rate {rate:g} {following}"
        case RefreshEvery(epochs=epochs):
            run.changes = run.changes.asking("refresh_every", epochs)
            return f"a round every {epochs} epochs {following}"
