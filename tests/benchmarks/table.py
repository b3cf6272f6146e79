"""One row of the table of speeds, how to measure it, and how to print it."""

import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measured speed beside what it should reach."""

    what: str
    median: float
    worst: float  # 99th percentile or the slowest, as `spread` says
    unit: str
    reach: str
    stretch: str
    spread: str = "max"
    samples: int = 1


def timed(work: Callable[[int], object], *, times: int, warm_up: int = 2) -> list[float]:
    """Milliseconds of each call `work(k)`, after some that are not counted."""
    for k in range(warm_up):
        work(k)
    durations = []
    for k in range(times):
        start = time.perf_counter()
        work(k)
        durations.append((time.perf_counter() - start) * 1e3)
    return durations


def row(what: str, values: list[float], *, unit: str, reach: str, stretch: str) -> Row:
    """A row from its samples: the median, and the 99th percentile once there are 50 of them."""
    ordered = sorted(values)
    many = len(ordered) >= 50
    return Row(
        what=what,
        median=statistics.median(ordered),
        worst=ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] if many else ordered[-1],
        spread="p99" if many else "max",
        unit=unit,
        reach=reach,
        stretch=stretch,
        samples=len(ordered),
    )


def show(rows: Iterable[Row]) -> None:
    """Print the table with the machine and the versions it was measured on."""
    table = Table(title="The speeds to reach")
    for heading in ("what", "median", "spread", "n", "reach", "stretch"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for r in rows:
        table.add_row(
            r.what,
            f"{r.median:.3g} {r.unit}" if r.samples else "–",
            f"{r.spread} {r.worst:.3g}" if r.samples else "–",
            str(r.samples),
            r.reach,
            r.stretch,
        )
    console = Console(width=130)
    console.print(table)
    console.print(machine())


def machine() -> str:
    """Processor and versions, in one line."""
    packages = ("torch", "numpy", "opencv-python-headless", "PySide6-Essentials")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{_processor()}, Python {platform.python_version()}, {versions}"


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            names = [
                line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
            ]
    except OSError:
        names = []
    return f"{len(names)} × {names[0]}" if names else platform.processor() or platform.machine()
