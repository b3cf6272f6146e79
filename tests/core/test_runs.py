"""The folders of runs, and what is asked of their logs often."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.bracket import Catalogue
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RunStarted, StepReported, Validated, as_json
from smarthdr_studio.core.training.run_folder import (
    Check,
    RunFolder,
    find_run,
    held_out_checks,
    last_pace,
    new_run,
    run_folders,
    started_at,
)


@pytest.fixture
def project(tmp_path):
    empty = Catalogue(root=tmp_path, scenes=(), skipped=())
    with Project.create(tmp_path / "p.shdr", empty, labelled=()) as project:
        yield project


def log(run, *events):
    with run.events_path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(as_json(event)) + "\n" for event in events)


def started(run):
    return RunStarted(
        run=run.id, folder="", device="cpu", network="light", total_steps=9, total_epochs=9
    )


def test_runs_have_names_of_their_own_that_sort_by_time(project):
    runs = [new_run(project.folder, "quick") for _ in range(5)]
    assert len({run.id for run in runs}) == 5
    assert sorted(run.id for run in runs) == [run.id for run in runs]
    assert all(run.path.parent == project.runs_folder for run in runs)
    assert run_folders(project.folder) == tuple(reversed(runs))


def test_folders_that_are_no_runs_are_passed_over(project):
    run = new_run(project.folder, "quick")
    (run.path.parent / ".hidden").mkdir()
    (run.path.parent / "file").write_text("no run", encoding="utf-8")
    assert run_folders(project.folder) == (run,)
    assert run_folders(project.folder / "elsewhere") == ()


def test_a_run_is_found_by_its_name_alone(project):
    run = new_run(project.folder, "quick")
    assert find_run(project, run.id) == run
    for name in ("no-such", "", ".", "..", "../runs", f"x/../{run.id}", "project.sqlite"):
        with pytest.raises(ProjectError, match="has no run"):
            find_run(project, name)


def test_a_run_began_when_its_name_says_and_a_renamed_one_when_it_was_changed(project):
    run = RunFolder(project.runs_folder / "20261101-120000-quick")
    assert started_at(run) == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert started_at(RunFolder(project.runs_folder / "gone")).year == 1970
    renamed = new_run(project.folder, "quick").path.rename(project.runs_folder / "best")
    assert abs(started_at(RunFolder(renamed)) - datetime.now(UTC)).total_seconds() < 86400


@pytest.mark.parametrize("latest", ["20991231-235959-fast", "99991231-235959-quick"])
def test_a_run_begun_after_a_clock_was_set_back_is_the_latest_all_the_same(project, latest):
    runs = project.folder / "runs"
    (runs / latest).mkdir(parents=True)
    (runs / "renamed by hand").mkdir()
    begun = [new_run(project.folder, "quick") for _ in range(3)]
    dated = [run for run in run_folders(project.folder) if run.id[0].isdigit()]
    assert dated == [*reversed(begun), RunFolder(runs / latest)]


def step(number, *, speed):
    return StepReported(
        step=number,
        epoch=0,
        losses={"total": 1.0},
        learning_rate=1e-4,
        images_per_second=speed,
        seconds_left=0.0,
    )


def test_the_last_pace_is_that_of_the_newest_steps(project):
    run = new_run(project.folder, "quick")
    assert last_pace(run) is None
    log(run, started(run))
    assert last_pace(run) is None
    log(run, *[step(number, speed=2.0) for number in range(50)])
    log(run, *[step(number, speed=8.0) for number in range(50, 70)])
    log(run, step(70, speed=0.0), step(71, speed=float("inf")))
    assert last_pace(run) == 1 / 8


def test_the_last_pace_is_found_behind_a_long_silence(project):
    run = new_run(project.folder, "quick")
    log(run, step(1, speed=4.0))
    log(run, *[started(run)] * 2000)
    assert run.events_path.stat().st_size > 2**17
    assert last_pace(run) == 0.25


def check(at, psnr):
    return Validated(step=at, epoch=0, psnr_mu=psnr, psnr_l=30.0)


def test_every_check_on_held_out_labels_is_known_by_its_step(project):
    run = new_run(project.folder, "quick")
    assert held_out_checks(run) == ()
    log(run, started(run), check(10, 31.0), *[step(11, speed=1.0)] * 100, check(20, 32.0))
    run.events_path.write_bytes(run.events_path.read_bytes() + b'\n{"event": "Validated", "st')
    assert held_out_checks(run) == (Check(10, 31.0), Check(20, 32.0))


def test_checks_of_a_past_that_a_resumed_run_left_do_not_count(project):
    run = new_run(project.folder, "quick")
    log(run, started(run), check(10, 31.0), check(20, 32.0), check(30, 33.0))
    log(run, replace(started(run), step=15))
    assert held_out_checks(run) == (Check(10, 31.0),)
    log(run, check(20, 34.0))
    assert held_out_checks(run) == (Check(10, 31.0), Check(20, 34.0))
