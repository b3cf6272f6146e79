"""The verb `benchmark`: what a benchmark file asks for is measured, told as a table, and judged."""

import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smarthdr_studio.cli import BROKEN_OFF, DONE, NOT_SHOWN, STOPPED
from smarthdr_studio.cli.options import refuse_beside
from smarthdr_studio.cli.output import (
    Json,
    duration,
    print_json,
    print_line,
    print_note,
    print_table,
    progress,
)
from smarthdr_studio.cli.train import StopSignals, stop_signals

if TYPE_CHECKING:
    from rich.progress import TaskID

    from smarthdr_studio.cli.benchmark_pool import CellEvent, CellJob
    from smarthdr_studio.cli.benchmark_search import Trial
    from smarthdr_studio.core.training.benchmark import Benchmark, BenchmarkData, Cell
    from smarthdr_studio.core.training.benchmark_claims import RowFigures, Verdict
    from smarthdr_studio.core.training.benchmark_results import BenchmarkFolder, CellResult
    from smarthdr_studio.learning.benchmark_runs import CellProgress

    Found = Mapping[tuple[str, int], CellResult]

_TOLD_EVERY: Final = 0.25  # of a run, where there is no terminal


@dataclass(slots=True)
class _Ended:
    """What became of the cells that were begun."""

    failed: list[tuple["Cell", str]]
    stopped: bool = False

    def as_json(self) -> list[dict[str, Any]]:
        """Which failed, and why."""
        return [{"row": cell.row, "seed": cell.seed, "error": error} for cell, error in self.failed]


class CellReporter:
    """Says how far the cells are: a bar for each at work on a terminal, lines in a pipe."""

    def __init__(self, cells: int, *, at_once: int) -> None:
        self._bar = progress(lines=False)
        self._plain = self._bar.disable
        self._cells, self._done = cells, 0
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}
        if not self._plain:
            self._all = self._bar.add_task(f"all runs, {at_once} at a time", total=cells)
            self._bar.start()

    def close(self) -> None:
        """Take the bars off the screen."""
        self._bar.stop()

    def see(self, event: "CellEvent") -> None:
        """Repeat one event."""
        from smarthdr_studio.cli.benchmark_pool import CellEnded, CellGoesOn, CellStarted

        match event:
            case CellStarted(cell=cell):
                if self._plain:
                    print_note(f"{cell.title}: begun")
                else:
                    self._tasks[cell.identity] = self._bar.add_task(cell.title, total=None)
            case CellGoesOn(cell=cell, progress=told):
                self._see_progress(cell, told)
            case CellEnded(cell=cell, error=error, stopped=stopped):
                self._see_end(cell, error=error, stopped=stopped)

    def _see_progress(self, cell: "Cell", told: "CellProgress") -> None:
        if not self._plain:
            self._bar.update(
                self._tasks[cell.identity],
                completed=told.step,
                total=told.total or None,
                description=f"{cell.title}: {told.text}",
                seconds_left=told.seconds_left or None,
            )
            return
        share = told.step / told.total if told.total else 0.0
        if told.seconds_left and share - self._told.get(cell.identity, 0.0) >= _TOLD_EVERY:
            self._told[cell.identity] = share
            left = duration(told.seconds_left)
            print_note(f"{cell.title}: step {told.step} of {told.total}, {left} left")

    def _see_end(self, cell: "Cell", *, error: str, stopped: bool) -> None:
        self._done += not stopped
        words = "stopped and saved" if stopped else "done"
        if self._plain:
            if not error:
                print_note(f"{cell.title}: {words} ({self._done} of {self._cells})")
        else:
            self._bar.remove_task(self._tasks.pop(cell.identity))
            self._bar.update(self._all, completed=self._done)
        if error:
            self._bar.console.print(f"{cell.title}: {error}", markup=False, soft_wrap=True)


def benchmark(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="A benchmark that ships, or a .toml file.")
    ],
    dataset: Annotated[
        Path | None,
        typer.Argument(metavar="[DATASET]", help="The dataset folder; never written into."),
    ] = None,
    *,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", help="Where projects, runs and results lie."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Runs at once; else as many as there are cores.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, show_default="1", help="Threads of each run.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(help="Runs are jobs of slurm, or of local processes, by submitit."),
    ] = None,
    cluster_set: Annotated[
        list[str] | None,
        typer.Option("--cluster-set", metavar="KEY=VALUE", help="As slurm_partition=gpu."),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep each result there, as PLAN/ROW-sSEED.json."),
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Run nothing; tell what was measured before.")
    ] = False,
    search: Annotated[
        bool, typer.Option("--search", help="Try the settings of [search] in place of the rows.")
    ] = False,
    keep_runs: Annotated[
        bool, typer.Option("--keep-runs", help="Keep all checkpoints and rounds of every run.")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the table as Markdown.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every metric as CSV.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Write the table as LaTeX.")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw quality against labels, as .svg or .pdf.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Compare methods over seeds, and check claims.

    PLAN names rows (a method and its labels), seeds and claims. What was measured is never
    measured again; Ctrl-C saves every run, and the same command goes on. With --table and
    --evidence alone the dataset need not be there. Exit status: 0 all was measured and every claim
    holds; 3 stopped and saved; 4 a run failed; 5 a claim does not hold, or a run is missing.
    """
    from smarthdr_studio.core.training.benchmark import load_benchmark

    asked = load_benchmark(plan)
    _refuse_too_little(dataset, into, evidence=evidence, table=table)
    how = {"jobs": jobs, "threads": threads, "cluster": cluster, "cluster-set": cluster_set}
    if table:
        given = {f"--{name}": bool(value) for name, value in how.items()}
        refuse_beside("--table", {**given, "--keep-runs": keep_runs})
    _refuse_lonely_setting(cluster, cluster_set)
    threads = threads or 1
    _refuse_in_dataset(dataset, (into, evidence, markdown, csv, latex, figure))
    _refuse_other_kinds(markdown=markdown, csv=csv, latex=latex, figure=figure)
    files = _Files(markdown=markdown, csv=csv, latex=latex, figure=figure)
    if search:
        refuse_beside("--search", files.given | {"--evidence": evidence is not None})
        if dataset is None or into is None:
            raise typer.BadParameter("--search: give DATASET and --into DIR, for its journal")
    ended = _Ended([])
    if dataset is None:
        from smarthdr_studio.core.training.benchmark_results import read_evidence

        assert evidence is not None
        found: Found = read_evidence(evidence, asked)
    else:
        request = _Request(
            benchmark=asked,
            into=into,
            evidence=evidence,
            jobs=jobs or _at_once(threads, cluster=cluster),
            threads=threads,
            keep_runs=keep_runs,
            table=table,
            cluster=cluster,
            cluster_set=tuple(cluster_set or ()),
        )
        if search:
            return _search(request, dataset, as_json=as_json)
        found, ended = _measured(request, dataset)
    return _answer(asked, found, ended, files=files, as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """Which files the answer is written into beside the terminal."""

    markdown: Path | None
    csv: Path | None
    latex: Path | None
    figure: Path | None

    @property
    def given(self) -> dict[str, bool]:
        """Which of their options were given."""
        return {f"--{each.name}": getattr(self, each.name) is not None for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    benchmark: "Benchmark"
    into: Path | None
    evidence: Path | None
    jobs: int
    threads: int
    keep_runs: bool
    table: bool
    cluster: str | None
    cluster_set: tuple[str, ...]


def _at_once(threads: int, *, cluster: str | None) -> int:
    """As many runs as there are cores here for their threads; a cluster queues by itself."""
    if cluster not in (None, "local"):
        return sys.maxsize
    return max(1, (os.cpu_count() or 1) // threads)


def _refuse_lonely_setting(cluster: str | None, cluster_set: Sequence[str] | None) -> None:
    if cluster is None and cluster_set:
        raise typer.BadParameter("--cluster-set: is for --cluster; say which, as slurm or local")


def _refuse_too_little(
    dataset: Path | None, into: Path | None, *, evidence: Path | None, table: bool
) -> None:
    if table and dataset is None and evidence is None:
        raise typer.BadParameter("--table: give --evidence DIR, or DATASET and --into DIR")
    if table and dataset is not None and into is None and evidence is None:
        raise typer.BadParameter("--table: give --into DIR or --evidence DIR to read from")
    if not table and dataset is None:
        raise typer.BadParameter("DATASET is missing; give the folder that holds the scenes")
    if not table and into is None:
        raise typer.BadParameter("--into is missing; give a folder for projects and results")


_SUFFIXES: Final = {
    "markdown": (".md", ".markdown"),
    "csv": (".csv",),
    "latex": (".tex", ".latex"),
}


def _refuse_other_kinds(*, figure: Path | None, **files: Path | None) -> None:
    """Before hours are spent on what would be written under a name that says another thing."""
    for option, path in files.items():
        suffixes = _SUFFIXES[option]
        if path is not None and path.suffix.casefold() not in suffixes:
            raise typer.BadParameter(
                f"--{option} {path}: name a file that ends in {' or '.join(suffixes)}, such as "
                f"{path.with_suffix(suffixes[0])}"
            )
    if figure is not None:
        from smarthdr_studio.core.reporting.benchmark_figure import is_pdf

        is_pdf(figure)


def _refuse_in_dataset(dataset: Path | None, written: Iterable[Path | None]) -> None:
    from smarthdr_studio.core.project.places import refuse_inside

    for path in filter(None, written):
        if dataset is not None:
            refuse_inside(dataset, path)


def _measured(request: _Request, dataset: Path) -> "tuple[Found, _Ended]":
    """What is known of every cell, after what was missing was run."""
    from smarthdr_studio.core.training.benchmark import cells_of, read_data
    from smarthdr_studio.core.training.benchmark_results import (
        evidence_files,
        keep_evidence,
        open_folder,
        results_of,
    )

    data = read_data(dataset)
    cells = cells_of(request.benchmark, data)
    folder = None if request.into is None else open_folder(request.into, data=data)
    kept = () if request.evidence is None else evidence_files(request.evidence, request.benchmark)
    ended = _Ended([])
    if not request.table:
        assert folder is not None
        ended = _run_missing(request, cells, folder, data)
        kept = ()  # what is missing in the folder was to be run, whatever was measured elsewhere
    found = results_of(cells, into=folder, evidence=kept)
    if request.evidence is not None and not request.table:
        keep_evidence(request.evidence, request.benchmark, found)
    return found, ended


def _search(request: _Request, dataset: Path, *, as_json: bool) -> int:
    """Tries what is left of the search, tells the trials, and writes the plan of the best."""
    from smarthdr_studio.cli.benchmark_search import SettingSearch
    from smarthdr_studio.core.training.benchmark import read_data
    from smarthdr_studio.core.training.benchmark_results import open_folder

    assert request.into is not None
    data = read_data(dataset)
    folder = open_folder(request.into, data=data)
    found = SettingSearch(request.benchmark, data, folder)
    ended = _Ended([])

    def measure(cells: "Sequence[Cell]") -> bool:
        now = _run_missing(request, cells, folder, data)
        ended.failed += now.failed
        ended.stopped = now.stopped
        return not now.stopped

    if not request.table:
        found.run(measure, at_once=request.jobs)
    best, trials = found.write_best(), found.trials()
    whole = sum(each.held_out is not None for each in trials) >= found.search.trials
    code = BROKEN_OFF if ended.failed else STOPPED if ended.stopped else DONE
    code = NOT_SHOWN if code == DONE and not whole else code
    if as_json:
        told = {
            "benchmark": request.benchmark.name,
            "trials": [each.as_json() for each in trials],
            "best": None if best is None else str(best),
        }
        print_json({**told, "failed": ended.as_json(), "exit": code})
        return code
    _print_trials(request.benchmark, trials, names=tuple(found.search.ranges))
    if best is not None:
        print_line(f"The plan of the best is in {best}; train by it with --preset {best}.")
    if ended.stopped:
        print_note("Stopped; the same command goes on where each run was saved.")
    return code


def _print_trials(
    benchmark: "Benchmark", trials: "Sequence[Trial]", *, names: tuple[str, ...]
) -> None:
    columns = ("trial", *names, "PSNR-μ held out", "PSNR-μ test")
    lines = [
        (
            str(each.number + 1),
            *(f"{each.settings[name]:.3g}" if name in each.settings else "" for name in names),
            *("not run" if v is None else f"{v:.2f}" for v in (each.held_out, each.test)),
        )
        for each in trials
    ]
    print_table(
        columns, lines, title=f"{benchmark.name}: a search, the best on held-out labels first"
    )


def _run_missing(
    request: _Request, cells: "Sequence[Cell]", folder: "BenchmarkFolder", data: "BenchmarkData"
) -> _Ended:
    """Runs every cell that has no result, each identity once."""
    from smarthdr_studio.cli.benchmark_pool import CellJob
    from smarthdr_studio.core.training.benchmark_results import make_projects, read_result
    from smarthdr_studio.core.training.benchmark_watch import counted_process

    once = {cell.identity: cell for cell in reversed(cells)}
    missing = [
        cell
        for cell in cells
        if once[cell.identity] is cell and read_result(folder.result(cell.identity)) is None
    ]
    if not missing:
        return _Ended([])
    jobs = [
        CellJob(
            cell=cell,
            folder=folder,
            data=data,
            threads=request.threads,
            keep_runs=request.keep_runs,
        )
        for cell in missing
    ]
    with counted_process(folder), stop_signals() as asked:
        with progress() as bar:
            task = bar.add_task("reading the dataset", total=None)
            make_projects(
                missing,
                folder,
                data,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        return _run(jobs, request, at_once=min(request.jobs, len(jobs)), asked=asked)


def _run(
    jobs: "Sequence[CellJob]", request: _Request, *, at_once: int, asked: StopSignals
) -> _Ended:
    from smarthdr_studio.cli.benchmark_pool import CellEnded, CellStarted
    from smarthdr_studio.core.training.benchmark_watch import is_asked_to_stop, tell_failure

    folder = jobs[0].folder

    def stop() -> bool:
        return bool(asked) or is_asked_to_stop(folder)

    ended = _Ended([])
    reporter = CellReporter(len(jobs), at_once=at_once)
    with (
        closing(reporter),
        closing(_measure(jobs, request, at_once=at_once, stop=stop)) as events,
    ):
        for event in events:
            if not asked.hung_up:
                reporter.see(event)
            if isinstance(event, CellStarted):
                tell_failure(folder, event.cell, "")
            elif isinstance(event, CellEnded) and event.error:
                tell_failure(folder, event.cell, event.error)
                ended.failed.append((event.cell, event.error))
    ended.stopped = stop()
    return ended


def _measure(
    jobs: "Sequence[CellJob]", request: _Request, *, at_once: int, stop: Callable[[], bool]
) -> "Generator[CellEvent, None, None]":
    """In processes of this machine, or as jobs of a cluster."""
    from smarthdr_studio.cli import benchmark_pool

    if request.cluster is None:
        return benchmark_pool.measure_cells(jobs, at_once=at_once, stop=stop)
    from smarthdr_studio.cli.benchmark_cluster import executor_for, measure_on_cluster

    folder = jobs[0].folder
    executor = executor_for(folder, cluster=request.cluster, settings=request.cluster_set)
    return measure_on_cluster(jobs, executor, at_once=at_once, stop=stop)


def _answer(
    benchmark: "Benchmark",
    found: "Found",
    ended: _Ended,
    *,
    files: _Files,
    as_json: bool,
) -> int:
    """Tells rows and claims, writes the files that were asked for; the exit status."""
    from smarthdr_studio.core.training.benchmark_claims import (
        figures_of,
        mixed_programs,
        verdicts_of,
    )

    rows = figures_of(benchmark, found)
    verdicts = verdicts_of(benchmark, rows)
    _write_files(benchmark, rows, verdicts, files=files)
    code = _status(rows, verdicts, ended)
    if as_json:
        print_json(
            {
                "benchmark": benchmark.name,
                "description": benchmark.plan.description,
                "rows": [figures.as_json() for figures in rows],
                "claims": [verdict.as_json() for verdict in verdicts],
                "warning": mixed_programs(rows),
                "failed": ended.as_json(),
                "exit": code,
            }
        )
    else:
        _print(benchmark, rows, verdicts)
        if ended.stopped:
            print_note("Stopped; the same command goes on where each run was saved.")
    return code


def _write_files(
    benchmark: "Benchmark",
    rows: "Sequence[RowFigures]",
    verdicts: "Sequence[Verdict]",
    *,
    files: _Files,
) -> None:
    from smarthdr_studio.core.reporting.benchmark_figure import write_figure
    from smarthdr_studio.core.reporting.benchmark_table import (
        write_csv,
        write_latex,
        write_markdown,
    )

    if files.markdown is not None:
        write_markdown(files.markdown, benchmark, rows, verdicts)
    if files.csv is not None:
        write_csv(files.csv, rows)
    if files.latex is not None:
        write_latex(files.latex, benchmark, rows)
    if files.figure is not None:
        write_figure(files.figure, rows)


def _print(
    benchmark: "Benchmark", rows: "Sequence[RowFigures]", verdicts: "Sequence[Verdict]"
) -> None:
    from smarthdr_studio.core.reporting.benchmark_table import table_cells, table_columns
    from smarthdr_studio.core.training.benchmark_claims import (
        SPREAD_IN_WORDS,
        mixed_programs,
        notes_of,
    )

    title = benchmark.plan.description or benchmark.name
    print_table(table_columns(benchmark), table_cells(benchmark, rows), title=title)
    print_line(SPREAD_IN_WORDS)
    if mixed := mixed_programs(rows):
        print_line(mixed)
    for note in notes_of(rows):
        print_line(note)
    for verdict in verdicts:
        print_line(f"{verdict.claim.text}: {verdict.sentence}")


def _status(rows: "Sequence[RowFigures]", verdicts: "Sequence[Verdict]", ended: _Ended) -> int:
    if ended.failed:
        return BROKEN_OFF
    whole = not any(figures.missing for figures in rows)
    if ended.stopped and not whole:
        return STOPPED
    return DONE if whole and all(verdict.holds for verdict in verdicts) else NOT_SHOWN
