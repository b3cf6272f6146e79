"""Makes the tables of the page on evidence, and the README's figure with its caption, from runs.

    .venv/bin/python packaging/evidence.py

Reads resources/benchmarks/*.toml and the results in tests/evidence, measures nothing, and writes
resources/guide/8-evidence.md, labels.svg beside it and what README.md says under that figure. What
was not run is marked so.
"""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Final

from smarthdr_studio.core.reporting.benchmark_figure import as_svg, curves, drawing
from smarthdr_studio.core.reporting.benchmark_table import (
    mean_and_spread,
    table_cells,
    table_columns,
)
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
README: Final = ROOT / "README.md"
_MARK: Final = "<!-- tables -->"
_CAPTION: Final = ("<!-- caption -->\n", "\n<!-- end of caption -->")
_WIDTH: Final = 110  # of a line of the README
_MASKS: Final = ("pseudo-labels", "Masks ")  # a benchmark, and how its claims about masks begin


def main() -> None:
    """Write the page, the figure and its caption."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    FIGURE.write_text(figure(), encoding="utf-8")
    README.write_text(captioned(README.read_text(encoding="utf-8")), encoding="utf-8")


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


def captioned(before: str) -> str:
    """The README with its words as they are and the caption of its figure made anew."""
    begins, ends = _CAPTION
    head, found, rest = before.partition(begins)
    tail = rest.partition(ends)[2]
    return f"{head}{begins}{caption()}{ends}{tail}" if found else before


def _away(decibels: float) -> str:
    """How far from something, and on which side: "0.2 dB above"."""
    return f"{abs(decibels):.1f} dB {'above' if decibels >= 0 else 'short of'}"


def caption() -> str:
    """What the figure shows, in figures of the very rows that it is drawn of."""
    benchmark = load_benchmark(CURVE)
    rows = {
        each.row.name: each for each in figures_of(benchmark, read_evidence(EVIDENCE, benchmark))
    }
    plain, views, pseudo, every = (
        rows[name]
        for name in (
            "labels only, 5",
            "labels only with wide views, 5",
            "with pseudo-labels, 5",
            "labels only, all",
        )
    )
    told = {name: each.mean("psnr_mu") for name, each in rows.items()}
    few, most = told[plain.row.name], told[pseudo.row.name]
    whole, by_views = told[every.row.name], told[views.row.name]
    if few is None or most is None or whole is None or by_views is None:
        return "*What it is worth is not known yet: runs of the figure are missing.*"
    words = (
        f"*What it is worth: test PSNR-μ on our benchmark set, a mark for each seed. Beside "
        f"{plain.labels} labels, pseudo-labels are worth {most - few:.1f} dB ({_figure(pseudo)} "
        f"against {_figure(plain)}) and end {_away(most - whole)} all {every.labels} "
        f"({_figure(every)}). Most of it is what the student's wider views teach: given to the "
        f"{plain.labels} labels alone they are worth {by_views - few:.1f} dB{_masks_in_words()}. "
        "The [evidence](resources/guide/8-evidence.md) has every figure.*"
    )
    return fill(words, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _figure(row: RowFigures) -> str:
    return mean_and_spread(row, "psnr_mu")


def _masks_in_words() -> str:
    """Whether any claim about masks holds."""
    name, begins = _MASKS
    benchmark = load_benchmark(name)
    rows = figures_of(benchmark, read_evidence(EVIDENCE, benchmark))
    judged = [v.holds for v in verdicts_of(benchmark, rows) if v.claim.text.startswith(begins)]
    return "; masks do not help there" if judged and not any(judged) and None not in judged else ""


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
