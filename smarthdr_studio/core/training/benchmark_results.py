"""What a benchmark measured, as small JSON: results in its own folder, and evidence to be kept.

benchmark.json           says that the folder is one
projects/<labels>.shdr   a project for each set of labels; what is in it are ordinary runs
cells/<identity>/        which run measures a cell, the lock of the process that does, why it failed
processes/<host>-<pid>/  the lock of a process that runs the benchmark
stop                     every such process is to save its runs and end
log.txt                  what the last process said that a window has started
results/<identity>.json  what was measured
"""

import ast
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import smarthdr_studio
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath, replacing, save_text
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.records import read_json
from smarthdr_studio.core.training.benchmark import (
    Benchmark,
    BenchmarkData,
    Cell,
    Row,
    cell_of,
    slug,
)

_FORMAT: Final = 1
_ABOUT: Final = "benchmark.json"
_LEARNS: Final = (
    *("learning/*.py", "learning/networks/*.py", "learning/methods/*.py"),
    *("core/trust/masking.py", "core/trust/adaptive_thresholds.py", "core/trust/thresholds.py"),
    *("core/trust/causes.py", "core/trust/reliability.py", "core/training/rounds.py"),
    *("core/imaging/alignment.py", "core/imaging/flow.py", "core/imaging/metrics.py"),
    *("core/imaging/radiometry.py", "core/imaging/transfer.py"),
)
_ONLY_CARRIES: Final = frozenset(
    f"learning/{name}.py"
    for name in (
        *("benchmark_runs", "bundle", "estimate", "event_log", "export", "failures"),
        *("model_labelling", "steering"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What was measured of a cell; nothing in it is a path of a machine.

    `teacher` and `merge` are means over the test scenes: psnr_mu and psnr_l in dB, of the teacher
    every `Metric`, None where it gave no number. `scenes` and `kinds` hold psnr_mu and psnr_l of
    each, `rounds` and `checks` what the run said of itself. `program` has the version and the
    marks of what learned (`learning_mark`), of all sessions of the run; it is empty in files of
    before it was written down. `note` is what a reader of the figures should know of the run.
    """

    identity: str
    row: str
    seed: int
    labels: tuple[str, ...]
    plan: Mapping[str, Any]
    dataset: Mapping[str, Any]
    machine: Mapping[str, Any]
    started: str
    seconds: float
    steps: int
    teacher: Mapping[str, float | None]
    merge: Mapping[str, float | None]
    scenes: tuple[Mapping[str, Any], ...] = ()
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rounds: tuple[Mapping[str, Any], ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    program: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def measured_by(self) -> str:
        """The program in words: its version, and the mark of its learning."""
        if not self.program:
            return "a version that was not written down"
        return f"version {self.program['version']} with learning {self.program['learning']}"


@cache
def learning_mark() -> str:
    """Another one as soon as code is that decides what a run learns, or how it is measured.

    Comments, docstrings and the layout of the code do not count, nor what only carries or shows.
    "" where the code is not there to be read.
    """
    try:
        codes = [path.read_text(encoding="utf-8") for path in learning_files()]
    except OSError:
        return ""
    return mark_of(codes) if codes else ""


def learning_files() -> tuple[Path, ...]:
    """The code that decides what a run learns, or how it is measured."""
    root = Path(smarthdr_studio.__file__).parent
    return tuple(
        path
        for pattern in _LEARNS
        for path in sorted(root.glob(pattern))
        if path.relative_to(root).as_posix() not in _ONLY_CARRIES
    )


def mark_of(codes: Iterable[str]) -> str:
    """A checksum of Python code without its comments, docstrings and layout."""
    whole = hashlib.sha256()
    for code in codes:
        tree = ast.parse(code)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                node.body = [line for line in node.body if not _is_text(line)]
        whole.update(ast.dump(tree).encode())
    return whole.hexdigest()[:8]


def _is_text(node: ast.AST) -> bool:
    """Whether a line is nothing but a string: a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def rounded(value: float, *, decibels: bool = False) -> float | None:
    """A figure as results keep it: dB to 4 decimals, others to 4 digits; None is no number."""
    if not math.isfinite(value):
        return None
    return round(value, 4) if decibels else float(f"{value:.4g}")


def write_result(path: AnyPath, result: CellResult) -> None:
    """Whole or not at all. Raises ProjectError."""
    save_text(path, _in_lines({"format": _FORMAT, **asdict(result)}))


def read_result(path: AnyPath) -> CellResult | None:
    """A result as it was written; None where there is none, or one of another format."""
    path = Path(path)
    try:
        values = read_json(path)
        if values.pop("format") != _FORMAT:
            return None
        known = {each.name for each in fields(CellResult)}
        told = {name: value for name, value in values.items() if name in known}
        for name in ("labels", "scenes", "rounds", "checks"):
            told[name] = tuple(told[name])
        return CellResult(**told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class BenchmarkFolder:
    """Where a benchmark keeps what it makes."""

    path: Path

    @property
    def projects(self) -> Path:
        """Where the projects lie."""
        return self.path / "projects"

    def project(self, cell: Cell, data: BenchmarkData) -> Path:
        """The project of a cell's labels."""
        text = json.dumps([data.fingerprint, sorted(cell.labels)])
        mark = hashlib.sha256(text.encode()).hexdigest()[:8]
        return self.projects / f"{len(cell.labels)}-labels-{mark}.shdr"

    def cell(self, identity: str) -> Path:
        """The folder of a cell."""
        return self.path / "cells" / identity

    def result(self, identity: str) -> Path:
        """The file of a result."""
        return self.path / "results" / f"{identity}.json"


def is_benchmark_folder(path: AnyPath) -> bool:
    """Whether a benchmark keeps there what it makes."""
    return (Path(path) / _ABOUT).is_file()


def open_folder(folder: AnyPath, *, data: BenchmarkData) -> BenchmarkFolder:
    """The folder of a benchmark, made where it is not there.

    Raises ProjectError: it holds something else, lies in the dataset, or cannot be written.
    """
    path = Path(folder).expanduser().resolve()
    if path.is_relative_to(data.root):
        raise ProjectError(f"{path}: lies in the dataset folder; choose a place outside it")
    try:
        occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
        if occupied and not is_benchmark_folder(path):
            raise ProjectError(
                f"{path}: is not the folder of a benchmark and not empty; choose another name"
            )
        if not occupied:
            with replacing(path / _ABOUT) as draft:
                draft.write_text(json.dumps({"format": _FORMAT}) + "\n", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path}: cannot be made ({reason}); choose a folder you may write to"
        ) from None
    return BenchmarkFolder(path)


def evidence_path(folder: AnyPath, benchmark: Benchmark, *, row: str, seed: int) -> Path:
    """Where the evidence of a row and seed lies, under a name that stays."""
    return Path(folder) / benchmark.name / f"{slug(row)}-s{seed}.json"


def keep_evidence(
    folder: AnyPath, benchmark: Benchmark, found: Mapping[tuple[str, int], CellResult]
) -> None:
    """Writes results as evidence, each under the name of its row. Raises ProjectError."""
    for (row, seed), result in found.items():
        path = evidence_path(folder, benchmark, row=row, seed=seed)
        if read_result(path) != (named := replace(result, row=row)):
            write_result(path, named)


def results_of(
    cells: Iterable[Cell], *, into: BenchmarkFolder | None = None, evidence: Iterable[AnyPath] = ()
) -> dict[tuple[str, int], CellResult]:
    """By row and seed, what was measured of these cells, in the folder or in files of evidence."""
    kept = {each.identity: each for each in map(read_result, evidence) if each is not None}
    found: dict[tuple[str, int], CellResult] = {}
    for cell in cells:
        result = None if into is None else read_result(into.result(cell.identity))
        result = result or kept.get(cell.identity)
        if result is not None:
            found[cell.row, cell.seed] = replace(result, row=cell.row)
    return found


def evidence_files(folder: AnyPath, benchmark: Benchmark) -> tuple[Path, ...]:
    """Where evidence of a benchmark may lie, row by row."""
    return tuple(
        evidence_path(folder, benchmark, row=row.name, seed=seed)
        for row in benchmark.plan.row
        for seed in benchmark.plan.seeds
    )


def read_evidence(folder: AnyPath, benchmark: Benchmark) -> dict[tuple[str, int], CellResult]:
    """By row and seed, evidence that fits the plan of its row as it is now.

    Nothing is held against a dataset, which need not be there. Raises ProjectError where the
    evidence is of more than one.
    """
    found: dict[tuple[str, int], CellResult] = {}
    for row in benchmark.plan.row:
        for seed in benchmark.plan.seeds:
            path = evidence_path(folder, benchmark, row=row.name, seed=seed)
            result = read_result(path)
            if result is not None and _fits(result, benchmark, row, seed=seed):
                found[row.name, seed] = result
    if len({result.dataset["fingerprint"] for result in found.values()}) > 1:
        raise ProjectError(
            f"{Path(folder) / benchmark.name}: its evidence is of several datasets; give the "
            "dataset that is meant"
        )
    return found


def _fits(result: CellResult, benchmark: Benchmark, row: Row, *, seed: int) -> bool:
    now = cell_of(
        benchmark, row, seed=seed, labels=result.labels, dataset=result.dataset["fingerprint"]
    )
    return now.identity == result.identity and row.labels in ("few", "all", len(result.labels))


def _in_lines(values: Mapping[str, Any]) -> str:
    """JSON with a line for each part, and for each member of a list."""
    lines = []
    for key, value in values.items():
        if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            told = ",\n  ".join(map(_as_json, value))
            lines.append(f" {_as_json(key)}: [\n  {told}\n ]")
        else:
            lines.append(f" {_as_json(key)}: {_as_json(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def make_projects(
    cells: Iterable[Cell],
    folder: BenchmarkFolder,
    data: BenchmarkData,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Sees to it that every set of labels has its project over the dataset as it lies now.

    The dataset is read only where a project is missing; `progress` hears how many scenes of how
    many. Raises StudioError.
    """
    places = {folder.project(cell, data): cell.labels for cell in cells}
    missing = {path: labels for path, labels in places.items() if not path.exists()}
    if missing:
        catalogue = find_scenes(data.root, progress=progress)
        for path, labels in missing.items():
            Project.create(path, catalogue, labelled=labels).close()
    for path in places.keys() - missing.keys():
        with Project.open(path) as project:
            if project.dataset != data.root:
                project.move_dataset(data.root)
