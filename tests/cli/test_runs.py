"""The verbs `runs …`: listing, comparing and keeping runs, and refusals in one sentence."""

import json

import pytest
from made_runs import a_run, check, log, round_, started, step

from smarthdr_studio.cli import app
from smarthdr_studio.core.project import findings
from smarthdr_studio.core.training.events import RunFinished
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.learning.run_setup import write_plan

FIRST, SECOND = "20261101-120000-quick", "20261102-120000-paper"


@pytest.fixture
def runs(project):
    """Two runs that ended, the second with other settings."""
    one, two = a_run(project, FIRST), a_run(project, SECOND)
    write_plan(one.plan_path, load_preset("quick"))
    write_plan(two.plan_path, load_preset("quick", changes={"schedule.epochs": 77}))
    for run, psnr in ((one, 31.0), (two, 32.0)):
        log(run, started(labelled=("001", "002")), step(1), check(1, 29.0), check(2, psnr))
        log(run, round_(1, 2, 0.5, changes=("003 promoted",)))
    log(one, RunFinished(run=FIRST, outcome="done", step=2, message="trained"))
    log(two, RunFinished(run=SECOND, outcome="stopped", step=2, message="asked"))
    return one, two


@pytest.mark.parametrize("verb", sorted(app._RUNS))
def test_every_verb_about_runs_explains_itself_and_speaks_json(run, verb):
    answer = run("runs", verb, "--help")
    assert answer.status == 0
    assert "--json" in answer.out


def test_runs_are_listed_the_latest_first(run, project, runs):
    listed = run("runs", "list", project, "--json").json["runs"]
    assert [each["id"] for each in listed] == [SECOND, FIRST]
    assert [each["status"] for each in listed] == ["stopped", "done"]
    assert [each["best"]["psnr_mu"] for each in listed] == [32.0, 31.0]
    assert [each["resumable"] for each in listed] == [True, False]
    table = run("runs", "list", project).out
    assert table.index(SECOND) < table.index(FIRST)
    assert "32.00 dB" in table


def test_a_damaged_log_is_marked_and_told_in_the_doctors_words(run, project, runs):
    assert run("runs", "list", project).err == ""
    with runs[0].events_path.open("a", encoding="utf-8") as log:
        log.write("no event\n")
    answer = run("runs", "list", project)
    (line,) = [each for each in answer.out.splitlines() if FIRST in each]
    assert "done, log damaged" in line
    assert "log damaged" not in next(each for each in answer.out.splitlines() if SECOND in each)
    listed = run("runs", "list", project, "--json").json["runs"]
    assert listed[0]["log_damage"] == ""
    damage = listed[1]["log_damage"]
    assert damage.startswith("has 1 line that cannot be read")
    assert f"The log of run {FIRST} {damage}; see: smarthdr-studio doctor" in answer.err
    assert damage in run("doctor", project, "--json").out
    shown = run("runs", "show", project, FIRST).out
    assert "cannot be read" in " ".join(shown.split())


def test_runs_that_may_not_be_looked_at_are_not_said_to_be_none(run, project, runs, monkeypatch):
    monkeypatch.setattr(findings, "can_be_looked_into", lambda place: place.name != "runs")
    for words in (
        ("list", project),
        ("show", project),
        ("show", project, FIRST),
        ("stop", project),
    ):
        answer = run("runs", *words)
        assert answer.status == 2
        assert "runs cannot be looked into (permission denied); allow reading" in answer.err


def test_a_project_without_runs_lists_none(run, project):
    assert run("runs", "list", project, "--json").json == {"runs": []}
    assert run("runs", "list", project).out.startswith("0 runs")


def test_a_run_is_shown_with_its_diary_and_what_changed_since(run, project, runs):
    run("promote", project, "003")
    shown = run("runs", "show", project, "last", "--json").json
    assert shown["run"]["id"] == SECOND
    texts = [line["text"] for line in shown["diary"]]
    assert texts[-1] == "stopped at step 2: asked"
    assert any("003 promoted" in text for text in texts)
    words = run("runs", "show", project, FIRST, "--lines", 1)
    assert "done: trained" in words.out
    assert "round 1" not in words.out
    assert "since then: 003: status unlabelled → promoted" in words.out


def test_two_runs_are_compared(run, project, runs):
    told = run("runs", "compare", project, FIRST, SECOND, "--json").json
    assert told["runs"] == [FIRST, SECOND]
    assert told["figures"]["best_psnr_mu"] == [31.0, 32.0]
    assert told["settings"]["schedule.epochs"][1] == 77
    assert told["psnr_mu"][SECOND] == [[1, 29.0], [2, 32.0]]
    assert told["labels"][SECOND]["only_first"] == []
    words = run("runs", "compare", project, FIRST, SECOND).out
    assert "schedule.epochs" in words
    assert "the same labels" in words


def test_a_run_compared_with_itself_is_refused(run, project, runs):
    answer = run("runs", "compare", project, SECOND, "last")
    assert answer.status == 2
    assert "two different runs" in answer.err


def test_a_note_is_written_read_and_taken_away(run, project, runs):
    assert run("runs", "note", project, FIRST, "the good one").out == f"{FIRST}: the good one\n"
    assert run("runs", "note", project, FIRST, "--json").json["note"] == "the good one"
    assert "the good one" in run("runs", "list", project).out
    assert run("runs", "note", project, FIRST, "").out == f"{FIRST}\n"


def test_a_discarded_run_is_listed_in_the_trash_and_comes_back(run, project, runs):
    assert run("runs", "discard", project, FIRST).status == 0
    assert [r["id"] for r in run("runs", "list", project, "--json").json["runs"]] == [SECOND]
    gone = run("runs", "list", project, "--discarded", "--json").json["runs"]
    assert [each["id"] for each in gone] == [FIRST]
    assert run("runs", "restore", project, FIRST, "--json").json["restored"] == FIRST
    assert len(run("runs", "list", project, "--json").json["runs"]) == 2


def test_the_project_goes_back_to_the_start_of_a_run(run, project, runs):
    one, _ = runs
    run("masks", project, "--tau-patch", 0.3, "--save")
    told = {"journal": 6, "labelled": [], "promoted": {}, "unlabelled": [], "held_out": []}
    masks = {"tau_patch": 0.4, "tau_pixel": 0.4, "patch_size": 64, "patches": {}, "pixels": {}}
    one.start_path.write_text(json.dumps({**told, "masks": masks}), encoding="utf-8")
    one.window_path.write_text('{"columns": 3}', encoding="utf-8")
    run("promote", project, "003", "004")
    went = run("runs", "back", project, FIRST, "--layout", "--json").json
    assert (went["scenes"], went["thresholds"]) == (["003", "004"], True)
    assert json.loads((project / "window.json").read_text()) == {"columns": 3}
    assert run("undo", project, "--json").json == {"undo": "set 2 scenes back to a run"}
    assert run("runs", "back", project, SECOND, "--layout").status == 2


@pytest.mark.parametrize("verb", ["pause", "go-on", "stop", "snapshot", "next-round"])
def test_nobody_can_be_steered_who_is_not_at_work(run, project, runs, verb):
    answer = run("runs", verb, project, SECOND)
    assert answer.status == 2
    assert f"runs resume {project} {SECOND}" in answer.err
    answer = run("runs", verb, project, FIRST)
    assert answer.status == 2
    assert "is finished, so there is nothing to steer" in answer.err
    assert "resume" not in answer.err
    assert "no run is at work" in run("runs", verb, project).err
    assert not any((each.path / "wishes").exists() for each in runs)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("show", "no-such"), "has no run no-such"),
        (("discard", "no-such"), "has no run no-such"),
        (("restore", "no-such"), "holds no run no-such"),
        (("resume", "no-such"), "no-such"),
        (("set",), "--learning-rate or --refresh-every"),
        (("set", "--learning-rate", "0"), "above 0"),
        (("set", "--learning-rate", "nan"), "above 0"),
        (("set", "--refresh-every", "0"), "refresh-every"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, project, words, named):
    verb, *rest = words
    answer = run("runs", verb, project, *rest)
    assert answer.status == 2
    assert named in answer.err
    assert len(answer.err.splitlines()) == 1


def test_a_run_at_work_is_not_discarded(run, project, runs):
    with run_lock(runs[0].path):
        answer = run("runs", "discard", project, FIRST)
    assert answer.status == 2
    assert f"runs stop {project} {FIRST}" in answer.err
