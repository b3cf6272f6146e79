"""Every benchmark, one after the other, in one table: median and spread beside reach and stretch.

usage: bench_all.py [--long] [bench_NAME ...]
Without --long what takes more than a minute is left out, and the table says so. Slow is no error;
the exit status is 1 only where a benchmark broke.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from skipped import skipped
from table import Row, show

HERE = Path(__file__).parent
LONG = "--long"
# Those a hand feels come first.
ORDER = ("bench_display", "bench_pool", "bench_scenes", "bench_start", "bench_training")


def benches(wanted: list[str]) -> list[str]:
    """The names of the benchmarks to run: those wanted, or all there are."""
    there = sorted(path.stem for path in HERE.glob("bench_*.py") if path != Path(__file__))
    unknown = sorted(set(wanted) - set(there))
    if unknown:
        sys.exit(f"{', '.join(unknown)}: no such benchmark; there are {', '.join(there)}")
    first = [name for name in ORDER if name in there]
    ordered = [*first, *(name for name in there if name not in first)]
    return [name for name in ordered if not wanted or name in wanted]


def on_some_screen() -> str:
    """Where windows will be; without a display starts anew under one of its own, if it can."""
    asked = os.environ.get("QT_QPA_PLATFORM")
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if asked or display or sys.platform != "linux":
        return " ".join(word for word in (asked, display) if word) or sys.platform
    xvfb = shutil.which("xvfb-run")
    if xvfb is not None:
        start_anew_under(xvfb)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return "offscreen (no display here, and no xvfb-run)"


def start_anew_under(xvfb: str) -> NoReturn:
    """The very same command on a screen that nobody sees."""
    own = [xvfb, "--auto-servernum", "--server-args=-screen 0 1920x1200x24"]
    os.execv(xvfb, [*own, sys.executable, str(Path(__file__).resolve()), *sys.argv[1:]])


def run(name: str, rows: Path, *, long: bool) -> list[Row] | None:
    """The rows of one benchmark, run in a process of its own; None where it broke."""
    command = [sys.executable, str(HERE / "one_bench.py"), name, str(rows)]
    done = subprocess.run([*command, LONG] if long else command, check=False)
    if done.returncode or not rows.is_file():
        return None
    return [Row(**each) for each in json.loads(rows.read_text(encoding="utf-8"))]


def run_all(names: list[str], *, long: bool) -> tuple[list[Row], int]:
    """Every row, and how many benchmarks broke; those have one row that says so."""
    table: list[Row] = []
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            begun = time.monotonic()
            rows = run(name, Path(folder) / f"{name}.json", long=long)
            broken += rows is None
            table += [skipped(name, reason="broke, see above")] if rows is None else rows
            sys.stderr.write(f"{name}: {time.monotonic() - begun:.0f} s\n")
    return table, broken


def main(words: list[str]) -> int:
    """Run, print, and answer with the exit status."""
    screen, names = on_some_screen(), benches([word for word in words if word != LONG])
    before = os.getloadavg()
    table, broken = run_all(names, long=LONG in words)
    show(table)
    was, now = (f"{load[0]:.1f}" for load in (before, os.getloadavg()))
    print(f"screen {screen}; load average {was} before, {now} after")
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
