"""What a training step costs of the processor: alone, in the window, and with a hand at work there.

Seconds of the processor by all threads, in one process: unlike the clock, by which another
program decides as well, and unlike runs that follow one another in other weather.
"""

import os

# Threads that wait for one another sleep here: by spinning they would be paid for waiting.
os.environ["OMP_WAIT_POLICY"] = "passive"

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from at_work import BusyHand, WindowAtWork
from bench_training import NO_GOAL, WHOLE, InWindow, Size
from fabricated import project_over, write_dataset
from PySide6.QtCore import QTimer
from table import Row, row, show

from smarthdr_studio.core.training.events import StepReported, TrainingEvent
from smarthdr_studio.core.training.plan import load_preset

_TURN_MS = 2000
QUICK, LONG = replace(WHOLE, pairs=1, busy_steps=20), replace(WHOLE, busy_steps=60)


class Step(NamedTuple):
    """One training step: what it cost in seconds of the processor, and of the clock."""

    cost: float
    taken: float
    with_hand: bool


class StepCosts:
    """Steps of the runs of this process; those that a round or a validation lies in are left out.

    `hand` says whether a hand is at work now.
    """

    def __init__(self) -> None:
        self.hand = False
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
            if not isinstance(event, StepReported):
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


def train_beside(bench: WindowAtWork, project: Path, *, plan: str) -> None:
    """A whole run on a thread of this process, of which an empty window knows nothing."""
    from smarthdr_studio.learning import trainer

    bench.session.close_project()
    bench.until_quiet()
    whole = load_preset(plan, changes={"device": "cpu"})
    thread = threading.Thread(target=lambda: list(trainer.train(whole, project)))
    thread.start()
    bench.until(lambda: not thread.is_alive(), seconds=3600)


def train_in_turns(runs: InWindow, costs: StepCosts, project: Path, *, plan: str) -> float:
    """A whole run in the window with a hand that comes and goes; the share of a core it paints."""
    hand, clock = BusyHand(runs.bench), QTimer(interval=_TURN_MS)
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
    runs.train(project, plan=plan)
    clock.stop()
    if costs.hand:
        turn()
    return used / taken if taken else 0.0


class Found(NamedTuple):
    """What each pair of runs told."""

    window: list[float]
    hand: list[float]
    shares: list[float]


def one_pair(runs: InWindow, costs: StepCosts, projects: tuple[Path, Path], plan: str) -> Found:
    """A run beside an empty window, and one in it with a hand that comes and goes."""
    train_beside(runs.bench, projects[0], plan=plan)
    alone = mean_cost(costs.taken())
    share = train_in_turns(runs, costs, projects[1], plan=plan)
    steps = costs.taken()
    without, with_hand = mean_cost(steps), mean_cost(steps, with_hand=True)
    return Found([alone / without], [without / with_hand], [share])


def measure(folder: Path, size: Size) -> list[Row]:
    """All rows; everything made lies in `folder`."""
    runs, costs = InWindow(WindowAtWork(folder)), StepCosts()
    dataset, plan = write_dataset(folder / "small", size.sample), folder / "plan.toml"
    plan.write_text(size.plan(steps=size.busy_steps), encoding="utf-8")
    place = partial(project_over, dataset=dataset)
    runs.train(place(folder / "warm.shdr"), plan=str(plan))
    found = Found([], [], [])
    with costs.noted():
        for pair in range(size.pairs):
            projects = place(folder / f"alone-{pair}.shdr"), place(folder / f"turns-{pair}.shdr")
            for held, new in zip(found, one_pair(runs, costs, projects, str(plan)), strict=True):
                held += new
    runs.bench.close()
    wanted = {"unit": "×", "reach": "≥ 0.95", "stretch": "≥ 0.98"}
    return [
        row("steps per CPU-second in the window ÷ without it", found.window, **wanted),
        row("steps per CPU-second with a hand in the window ÷ without one", found.hand, **wanted),
        row("the window's own thread meanwhile", found.shares, unit="cores", **NO_GOAL),
    ]


def main(*, long: bool = False) -> list[Row]:
    """Rows of runs cut short; with `long` of three longer pairs."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder), LONG if long else QUICK)


if __name__ == "__main__":
    import sys

    show(main(long="--long" in sys.argv))
