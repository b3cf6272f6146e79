"""One cell of a benchmark: measured once, and the same whether it was interrupted or not."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest
from brackets import write_dataset
from made_once import made_once

from smarthdr_studio import __version__
from smarthdr_studio.core.errors import BadScene, PlanError, ProjectError
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.benchmark import cells_of, load_benchmark, read_data
from smarthdr_studio.core.training.benchmark_claims import METRICS
from smarthdr_studio.core.training.benchmark_results import (
    learning_mark,
    make_projects,
    open_folder,
    read_result,
)
from smarthdr_studio.core.training.round_files import kept_rounds
from smarthdr_studio.core.training.run_folder import checkpoints_of, read_note, run_folders
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.learning import benchmark_runs
from smarthdr_studio.learning.benchmark_runs import CellProgress, run_cell
from smarthdr_studio.learning.evaluation import evaluate

pytestmark = pytest.mark.usefixtures("tiny_network")

PLAN = """
seeds = [0]
[base]
preset = "quick"
[base.set]
device = "cpu"
held_out = 1
schedule.epochs = 3
schedule.warmup_epochs = 1
schedule.steps_per_epoch = 2
schedule.refresh_every = 1
batch.crop = 32
batch.labelled = 1
batch.unlabelled = 1
[[row]]
name = "smart"
[[row]]
name = "no label"
labels = 0
preset = "quick-selfhdr"
[row.set]
held_out = 0
schedule.epochs = 2
[[row]]
name = "few crops"
[row.set]
schedule.epochs = 1
schedule.steps_per_epoch = 5000
[[row]]
name = "huge crops"
[row.set]
batch.crop = 512
"""


def _make_dataset(folder):
    write_dataset(folder / "data", train=4, size=(64, 96))
    (folder / "data" / "labelled.txt").write_text("002\n001\n", encoding="utf-8")
    (folder / "data" / "scenes.csv").write_text("scene,kind\nTest/005,dusk\n", encoding="utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return read_data(made_once(tmp_path_factory, "benchmark", _make_dataset) / "data")


@pytest.fixture(scope="module")
def cells(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "trial.toml"
    path.write_text(PLAN, encoding="utf-8")
    return {each.row: each for each in cells_of(load_benchmark(str(path)), data)}


@pytest.fixture
def folder(data, cells, tmp_path):
    made = open_folder(tmp_path / "bench", data=data)
    make_projects(cells.values(), made, data)
    return made


def the_run(folder, cell, data):
    (run,) = run_folders(folder.project(cell, data))
    return run


def plain(result):
    """What a result says of the run, not of when it was and how long it took."""
    return replace(result, started="", seconds=0.0)


@pytest.fixture(scope="module")
def undisturbed(data, cells, tmp_path_factory, drive):
    """The folder and the result of a cell that nobody interrupted."""
    made = open_folder(tmp_path_factory.mktemp("undisturbed") / "bench", data=data)
    make_projects(cells.values(), made, data)
    return made, drive(run_cell(cells["smart"], made, data))


def test_a_result_has_the_figures_of_the_last_checkpoint(undisturbed, data, cells):
    folder, result = undisturbed
    cell = cells["smart"]
    project = folder.project(cell, data)
    last = checkpoints_of(the_run(folder, cell, data).path)[-1]
    *_, found = evaluate(project, model=last, split="test", device="cpu", again=True)
    assert result.steps == 6
    assert result.teacher["psnr_mu"] == round(found.mean.psnr_mu, 4)
    assert result.teacher["ause"] == pytest.approx(found.reliability.ause, rel=1e-3)
    assert result.teacher["ence"] == pytest.approx(found.reliability.ence, rel=1e-3)
    assert result.teacher["psnr_mu_static"] == round(found.parts["static"].psnr_mu, 4)
    assert set(result.teacher) <= set(METRICS)
    assert result.merge == {
        "psnr_mu": round(found.merge.psnr_mu, 4),
        "psnr_l": round(found.merge.psnr_l, 4),
    }
    (scene,) = result.scenes
    assert (scene["id"], scene["kind"]) == ("Test-005", "dusk")
    assert result.kinds == {
        "dusk": {"scenes": 1, "psnr_mu": scene["psnr_mu"], "psnr_l": scene["psnr_l"]}
    }


def test_a_method_without_labels_is_measured_as_well(folder, cells, data, drive):
    result = drive(run_cell(cells["no label"], folder, data))
    assert result.labels == ()
    assert result.steps == 4
    assert result.teacher["psnr_mu"] > 0


def test_a_result_says_what_it_is_of_and_names_no_place(undisturbed, data, cells):
    folder, result = undisturbed
    assert read_result(folder.result(cells["smart"].identity)) == result
    assert (result.row, result.seed, result.labels) == ("smart", 0, ("002", "001"))
    assert result.plan["preset"] == "quick"
    assert result.plan["set"]["schedule.epochs"] == 3
    assert "loss.perceptual_weight" not in result.plan["set"]  # that is the preset's
    assert result.dataset == {"name": "data", "fingerprint": data.fingerprint, "scenes": 5}
    assert (result.machine["device"], result.machine["precision"]) == ("cpu", "float32")
    assert result.program == {"version": __version__, "learning": learning_mark()}
    assert [each["round"] for each in result.rounds] == [1, 2, 3]
    assert [each["step"] for each in result.rounds] == [2, 4, 6]
    assert all(0 <= each["retained"] <= 1 for each in result.rounds)
    assert [each["step"] for each in result.checks] == [2, 4, 6]
    text = folder.result(cells["smart"].identity).read_text(encoding="utf-8")
    assert str(folder.path) not in text
    assert str(data.root) not in text


def test_of_a_finished_run_only_what_reopens_it_is_kept(undisturbed, data, cells):
    folder, _ = undisturbed
    run = the_run(folder, cells["smart"], data)
    kept = {int(path.name.removeprefix("step-")) for path in checkpoints_of(run.path)}
    assert max(kept) == 6
    assert len(kept) <= 2  # the last and the best
    assert kept_rounds(run.path) == frozenset()
    assert read_note(run) == "smart, seed 0"


def test_the_project_of_a_cell_has_its_labels(undisturbed, data, cells):
    folder, _ = undisturbed
    with Project.open(folder.project(cells["smart"], data)) as project:
        statuses = {name: status.name for name, status in project.statuses().items()}
    assert statuses == {
        "001": "GROUND_TRUTH",
        "002": "GROUND_TRUTH",
        "003": "UNLABELLED",
        "004": "UNLABELLED",
        "Test-005": "TEST",
    }


def test_of_fewer_steps_than_the_plan_wants_a_result_says_why(
    folder, undisturbed, data, cells, drive
):
    few = drive(run_cell(cells["few crops"], folder, data))
    assert few.note.startswith(f"an epoch on labels alone has {few.steps} steps")
    assert "not 5,000 (schedule.steps_per_epoch)" in few.note
    assert read_result(folder.result(cells["few crops"].identity)).note == few.note
    assert undisturbed[1].note == ""


def test_a_measured_cell_is_not_measured_again(undisturbed, data, cells):
    folder, result = undisturbed
    steps = run_cell(cells["smart"], folder, data)
    with pytest.raises(StopIteration) as end:  # before anything is said
        next(steps)
    assert end.value.value == result


def test_on_demand_every_round_of_a_run_is_kept(folder, data, cells, drive):
    drive(run_cell(cells["smart"], folder, data, keep_runs=True))
    assert kept_rounds(the_run(folder, cells["smart"], data).path) == {1, 2, 3}


@pytest.mark.parametrize("moment", ["step", "labelling", "evaluating"])
def test_a_cell_that_was_stopped_ends_with_the_same_figures(
    folder, data, cells, undisturbed, drive, moment
):
    def is_now(told: CellProgress) -> bool:
        return told.step == 3 if moment == "step" else told.text.startswith(moment)

    with closing(run_cell(cells["smart"], folder, data)) as steps:
        assert any(is_now(told) for told in steps)
    assert read_result(folder.result(cells["smart"].identity)) is None
    result = drive(run_cell(cells["smart"], folder, data))
    assert plain(result) == plain(undisturbed[1])
    assert the_run(folder, cells["smart"], data)  # one run, gone on with


def test_a_run_whose_sessions_learned_differently_says_so(folder, data, cells, drive, monkeypatch):
    with closing(run_cell(cells["smart"], folder, data)) as steps:
        assert any(told.step == 3 for told in steps)
    monkeypatch.setattr(benchmark_runs, "learning_mark", lambda: "changed")
    result = drive(run_cell(cells["smart"], folder, data))
    assert result.program["learning"] == f"{learning_mark()}+changed"


def test_a_cell_that_failed_in_its_middle_goes_on_and_ends_the_same(
    folder, data, cells, undisturbed, drive, monkeypatch
):
    run_whole = benchmark_runs.train

    def failing(*words: object, **how: object) -> Sequence[object]:
        with closing(run_whole(*words, **how)) as events:
            for event in events:
                yield event
                if getattr(event, "step", 0) == 3:
                    raise PlanError("the disk is full")

    monkeypatch.setattr(benchmark_runs, "train", failing)
    with pytest.raises(PlanError, match="the disk is full"):
        drive(run_cell(cells["smart"], folder, data))
    monkeypatch.setattr(benchmark_runs, "train", run_whole)
    assert plain(drive(run_cell(cells["smart"], folder, data))) == plain(undisturbed[1])
    assert the_run(folder, cells["smart"], data)


def test_a_run_that_somebody_took_away_is_begun_again(folder, data, cells, undisturbed, drive):
    with closing(run_cell(cells["smart"], folder, data)) as steps:
        assert any(told.step == 3 for told in steps)
    run = the_run(folder, cells["smart"], data)
    run.path.rename(folder.path / "elsewhere")
    assert plain(drive(run_cell(cells["smart"], folder, data))) == plain(undisturbed[1])


def test_a_plan_that_cannot_be_trained_says_its_sentence(folder, data, cells, drive):
    with pytest.raises(PlanError, match=r"batch\.crop is 512, but scene"):
        drive(run_cell(cells["huge crops"], folder, data))
    assert read_result(folder.result(cells["huge crops"].identity)) is None


def test_a_cell_at_work_in_another_process_is_refused(folder, data, cells, drive):
    place = folder.cell(cells["smart"].identity)
    place.mkdir(parents=True)
    with run_lock(place), pytest.raises(ProjectError, match="is at work in another process"):
        drive(run_cell(cells["smart"], folder, data))


def test_a_test_scene_that_cannot_be_read_leaves_no_result(folder, data, cells, drive, monkeypatch):
    def half_blind(*words: object, **how: object) -> Sequence[object]:
        for event in evaluate(*words, **how):
            yield replace(event, problems=("x.tif: damaged",)) if hasattr(event, "mean") else event

    monkeypatch.setattr(benchmark_runs, "evaluate", half_blind)
    with pytest.raises(BadScene, match=r"x\.tif: damaged"):
        drive(run_cell(cells["smart"], folder, data))
    assert read_result(folder.result(cells["smart"].identity)) is None


def test_projects_follow_a_dataset_that_has_moved(cells, data, tmp_path):
    place = tmp_path / "here"
    place.mkdir()
    _make_dataset(place)
    here = read_data(place / "data")
    made = open_folder(tmp_path / "bench", data=here)
    make_projects([cells["smart"]], made, here)
    (place / "data").rename(place / "there")
    there = read_data(place / "there")
    make_projects([cells["smart"]], made, there)
    with Project.open(made.project(cells["smart"], there)) as project:
        assert project.dataset == there.root
