"""The folders of runs, and what a list of them says even when something went wrong."""

import json
from dataclasses import replace

import pytest

from smarthdr_studio.core.bracket import Catalogue
from smarthdr_studio.core.events import RunFinished, RunStarted, StepReported, Validated, as_json
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.runs import held_out_psnr, last_pace, list_runs, new_run


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
    assert [info.id for info in list_runs(project)] == [run.id for run in reversed(runs)]


def test_a_run_without_a_last_word_was_interrupted(project):
    run = new_run(project.folder, "quick")
    check = Validated(step=10, epoch=3, psnr_mu=33.25, psnr_l=30.0)
    log(run, started(run), check)
    run.events_path.write_bytes(run.events_path.read_bytes() + b'{"event": "StepRep')
    (info,) = list_runs(project)
    assert (info.outcome, info.epochs, info.last_psnr_mu) == ("interrupted", 3, 33.25)
    assert info.preset == "quick"


def test_a_finished_run_says_how_and_a_resumed_one_is_open_again(project):
    run = new_run(project.folder, "quick")
    run.plan_path.write_text('preset = "paper"\n', "utf-8")
    log(run, started(run), RunFinished(run=run.id, outcome="stopped", step=4, message=""))
    assert [(info.outcome, info.preset) for info in list_runs(project)] == [("stopped", "paper")]
    log(run, started(run))
    assert [info.outcome for info in list_runs(project)] == ["interrupted"]


def test_the_last_check_is_found_however_long_the_log(project):
    run = new_run(project.folder, "quick")
    log(run, started(run), Validated(step=1, epoch=1, psnr_mu=31.5, psnr_l=30.0))
    log(run, *[started(run)] * 2000)
    assert run.events_path.stat().st_size > 2**17
    assert list_runs(project)[0].last_psnr_mu == 31.5


def test_a_damaged_run_still_has_its_line(project):
    run = new_run(project.folder, "quick")
    run.plan_path.write_bytes(b"\xff\xfe not toml")
    run.events_path.write_bytes(b"\x00\x01\n[1]\n{}\n")
    renamed = run.path.rename(run.path.with_name("my best run"))
    (info,) = list_runs(project)
    assert (info.folder, info.outcome, info.epochs) == (renamed, "interrupted", 0)


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
    assert held_out_psnr(run) == ()
    log(run, started(run), check(10, 31.0), *[step(11, speed=1.0)] * 100, check(20, 32.0))
    run.events_path.write_bytes(run.events_path.read_bytes() + b'\n{"event": "Validated", "st')
    assert held_out_psnr(run) == ((10, 31.0), (20, 32.0))


def test_checks_of_a_past_that_a_resumed_run_left_do_not_count(project):
    run = new_run(project.folder, "quick")
    log(run, started(run), check(10, 31.0), check(20, 32.0), check(30, 33.0))
    log(run, replace(started(run), step=15))
    assert held_out_psnr(run) == ((10, 31.0),)
    log(run, check(20, 34.0))
    assert held_out_psnr(run) == ((10, 31.0), (20, 34.0))
