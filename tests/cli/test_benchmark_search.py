"""The search of a benchmark: what is tried, how it goes on, and the plan of the best."""

import math
import sys

import pytest
from benchmark_trials import result_of
from brackets import write_dataset
from made_once import made_once

from smarthdr_studio.cli.benchmark_search import Trial
from smarthdr_studio.core.errors import PlanError, StudioError
from smarthdr_studio.core.training.benchmark import load_benchmark, read_data
from smarthdr_studio.core.training.benchmark_results import (
    open_folder,
    read_result,
    write_result,
)
from smarthdr_studio.core.training.plan import load_preset

PLAN = """
seeds = [0, 1, 2]
[base]
preset = "quick"
[base.set]
held_out = 1
loss.nll_gradient = "beta"
[[row]]
name = "smart"
labels = 2
[search]
row = "smart"
trials = 6
seeds = [0, 1]
[search.ranges]
schedule.learning_rate = {low = 1e-4, high = 1e-2, log = true}
loss.beta = {low = 0, high = 1}
"""


def _make_dataset(folder):
    write_dataset(folder / "data", train=3, size=(64, 96))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return read_data(made_once(tmp_path_factory, "benchmark-search", _make_dataset) / "data")


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def folder(data, tmp_path):
    return open_folder(tmp_path / "bench", data=data)


@pytest.fixture
def search(plan, data, folder):
    """A fresh look at the search in that folder, as another process would have it."""
    pytest.importorskip("optuna")
    from smarthdr_studio.cli.benchmark_search import SettingSearch

    return lambda: SettingSearch(load_benchmark(str(plan)), data, folder)


class Measuring:
    """Stands in for runs: best at a rate of 1e-3; the test scenes would choose otherwise."""

    def __init__(self, folder, data, *, stop_after=math.inf):
        self._folder, self._data, self._left = folder, data, stop_after
        self.asked = []

    def __call__(self, cells):
        for cell in cells:
            if read_result(self._folder.result(cell.identity)) is not None:
                continue
            if self._left <= 0:
                return False
            self._left -= 1
            self.asked.append(cell.identity)
            rate = cell.plan.schedule.learning_rate
            held_out = 30 - abs(math.log10(rate) + 3) + 0.01 * cell.seed
            result = result_of(
                cell,
                self._data,
                teacher={"psnr_mu": 20 + rate},
                checks=({"step": 1, "psnr_mu": held_out},),
            )
            write_result(self._folder.result(cell.identity), result)
        return True


def test_the_best_on_held_out_labels_is_written_as_a_plan_to_train_by(search, folder, data):
    found = search()
    measure = Measuring(folder, data)
    found.run(measure, at_once=2)
    trials = found.trials()
    assert len(trials) == 6
    assert len(measure.asked) == 12  # two seeds each
    told = [trial.held_out for trial in trials]
    assert told == sorted(told, reverse=True)
    best = found.write_best()
    plan = load_preset(str(best))
    assert plan.schedule.learning_rate == trials[0].settings["schedule.learning_rate"]
    assert plan.loss.beta == trials[0].settings["loss.beta"]
    assert plan.loss.nll_gradient == "beta"
    assert all(1e-4 <= trial.settings["schedule.learning_rate"] <= 1e-2 for trial in trials)


def test_an_interrupted_search_goes_on_with_the_trials_it_had_begun(search, folder, data):
    first = Measuring(folder, data, stop_after=3)
    search().run(first, at_once=2)
    begun = {trial.number: trial.settings for trial in search().trials()}
    assert len(begun) == 2
    second = Measuring(folder, data)
    again = search()
    again.run(second, at_once=2)
    trials = {trial.number: trial.settings for trial in again.trials()}
    assert len(trials) == 6
    assert begun.items() <= trials.items()
    assert not set(first.asked) & set(second.asked)  # nothing is measured twice
    search().run(third := Measuring(folder, data), at_once=2)
    assert third.asked == []


def test_a_trial_that_failed_is_tried_no_more(search, folder, data):
    found = search()
    found.run(lambda _cells: True, at_once=3)
    assert [trial.held_out for trial in found.trials()] == [None] * 6
    assert found.write_best() is None


def test_other_ranges_begin_another_search(search, folder, data, plan):
    search().run(Measuring(folder, data), at_once=2)
    plan.write_text(PLAN.replace("high = 1}", "high = 0.5}"), encoding="utf-8")
    assert search().trials() == ()


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("loss.beta = ", "masks.tau_patch = ", "known exactly without a trial"),
        ("loss.beta = ", "batch.crop = ", "is not searched; those that are: loss.perceptual"),
        ("low = 0, high = 1", "low = 1, high = 0", "low 1 is to be below high 0"),
        ("low = 1e-4", "low = 0", "log needs a low above 0"),
        ('row = "smart"', 'row = "clever"', "search: 'clever' is no row"),
        ("trials = 6", "trials = 0", "search: trials"),
    ],
)
def test_a_search_that_cannot_be_is_refused_in_a_sentence(plan, before, after, why):
    plan.write_text(PLAN.replace(before, after), encoding="utf-8")
    with pytest.raises(PlanError, match=why) as refused:
        load_benchmark(str(plan))
    assert str(plan) in str(refused.value)


def test_test_scenes_never_choose(search, plan):
    plan.write_text(PLAN.replace("held_out = 1", "held_out = 0"), encoding="utf-8")
    with pytest.raises(PlanError, match="set held_out to 1 or more"):
        search()


def test_without_optuna_the_extra_is_named(plan, data, folder, monkeypatch):
    from smarthdr_studio.cli.benchmark_search import SettingSearch

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(StudioError, match=r"pip install 'smarthdr-studio\[search\]'"):
        SettingSearch(load_benchmark(str(plan)), data, folder)


def test_a_journal_that_is_none_is_refused(search, folder):
    (folder.path / "search").mkdir()
    (folder.path / "search" / "trial.journal").write_text("no journal\n", encoding="utf-8")
    with pytest.raises(PlanError, match=r"trial\.journal: is no journal of a search"):
        search()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--search", "--csv", "t.csv"), "--csv does nothing"),
        (("--search", "--evidence", "e", "--latex", "t.tex"), "--latex and --evidence do nothing"),
        (("--cluster-set", "timeout_min=5"), "--cluster"),
    ],
)
def test_what_would_not_be_heeded_is_refused_before_anything_runs(
    run, plan, data, tmp_path, words, named
):
    answer = run("benchmark", plan, data.root, "--into", tmp_path / "b", *words)
    assert answer.status == 2
    assert named in answer.err
    assert not (tmp_path / "b").exists()


def test_trials_have_one_number_in_table_and_json():
    made = Trial(number=0, settings={"schedule.learning_rate": 0.1}, held_out=30.0, test=None)
    assert made.as_json()["trial"] == 1


def test_the_verb_tells_the_trials_and_refuses_a_plan_without_a_search(run, plan, data, tmp_path):
    pytest.importorskip("optuna")
    into = tmp_path / "b"
    answer = run("benchmark", plan, data.root, "--into", into, "--search", "--table")
    assert (answer.status, "a search, the best on held-out labels first" in answer.out) == (5, True)
    told = run("benchmark", plan, data.root, "--into", into, "--search", "--table", "--json").json
    assert (told["benchmark"], told["failed"], told["exit"]) == ("trial", [], 5)
    plan.write_text(PLAN.partition("[search]")[0], encoding="utf-8")
    answer = run("benchmark", plan, data.root, "--into", into, "--search")
    assert answer.status == 2
    assert "has no [search]" in answer.err
