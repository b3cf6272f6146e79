"""What is handed on and taken in, from the command line."""

import csv
import json

import pytest

from smarthdr_studio.cli import PARTLY
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.project.project import Project


def statuses(folder):
    with Project.open(folder) as opened:
        return {name: str(status) for name, status in opened.statuses().items()}


def test_a_split_goes_out_and_comes_back(run, project, tmp_path):
    before = statuses(project)
    answer = run("export-split", project, tmp_path / "s.csv", "--json")
    assert answer.json == {"file": str(tmp_path / "s.csv"), "scenes": 6}
    run("exclude", project, "003", "004")
    told = run("import-split", project, tmp_path / "s.csv", "--json").json
    assert told["changed"] == [
        {"id": name, "before": "excluded", "after": "unlabelled"} for name in ("003", "004")
    ]
    assert statuses(project) == before
    run("undo", project)
    assert statuses(project)["003"] == "excluded"


def test_a_dry_run_says_what_would_change_and_changes_nothing(run, project, tmp_path):
    (tmp_path / "mine.txt").write_text("Training/003\n", encoding="utf-8")
    before = statuses(project)
    answer = run("import-split", project, tmp_path / "mine.txt", "--dry-run")
    assert answer.status == 0
    assert "3 of 6 scenes would change: 2 unlabelled, 1 ground truth" in answer.out
    assert statuses(project) == before
    answer = run("import-split", project, tmp_path / "mine.txt")
    assert "3 of 6 scenes changed" in answer.out
    assert statuses(project)["003"] == "ground truth"


def test_a_bad_list_is_one_sentence_and_changes_nothing(run, project, tmp_path):
    (tmp_path / "mine.txt").write_text("003\n999\n", encoding="utf-8")
    before = statuses(project)
    answer = run("import-split", project, tmp_path / "mine.txt")
    assert (answer.status, answer.out) == (2, "")
    assert "line 2" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert statuses(project) == before


def test_the_journal_goes_out(run, project, tmp_path):
    run("promote", project, "003", "--note", "sharp")
    answer = run("export-journal", project, tmp_path / "j.csv", "--json")
    with (tmp_path / "j.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert answer.json["entries"] == len(rows)
    assert (rows[-1]["kind"], rows[-1]["note"]) == ("promote", "sharp")
    assert run("export-journal", project, tmp_path / "j.json").status == 0
    assert json.loads((tmp_path / "j.json").read_text())["entries"][-1]["scene"] == "003"


@pytest.mark.parametrize("labels", ["hdr", "exr"])
def test_the_curated_set_goes_out_as_a_dataset(run, project, tmp_path, labels):
    run("promote", project, "003")
    out = tmp_path / "out"
    answer = run("export-dataset", project, out, "--labels", labels, "--copy", "--json")
    assert answer.json == {
        "folder": str(out),
        "scenes": {"ground truth": 2, "promoted": 1, "test": 1},
        "frames": {"copy": 12},
        "left_out": [],
    }
    assert len(find_scenes(out).scenes) == 4
    assert (out / "Training" / "003" / f"HDRImg.{labels}").is_file()
    again = run("export-dataset", project, out)
    assert again.status == 2
    assert "not empty" in again.err


def test_unlabelled_scenes_go_along_when_asked(run, project, tmp_path):
    answer = run("export-dataset", project, tmp_path / "out", "--with-unlabelled")
    assert answer.status == 0
    assert "2 ground truth, 3 unlabelled, 1 test" in answer.out
    assert len(find_scenes(tmp_path / "out").scenes) == 6


def test_a_report_of_some_scenes(run, project, tmp_path):
    page = tmp_path / "r.html"
    answer = run("report", project, page, "--scenes", "003", "--scenes", "001", "--json")
    assert answer.json == {"file": str(page), "scenes": 2, "problems": []}
    text = page.read_text(encoding="utf-8")
    assert 'id="scene-003"' in text
    assert 'id="scene-004"' not in text
    assert run("report", project, tmp_path / "r.txt").status == 2


def test_one_scene_is_told_as_one(run, project, tmp_path):
    page = tmp_path / "r.html"
    assert run("report", project, page, "--scenes", "003").out == f"{page}: 1 scene\n"


def test_what_cannot_be_written_is_told_by_the_name_that_was_given(run, project, tmp_path):
    (tmp_path / "file").touch()
    answer = run("export-dataset", project, tmp_path / "file" / "out")
    assert answer.status == 2
    assert answer.err.startswith(f"{tmp_path / 'file' / 'out'}: cannot be written")


def test_a_damaged_label_costs_the_export_its_scene_alone_and_is_told(run, project, tmp_path):
    run("promote", project, "003", "004")
    with Project.open(project) as opened:
        label = opened.label_path("004")
    label.write_bytes(label.read_bytes()[:-600])
    answer = run("export-dataset", project, tmp_path / "out", "--json")
    assert answer.status == PARTLY
    assert answer.json["scenes"] == {"ground truth": 2, "promoted": 1, "test": 1}
    (left_out,) = answer.json["left_out"]
    assert left_out["id"] == "004"
    assert f"{label}: is not what was promoted" in left_out["why"]
    assert answer.err == f"left out: {left_out['why']}\n"
    told = run("export-dataset", project, tmp_path / "again")
    assert "; 1 scene left out" in told.out
