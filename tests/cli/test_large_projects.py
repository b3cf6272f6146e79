"""Ten thousand scenes and two hundred runs: every verb answers, and the answers add up."""

import os
from dataclasses import replace

import pytest
from by_night import NIGHT
from made_runs import NOON, a_run, check, log, round_, started, step

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.imaging.bracket import Catalogue
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RunFinished

SCENES, RUNS = (10_000, 200) if NIGHT else (300, 20)
LABELLED, TESTED = 2, 10


@pytest.fixture
def crowd(project, dataset, tmp_path):
    """A project of so many scenes; each shares the files of one scene and of one pseudo-label."""
    found = find_scenes(dataset)
    model = found.scenes[0]
    scenes = [replace(model, id=f"{k:05}") for k in range(SCENES - TESTED)]
    scenes += [replace(model, id=f"test {k:05}", split="test") for k in range(TESTED)]
    catalogue = Catalogue(root=found.root, scenes=tuple(scenes), skipped=())
    with Project.open(project) as small:
        label, statistics = small.pseudo_path("003"), small.statistics_path("003")
        labelled = [scene.id for scene in scenes[:LABELLED]]
        with Project.create(tmp_path / "crowd.shdr", catalogue, labelled=labelled) as made:
            made.pseudo_path(labelled[0]).parent.mkdir(exist_ok=True)
            for scene in scenes[LABELLED : SCENES - TESTED]:
                os.link(label, made.pseudo_path(scene.id))
                os.link(statistics, made.statistics_path(scene.id))
            return made.folder


@pytest.mark.timeout(3000)
def test_a_project_of_very_many_scenes_is_counted_decided_and_mended(
    crowd, run, tmp_path, record_property
):
    record_property("scenes of one project", SCENES)
    pool = SCENES - TESTED - LABELLED
    shown = run("scenes", crowd, "--json").json["scenes"]
    assert len(shown) == SCENES
    assert len(run("masks", crowd, "--json").json["scenes"]) == pool
    names = [f"{k:05}" for k in range(LABELLED, SCENES - TESTED)]
    half = names[: pool // 2]
    assert run("exclude", crowd, *half).status == 0
    assert run("undo", crowd).status == 0
    assert run("redo", crowd).status == 0
    statuses = [each["status"] for each in run("scenes", crowd, "--json").json["scenes"]]
    assert statuses.count("excluded") == len(half)
    assert run("promote", crowd, *names[-20:]).status == 0
    told = run("export-split", crowd, tmp_path / "split.json")
    assert told.status == 0, told.err
    told = run("export-journal", crowd, tmp_path / "journal.csv")
    assert told.status == 0, told.err
    with (tmp_path / "journal.csv").open(encoding="utf-8") as rows:
        assert sum(1 for _ in rows) > len(half) + 20
    told = run("doctor", crowd, "--json")
    assert "Traceback" not in told.err
    assert not [each for each in told.json["findings"] if "label" in each["kind"]], told.out


@pytest.mark.timeout(3000)
def test_a_project_of_very_many_runs_lists_and_compares_them(project, run, record_property):
    record_property("runs of one project", RUNS)
    for number in range(RUNS):
        name = f"202611{1 + number // 24:02}-{number % 24:02}0000-quick"
        one = a_run(project, name)
        log(one, started(labelled=("001", "002")), begin=NOON)
        log(one, *[step(k) for k in range(1, 51)], check(50, 30 + number / 100), begin=NOON)
        log(one, round_(1, 50, 0.5), begin=NOON)
        log(one, RunFinished(run=name, outcome="done", step=50, message="trained"), begin=NOON)
    listed = run("runs", "list", project, "--json").json["runs"]
    assert len(listed) == RUNS
    bests = [each["best"]["psnr_mu"] for each in listed]
    assert bests == pytest.approx([30 + k / 100 for k in reversed(range(RUNS))])
    answer = run("runs", "compare", project, *[each["id"] for each in listed[:5]], "--json")
    assert answer.status == 0, answer.err
    assert run("runs", "show", project, "last", "--json").json["run"]["id"] == listed[0]["id"]
