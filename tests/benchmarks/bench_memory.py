"""A walk through 200 scenes of 1500×1000 in the real window: how much memory is kept."""

import resource
import tempfile
from pathlib import Path

from at_work import WindowAtWork
from fabricated import HEIGHT, WIDTH, crowded_project, one_large_scene
from table import Row, row, show

SCENES = 200
MIB = 2**20


def walk(folder: Path) -> tuple[list[float], list[float], float]:
    """MiB kept and the most that was ever resident, after every scene; and the budget."""
    project = crowded_project(
        folder / "walk.shdr", one_large_scene(folder / "dataset"), scenes=SCENES
    )
    bench = WindowAtWork(folder)
    bench.open(project)
    kept, resident = [], []
    for k in range(SCENES):
        bench.show_scene(f"{k:04}")
        kept.append(bench.session.state.cache_bytes / MIB)
        resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    budget = bench.session.state.cache_budget / MIB
    bench.close()
    return kept, resident, budget


def main() -> list[Row]:
    """The most that was kept beside what may be kept; resident memory levels off."""
    with tempfile.TemporaryDirectory() as folder:
        kept, resident, budget = walk(Path(folder))
    size = f"{WIDTH}×{HEIGHT}"
    bound = f"{budget:.0f} MiB"
    return [
        row(
            f"kept while walking {SCENES} scenes of {size}",
            kept,
            unit="MiB",
            reach=bound,
            stretch="–",
        ),
        row("most resident, scenes 1–100", resident[:100], unit="MiB", reach="–", stretch="–"),
        row("most resident, scenes 101–200", resident[100:], unit="MiB", reach="–", stretch="–"),
    ]


if __name__ == "__main__":
    show(main())
