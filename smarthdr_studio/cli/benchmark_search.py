"""The search of a benchmark file: settings tried by Optuna, chosen by held-out labels."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from smarthdr_studio.core.environment import pip_install
from smarthdr_studio.core.errors import PlanError, StudioError
from smarthdr_studio.core.reporting.tables import write_text
from smarthdr_studio.core.training.benchmark import (
    Benchmark,
    BenchmarkData,
    Cell,
    Range,
    Search,
    cell_of,
    labels_of,
    training_plan,
)
from smarthdr_studio.core.training.benchmark_results import (
    BenchmarkFolder,
    CellResult,
    read_result,
)
from smarthdr_studio.core.training.plan_fields import toml
from smarthdr_studio.core.training.plan_schema import flat

Measure = Callable[[Sequence[Cell]], bool]
"""Measures cells, and says whether it may go on."""

_SEED: Final = 0  # of the sampler, so that a search with the same answers asks the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was tried: its settings, and means over seeds in dB; None is not measured."""

    number: int
    settings: Mapping[str, float]
    held_out: float | None
    test: float | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "trial": self.number + 1,  # as the table counts
            "set": dict(self.settings),
            "held_out_psnr_mu": self.held_out,
            "test_psnr_mu": self.test,
        }


class SettingSearch:
    """The trials of one search, kept in the benchmark's folder and gone on with from there."""

    def __init__(self, benchmark: Benchmark, data: BenchmarkData, folder: BenchmarkFolder) -> None:
        """Raises PlanError where the file asks for no search, StudioError without Optuna."""
        if benchmark.plan.search is None:
            raise PlanError(
                f"{benchmark.path}: has no [search]; write one, with its row and ranges"
            )
        self._benchmark, self._data, self._folder = benchmark, data, folder
        self.search: Search = benchmark.plan.search
        self._row = next(row for row in benchmark.plan.row if row.name == self.search.row)
        self._labels = labels_of(self._row, data)
        _refuse_nothing_held_out(benchmark, self.search)
        self._study = _study(self.path, self._name())

    @property
    def path(self) -> Path:
        """Where Optuna's journal lies."""
        return self._folder.path / "search" / f"{self._benchmark.name}.journal"

    def run(self, measure: Measure, *, at_once: int) -> None:
        """Try what is left of the trials; those that were interrupted go on first."""
        import optuna

        running = optuna.trial.TrialState.RUNNING
        going = True
        while going:
            trials = self._study.get_trials(deepcopy=False)
            open_trials = [(each.number, each.params) for each in trials if each.state == running]
            left = self.search.trials - len(trials)
            for _ in range(min(max(0, at_once - len(open_trials)), left)):
                asked = self._study.ask(_distributions(self.search.ranges))
                open_trials.append((asked.number, asked.params))
            if not open_trials:
                return
            going = measure([cell for _, params in open_trials for cell in self.cells(params)])
            for number, params in open_trials:
                value = self._told(params).held_out
                if value is not None:
                    self._study.tell(number, value)
                elif going:  # it was tried, and failed
                    self._study.tell(number, state=optuna.trial.TrialState.FAIL)

    def trials(self) -> tuple[Trial, ...]:
        """Everything that was tried, the best first and what is not measured last."""
        found = [
            self._told(each.params, number=each.number)
            for each in self._study.get_trials(deepcopy=False)
        ]
        worst = float("-inf")
        return tuple(
            sorted(found, key=lambda t: worst if t.held_out is None else t.held_out, reverse=True)
        )

    def cells(self, settings: Mapping[str, float]) -> tuple[Cell, ...]:
        """A trial as cells, one for each seed of the search."""
        row = self._row.model_copy(
            update={
                "name": f"{self._row.name}, {_in_words(settings)}",
                "settings": {**self._row.settings, **settings},
            }
        )
        return tuple(
            cell_of(
                self._benchmark, row, seed=seed, labels=self._labels, dataset=self._data.fingerprint
            )
            for seed in self.search.seeds
        )

    def write_best(self) -> Path | None:
        """The plan of the best trial as TOML, a preset for `train`; None before the first."""
        best = next((each for each in self.trials() if each.held_out is not None), None)
        if best is None:
            return None
        path = self.path.with_name(f"{self._benchmark.name}-best.toml")
        plan = self.cells(best.settings)[0].plan
        values = {k: v for k, v in flat(plan).items() if k not in ("seed", "preset")}
        about = (
            f"# The best of {len(self.trials())} trials of {self._benchmark.name}: "
            f"{best.held_out:.2f} dB PSNR-μ on held-out labels with {_in_words(best.settings)}.\n"
        )
        write_text(path, about + toml(values))
        return path

    def _told(self, settings: Mapping[str, float], *, number: int = 0) -> Trial:
        results = [read_result(self._folder.result(c.identity)) for c in self.cells(settings)]
        known = [result for result in results if result is not None]
        whole = len(known) == len(results)
        checked = [value for result in known if (value := _held_out(result)) is not None]
        tested = [value for r in known if (value := r.teacher.get("psnr_mu")) is not None]
        every = len(results)
        return Trial(
            number=number,
            settings=dict(settings),
            held_out=fmean(checked) if whole and len(checked) == every else None,
            test=fmean(tested) if whole and len(tested) == every else None,
        )

    def _name(self) -> str:
        """Another search where the row, its settings, its ranges or the dataset are others."""
        plain = {name: [r.low, r.high, r.log] for name, r in self.search.ranges.items()}
        first = self.cells({})[0].identity
        parts = json.dumps([first, sorted(plain.items()), list(self.search.seeds)])
        return hashlib.sha256(parts.encode()).hexdigest()[:16]


def _held_out(result: CellResult) -> float | None:
    """The last check on held-out labels; test scenes must not choose."""
    value = result.checks[-1]["psnr_mu"] if result.checks else None
    return None if value is None else float(value)


def _refuse_nothing_held_out(benchmark: Benchmark, search: Search) -> None:
    row = next(row for row in benchmark.plan.row if row.name == search.row)
    if training_plan(benchmark, row, seed=search.seeds[0]).held_out == 0:
        raise PlanError(
            f"{benchmark.path}: search: row {row.name!r} holds no label out, and test scenes must "
            "not choose; set held_out to 1 or more"
        )


def _study(path: Path, name: str) -> Any:  # noqa: ANN401 - of a package that need not be there
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise StudioError(
            f"A search needs optuna, not installed here; install with: {pip_install('search')}"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return optuna.create_study(
            study_name=name,
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(path))),
            sampler=optuna.samplers.TPESampler(seed=_SEED),
            direction="maximize",
            load_if_exists=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise PlanError(
            f"{path}: is no journal of a search ({type(error).__name__}); move it away"
        ) from None


def _distributions(ranges: Mapping[str, Range]) -> dict[str, Any]:
    import optuna

    return {
        name: optuna.distributions.FloatDistribution(each.low, each.high, log=each.log)
        for name, each in ranges.items()
    }


def _in_words(settings: Mapping[str, float]) -> str:
    told = (f"{name.rpartition('.')[2]} {value:.3g}" for name, value in sorted(settings.items()))
    return ", ".join(told)
