"""What a person asks of a run, granted between two steps and said as an event."""

import math
import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import asdict, replace
from typing import Any, Final, TypeGuard, TypeVar

from smarthdr_studio.core.files import shown_name
from smarthdr_studio.core.training.events import (
    Asked,
    CheckpointSaved,
    PhaseChanged,
    Steered,
    TrainingEvent,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.steering import (
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
from smarthdr_studio.learning.event_log import learning_phase
from smarthdr_studio.learning.saved_state import save_run
from smarthdr_studio.learning.schedule import ScheduleChanges
from smarthdr_studio.learning.train_state import TrainingRun

_POLL_SECONDS: Final = 0.2  # while paused
_LARGEST: Final = 1e300  # a whole number in a file may be more than a float can hold

Answer = TypeVar("Answer")


class StopRequested(Exception):
    """A wish to stop; the message is the last word of the run."""


class Steering:
    """Takes wishes from this process and from the run's folder."""

    def __init__(self, wishes: Wishes | None = None) -> None:
        self._wishes = wishes or Wishes()
        self._waiting: deque[Wish] = deque()
        self._later: list[Wish] = []  # heard where only a pause or a stop can be granted

    def heed(self, run: TrainingRun, folder: RunFolder) -> Generator[TrainingEvent, None, None]:
        """Grants what was asked since the last step. Raises StopRequested."""
        self._waiting.extend(self._later)
        self._later.clear()
        for wish in self._heard(run, folder):
            yield from self._grant(wish, run, folder)
        _agree(run)

    def amid(
        self, work: Generator[PhaseChanged, None, Answer], run: TrainingRun, folder: RunFolder
    ) -> Generator[TrainingEvent, None, Answer]:
        """A round or a check, which takes long and has no steps; it can be paused and stopped.

        What else is asked meanwhile waits until it is done. Raises StopRequested.
        """
        try:
            while True:
                try:
                    doing = next(work)
                except StopIteration as end:
                    answer: Answer = end.value
                    _agree(run)
                    return answer
                yield doing
                for wish in self._heard(run, folder):
                    if not isinstance(wish, Pause | Stop):
                        self._later.append(wish)
                        continue
                    yield from self._grant(wish, run, folder, then=doing)
        finally:
            work.close()

    def _heard(self, run: TrainingRun, folder: RunFolder) -> Iterator[Wish]:
        """What was wished for, one by one; of several processes only the first is asked.

        Whoever stops in between leaves the rest for the next to listen: a pause is ended by what
        was wished for in the same breath.
        """
        run.hold.refuse_lost()  # the wishes are another's then
        if run.ranks.is_first:
            self._waiting.extend((*self._wishes.take(), *take_wishes(folder.path)))
        while self._waiting:
            yield self._waiting.popleft()

    def _grant(
        self,
        wish: Wish,
        run: TrainingRun,
        folder: RunFolder,
        *,
        then: PhaseChanged | None = None,
    ) -> Generator[TrainingEvent, None, None]:
        match wish:
            case Stop():
                raise StopRequested("stopped by the person; resume to go on")
            case Pause():
                yield from self._pause(run, folder, then=then)
            case Snapshot():
                yield snapshot(run, folder)
            case NextRound() | LearningRate() | RefreshEvery():
                yield _changed(wish, run)
            case GoOn():
                pass

    def _pause(
        self, run: TrainingRun, folder: RunFolder, *, then: PhaseChanged | None
    ) -> Generator[TrainingEvent, None, None]:
        """Waits for GoOn, holding memory; other wishes are granted meanwhile.

        `then` is what goes on afterwards, None where it is learning.
        """
        step = run.progress.step
        yield _steered(run, "paused", what="pause")
        while True:
            yield PhaseChanged(phase="paused", text="paused; it goes on when asked", step=step)
            time.sleep(_POLL_SECONDS)
            for wish in self._heard(run, folder):
                if isinstance(wish, GoOn):
                    yield _steered(run, "goes on", what="go on")
                    yield then or learning_phase(run)
                    return
                if not isinstance(wish, Pause):
                    yield from self._grant(wish, run, folder)


def snapshot(run: TrainingRun, folder: RunFolder) -> CheckpointSaved:
    """A checkpoint of the run as it stands. Raises LostRun where another process has it by now."""
    run.hold.refuse_lost()
    path = save_run(run, folder=folder)
    return CheckpointSaved(step=run.progress.step, epoch=run.progress.epoch, folder=str(path))


def _agree(run: TrainingRun) -> None:
    """Every process has what the first was asked for; nothing is yielded before all use it."""
    if run.ranks.size == 1:
        return
    asked: dict[str, Any] = {
        "changes": asdict(run.changes),
        "round_wanted": run.progress.round_wanted,
    }
    asked = run.ranks.told(asked)
    run.changes = ScheduleChanges(**asked["changes"])
    run.progress = replace(run.progress, round_wanted=asked["round_wanted"])


def _steered(
    run: TrainingRun,
    text: str,
    *,
    what: Asked,
    counts_from: int | None = None,
    rounds_left: int | None = None,
) -> Steered:
    at = run.progress
    return Steered(
        step=at.step,
        epoch=at.epoch,
        text=text,
        what=what,
        counts_from=counts_from,
        rounds_left=rounds_left,
    )


def _changed(wish: NextRound | LearningRate | RefreshEvery, run: TrainingRun) -> Steered:
    """Changes the run, or refuses; the sentence says from when it counts, or why it does not."""
    match wish:
        case NextRound():
            return _steered(run, run.want_round(), what="next round", rounds_left=run.rounds_left)
        case LearningRate(rate=rate):
            if not _is_number(rate) or not 0 < rate < math.inf:
                refusal = f"refused: a learning rate is a number above 0, not {shown_name(rate)}"
                return _steered(run, refusal, what="learning rate")
            run.changes = run.changes.asking("learning_rate", float(rate))
            return _counting_later(run, f"learning rate {rate:g}", what="learning rate")
        case RefreshEvery(epochs=epochs):
            if refusal := _no_refresh(epochs, run):
                return _steered(run, refusal, what="refresh every")
            # Whoever asks for rounds by epochs does not want them by steps any more.
            by_epochs = run.changes.asking("refresh_steps", None)
            run.changes = by_epochs.asking("refresh_every", int(epochs))
            return _counting_later(
                run, f"a round every {_epochs(int(epochs))}", what="refresh every"
            )


def _no_refresh(epochs: object, run: TrainingRun) -> str:
    """Why rounds cannot be so many epochs apart; "" where they can."""
    if not _is_number(epochs) or epochs < 1 or epochs != int(epochs):
        return f"refused: epochs between two rounds are a whole number, not {shown_name(epochs)}"
    if not run.labels_again:
        if run.method is not None:
            return "refused: this run makes its pseudo-labels once, when it is done"
        return "refused: this run learns from labels only and makes no rounds"
    return ""


def _counting_later(run: TrainingRun, text: str, *, what: Asked) -> Steered:
    """A change counts from the next epoch on, if there is one."""
    epoch, last = run.progress.epoch + 1, run.plan.schedule.epochs
    if epoch >= last:
        only = "only if the run is resumed with more epochs, because this is the last"
        return _steered(run, f"{text} {only}", what=what)
    said, left = f"{text} from epoch {epoch + 1} on", run.rounds_left
    return _steered(run, said, what=what, counts_from=epoch, rounds_left=left)


def _epochs(count: int) -> str:
    return "epoch" if count == 1 else f"{count} epochs"


def _is_number(value: object) -> TypeGuard[int | float]:
    """A wish left in a folder may hold anything."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST < value < _LARGEST
