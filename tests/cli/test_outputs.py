"""No verb that writes where a person says so writes into a dataset folder."""

import shutil
from inspect import signature
from pathlib import Path

import pytest

from smarthdr_studio.cli import app

# Every option and argument that is a path, by verb: what is written there, or only read.
WRITTEN = {
    ("sample", "folder"),
    ("new", "project"),
    ("export-split", "file"),
    ("export-journal", "file"),
    ("export-dataset", "folder"),
    ("report", "file"),
    ("merge", "out"),
    ("benchmark", "into"),
    ("benchmark", "evidence"),
    ("benchmark", "markdown"),
    ("benchmark", "csv"),
    ("benchmark", "latex"),
    ("benchmark", "figure"),
    ("runs export", "out"),
    ("response", "save"),
}
READ = {
    "project",
    "dataset",
    "response",
    "model",
    "frames",
    "maps",
    "static",
    "file",
    "files",
    "folder",
    "labelled_from",
}
RUN = "20260101-000000-quick"


@pytest.fixture
def mine(dataset, tmp_path):
    """A dataset of one's own, which the test may look at whole."""
    return shutil.copytree(dataset, tmp_path / "mine")


@pytest.fixture
def at_home(mine, project, run):
    """The project over it, with a run that never got far."""
    run("relocate", project, mine)
    checkpoint = project / "runs" / RUN / "checkpoints" / "step-00000001"
    checkpoint.mkdir(parents=True)
    for name in ("checkpoint.json", "student.safetensors", "teacher.safetensors", "state.pt"):
        (checkpoint / name).write_bytes(b"{}")
    (project / "runs" / RUN / "plan.toml").touch()
    return project


def words_for(verb, option, *, project, mine, out, tmp_path):
    """A whole command that would write to `out`."""
    scene = mine / "Training" / "001"
    frames = sorted(scene.glob("*.tif"))[:3]
    benchmark = ["benchmark", "admission", mine, "--table"]
    return {
        ("sample", "folder"): ["sample", out, "--scenes", 1, "--from", mine],
        ("new", "project"): ["new", out, mine],
        ("export-split", "file"): ["export-split", project, out],
        ("export-journal", "file"): ["export-journal", project, out],
        ("export-dataset", "folder"): ["export-dataset", project, out],
        ("report", "file"): ["report", project, out],
        ("merge", "out"): ["merge", *frames, "-o", out],
        ("benchmark", "into"): [*benchmark, "--into", out],
        ("response", "save"): ["response", project, "--save", out],
        ("runs export", "out"): ["runs", "export", project, RUN, "-o", out],
    }.get((verb, option), [*benchmark, "--into", tmp_path / "b", f"--{option}", out])


def paths_taken():
    """(verb, option) of every path that any verb takes."""
    groups = {"": app._VERBS, "runs ": app._RUNS, "presets ": app._PRESETS}
    return {
        (f"{group}{name}", option.name)
        for group, verbs in groups.items()
        for name, verb in verbs.items()
        for option in signature(verb).parameters.values()
        if "Path" in str(option.annotation)
    }


def test_every_path_a_verb_takes_is_known_to_be_written_or_read():
    assert paths_taken() >= WRITTEN, "a verb that writes has lost its path"
    assert {option for _, option in paths_taken() - WRITTEN} == READ


NAMES = {"sample": "s", "new": "p.shdr", "export-dataset": "d", "report": "r.html"}
ENDS = {"merge": "m.exr", "runs export": "m.shdrmodel", "benchmark": "b"}


@pytest.mark.parametrize("by", ["way", "link"])
@pytest.mark.parametrize(("verb", "option"), sorted(WRITTEN))
def test_a_dataset_folder_is_never_written_into(verb, option, by, at_home, mine, run, tmp_path):
    name = NAMES.get(verb) or ENDS.get(verb) or "t.csv"
    name = "f.svg" if option == "figure" else name
    # A file in a scene, a folder beside the scenes; by its own way, or by a link from elsewhere.
    place = mine / "Training" / "001" if "." in name and name != "p.shdr" else mine
    if by == "link":
        (tmp_path / "link").symlink_to(place)
        place = tmp_path / "link"
    before = {p: p.stat().st_mtime_ns for p in mine.rglob("*")}
    answer = run(
        *words_for(verb, option, project=at_home, mine=mine, out=place / name, tmp_path=tmp_path)
    )
    assert answer.status == 2
    assert f"{place / name}: lies in the dataset folder; choose a place outside it" in answer.err
    assert answer.err.count("\n") == 1
    assert {p: p.stat().st_mtime_ns for p in mine.rglob("*")} == before


def test_a_merge_may_lie_beside_frames_straight_off_a_camera(dataset, run, tmp_path):
    shots = sorted((dataset / "Training" / "001").glob("*.tif"))[:3]
    frames = [shutil.copy(each, tmp_path / f"IMG_{each.name}") for each in shots]
    assert run("merge", *frames, "--evs", "0,2,4", "-o", tmp_path / "merged.exr").status == 0
    assert Path(tmp_path, "merged.exr").is_file()


@pytest.mark.parametrize("place", ["project.sqlite", "pseudo/002.exr", "backups/x.sqlite"])
def test_nothing_is_written_over_what_a_project_keeps(project, run, tmp_path, place):
    known = (project / "project.sqlite").read_bytes()
    answer = run("response", project, "--save", project / place)
    assert answer.status != 0
    assert "is kept by the project" in answer.err
    assert (project / "project.sqlite").read_bytes() == known
    (tmp_path / "link").symlink_to(project / place)
    assert run("response", project, "--save", tmp_path / "link").status != 0
    assert (project / "project.sqlite").read_bytes() == known


@pytest.mark.parametrize("place", ["sub", "Training/new", "Training/001/new"])
def test_no_sample_is_written_into_a_dataset(dataset, run, place):
    before = sorted(dataset.rglob("*"))
    answer = run("sample", dataset / place, "--scenes", "1", "--size", "64x64")
    assert answer.status == 2
    assert "lies in the dataset folder; choose a place outside it" in answer.err
    assert sorted(dataset.rglob("*")) == before
