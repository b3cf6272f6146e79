"""The verb benchmark: what is run and what is not, what is told, and with which status."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from benchmark_trials import LIGHT_BASE, result_of, small_dataset

from smarthdr_studio.cli import benchmark_pool
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.benchmark_results import (
    BenchmarkFolder,
    write_result,
)
from smarthdr_studio.core.training.benchmark_watch import (
    ask_to_stop,
    look_at,
    processes_at_work,
)

PLAN = f"""
description = "A trial."
seeds = [0, 1]
{LIGHT_BASE}
[[row]]
name = "smart"
[[row]]
name = "all labels"
labels = "all"
[row.set]
schedule.learning_rate = 0.002
[[claim]]
text = "More labels are better"
better = "all labels"
than = "smart"
by = 1.0
"""
BROKEN = '[[row]]\nname = "broken"\n[row.set]\nbatch.crop = 512\n'


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small_dataset(tmp_path_factory)


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def into(tmp_path):
    return tmp_path / "bench"


PSNR = {("smart", 0): 37.0, ("smart", 1): 37.5, ("all labels", 0): 39.0, ("all labels", 1): 39.1}


class FakePool:
    """Stands in for `measure_cells`: "measures" by a table, and remembers what it was asked."""

    def __init__(self, *, failing=(), stop_after=None, wish_after=None):
        self.failing, self.stop_after, self.wish_after = failing, stop_after, wish_after
        self.asked, self.at_once, self.jobs = [], None, []

    def __call__(self, jobs, *, at_once, stop):
        self.at_once, self.jobs = at_once, jobs
        for number, job in enumerate(jobs):
            cell = job.cell
            if number == self.stop_after:
                os.kill(os.getpid(), signal.SIGINT)
            if number == self.wish_after:
                assert processes_at_work(job.folder)
                ask_to_stop(job.folder)
            if stop():
                return
            self.asked.append((cell.row, cell.seed))
            yield benchmark_pool.CellStarted(cell=cell)
            if cell.row in self.failing:
                yield benchmark_pool.CellEnded(cell=cell, error="frames.tif: damaged")
                continue
            write_result(job.folder.result(cell.identity), _result(job))
            yield benchmark_pool.CellEnded(cell=cell)


def _result(job):
    cell = job.cell
    psnr = PSNR[cell.row, cell.seed]
    teacher = {"psnr_mu": psnr, "psnr_l": psnr - 2}
    return result_of(cell, job.data, teacher=teacher, merge={"psnr_mu": 30.0, "psnr_l": 29.0})


@pytest.fixture
def pool(monkeypatch):
    def plant(**how):
        made = FakePool(**how)
        monkeypatch.setattr(benchmark_pool, "measure_cells", made)
        return made

    return plant


def test_all_cells_are_run_once_and_told_as_a_table_with_claims(run, plan, data, into, pool):
    asked = pool()
    answer = run("benchmark", plan, data, "--into", into)
    assert answer.status == 0, answer.err
    assert sorted(asked.asked) == sorted(PSNR)
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert answer.out.startswith("A trial.\n")
    assert "smart 1 37.25 ± 0.35 35.25 ± 0.35 30.00 2/2 60" in lines
    assert "all labels 3 39.05 ± 0.07 37.05 ± 0.07 30.00 2/2 60" in lines
    assert (
        "More labels are better: holds: 39.05 against 37.25 dB, 1.80 dB apart, "
        "5.1 times the spread" in answer.out
    )
    assert "all labels, seed 1: begun" in answer.err
    assert "done (4 of 4)" in answer.err
    again = pool()
    assert run("benchmark", plan, data, "--into", into).out == answer.out
    assert again.asked == []


def test_only_what_is_new_is_run(run, plan, data, into, pool):
    pool()
    run("benchmark", plan, data, "--into", into)
    asked = pool()
    text = PLAN.replace("[[claim]]", '[[row]]\nname = "same"\n[[claim]]')
    plan.write_text(text.replace("by = 1.0", "by = 2.0"), encoding="utf-8")
    answer = run("benchmark", plan, data, "--into", into, "--json")
    assert asked.asked == []  # the new row asks for what another has measured
    assert (answer.status, answer.json["exit"]) == (5, 5)
    assert [row["psnr_mu"]["mean"] for row in answer.json["rows"]] == [37.25, 39.05, 37.25]
    (claim,) = answer.json["claims"]
    assert (claim["holds"], claim["gain"]) == (False, 1.8)
    assert claim["sentence"].startswith("does not hold: 39.05 against 37.25 dB")


def test_the_projects_have_the_labels_of_their_rows(run, plan, data, into, pool):
    pool()
    run("benchmark", plan, data, "--into", into)
    labels = {}
    for path in (into / "projects").iterdir():
        with Project.open(path) as project:
            named = project.statuses().items()
            labels[path.name[0]] = {n for n, s in named if s.name == "GROUND_TRUTH"}
    assert labels == {"1": {"002"}, "3": {"001", "002", "003"}}


def test_a_cell_that_fails_says_why_and_the_others_go_on(run, plan, data, into, pool):
    pool(failing=("smart",))
    answer = run("benchmark", plan, data, "--into", into, "--json")
    assert (answer.status, answer.json["exit"]) == (4, 4)
    assert "smart, seed 0: frames.tif: damaged" in answer.err
    assert answer.json["failed"] == [
        {"row": "smart", "seed": seed, "error": "frames.tif: damaged"} for seed in (0, 1)
    ]
    smart, everything = answer.json["rows"]
    assert (smart["missing"], everything["missing"]) == ([0, 1], [])
    assert answer.json["claims"][0]["sentence"] == "not known yet: 2 of 2 seeds are missing"
    asked = pool()
    assert run("benchmark", plan, data, "--into", into).status == 0
    assert asked.asked == [("smart", 0), ("smart", 1)]


def test_a_stopped_benchmark_says_so_and_goes_on_with_the_same_command(run, plan, data, into, pool):
    pool(stop_after=2)
    answer = run("benchmark", plan, data, "--into", into)
    assert answer.status == 3
    assert "the same command goes on" in answer.err
    assert "1 of 2 seeds is missing" in answer.out
    asked = pool()
    assert run("benchmark", plan, data, "--into", into).status == 0
    assert len(asked.asked) == 2


def test_a_wish_in_its_folder_stops_a_benchmark_and_does_not_count_the_next_time(
    run, plan, data, into, pool
):
    pool(wish_after=1)
    assert run("benchmark", plan, data, "--into", into).status == 3
    assert not processes_at_work(BenchmarkFolder(into))
    assert list((into / "processes").iterdir()) == []
    asked = pool()
    assert run("benchmark", plan, data, "--into", into).status == 0
    assert len(asked.asked) == 3


def test_why_a_cell_failed_is_kept_until_it_is_tried_again(run, plan, data, into, pool):
    pool(failing=("smart",))
    run("benchmark", plan, data, "--into", into)
    stand = look_at(str(plan), data, into)
    failed = stand.cells["smart", 0]
    assert (failed.status, failed.words) == ("failed", "frames.tif: damaged")
    assert (stand.measured, len(stand.cells)) == (2, 4)
    pool()
    run("benchmark", plan, data, "--into", into)
    again = look_at(str(plan), data, into, known=stand)
    assert {cell.status for cell in again.cells.values()} == {"measured"}
    assert again.verdicts[0].holds


def test_as_many_runs_at_once_as_there_are_cores_for_their_threads(
    run, plan, data, into, pool, monkeypatch
):
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    asked = pool()
    run("benchmark", plan, data, "--into", into, "--threads", 2)
    assert (asked.at_once, {job.threads for job in asked.jobs}) == (3, {2})
    asked = pool()
    run("benchmark", plan, data, "--into", into.with_name("b2"), "--jobs", 9, "--keep-runs")
    assert (asked.at_once, {job.keep_runs for job in asked.jobs}) == (4, {True})


def test_evidence_alone_tells_the_same_table(run, plan, data, into, pool, tmp_path):
    pool()
    evidence = tmp_path / "evidence"
    whole = run("benchmark", plan, data, "--into", into, "--evidence", evidence)
    names = sorted(path.name for path in (evidence / "trial").iterdir())
    assert names == ["all-labels-s0.json", "all-labels-s1.json", "smart-s0.json", "smart-s1.json"]
    shutil.rmtree(into)
    asked = pool()
    told = run("benchmark", plan, "--table", "--evidence", evidence)
    assert (told.status, told.out, asked.asked) == (0, whole.out, [])
    (evidence / "trial" / "smart-s1.json").unlink()
    told = run("benchmark", plan, data, "--table", "--evidence", evidence)
    assert told.status == 5
    assert "not known yet: 1 of 2 seeds is missing" in told.out


def test_a_table_of_nothing_says_not_run_and_runs_nothing(run, plan, data, into, pool):
    asked = pool()
    answer = run("benchmark", plan, data, "--into", into, "--table")
    assert (answer.status, asked.asked) == (5, [])
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["smart", "few", "not", "run", "not", "run", "0/2"] in rows


def test_the_table_is_written_as_markdown_csv_and_latex(run, plan, data, into, pool, tmp_path):
    pool()
    files = {way: tmp_path / f"t.{way}" for way in ("markdown", "csv", "latex")}
    files["figure"] = tmp_path / "t.svg"
    words = [word for way, path in files.items() for word in (f"--{way}", path)]
    run("benchmark", plan, data, "--into", into, *words)
    texts = {way: path.read_text(encoding="utf-8-sig") for way, path in files.items()}
    assert "| all labels | 3 | 39.05 ± 0.07 |" in texts["markdown"]
    assert "- More labels are better: holds: " in texts["markdown"]
    assert "\nall labels,3,2,2,12,60.0,39.05,0.070711," in texts["csv"]
    assert r"all labels & 3 & 39.05 $\pm$ 0.07 &" in texts["latex"]
    assert ">all labels</text>" in texts["figure"]


def test_what_cannot_be_is_refused_before_anything_is_written(run, plan, data, into, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    plan_of_many = tmp_path / "many.toml"
    plan_of_many.write_text(PLAN.replace('labels = "all"', "labels = 4"), encoding="utf-8")
    refused = {
        ("nosuch", data, "--into", into): "nosuch: no such benchmark; there are ablation",
        (plan,): "DATASET is missing",
        (plan, data): "--into is missing",
        (plan, "--table"): "--table: give --evidence DIR",
        (plan, data, "--table"): "--table: give --into DIR",
        (plan, tmp_path / "none", "--into", into): "there is no such folder",
        (plan, data, "--into", tmp_path / "full"): "is not the folder of a benchmark",
        (plan, data, "--into", data / "bench"): "lies in the dataset folder",
        (plan, data, "--into", into, "--figure", "t.png"): "name a figure that ends in .svg or",
        (plan_of_many, data, "--into", into): "has 3 ground truths to learn from, not 4",
    }
    for words, why in refused.items():
        answer = run("benchmark", *words)
        assert (answer.status, answer.out) == (2, "")
        assert why in answer.err
    assert not into.exists()


def _command(plan, data, into, *more):
    words = [plan, data, "--into", into, "--jobs", 2, "--json", *more]
    return [sys.executable, "-m", "smarthdr_studio", "benchmark", *map(str, words)]


def _plain(into):
    """Every result of a folder, but for when it was and how long it took."""
    found = {}
    for path in (into / "results").iterdir():
        values = json.loads(path.read_text(encoding="utf-8"))
        found[path.name] = {k: v for k, v in values.items() if k not in ("started", "seconds")}
    return found


@pytest.mark.slow
def test_real_runs_killed_and_stopped_end_as_undisturbed_ones_and_a_broken_row_stops_none(
    plan, data, into, tmp_path
):
    plan.write_text(PLAN.replace("[0, 1]", "[0]") + BROKEN, encoding="utf-8")
    calm = subprocess.run(
        _command(plan, data, tmp_path / "calm"), capture_output=True, text=True, check=False
    )
    assert calm.returncode == 4, calm.stderr
    told = json.loads(calm.stdout)
    assert [(each["row"], each["seed"]) for each in told["failed"]] == [("broken", 0)]
    assert calm.stderr.count("batch.crop is 512") == 1
    assert "Traceback" not in calm.stderr

    for sign, group in ((signal.SIGINT, True), (signal.SIGKILL, False)):
        _disturbed(_command(plan, data, into), into, sign, group=group)
    end = subprocess.run(_command(plan, data, into), capture_output=True, text=True, check=False)
    assert end.returncode == 4, end.stderr
    assert _plain(into) == _plain(tmp_path / "calm")
    assert len(_plain(into)) == 2


def _disturbed(command, into, sign, *, group):
    """Starts it, and sends a signal once a run has taken a step that was not taken before."""
    before = _steps_logged(into)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while process.poll() is None and _steps_logged(into) <= before:
            time.sleep(0.02)
        (os.killpg if group else os.kill)(process.pid, sign)
        _, err = process.communicate()  # ends when all who hold its pipes have ended
    assert "Traceback" not in err
    if sign == signal.SIGINT:
        assert process.returncode == 3, err


def _steps_logged(into):
    logs = into.glob("projects/*/runs/*/events.jsonl")
    return sum(log.read_text(encoding="utf-8").count('"StepReported"') for log in logs)
