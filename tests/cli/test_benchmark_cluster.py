"""Runs of a benchmark as jobs of a cluster: handed in, taken away, gone on with, stopped."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from benchmark_trials import LIGHT_BASE, small_dataset

from smarthdr_studio.cli import benchmark_cluster
from smarthdr_studio.cli.benchmark_cluster import ClusterCell, heard_warnings, measure_on_cluster
from smarthdr_studio.cli.benchmark_pool import CellEnded, CellJob, CellStarted
from smarthdr_studio.core.errors import PlanError, StudioError
from smarthdr_studio.core.training.benchmark import cells_of, load_benchmark, read_data
from smarthdr_studio.core.training.benchmark_results import make_projects, open_folder, read_result
from smarthdr_studio.core.training.benchmark_watch import is_asked_to_stop

PLAN = f"""
seeds = [0]
{LIGHT_BASE}
[[row]]
name = "smart"
[[row]]
name = "all labels"
labels = "all"
[[row]]
name = "no masks"
[row.set]
masks.patches = false
"""

needs_submitit = pytest.mark.skipif(
    importlib.util.find_spec("submitit") is None, reason="submitit is not installed"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small_dataset(tmp_path_factory)


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def jobs(plan, data, tmp_path):
    told = read_data(data)
    folder = open_folder(tmp_path / "bench", data=told)
    cells = cells_of(load_benchmark(str(plan)), told)
    make_projects(cells, folder, told)
    return [
        CellJob(cell=cell, folder=folder, data=told, threads=1, keep_runs=False) for cell in cells
    ]


class FakeJob:
    """A job that runs, and ends when it is looked at so many times."""

    def __init__(self, answer, *, looks=2):
        self._answer, self._left, self.state = answer, looks, "PENDING"
        self.paths = type("Paths", (), {"stderr": "job.err"})

    def done(self):
        self._left -= 1
        self.state = "RUNNING"
        return self._left < 0

    def result(self):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class FakeExecutor:
    """Remembers what was handed in, and the most that was under way at once."""

    def __init__(self, *answers):
        self._answers, self.handed_in, self.most = list(answers), [], 0

    def submit(self, call):
        self.handed_in.append(call.job.cell.title)
        return FakeJob(self._answers.pop(0))


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(benchmark_cluster, "_LOOK_EVERY_S", 0.0)


def test_jobs_begin_end_and_fail_as_processes_do(jobs):
    executor = FakeExecutor(
        ("done", ""), ("failed", "x.tif: damaged"), RuntimeError("a\nnode died")
    )
    events = list(measure_on_cluster(jobs[:3], executor, at_once=2, stop=lambda: False))
    assert [type(event) for event in events].count(CellStarted) == 3
    ended = {event.cell.row: event for event in events if isinstance(event, CellEnded)}
    assert ended[jobs[0].cell.row].error == ""
    assert ended[jobs[1].cell.row].error == "x.tif: damaged"
    lost = ended[jobs[2].cell.row].error
    assert lost.endswith("its job failed (node died); look into job.err, then call again")


def test_no_more_are_handed_in_than_wanted_and_none_after_a_stop(jobs):
    executor = FakeExecutor(("done", ""), ("stopped", ""))
    wish = []
    events = measure_on_cluster(jobs, executor, at_once=1, stop=lambda: bool(wish))
    for event in events:
        if isinstance(event, CellEnded) and event.cell is jobs[0].cell:
            assert len(executor.handed_in) == 1
        if isinstance(event, CellStarted) and event.cell is jobs[1].cell:
            wish.append("stop")
    assert len(executor.handed_in) == 2
    assert is_asked_to_stop(jobs[0].folder)
    assert isinstance(event, CellEnded)
    assert event.stopped


def test_a_signal_is_heard_after_the_step_and_then_passed_on(monkeypatch):
    told = []
    before = signal.signal(signal.SIGUSR2, lambda number, _frame: told.append(number))
    try:
        with heard_warnings() as warned:
            assert not warned
            os.kill(os.getpid(), signal.SIGTERM)
            assert warned
            assert told == []
            warned.pass_on()
        assert told == [signal.SIGTERM]  # to whoever hands the job in again
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_without_submitit_the_extra_is_named(jobs, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(StudioError, match=r"pip install 'smarthdr-studio\[cluster\]'"):
        benchmark_cluster.executor_for(jobs[0].folder, cluster="local", settings=())


@needs_submitit
@pytest.mark.parametrize(
    ("cluster", "setting", "why"),
    [
        ("local", "timeout_min", "write KEY=VALUE"),
        ("local", "no_such_key=1", "change --cluster or --cluster-set"),
        ("nosuch", "timeout_min=5", "change --cluster or --cluster-set"),
    ],
)
def test_a_setting_or_cluster_that_cannot_be_is_refused_in_a_sentence(jobs, cluster, setting, why):
    with pytest.raises(PlanError, match=why):
        benchmark_cluster.executor_for(jobs[0].folder, cluster=cluster, settings=(setting,))


@needs_submitit
@pytest.mark.slow
def test_a_job_that_is_taken_away_is_handed_in_again_and_ends_as_an_undisturbed_one(
    jobs, plan, data, tmp_path
):
    calm = ClusterCell(job=jobs[0])
    assert calm() == ("done", "")
    name = f"{jobs[0].cell.identity}.json"
    expected = _plain(jobs[0].folder.path / "results" / name)
    into = tmp_path / "cluster"
    words = [plan, data, "--into", into, "--cluster", "local", "--jobs", 1, "--json"]
    command = [sys.executable, "-m", "smarthdr_studio", "benchmark", *map(str, words)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        _wait_for_steps(into, process)
        os.kill(_task_of(process.pid), signal.SIGUSR2)
        out, err = process.communicate()
    assert "Traceback" not in err
    assert json.loads(out)["failed"] == [], err
    assert len(list((into / "results").iterdir())) == 3
    assert _plain(into / "results" / name) == expected
    logs = "".join(
        path.read_text(encoding="utf-8") for path in (into / "cluster").glob("*_log.out")
    )
    assert "Requeued job" in logs


def _plain(path):
    """A result, but for when it was and how long it took."""
    return replace(read_result(path), started="", seconds=0.0)


def _wait_for_steps(into, process):
    while process.poll() is None:
        logs = into.glob("projects/*/runs/*/events.jsonl")
        if any('"StepReported"' in log.read_text(encoding="utf-8") for log in logs):
            return
        time.sleep(0.05)


def _task_of(pid):
    """The process that trains: the one in which submitit runs our function."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                words = (path / "cmdline").read_text(encoding="utf-8")
                session = os.getsid(int(path.name))
            except OSError:
                continue
            if session == pid and "submitit.core._submit" in words:
                return int(path.name)
    raise AssertionError("no job is at work")
