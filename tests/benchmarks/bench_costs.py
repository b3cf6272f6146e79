"""What a training step costs of the processor: alone, in the window, and with a hand at work there.

Seconds of the processor by all threads, in one process: unlike the clock, by which another
program decides as well, and unlike runs that follow one another in other weather.
"""

import os

# Threads that wait for one another sleep here: by spinning they would be paid for waiting.
os.environ["OMP_WAIT_POLICY"] = "passive"

import tempfile
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from at_work import WindowAtWork
from bench_training import NO_GOAL, WHOLE, InWindow, Size
from fabricated import project_over, write_dataset
from steps import StepCosts, hand_in_turns, mean_cost
from table import Row, row, show

from smarthdr_studio.core.training.plan import load_preset

QUICK, LONG = replace(WHOLE, pairs=1, busy_steps=20), replace(WHOLE, busy_steps=60)


def train_beside(bench: WindowAtWork, project: Path, *, plan: str) -> None:
    """A whole run on a thread of this process, of which an empty window knows nothing."""
    from smarthdr_studio.learning import trainer

    bench.session.close_project()
    bench.until_quiet()
    whole = load_preset(plan, changes={"device": "cpu"})
    thread = threading.Thread(target=lambda: list(trainer.train(whole, project)))
    thread.start()
    bench.until(lambda: not thread.is_alive(), seconds=3600)


class Found(NamedTuple):
    """What each pair of runs told."""

    window: list[float]
    hand: list[float]
    shares: list[float]


def one_pair(runs: InWindow, costs: StepCosts, projects: tuple[Path, Path], plan: str) -> Found:
    """A run beside an empty window, and one in it with a hand that comes and goes."""
    train_beside(runs.bench, projects[0], plan=plan)
    alone = mean_cost(costs.taken())
    share = hand_in_turns(runs.bench, costs, partial(runs.train, projects[1], plan=plan))
    steps = costs.taken()
    without, with_hand = mean_cost(steps), mean_cost(steps, with_hand=True)
    return Found([alone / without], [without / with_hand], [share])


def measure(folder: Path, size: Size) -> list[Row]:
    """All rows; everything made lies in `folder`."""
    runs, costs = InWindow(WindowAtWork(folder)), StepCosts(warmup=size.busy_steps)
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
