"""What may not be read of a project is told by name, with a way to allow it; the rest works."""

import os
import shlex
import subprocess

import pytest
from made_runs import a_checkpoint, a_run, log, started, step
from made_users import without_override

from smarthdr_studio.core.training.events import RunFinished
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.learning.run_setup import write_plan

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs Unix permissions")

FIRST, SECOND = "20261101-120000-quick", "20261102-120000-quick"


@pytest.fixture
def runs(project):
    """Two runs that were stopped, each with a checkpoint."""
    made = a_run(project, FIRST), a_run(project, SECOND)
    for run in made:
        log(run, started(), step(1), RunFinished(run=run.id, outcome="stopped", step=1, message=""))
        a_checkpoint(run, 1)
    return made


@pytest.fixture
def shut():
    """Takes every right from a file or folder of this test, and gives it back afterwards."""
    taken = {}

    def shut(path):
        taken[path] = path.stat().st_mode
        path.chmod(0)
        return path

    yield shut
    for path, mode in taken.items():
        path.chmod(mode)


def findings(run, project):
    answer = run("doctor", project, "--json")
    return {each["what"]: each for each in answer.json["findings"]}


@pytest.mark.parametrize(
    "what",
    [
        "pseudo",
        "labels",
        "runs",
        f"runs/{FIRST}",
        f"runs/{SECOND}/checkpoints",
        f"runs/{SECOND}/checkpoints/step-00000001",
        f"runs/{FIRST}/plan.toml",
        f"runs/{FIRST}/events.jsonl",
        f"runs/{SECOND}/checkpoints/step-00000001/state.pt",
    ],
)
def test_what_is_shut_is_a_finding_whose_remedy_works_from_anywhere(
    run, project, runs, shut, what, monkeypatch, tmp_path
):
    assert run("promote", project, "003").status == 0
    place = shut(project / what)
    monkeypatch.chdir(tmp_path)

    def look():
        for options in ((), ("--repair",)):
            assert run("doctor", project.name, *options).status == 2
        found = findings(run, project.name)[what]
        assert "permission denied" in found["sentence"].casefold()
        way, _, command = found["remedy"].partition(": ")
        assert way == "allow reading it with"
        assert shlex.split(command)[-1] == str(place)
        subprocess.run(shlex.split(command), check=True, cwd="/")
        assert findings(run, project) == {}

    without_override(look)


@pytest.mark.parametrize("what", [FIRST, f"{FIRST}/events.jsonl", f"{FIRST}/history"])
def test_one_run_that_is_shut_hinders_nothing(run, project, runs, shut, what, tmp_path):
    (project / "runs" / FIRST / "history").mkdir()
    shut(project / "runs" / what)

    def use():
        assert run("scenes", project).status == 0
        assert run("report", project, tmp_path / "r.html").status == 0
        listed = run("runs", "list", project, "--json").json["runs"]
        assert [each["id"] for each in listed] == [SECOND, FIRST]
        damage = "cannot be read (Permission denied); " if "history" not in what else ""
        assert listed[1]["log_damage"].startswith(damage)
        assert not listed[0]["log_damage"]

    without_override(use)


def test_pseudo_labels_that_are_shut_are_told_and_a_report_goes_on(
    run, project, runs, shut, tmp_path
):
    place = shut(project / "pseudo")

    def use():
        answer = run("report", project, tmp_path / "r.html")
        assert answer.status == 0
        for name in ("003", "004", "005"):
            assert f"{place / name}.exr: cannot be read (Permission denied); allow" in answer.err
        for words in (("masks", project), ("promote", project, "003")):
            answer = run(*words)
            assert answer.status == 2
            assert answer.err == (
                f"{project}: pseudo cannot be looked into (permission denied); allow reading it "
                f"with: chmod u+rwx {place}\n"
            )

    without_override(use)


def test_one_pseudo_label_that_is_shut_is_left_out_of_the_masks(run, project, shut):
    place = shut(project / "pseudo" / "004.exr")

    def use():
        answer = run("masks", project)
        assert answer.status == 6
        assert f"left out: {place}: cannot be read (Permission denied)" in answer.err

    without_override(use)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("labels", "{project}: labels cannot be looked into (permission denied); allow reading"),
        ("labels/003", "{project}/labels/003: cannot be written (Permission denied); allow"),
    ],
)
def test_a_promotion_names_the_folder_it_may_not_write(run, project, shut, what, told):
    (project / "labels" / "003").mkdir(parents=True, exist_ok=True)
    shut(project / what)

    def promote():
        answer = run("promote", project, "003")
        assert answer.status == 2
        assert answer.err.startswith(told.format(project=project))
        assert "draft-" not in answer.err

    without_override(promote)


def test_a_database_that_may_not_be_read_is_not_said_to_be_unwritable(run, project, shut):
    place = shut(project / "project.sqlite")

    def look():
        for words in (("scenes", project), ("doctor", project), ("promote", project, "003")):
            answer = run(*words)
            assert answer.status == 2
            assert answer.err == f"{place}: cannot be read (Permission denied); allow reading it\n"

    without_override(look)


def test_a_stopped_run_whose_plan_is_shut_is_named_when_it_is_to_go_on(run, project, runs, shut):
    place = shut(runs[1].plan_path)

    def go_on():
        for name in ("last", SECOND):
            answer = run("train", project, "--resume", name)
            assert answer.status == 2
            assert f"{place}: cannot be read (Permission denied)" in answer.err
            assert "begin one" not in answer.err

    without_override(go_on)


@pytest.mark.timeout(60)
def test_a_plan_that_is_a_pipe_is_not_waited_for(run, project, runs):
    runs[1].plan_path.unlink()
    os.mkfifo(runs[1].plan_path)
    for name in ("last", SECOND):
        answer = run("train", project, "--resume", name)
        assert answer.status == 2
        assert str(runs[1].plan_path) in answer.err
        assert "bring" in answer.err


@pytest.mark.parametrize("what", ["", "checkpoints", "checkpoints/step-00000001", "previews"])
def test_a_run_in_which_something_is_shut_is_not_begun_anew(run, project, runs, shut, what):
    (runs[1].path / "previews").mkdir()
    write_plan(runs[1].plan_path, load_preset("quick"))
    place = shut(runs[1].path / what)

    def go_on():
        answer = run("train", project, "--resume", SECOND)
        assert answer.status == 2
        assert str(place) in answer.err
        assert "permission denied" in answer.err.casefold()
        assert "allow reading it" in answer.err

    without_override(go_on)


@pytest.mark.parametrize("text", ["", "a = " + 9000 * "[", "a = 1" + 6000 * "0", "\0\1"])
def test_a_stopped_run_whose_plan_is_damaged_is_named_when_it_is_to_go_on(run, project, runs, text):
    runs[1].plan_path.write_text(text, encoding="utf-8")
    for name in ("last", SECOND):
        answer = run("train", project, "--resume", name)
        assert answer.status == 2
        assert str(runs[1].plan_path) in answer.err
        assert "begin one" not in answer.err
