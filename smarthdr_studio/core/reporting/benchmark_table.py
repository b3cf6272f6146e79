"""The table of a benchmark as cells of text, as Markdown, as CSV and as LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.reporting.tables import Cell, write_rows, write_text
from smarthdr_studio.core.training.benchmark import Benchmark
from smarthdr_studio.core.training.benchmark_claims import (
    METRICS,
    SPREAD_IN_WORDS,
    RowFigures,
    Verdict,
    in_decibels,
    mixed_programs,
    notes_of,
)

METRIC_WORDS: Final[Mapping[str, str]] = {
    "psnr_mu": "PSNR-μ",
    "psnr_l": "PSNR-l",
    "psnr_pu": "PSNR-PU21",
    "ssim_mu": "SSIM-μ",
    "ssim_l": "SSIM-l",
    "psnr_mu_saturated": "PSNR-μ, saturated",
    "psnr_mu_moving": "PSNR-μ, moving",
    "psnr_mu_static": "PSNR-μ, static",
    "spearman": "Spearman ρ",
    "ause": "AUSE",
    "ence": "ENCE",
}
NOT_RUN: Final = "not run"
_CSV: Final = (
    *("row", "labels", "runs", "seeds", "steps", "seconds"),
    *(f"{metric}_{part}" for metric in METRICS for part in ("mean", "spread")),
    *("merge_psnr_mu", "merge_psnr_l", "programs"),
)


def with_unit(metric: str) -> str:
    """What a metric is called, and its unit where it has one: a head of a table, an axis."""
    unit = ", dB" if in_decibels(metric) else ""
    return f"{METRIC_WORDS.get(metric, metric)}{unit}"


def table_columns(benchmark: Benchmark) -> tuple[str, ...]:
    """The heads of the table of a benchmark, whose plan says which metrics it shows."""
    metrics = (METRIC_WORDS[metric] for metric in benchmark.plan.metrics)
    return ("row", "labels", *metrics, "merge PSNR-μ", "runs", "seconds")


def table_cells(benchmark: Benchmark, rows: Sequence[RowFigures]) -> list[tuple[str, ...]]:
    """A line of text for each row; seconds are those of one run on average."""
    return [
        (
            figures.row.name,
            str(figures.row.labels if figures.labels is None else figures.labels),
            *(mean_and_spread(figures, metric) for metric in benchmark.plan.metrics),
            _number(figures.mean("psnr_mu", of="merge")),
            f"{len(figures.results)}/{len(figures.seeds)}",
            "" if figures.seconds is None else f"{figures.seconds:.0f}",
        )
        for figures in rows
    ]


def mean_and_spread(figures: RowFigures, metric: str) -> str:
    """Mean ± spread over seeds; "not run" without a result, no spread of one seed."""
    mean, spread = figures.mean(metric), figures.spread(metric)
    if mean is None:
        return "no number" if figures.results else NOT_RUN
    digits = 2 if in_decibels(metric) else 4
    return f"{mean:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")


def write_table(
    path: AnyPath, benchmark: Benchmark, rows: Sequence[RowFigures], verdicts: Sequence[Verdict]
) -> None:
    """The table as its suffix says: .md, .csv or .tex. Raises ExportError."""
    path = Path(path)
    match path.suffix.casefold():
        case ".md":
            write_markdown(path, benchmark, rows, verdicts)
        case ".csv":
            write_csv(path, rows)
        case ".tex":
            write_latex(path, benchmark, rows)
        case _:
            raise ExportError(f"{path}: name a table that ends in .md, .csv or .tex")


def write_markdown(
    path: AnyPath, benchmark: Benchmark, rows: Sequence[RowFigures], verdicts: Sequence[Verdict]
) -> None:
    """The table and the claims as Markdown. Raises ExportError."""
    columns, mixed = table_columns(benchmark), mixed_programs(rows)
    lines = [_markdown_line(columns), "|---|" + "---:|" * (len(columns) - 1)]
    lines += [_markdown_line(cells) for cells in table_cells(benchmark, rows)]
    lines += ["", SPREAD_IN_WORDS, "", *([_one_line(mixed), ""] if mixed else [])]
    notes = [f"- {_one_line(note)}" for note in notes_of(rows)]
    lines += [*notes, ""] if notes else []
    lines += [f"- {_one_line(v.claim.text)}: {v.sentence}" for v in verdicts]
    title = _one_line(benchmark.plan.description or benchmark.name)
    write_text(path, "\n".join([title, "", *lines]).rstrip() + "\n")


def write_csv(path: AnyPath, rows: Sequence[RowFigures]) -> None:
    """Every metric of every row as CSV. Raises ExportError."""
    write_rows(path, [_csv_line(figures) for figures in rows], columns=_CSV)


def write_latex(path: AnyPath, benchmark: Benchmark, rows: Sequence[RowFigures]) -> None:
    """The table as a tabular of booktabs. Raises ExportError."""
    columns, mixed = table_columns(benchmark), mixed_programs(rows)
    lines = [
        *([f"% {_one_line(mixed)}"] if mixed else []),
        r"\begin{tabular}{l" + "r" * (len(columns) - 1) + "}",
        r"\toprule",
        _latex_line(columns),
        r"\midrule",
        *(_latex_line(cells) for cells in table_cells(benchmark, rows)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    write_text(path, "\n".join(lines) + "\n")


def _csv_line(figures: RowFigures) -> dict[str, Cell]:
    line: dict[str, Cell] = {
        "row": figures.row.name,
        "labels": figures.labels,
        "runs": len(figures.results),
        "seeds": len(figures.seeds),
        "steps": "/".join(map(str, figures.steps)),
        "seconds": figures.seconds,
        "programs": "; ".join(figures.programs),
        "merge_psnr_mu": figures.mean("psnr_mu", of="merge"),
        "merge_psnr_l": figures.mean("psnr_l", of="merge"),
    }
    for metric in METRICS:
        line[f"{metric}_mean"] = figures.mean(metric)
        line[f"{metric}_spread"] = figures.spread(metric)
    return line


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _markdown_line(cells: Sequence[str]) -> str:
    told = (_one_line(cell).replace("\\", "\\\\").replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(told)} |"


_LATEX: Final[Mapping[str, str]] = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "μ": r"$\mu$",
    "σ": r"$\sigma$",
    "τ": r"$\tau$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
}


def _latex_line(cells: Sequence[str]) -> str:
    told = ("".join(_LATEX.get(sign, sign) for sign in _one_line(cell)) for cell in cells)
    return f"{' & '.join(told)} \\\\"
