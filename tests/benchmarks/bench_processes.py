"""Two processes of one thread against one process of two threads, by turns.

usage: bench_processes.py [--long]

Once they train one run, with the same crops in a step: each of two processes has half of them
(`torchrun`). Once each trains a run of its own, as `benchmark --jobs 2 --threads 1` does.
"""

import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from fabricated import project_over, write_dataset
from skipped import skipped
from table import Row, row, show

from smarthdr_studio.synthetic.settings import SampleSettings

CROPS = 4  # labelled ones of a step, of all processes together; there are no others
WHAT = "images/s, two processes of 1 thread ÷ one of 2 threads"
TWO_RUNS = "images/s, two runs of 1 thread at once ÷ one run of 2 threads"
PLAN = """
[network]
name = "light"
[schedule]
epochs = 1
warmup_epochs = 1
steps_per_epoch = {steps}
[batch]
crop = 128
stride = 32
labelled = {crops}
unlabelled = 0
[loss]
perceptual_weight = 0.0
"""


def train(project: Path, *, processes: int, steps: int) -> float:
    """Images a second of a short run in a project, from its first step to its last."""
    ended(begun(project, processes=processes, steps=steps, threads=2 // processes))
    return images_per_second(project)


def train_two(projects: tuple[Path, Path], *, steps: int) -> float:
    """Images a second of two runs of one thread at once, together."""
    for process in [begun(each, processes=1, steps=steps, threads=1) for each in projects]:
        ended(process)
    return sum(images_per_second(each) for each in projects)


def begun(project: Path, *, processes: int, steps: int, threads: int) -> subprocess.Popen[str]:
    """A short run in a project, at work."""
    plan = project.with_suffix(".toml")
    plan.write_text(PLAN.format(steps=steps, crops=CROPS // processes), encoding="utf-8")
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        command += [f"--master-port={free_port()}"]
    command += ["-m", "smarthdr_studio", "train", str(project), "--preset", str(plan)]
    command += ["--device", "cpu", "--set", "precision=float32"]
    limits = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    return subprocess.Popen(
        command, env=limits, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> None:
    """Wait for a run. Raises RuntimeError where it failed."""
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(said)


def images_per_second(project: Path) -> float:
    """Of a median step, by the log, which both kinds of run write alike."""
    (log,) = project.glob("runs/*/events.jsonl")
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    times = [datetime.fromisoformat(e["time"]) for e in events if e["event"] == "StepReported"]
    seconds = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
    return CROPS / statistics.median(seconds)


def free_port() -> int:
    """A port of this machine at which the processes can meet."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def measure(folder: Path, *, turns: int, steps: int) -> list[Row]:
    """The speed of both and their ratio, measured again in every turn."""
    small = SampleSettings(scenes=4, labelled=3, test=1, width=384, height=288)
    dataset = write_dataset(folder / "data", small)
    speeds: dict[int, list[float]] = {1: [], 2: []}
    at_once: list[float] = []
    for turn in range(turns):
        # Who goes first changes, so that weather that gets better or worse favours nobody.
        for processes in (1, 2) if turn % 2 else (2, 1):
            project = project_over(folder / f"{turn}-{processes}.shdr", dataset)
            speeds[processes].append(train(project, processes=processes, steps=steps))
        first, second = (project_over(folder / f"{turn}-{k}.shdr", dataset) for k in "ab")
        at_once.append(train_two((first, second), steps=steps))
    ratios = [two / one for one, two in zip(speeds[1], speeds[2], strict=True)]
    runs = [two / one for one, two in zip(speeds[1], at_once, strict=True)]
    about = (
        ("one process of 2 threads", speeds[1], "images/s"),
        ("two processes of 1 thread", speeds[2], "images/s"),
        (WHAT, ratios, "×"),
        ("two runs of 1 thread at once", at_once, "images/s"),
        (TWO_RUNS, runs, "×"),
    )
    return [row(what, values, unit=unit, reach="–", stretch="–") for what, values, unit in about]


def main(*, long: bool = False) -> list[Row]:
    """Rows of short runs, one of each kind; with `long` five of each, and longer ones."""
    if (os.cpu_count() or 1) < 2:
        return [skipped(WHAT, reason="there is one core")]
    with tempfile.TemporaryDirectory() as folder:
        size = {"turns": 5, "steps": 40} if long else {"turns": 1, "steps": 10}
        return measure(Path(folder), **size)


if __name__ == "__main__":
    show(main(long="--long" in sys.argv))
