"""A scene comes onto the screen, and a project of a thousand scenes opens, in the real window."""

import tempfile
import time
from pathlib import Path

from at_work import WindowAtWork
from fabricated import HEIGHT, WIDTH, crowded_project, one_large_scene
from table import Row, row, show

CROWD = 1000


def from_disk(bench: WindowAtWork, *, times: int) -> list[float]:
    """Scenes nobody has seen; every other one, because the one after is read ahead."""
    durations = []
    for k in range(times):
        bench.until_quiet()
        durations.append(bench.show_scene(f"{2 + 2 * k:04}"))
    return durations


def read_ahead(bench: WindowAtWork, *, times: int) -> list[float]:
    """Scenes nobody has seen, but read as the ones after those on the screen."""
    durations = []
    for k in range(times):
        bench.show_scene(f"{500 + 2 * k:04}")
        bench.until_quiet()
        durations.append(bench.show_scene(f"{501 + 2 * k:04}"))
        bench.until_quiet()
    return durations


def from_memory(bench: WindowAtWork, *, times: int) -> list[float]:
    """Back and forth between scenes that were read already."""
    for scene in ("0000", "0001"):
        bench.until_quiet()
        bench.show_scene(scene)
    durations = []
    for k in range(times):
        bench.until_quiet()
        durations.append(bench.show_scene(f"{k % 2:04}"))
    return durations


def opening(bench: WindowAtWork, project: Path, *, times: int) -> tuple[list[float], list[float]]:
    """Milliseconds until the list is on the screen, and until the pool's share is known."""
    listed, counted = [], []
    for _ in range(times):
        bench.session.close_project()
        bench.until_quiet()
        begun = time.perf_counter()
        listed.append(bench.open(project))
        bench.until(lambda: bench.session.state.pool is not None)
        counted.append((time.perf_counter() - begun) * 1e3)
        if len(bench.session.state.scenes) != CROWD:
            raise RuntimeError(f"{project}: not all scenes are in the list")
    return listed, counted


def measure(folder: Path) -> list[Row]:
    """All rows; projects and the person's files lie in `folder`."""
    project = crowded_project(
        folder / "crowd.shdr", one_large_scene(folder / "dataset"), scenes=CROWD
    )
    bench = WindowAtWork(folder)
    bench.open(project)
    bench.until(lambda: bench.session.state.pool is not None)
    read, kept = from_disk(bench, times=12), from_memory(bench, times=20)
    ahead = read_ahead(bench, times=12)
    listed, counted = opening(bench, project, times=3)
    bench.close()
    size, crowd = f"{WIDTH}×{HEIGHT}", f"{CROWD:,} scenes"
    return [
        row(
            f"scene gone back to, {size} → four panels in the window",
            kept,
            unit="ms",
            reach="30 ms",
            stretch="15 ms",
        ),
        row(
            f"next scene, read ahead, {size} → four panels in the window",
            ahead,
            unit="ms",
            reach="30 ms",
            stretch="15 ms",
        ),
        row(
            f"next scene, from disk, {size} → four panels in the window",
            read,
            unit="ms",
            reach="250 ms",
            stretch="120 ms",
        ),
        row(
            f"project of {crowd} opened → list usable",
            [ms / 1e3 for ms in listed],
            unit="s",
            reach="1.0 s",
            stretch="0.3 s",
        ),
        row(
            f"project of {crowd} opened → retained share known",
            [ms / 1e3 for ms in counted],
            unit="s",
            reach="–",
            stretch="–",
        ),
    ]


def main() -> list[Row]:
    """One row per thing a person waits for between two scenes."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))


if __name__ == "__main__":
    show(main())
