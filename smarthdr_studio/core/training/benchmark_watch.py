"""How a benchmark stands in its folder, whoever runs it: measured, at work, failed, kept."""

import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from smarthdr_studio.core.errors import ProjectError, StudioError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.records import read_json, read_text
from smarthdr_studio.core.training.benchmark import (
    Benchmark,
    BenchmarkData,
    Cell,
    cells_of,
    load_benchmark,
    read_data,
)
from smarthdr_studio.core.training.benchmark_claims import (
    RowFigures,
    Verdict,
    figures_of,
    verdicts_of,
)
from smarthdr_studio.core.training.benchmark_results import (
    BenchmarkFolder,
    CellResult,
    is_benchmark_folder,
    read_result,
    results_of,
)
from smarthdr_studio.core.training.run_folder import run_of
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.core.training.run_lock import is_at_work, run_lock

Status = Literal["measured", "at work", "stopped", "failed", "not run"]

_STOP: Final = "stop"
_FAILED: Final = "failed.txt"
_RUN: Final = "run.json"
_MOST_WORDS: Final = 2000


@contextmanager
def counted_process(folder: BenchmarkFolder) -> Iterator[None]:
    """While the block lasts the folder tells that a process runs its benchmark.

    A wish to stop of before does not count. Raises ProjectError where it cannot be written.
    """
    place = folder.path / "processes" / f"{platform.node()}-{os.getpid()}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        (folder.path / _STOP).unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{place}: cannot be made ({reason}); allow writing there, or free some space"
        ) from None
    mine = False  # a machine of the same name may have it, as containers do
    try:
        with run_lock(place):
            mine = True
            yield
    finally:
        if mine:
            shutil.rmtree(place, ignore_errors=True)


def processes_at_work(folder: BenchmarkFolder) -> bool:
    """Whether any process runs it now."""
    return any(map(is_at_work, (folder.path / "processes").glob("*")))


def ask_to_stop(folder: BenchmarkFolder) -> None:
    """Every process that runs it saves its runs and ends. Raises ProjectError."""
    try:
        (folder.path / _STOP).touch()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{folder.path / _STOP}: cannot be written ({reason}); allow writing there"
        ) from None


def is_asked_to_stop(folder: BenchmarkFolder) -> bool:
    """Whether somebody wants it to stop."""
    return (folder.path / _STOP).exists()


def tell_failure(folder: BenchmarkFolder, cell: Cell, sentence: str) -> None:
    """Keep why a cell failed until it is tried again; "" forgets it."""
    path = folder.cell(cell.identity) / _FAILED
    with suppress(OSError):  # it is told on the terminal too
        if sentence:
            with replacing(path) as draft:
                draft.write_text(sentence, encoding="utf-8")
        else:
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStand:
    """How one cell stands.

    `words` say how far a run is, or why it failed. `project` and `run` are where the run is kept;
    `project` is None where it is not.
    """

    row: str
    seed: int
    status: Status
    words: str = ""
    project: Path | None = None
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchmarkStand:
    """A benchmark as it stands: `cells` by row and seed, and what the results add up to."""

    benchmark: Benchmark
    data: BenchmarkData
    folder: BenchmarkFolder
    plan_cells: tuple[Cell, ...]
    rows: tuple[RowFigures, ...]
    verdicts: tuple[Verdict, ...]
    cells: Mapping[tuple[str, int], CellStand]
    found: Mapping[tuple[str, int], CellResult] = field(default_factory=dict)
    at_work: bool = False

    @property
    def measured(self) -> int:
        """How many cells are measured."""
        return sum(each.status == "measured" for each in self.cells.values())


def look_at(
    plan: str, dataset: AnyPath, into: AnyPath, *, known: BenchmarkStand | None = None
) -> BenchmarkStand:
    """How the benchmark of that plan stands in a folder, which need not be there yet.

    Of `known` only what lies in the folder is read anew; it is to be of the same plan, dataset
    and folder. Nothing is written. Raises StudioError.
    """
    if known is None:
        benchmark, data = load_benchmark(plan), read_data(dataset)
        cells = cells_of(benchmark, data)
        path = Path(into).expanduser().resolve()
        if path.is_dir() and any(path.iterdir()) and not is_benchmark_folder(path):
            raise ProjectError(
                f"{path}: is not the folder of a benchmark and not empty; choose another one"
            )
        folder = BenchmarkFolder(path)
    else:
        benchmark, data, cells = known.benchmark, known.data, known.plan_cells
        folder = known.folder
    found = dict(known.found) if known is not None else {}
    left = [cell for cell in cells if (cell.row, cell.seed) not in found]
    found |= results_of(left, into=folder)
    rows = figures_of(benchmark, found)
    return BenchmarkStand(
        benchmark=benchmark,
        data=data,
        folder=folder,
        plan_cells=cells,
        rows=rows,
        verdicts=verdicts_of(benchmark, rows),
        cells={(cell.row, cell.seed): _stand(cell, folder, data) for cell in cells},
        found=found,
        at_work=processes_at_work(folder),
    )


def _stand(cell: Cell, folder: BenchmarkFolder, data: BenchmarkData) -> CellStand:
    place, project = folder.cell(cell.identity), folder.project(cell, data)
    run = _run_in(place)
    kept = bool(run) and (project / "runs" / run / "plan.toml").is_file()
    status, words = _status(cell, folder, project if kept else None, run)
    return CellStand(
        row=cell.row,
        seed=cell.seed,
        status=status,
        words=words,
        project=project if kept else None,
        run=run if kept else "",
    )


def _status(
    cell: Cell, folder: BenchmarkFolder, project: Path | None, run: str
) -> tuple[Status, str]:
    place = folder.cell(cell.identity)
    if is_at_work(place):
        return "at work", _how_far(project, run)
    if (result := read_result(folder.result(cell.identity))) is not None:
        return "measured", result.note
    with suppress(OSError, ValueError):
        return "failed", read_text(place / _FAILED)[:_MOST_WORDS]
    return ("not run", "") if project is None else ("stopped", _how_far(project, run))


def _how_far(project: Path | None, run: str) -> str:
    if project is None:
        return "beginning"
    try:
        row = row_of(run_of(project, run))
    except StudioError:
        return ""
    return f"epoch {row.epoch} of {row.epochs}" if row.epochs else "beginning"


def _run_in(place: Path) -> str:
    """The run a cell was begun with, by its id; "" where there is none. It names no place."""
    try:
        name = str(read_json(place / _RUN)["run"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return name if name == Path(name).name else ""
