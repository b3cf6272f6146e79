"""Makes the tables of the guide's page on evidence, and the figure of the README, from kept runs.

    .venv/bin/python packaging/evidence.py

Reads resources/benchmarks/*.toml and the results in tests/evidence, measures nothing, and writes
resources/guide/8-evidence.md and labels.svg beside it. What was not run is marked so.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Final, NamedTuple

from smarthdr_studio.core.reporting.benchmark_table import COLUMNS, table_cells
from smarthdr_studio.core.training.benchmark import Benchmark, load_benchmark, shipped_benchmarks
from smarthdr_studio.core.training.benchmark_claims import (
    SPREAD_IN_WORDS,
    RowFigures,
    figures_of,
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
    return drawn(curves(figures_of(benchmark, read_evidence(EVIDENCE, benchmark))))


def _section(
    benchmark: Benchmark, rows: Sequence[RowFigures], results: Sequence[CellResult]
) -> str:
    lines = [f"## {benchmark.name}", "", benchmark.plan.description, ""]
    lines += [f"| {' | '.join(COLUMNS)} |", "|---|" + "---:|" * (len(COLUMNS) - 1)]
    lines += [f"| {' | '.join(cells)} |" for cells in table_cells(rows)]
    lines += [""]
    lines += [
        f"- {verdict.claim.text}: {verdict.sentence}" for verdict in verdicts_of(benchmark, rows)
    ]
    lines += ["", _where(results)]
    return "\n".join(lines).rstrip()


def _where(results: Sequence[CellResult]) -> str:
    """On what all of it was measured, and when."""
    if not results:
        return "*Nothing of it was run yet.*"
    machines = sorted({f"{r.machine['processor']}, {r.machine['threads']} thread" for r in results})
    days = sorted(r.started[:10] for r in results)
    hours = sum(r.seconds for r in results) / 3600
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    return (
        f"*{len(results)} runs of {results[0].steps} steps, {hours:.1f} hours of one thread "
        f"together, {when}, on {'; '.join(machines)}. {SPREAD_IN_WORDS}*"
    )


class Point(NamedTuple):
    """So many labels, and the PSNR-μ (dB) of each seed."""

    labels: int
    values: tuple[float, ...]


def curves(rows: Sequence[RowFigures]) -> dict[str, list[Point]]:
    """The points of each line; a row is called "LINE, N labels"."""
    found: dict[str, list[Point]] = {}
    for figures in rows:
        line = figures.row.name.rpartition(", ")[0]
        values = tuple(figures.values("psnr_mu"))
        if values and figures.labels is not None:
            found.setdefault(line, []).append(Point(figures.labels, values))
    return found


_COLOURS: Final = ("#c2571a", "#2f6db3", "#5a5a5a")
_SIZE: Final = (800, 400)
_FRAME: Final = (70, 30, 500, 340)  # left, top, right, bottom


def drawn(lines: dict[str, list[Point]]) -> str:
    """Quality against labels as SVG: a dot for each seed, a dash and a line at the means."""
    counts = sorted({point.labels for points in lines.values() for point in points})
    values = [v for points in lines.values() for point in points for v in point.values]
    low, high = (min(values) // 1, -(-max(values) // 1)) if values else (0.0, 1.0)
    left, top, right, bottom = _FRAME

    def at(labels: int, value: float) -> tuple[float, float]:
        place = counts.index(labels) / max(1, len(counts) - 1)
        share = (value - low) / max(high - low, 1e-9)
        return left + 20 + place * (right - left - 40), bottom - share * (bottom - top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE[0]} {_SIZE[1]}" '
        'font-family="sans-serif" font-size="14">',
        f'<rect width="{_SIZE[0]}" height="{_SIZE[1]}" fill="white"/>',
    ]
    for value in range(int(low), int(high) + 1):
        y = at(counts[0], value)[1] if counts else bottom
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 5:.1f}" text-anchor="end">{value}</text>')
    for count in counts:
        x = at(count, low)[0]
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{count}</text>')
    middle = (left + right) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 42}" text-anchor="middle">labels</text>')
    parts.append(f'<text x="10" y="{top - 10}">PSNR-μ, dB</text>')
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        means = [at(point.labels, fmean(point.values)) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in means)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for point in points:
            x, y = at(point.labels, fmean(point.values))
            parts.append(f'<path d="M{x - 11:.1f} {y:.1f}h22" stroke="{colour}" stroke-width="2"/>')
            for value in point.values:
                x, y = at(point.labels, value)
                parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')
        y = top + 16 + 24 * number
        parts.append(f'<circle cx="{right + 22}" cy="{y - 5}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{right + 34}" y="{y}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
