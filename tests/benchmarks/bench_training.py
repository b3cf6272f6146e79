"""Training in the window: how the window stays alive meanwhile, and what the window costs it."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from at_work import BusyHand, Heartbeat, WindowAtWork
from fabricated import project_over, write_dataset
from skipped import skipped
from steps import StepCosts, hand_in_turns, mean_taken
from table import Row, row, show
from witness import Witness

from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.studio.state import Activity
from smarthdr_studio.synthetic.settings import SampleSettings

_CLOSE = 8  # crops within the side of one

# The preset `quick` cut short: warm-up, two rounds, validation and checkpoints all take part.
PLAN = """
held_out = 1
[network]
name = "light"
[schedule]
epochs = 3
warmup_epochs = 1
steps_per_epoch = {steps}
learning_rate = 1e-3
[batch]
crop = {crop}
stride = {stride}
labelled = 4
unlabelled = 4
[loss]
perceptual_weight = 0.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the runs cut short are, and how many; `crop` and `width` in pixels."""

    pairs: int
    steps: int  # of each of three epochs
    crop: int
    width: int
    timed: int  # steps of the preset `quick` whose data share is measured
    busy_steps: int  # of each of three epochs, while a hand is at work

    def plan(self, *, steps: int) -> str:
        """Of so many steps an epoch: crops lie so close that none of them is short of any."""
        return PLAN.format(steps=steps, crop=self.crop, stride=self.crop // _CLOSE)

    @property
    def sample(self) -> SampleSettings:
        """Three labelled scenes, two without, one for testing."""
        height = self.width * 3 // 4
        return SampleSettings(scenes=6, labelled=3, test=1, width=self.width, height=height)


SHORT = Size(pairs=1, steps=6, crop=64, width=256, timed=4, busy_steps=10)
WHOLE = Size(pairs=3, steps=20, crop=128, width=512, timed=20, busy_steps=150)

NO_GOAL = {"reach": "–", "stretch": "–"}
FAST = {"unit": "×", "reach": "≥ 0.95", "stretch": "≥ 0.98"}
IN_ONE_RUN = "throughput with a hand ÷ without one, in turns within a run"
OVER = (Activity.DONE, Activity.STOPPED, Activity.FAILED)
QUICK = "preset quick on the sample, from click to trained, CPU"


class InWindow:
    """Runs in the window, and how late its event loop was before, at the start and during them."""

    def __init__(self, bench: WindowAtWork) -> None:
        self.bench, self.beat = bench, Heartbeat()
        self.idle: list[float] = []
        self.loading: list[float] = []
        self.training: list[float] = []
        self.busy: list[float] = []
        self.busy_at: list[float] = []
        self.hand_share: list[float] = []  # of a core, on the thread that paints

    def listen_idle(self, project: Path, *, seconds: float) -> None:
        """Nothing happens, with a project on the screen."""
        self._open(project)
        self.beat.start()
        self.bench.rest(seconds)
        self.idle += self.beat.stop()

    def train(self, project: Path, *, plan: str) -> float:
        """A whole run; seconds from the click to its last word."""
        session = self.bench.session
        self._open(project)
        begun = time.perf_counter()
        session.training.train(preset=plan, device="cpu")
        self.bench.until(lambda: session.state.training.step > 0 or self._is_over())
        self.bench.until(self._is_over, seconds=3600)
        taken = time.perf_counter() - begun
        if session.state.training.activity is not Activity.DONE:
            raise RuntimeError(session.state.training.message)
        self.bench.until_quiet()
        return taken

    def listen_to_run(self, project: Path, *, plan: str) -> None:
        """A whole run with an ear on the event loop, which costs a little time itself."""
        self._open(project)
        self.beat.start()
        self._begin(plan)
        self.loading += self.beat.stop()
        self.beat.start()
        self.bench.until(self._is_over, seconds=3600)
        self.training += self.beat.stop()
        self.bench.until_quiet()

    def train_with_hand(self, project: Path, *, plan: str) -> None:
        """A whole run while scenes are switched and thresholds dragged, to which nobody listens.

        An ear wakes the window two hundred times a second, and each time a thread that trains
        has to stand aside, for which all others wait.
        """
        self._open(project)
        self._begin(plan)
        begun, used = time.perf_counter(), time.thread_time()
        self._end_with_hand()
        used, taken = time.thread_time() - used, time.perf_counter() - begun
        self.hand_share.append(used / taken)
        self.bench.until_quiet()

    def listen_to_hand(self, project: Path, *, plan: str) -> None:
        """The same with an ear on the event loop."""
        self._open(project)
        self._begin(plan)
        self.beat.start()
        self._end_with_hand()
        self.busy += self.beat.stop()
        self.busy_at += self.beat.at
        self.bench.until_quiet()

    def _begin(self, plan: str) -> None:
        session = self.bench.session
        session.training.train(preset=plan, device="cpu")
        self.bench.until(lambda: session.state.training.step > 0 or self._is_over())

    def _end_with_hand(self) -> None:
        hand = BusyHand(self.bench)
        hand.start()
        self.bench.until(self._is_over, seconds=3600)
        hand.stop()

    def _is_over(self) -> bool:
        return self.bench.session.state.training.activity in OVER

    def _open(self, project: Path) -> None:
        self.bench.open(project)
        self.bench.until(lambda: self.bench.session.state.shown is not None)
        self.bench.until_quiet()


def train_headless(project: Path, *, plan: str) -> None:
    """The same run in a process without a window."""
    verb = ["-m", "smarthdr_studio", "train", str(project), "--preset", plan, "--device", "cpu"]
    done = subprocess.run([sys.executable, *verb], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)


def steps_per_second(project: Path) -> float:
    """From the first step to the last one, rounds, validations and checkpoints included.

    Both kinds of run write this log, so the window's clock plays no part.
    """
    (log,) = project.glob("runs/*/events.jsonl")
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    steps = [event for event in events if event["event"] == "StepReported"]
    first, last = (datetime.fromisoformat(steps[k]["time"]) for k in (0, -1))
    return (len(steps) - 1) / (last - first).total_seconds()


def in_pairs(
    works: tuple[Callable[[Path], object], ...], folder: Path, dataset: Path, *, pairs: int
) -> list[float]:
    """Throughput of the first kind of run ÷ the second, of runs that follow each other."""
    ratios = []
    for pair in range(pairs):
        speeds = {}
        # Who goes first changes, so that weather that gets better or worse favours nobody.
        for who in (0, 1) if pair % 2 else (1, 0):
            project = project_over(folder.with_name(f"{folder.name}-{pair}-{who}.shdr"), dataset)
            works[who](project)
            speeds[who] = steps_per_second(project)
        ratios.append(speeds[0] / speeds[1])
    return ratios


def in_turns(runs: InWindow, folder: Path, size: Size) -> list[float]:
    """Throughput in the window ÷ headless, of runs that follow each other."""
    dataset, plan = write_dataset(folder / "small", size.sample), folder / "short.toml"
    plan.write_text(size.plan(steps=size.steps), encoding="utf-8")
    runs.listen_idle(project_over(folder / "idle.shdr", dataset), seconds=5)
    works = (partial(runs.train, plan=str(plan)), partial(train_headless, plan=str(plan)))
    ratios = in_pairs(works, folder / "pair", dataset, pairs=size.pairs)
    runs.listen_to_run(project_over(folder / "heard.shdr", dataset), plan=str(plan))
    return ratios


def with_a_hand(runs: InWindow, folder: Path, size: Size) -> list[float]:
    """The same ratio while a hand is at work in the window, of longer runs."""
    dataset, plan = folder / "small", folder / "longer.toml"
    plan.write_text(size.plan(steps=size.busy_steps), encoding="utf-8")
    works = (partial(runs.train_with_hand, plan=str(plan)), partial(train_headless, plan=str(plan)))
    ratios = in_pairs(works, folder / "hand", dataset, pairs=size.pairs)
    runs.listen_to_hand(project_over(folder / "heard-hand.shdr", dataset), plan=str(plan))
    return ratios


def in_one_run(runs: InWindow, folder: Path, size: Size) -> Row:
    """Throughput with a hand ÷ without one, of steps of one run: weather favours neither."""
    costs, ratios = StepCosts(warmup=size.busy_steps), []
    for number in range(size.pairs):
        project = project_over(folder / f"turns-{number}.shdr", folder / "small")
        train = partial(runs.train, project, plan=str(folder / "longer.toml"))
        with costs.noted():
            hand_in_turns(runs.bench, costs, train)
        steps = costs.taken()
        ratios.append(mean_taken(steps) / mean_taken(steps, with_hand=True))
    return row(IN_ONE_RUN, ratios, **FAST)


def data_share(project: Path, size: Size) -> list[float]:
    """Percent of a step of the preset `quick` that goes into making its batch."""
    from smarthdr_studio.learning.estimate import time_steps

    plan = load_preset("quick", changes={"device": "cpu"})
    return [100 * time_steps(plan, project, steps=size.timed).data_share]


def whole_quick(runs: InWindow, folder: Path) -> Row:
    """The sample as it is generated by default, trained by the preset `quick`."""
    dataset = write_dataset(folder / "sample", SampleSettings())
    seconds = runs.train(project_over(folder / "sample.shdr", dataset), plan="quick")
    return row(QUICK, [seconds / 60], unit="min", reach="5 min", stretch="3 min")


def lateness(what: str, late: list[float], *, reach: str, stretch: str) -> Row:
    """A row whose first figure is the 99th percentile and whose second is the greatest."""
    ordered = sorted(late)
    return Row(
        what=f"event loop late {what}, p99 / max",
        median=ordered[int(len(ordered) * 0.99)],
        worst=ordered[-1],
        unit="ms",
        reach=reach,
        stretch=stretch,
        samples=len(ordered),
    )


def lateness_of_ours(runs: InWindow, witness: Witness) -> Row:
    """The lateness with a hand without those stalls in which a core stood still."""
    what = "while training and a hand, the machine's own stalls left out"
    if witness.why_not:
        return skipped(f"event loop late {what}", reason=witness.why_not, unit="ms")
    beats = zip(runs.busy_at, runs.busy, strict=True)
    ours = [late for at, late in beats if not witness.excuses(at - late / 1e3, at)]
    return lateness(what, ours, reach="25 / 60 ms", stretch="16 / 30")


def measure(folder: Path, *, long: bool) -> list[Row]:
    """All rows; everything made lies in `folder`."""
    runs = InWindow(WindowAtWork(folder))
    size = WHOLE if long else SHORT
    with Witness() as witness:
        ratios = in_turns(runs, folder, size)
        busy = with_a_hand(runs, folder, size)
    if long:
        turns, quick = in_one_run(runs, folder, size), whole_quick(runs, folder)
    else:
        why = "only with --long"
        turns = skipped(IN_ONE_RUN, reason=why, **FAST)
        quick = skipped(QUICK, reason=why, unit="min", reach="5 min", stretch="3 min")
    runs.bench.close()
    share = data_share(folder / "idle.shdr", size)
    return [
        lateness("while training", runs.training, reach="25 / 60 ms", stretch="16 / 30"),
        lateness("while training and a hand", runs.busy, reach="25 / 60 ms", stretch="16 / 30"),
        lateness_of_ours(runs, witness),
        lateness("while the window is idle", runs.idle, reach="–", stretch="–"),
        lateness("from click to first step", runs.loading, reach="–", stretch="–"),
        row("training throughput in the window ÷ headless", ratios, **FAST),
        row("the same, scenes switched and thresholds dragged", busy, **FAST),
        turns,
        row("the window's own thread with a hand", runs.hand_share, unit="cores", **NO_GOAL),
        row("data and bookkeeping, share of a step", share, unit="%", reach="5 %", stretch="2 %"),
        quick,
    ]


def main(*, long: bool = False) -> list[Row]:
    """Rows of runs cut short; with `long` also the whole preset `quick`, and more pairs."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder), long=long)


if __name__ == "__main__":
    show(main(long="--long" in sys.argv))
