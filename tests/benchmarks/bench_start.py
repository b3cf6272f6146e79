"""From the command to the window on the screen, with everything in the system's memory and without.

Cold is best effort: the files that a start loads are dropped from the system's cache, as far as no
other process holds them; the table says how much was really read from the disk.

usage: bench_start.py [--against CHECKOUT [--times N]]
With another checkout of this repository both start by turns, each with a project of its own, so
that what else the machine does falls on both; told are the medians and their ratio.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from fabricated import crowded_project, one_large_scene
from skipped import skipped
from table import Row, row, show

WINDOW = "command → window on screen"
PICTURES = "command → four panels on screen"


HERE = Path(__file__).resolve().parents[2]


def start(project: Path, home: Path, *, checkout: Path = HERE) -> dict:
    """Starts the studio in a process of its own; what it tells of itself."""
    command = [sys.executable, str(checkout / "tests" / "benchmarks" / "first_frame.py")]
    begun = time.monotonic_ns()
    done = subprocess.run(
        [*command, str(begun), str(project)],
        env=environment(home) | {"PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def environment(home: Path) -> dict[str, str]:
    """A person without recent projects, thumbnails or preferences, whose Python keeps bytecode."""
    names = {"XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data"}
    changed = {name: str(home / folder) for name, folder in names.items()}
    changed |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(home / "bytecode")}
    if sys.platform == "darwin":
        changed["HOME"] = str(home)
    there = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    platform = {} if there or sys.platform == "darwin" else {"QT_QPA_PLATFORM": "offscreen"}
    return {**platform, **os.environ, **changed}


def forget(paths: Iterable[Path]) -> None:
    """Drop files from the system's cache; needs no rights, and touches nobody else's files."""
    os.sync()  # what is not on the disk yet cannot be dropped
    for path in paths:
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def warm_starts(project: Path, home: Path, *, times: int) -> list[dict]:
    """Starts after one that is not counted."""
    return [start(project, home) for _ in range(times + 1)][1:]


def cold_starts(project: Path, home: Path, files: Iterable[str], *, times: int) -> list[dict]:
    """Starts, each after its files were forgotten."""
    dataset = project.with_name("dataset").rglob("*")
    paths = [*map(Path, files), *project.rglob("*"), *dataset]
    answers = []
    for _ in range(times):
        forget(paths)
        answers.append(start(project, home))
    return answers


def rows_of(answers: list[dict], *, how: str, reach: str, stretch: str) -> list[Row]:
    """The window, and the pictures in it."""
    frames = [answer["frame"] / 1e3 for answer in answers]
    pictures = [answer["pictures"] / 1e3 for answer in answers]
    return [
        row(f"{WINDOW}, {how}", frames, unit="s", reach=reach, stretch=stretch),
        row(f"{PICTURES}, {how}", pictures, unit="s", reach="–", stretch="–"),
    ]


_MAKE = """
import sys
from pathlib import Path
from fabricated import crowded_project, one_large_scene
folder = Path(sys.argv[1])
crowded_project(folder / "ten.shdr", one_large_scene(folder / "dataset"), scenes=10)
"""


def against(other: Path, *, times: int) -> list[Row]:
    """Warm starts of this checkout and another by turns, after one of each that is not counted."""
    checkouts = {"here": HERE, "there": other.resolve()}
    told: dict[str, list[dict]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as name:
        homes = {each: Path(name) / each for each in checkouts}
        for each, checkout in checkouts.items():
            homes[each].mkdir()
            rooms = os.pathsep.join(map(str, (checkout, checkout / "tests" / "benchmarks")))
            command = [sys.executable, "-c", _MAKE, str(homes[each])]
            # In its own folder: what lies where one stands is found before any other package, and a
            # project of a newer format is one that an older window does not open.
            environs = {**os.environ, "PYTHONPATH": rooms}
            subprocess.run(command, env=environs, cwd=checkout, check=True)
        for turn in range(times + 1):
            order = checkouts.items() if turn % 2 else reversed(checkouts.items())
            for each, checkout in order:
                answer = start(homes[each] / "ten.shdr", homes[each], checkout=checkout)
                told[each] += [answer] if turn else []
    rows = []
    for words, key in ((WINDOW, "frame"), (PICTURES, "pictures")):
        here, there = ([answer[key] / 1e3 for answer in told[each]] for each in checkouts)
        rows += [
            row(f"{words}, warm, by turns, here", here, unit="s", reach="–", stretch="–"),
            row(f"{words}, warm, by turns, there", there, unit="s", reach="–", stretch="–"),
            row(
                f"{words}, here ÷ there",
                [mine / other for mine, other in zip(here, there, strict=True)],
                unit="×",
                reach="1.0 ×" if key == "frame" else "–",
                stretch="–",
            ),
        ]
    return rows


def main() -> list[Row]:
    """Rows for warm and for cold starts of a project of ten scenes of 1500×1000."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = one_large_scene(folder / "dataset")
        project = crowded_project(folder / "ten.shdr", dataset, scenes=10)
        warm = warm_starts(project, folder, times=5)
        rows = rows_of(warm, how="warm", reach="1.0 s", stretch="0.6 s")
        if not hasattr(os, "posix_fadvise"):
            reason = "warm only: this system forgets no single files"
            return [*rows, skipped(f"{WINDOW}, cold", reason=reason, reach="1.5 s", stretch="1 s")]
        cold = cold_starts(project, folder, warm[0]["files"], times=3)
    megabytes = statistics.median(answer["megabytes"] for answer in cold)
    how = f"cold ({megabytes:.0f} MB read)"
    return [*rows, *rows_of(cold, how=how, reach="1.5 s", stretch="1.0 s")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, to start by turns with it")
    parser.add_argument("--times", type=int, default=9, help="counted starts of each")
    wanted = parser.parse_args()
    show(against(wanted.against, times=wanted.times) if wanted.against else main())
