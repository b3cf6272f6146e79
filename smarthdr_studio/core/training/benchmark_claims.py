"""What the results of a benchmark add up to: means and spreads of its rows, and its claims."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Final, Literal, get_args

from smarthdr_studio.core.training.benchmark import Benchmark, Claim, Metric, Row
from smarthdr_studio.core.training.benchmark_results import CellResult
from smarthdr_studio.core.words import counted

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
_LOWER_IS_BETTER: Final = frozenset({"ause", "ence"})
_EXACT: Final = 6  # decimals; what is beyond came from adding up in binary

SPREAD_IN_WORDS: Final = (
    "± is the sample standard deviation over seeds; the spread of a comparison is the larger one "
    "of its two rows."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFigures:
    """What is known of one row: its results by seed, in the order of the plan."""

    row: Row
    seeds: tuple[int, ...]
    results: Mapping[int, CellResult]

    @property
    def missing(self) -> tuple[int, ...]:
        """The seeds nothing was measured with."""
        return tuple(seed for seed in self.seeds if seed not in self.results)

    @property
    def labels(self) -> int | None:
        """How many labels it learned from; None before the first result, unless the plan says."""
        found = next(iter(self.results.values()), None)
        if found is not None:
            return len(found.labels)
        return self.row.labels if isinstance(self.row.labels, int) else None

    @property
    def steps(self) -> tuple[int, ...]:
        """How many steps its runs took, each number once."""
        return tuple(sorted({result.steps for result in self.results.values()}))

    @property
    def programs(self) -> tuple[str, ...]:
        """What measured it, in words, each once."""
        return tuple(sorted({result.measured_by for result in self.results.values()}))

    @property
    def notes(self) -> tuple[str, ...]:
        """What its runs say of themselves beside figures, each once."""
        return tuple(sorted({each.note for each in self.results.values() if each.note}))

    @property
    def seconds(self) -> float | None:
        """The mean time of a run; None before the first result."""
        times = [result.seconds for result in self.results.values()]
        return round(fmean(times), 1) if times else None

    def values(self, metric: str, *, of: Literal["teacher", "merge"] = "teacher") -> list[float]:
        """The figure of every seed that has one."""
        told = [getattr(result, of).get(metric) for result in self.results.values()]
        return [value for value in told if value is not None]

    def mean(self, metric: str, *, of: Literal["teacher", "merge"] = "teacher") -> float | None:
        """Over seeds; None without a figure."""
        values = self.values(metric, of=of)
        return round(fmean(values), _EXACT) if values else None

    def spread(self, metric: str) -> float | None:
        """The sample standard deviation over seeds; None with fewer than two."""
        values = self.values(metric)
        return round(stdev(values), _EXACT) if len(values) > 1 else None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "row": self.row.name,
            "labels": self.labels,
            "seeds": list(self.seeds),
            "missing": list(self.missing),
            "steps": list(self.steps),
            "programs": list(self.programs),
            "notes": list(self.notes),
            "seconds": self.seconds,
            **{
                metric: {
                    "mean": self.mean(metric),
                    "spread": self.spread(metric),
                    "values": {
                        str(seed): result.teacher.get(metric)
                        for seed, result in self.results.items()
                    },
                }
                for metric in METRICS
            },
            "merge": {name: self.mean(name, of="merge") for name in ("psnr_mu", "psnr_l")},
        }


def figures_of(
    benchmark: Benchmark, found: Mapping[tuple[str, int], CellResult]
) -> tuple[RowFigures, ...]:
    """Every row of the plan with its results."""
    seeds = benchmark.plan.seeds
    return tuple(
        RowFigures(
            row=row,
            seeds=seeds,
            results={s: found[row.name, s] for s in seeds if (row.name, s) in found},
        )
        for row in benchmark.plan.row
    )


def mixed_programs(rows: Sequence[RowFigures]) -> str:
    """A warning where not every run was measured by the same program; "" where all were."""
    found: dict[str, list[str]] = {}
    for figures in rows:
        for result in figures.results.values():
            found.setdefault(result.measured_by, []).append(figures.row.name)
    if len(found) < 2:
        return ""
    told = [
        f"{counted(len(names), 'run')} by {by} ({', '.join(dict.fromkeys(names))})"
        for by, names in sorted(found.items())
    ]
    return (
        f"Not all of it is of one program: {'; '.join(told)}. What learns may have changed in "
        "between, so a difference between such rows need not come of their settings."
    )


def notes_of(rows: Sequence[RowFigures]) -> tuple[str, ...]:
    """What to know of rows beside their figures, a sentence each."""
    return tuple(f"{row.row.name}: {note}." for row in rows for note in row.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the results say to a claim.

    `gain` is the difference of the two means, above 0 where the claimed row is better; `spread` is
    the larger of the two rows' sample standard deviations over seeds. Both are None where they are
    not known; `holds` is None where the claim cannot be judged yet.
    """

    claim: Claim
    holds: bool | None
    sentence: str
    gain: float | None = None
    spread: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **self.claim.model_dump(),
            "holds": self.holds,
            "sentence": self.sentence,
            "gain": self.gain,
            "spread": self.spread,
        }


def verdicts_of(benchmark: Benchmark, rows: Sequence[RowFigures]) -> tuple[Verdict, ...]:
    """What the results say to every claim of the plan."""
    by_name = {figures.row.name: figures for figures in rows}
    return tuple(
        judge(claim, better=by_name[claim.better], than=by_name[claim.than])
        for claim in benchmark.plan.claim
    )


def judge(claim: Claim, *, better: RowFigures, than: RowFigures) -> Verdict:
    """Whether a claim holds; only the results of all seeds of both rows can tell.

    The spread is the larger of the two rows' sample standard deviations over seeds. It holds where
    the gain is at least `by` and at least `spreads` times the spread; of equals neither is better.
    """
    if why := _why_unknown(claim, better, than):
        return Verdict(claim=claim, holds=None, sentence=f"not known yet: {why}")
    metric = claim.metric
    first, second = better.mean(metric), than.mean(metric)
    assert first is not None
    assert second is not None
    gain = second - first if metric in _LOWER_IS_BETTER else first - second
    gain = round(gain, _EXACT)
    spreads = [each for row in (better, than) if (each := row.spread(metric)) is not None]
    spread = max(spreads, default=None)
    is_better = gain > 0 or (claim.by < 0 and not claim.spreads)
    far = gain >= claim.by and gain >= round(claim.spreads * (spread or 0.0), _EXACT)
    holds = is_better and far
    words = [
        f"{'holds' if holds else 'does not hold'}: {_told(first, metric)} against "
        f"{_told(second, metric, unit=True)}",
        _apart(gain, metric),
        _in_spreads(gain, spread),
        _unequal_steps(better, than),
        _unequal_programs(better, than),
    ]
    sentence = ", ".join(word for word in words if word)
    return Verdict(claim=claim, holds=holds, sentence=sentence, gain=gain, spread=spread)


def in_decibels(metric: str) -> bool:
    """Whether a metric is told in dB."""
    return metric.startswith("psnr")


def _why_unknown(claim: Claim, better: RowFigures, than: RowFigures) -> str:
    count = len(better.seeds)
    missing = len({*better.missing, *than.missing})
    if missing:
        return f"{missing} of {count} seeds {'is' if missing == 1 else 'are'} missing"
    if len(better.values(claim.metric)) < count or len(than.values(claim.metric)) < count:
        return f"{claim.metric} gave no number"
    if claim.spreads and count < 2:
        return "one seed has no spread; give the plan two or more"
    return ""


def _told(value: float, metric: str, *, unit: bool = False) -> str:
    if in_decibels(metric):
        return f"{value:.2f}{' dB' if unit else ''}"
    return f"{value:.4f}{f' {metric}' if unit else ''}"


def _apart(gain: float, metric: str) -> str:
    amount = f"{abs(gain):.2f} dB" if in_decibels(metric) else f"{abs(gain):.4f}"
    return f"{amount} apart{' the other way round' if gain < 0 else ''}"


def _in_spreads(gain: float, spread: float | None) -> str:
    if spread is None:
        return ""
    if math.isclose(spread, 0, abs_tol=10**-_EXACT):
        return "the spread is 0"
    return f"{abs(gain) / spread:.1f} times the spread"


def _unequal_programs(better: RowFigures, than: RowFigures) -> str:
    return "" if better.programs == than.programs else "not by one and the same program"


def _unequal_steps(better: RowFigures, than: RowFigures) -> str:
    if better.steps == than.steps:
        return ""
    first, second = ("/".join(map(str, row.steps)) for row in (better, than))
    return f"at unequal steps ({first} against {second})"
