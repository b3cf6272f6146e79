"""What each training step takes in this process, and a hand that comes and goes meanwhile."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from at_work import BusyHand, WindowAtWork
from PySide6.QtCore import QTimer

from smarthdr_studio.core.training.events import StepReported, TrainingEvent

_TURN_MS = 2000


class Step(NamedTuple):
    """One training step: what it cost in seconds of the processor, and of the clock."""

    cost: float
    taken: float
    with_hand: bool


class StepCosts:
    """Steps of the runs of this process; those that a round or a validation lies in are left out.

    So are those up to `warmup`, which learn from labels alone and take half as long. `hand` says
    whether a hand is at work now.
    """

    def __init__(self, *, warmup: int) -> None:
        self.hand, self._warmup = False, warmup
        self._steps: list[Step] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Inside, whoever trains in this process is listened to."""
        from smarthdr_studio.learning import trainer

        train = trainer.train

        def marked(*plan: object, **how: object) -> Iterator[TrainingEvent]:
            with closing(train(*plan, **how)) as events:
                yield from self._marked(events)

        trainer.train = marked
        try:
            yield
        finally:
            trainer.train = train

    def _marked(self, events: Iterator[TrainingEvent]) -> Iterator[TrainingEvent]:
        before = None
        for event in events:
            now = time.process_time(), time.perf_counter(), self.hand
            if not isinstance(event, StepReported) or event.step <= self._warmup:
                before = None
            else:
                if before is not None and before[2] is now[2]:
                    self._steps.append(Step(now[0] - before[0], now[1] - before[1], now[2]))
                before = now
            yield event

    def taken(self) -> list[Step]:
        """Those since the last time."""
        steps, self._steps = self._steps, []
        return steps


def mean_cost(steps: list[Step], *, with_hand: bool = False) -> float:
    """Seconds of the processor of a step, in the mean: a hand works in bursts."""
    return statistics.fmean(step.cost for step in steps if step.with_hand is with_hand)


def mean_taken(steps: list[Step], *, with_hand: bool = False) -> float:
    """Seconds of the clock of a step, in the mean."""
    return statistics.fmean(step.taken for step in steps if step.with_hand is with_hand)


def hand_in_turns(bench: WindowAtWork, costs: StepCosts, train: Callable[[], object]) -> float:
    """A whole run in the window with a hand that comes and goes; the share of a core it paints."""
    hand, clock = BusyHand(bench), QTimer(interval=_TURN_MS)
    used, taken, since = 0.0, 0.0, (0.0, 0.0)

    def turn() -> None:
        nonlocal used, taken, since
        now = time.thread_time(), time.perf_counter()
        if costs.hand:
            hand.stop()
            used, taken = used + now[0] - since[0], taken + now[1] - since[1]
        else:
            hand.start()
        costs.hand, since = not costs.hand, now

    clock.timeout.connect(turn)
    clock.start()
    train()
    clock.stop()
    if costs.hand:
        turn()
    return used / taken if taken else 0.0
