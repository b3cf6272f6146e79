"""Makes the tables of the guide's page on evidence, and the figure of the README, from kept runs.

    .venv/bin/python packaging/evidence.py

Reads resources/benchmarks/*.toml and the results in tests/evidence, measures nothing, and writes
resources/guide/8-evidence.md and labels.svg beside it. What was not run is marked so.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from smarthdr_studio.core.reporting.benchmark_figure import as_svg, curves, drawing
from smarthdr_studio.core.reporting.benchmark_table import table_cells, table_columns
from smarthdr_studio.core.training.benchmark import Benchmark, load_benchmark, shipped_benchmarks
from smarthdr_studio.core.training.benchmark_claims import (
    SPREAD_IN_WORDS,
    RowFigures,
    figures_of,
    mixed_programs,
    verdicts_of,
)
from smarthdr_studio.core.training.benchmark_results import CellResult, read_evidence

ROOT: Final = Path(__file__).resolve().parents[1]
EVIDENCE: Final = ROOT / "tests" / "evidence"
GUIDE: Final = ROOT / "resources" / "guide"
CURVE: Final = "labels"  # the benchmark the figure is drawn of: rows "LINE, N"


PAGE: Final = GUIDE / "8-evidence.md"
FIGURE: Final = GUIDE / "labels.svg"
_MARK: Final = "<!-- tables -->"


def main() -> None:
    """Write the page and the figure."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    FIGURE.write_text(figure(), encoding="utf-8")


def page(before: str) -> str:
    """The page with its words as they are and its tables made anew."""
    sections = []
    for name in shipped_benchmarks():
        benchmark = load_benchmark(name)
        found = read_evidence(EVIDENCE, benchmark)
        rows = figures_of(benchmark, found)
        sections.append(_section(benchmark, rows, list(found.values())))
    return f"{before.partition(_MARK)[0]}{_MARK}\n\n" + "\n\n".join(sections) + "\n"


def figure() -> str:
    """Quality against labels, as SVG."""
    benchmark = load_benchmark(CURVE)
    return as_svg(drawing(curves(figures_of(benchmark, read_evidence(EVIDENCE, benchmark)))))


def _section(
    benchmark: Benchmark, rows: Sequence[RowFigures], results: Sequence[CellResult]
) -> str:
    lines = [f"## {benchmark.name}", "", benchmark.plan.description, ""]
    columns, mixed = table_columns(benchmark), mixed_programs(rows)
    lines += [f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 1)]
    lines += [f"| {' | '.join(cells)} |" for cells in table_cells(benchmark, rows)]
    lines += [""]
    lines += [
        f"- {verdict.claim.text}: {verdict.sentence}" for verdict in verdicts_of(benchmark, rows)
    ]
    lines += ["", mixed] if mixed else []
    lines += ["", _where(results, of=sum(len(figures.seeds) for figures in rows))]
    return "\n".join(lines).rstrip()


def _where(results: Sequence[CellResult], *, of: int) -> str:
    """On what all of it was measured, and when, and how much of it is still to be run."""
    if not results:
        return "*Nothing of it was run yet.*"
    counts = sorted({result.steps for result in results})
    steps = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    left = of - len(results)
    missing = f" **{left} of {of} runs were not made yet.**" if left else ""
    machines = sorted({f"{r.machine['processor']}, {r.machine['threads']} thread" for r in results})
    days = sorted(r.started[:10] for r in results)
    hours = sum(r.seconds for r in results) / 3600
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    return (
        f"*{len(results)} runs of {steps} steps, {hours:.1f} hours of one thread "
        f"together, {when}, on {'; '.join(machines)}. {SPREAD_IN_WORDS}*{missing}"
    )


if __name__ == "__main__":
    main()
