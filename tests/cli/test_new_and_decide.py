"""Making a project and deciding about its scenes, from the command line."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.datasets import scan
from smarthdr_studio.core.imaging.bracket import TRUTH_ODD, SceneNote
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project


def statuses(folder):
    with Project.open(folder) as opened:
        return {name: str(status) for name, status in opened.statuses().items()}


def test_new_counts_every_scene_once(run, dataset, tmp_path):
    answer = run("new", tmp_path / "p.shdr", dataset, "--labelled", 2, "--json")
    assert answer.status == 0
    assert answer.json == {
        "scenes": 6,
        "labelled": 2,
        "unlabelled": 3,
        "test": 1,
        "skipped": [],
        "notes": [],
        "response": {"used": "gamma 2.2", "fit": None},
    }
    assert answer.err == ""


def test_new_takes_labels_from_a_list(run, dataset, tmp_path):
    listed = tmp_path / "mine.txt"
    listed.write_text("# good ones\n003\n\n005  # sunset\n", encoding="utf-8")
    answer = run("new", tmp_path / "p.shdr", dataset, "--labelled-from", listed, "--json")
    assert answer.json["labelled"] == 2
    found = statuses(tmp_path / "p.shdr")
    assert {name for name, status in found.items() if status == "ground truth"} == {"003", "005"}


def test_new_tells_which_scene_it_skipped_and_why(run, dataset, tmp_path):
    spoilt = tmp_path / "dataset"
    shutil.copytree(dataset, spoilt)
    (spoilt / "Training" / "002" / "exposure.txt").write_text("first\n", encoding="utf-8")
    answer = run("new", tmp_path / "p.shdr", spoilt, "--labelled", 1, "--json")
    assert answer.status == 0
    assert answer.json["scenes"] == 5
    (skipped,) = answer.json["skipped"]
    assert "002" in skipped["path"]
    assert "exposure.txt" in skipped["reason"]


def test_where_not_every_note_is_told_it_says_how_to_see_them(run, dataset, tmp_path):
    bare = tmp_path / "dataset"
    shutil.copytree(dataset, bare)
    for file in bare.rglob("exposure.txt"):
        file.unlink()
    answer = run("new", tmp_path / "p.shdr", bare, "--dry-run")
    assert " more like these, of " in answer.err
    assert answer.err.endswith("--json tells every note.\n")
    told = run("new", tmp_path / "p.shdr", bare, "--dry-run", "--json")
    assert len(told.json["notes"]) == 6
    assert "--json tells" not in told.err


def test_a_project_never_lies_in_its_dataset(run, dataset):
    answer = run("new", dataset / "p.shdr", dataset)
    assert answer.status == 2
    assert not (dataset / "p.shdr").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--labelled", 9), "9"),
        (("--labelled", -1), "--labelled"),
        (("--labelled", 1, "--labelled-from", "x.txt"), "--labelled-from"),
        (("--labelled-from", "no-such.txt"), "no-such.txt"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(run, dataset, tmp_path, words, named):
    answer = run("new", tmp_path / "p.shdr", dataset, *words)
    assert answer.status == 2
    assert named in answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.out == ""
    assert not (tmp_path / "p.shdr").exists()


def test_promote_and_demote_change_only_the_named_scenes(run, project):
    assert run("promote", project, "003", "004", "--note", "sharp", "--json").json == {
        "promote": [{"id": "003", "status": "promoted"}, {"id": "004", "status": "promoted"}]
    }
    assert run("demote", project, "003").status == 0
    found = statuses(project)
    assert (found["003"], found["004"], found["005"]) == ("unlabelled", "promoted", "unlabelled")


def test_undo_takes_back_and_redo_does_again(run, project):
    run("exclude", project, "005")
    assert run("undo", project).status == 0
    assert statuses(project)["005"] == "unlabelled"
    assert run("redo", project).status == 0
    assert statuses(project)["005"] == "excluded"
    assert run("restore", project, "005").status == 0
    assert statuses(project)["005"] == "unlabelled"


def test_nothing_to_undo_is_said(run, project):
    answer = run("undo", project)
    assert answer.status == 2
    assert "nothing to undo" in answer.err


def test_a_promoted_label_carries_the_thresholds_of_now(run, project):
    from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label

    run("masks", project, "--tau-patch", 0.7, "--tau-pixel", 0.6, "--save")
    run("promote", project, "004")
    with Project.open(project) as opened:
        label = read_pseudo_label(opened.label_path("004"))
    assert (label.provenance.masks.tau_patch, label.provenance.masks.tau_pixel) == (0.7, 0.6)


def test_the_whole_picture_counts_only_where_it_was_asked_for(run, project):
    run("promote", project, "003", "--whole")
    run("promote", project, "004")
    with Project.open(project) as opened:
        assert opened.state("003").whole
        assert not opened.state("004").whole
    run("promote", project, "003")
    with Project.open(project) as opened:
        assert not opened.state("003").whole


def test_a_promoted_label_carries_what_was_painted(run, project):
    from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label

    brush = np.zeros((128, 192), np.int8)
    brush[:9], brush[-9:] = 1, -1
    with Project.open(project) as opened:
        Decisions(opened).paint("004", lambda _: brush)
    run("promote", project, "004")
    with Project.open(project) as opened:
        np.testing.assert_array_equal(read_pseudo_label(opened.label_path("004")).person, brush)


def test_notes_and_tags_are_given_taken_and_undone(run, project):
    answer = run("note", project, "003", "004", "--note", "a ghost", "--tag", "car", "--json").json
    assert answer == {
        "note": [{"id": name, "note": "a ghost", "tags": ["car"]} for name in ("003", "004")]
    }
    run("note", project, "003", "--tag", "night", "--tag", "new", "--untag", "car")
    with Project.open(project) as opened:
        assert opened.state("003")[-2:] == ("a ghost", ("new", "night"))
        assert opened.state("004")[-2:] == ("a ghost", ("car",))
    assert run("note", project, "004", "--untag", "car").out == "004: a ghost\n"
    for _ in range(3):
        assert run("undo", project).status == 0
    with Project.open(project) as opened:
        assert opened.state("003")[-2:] == ("", ())


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "--note, --tag or --untag"),
        (("--tag", "two words"), "two words"),
        (("--tag", ""), "one word"),
    ],
)
def test_a_note_without_words_is_refused(run, project, words, named):
    answer = run("note", project, "003", *words)
    assert answer.status == 2
    assert named in answer.err
    assert len(answer.err.splitlines()) == 1


def test_history_tells_every_decision_the_latest_first(run, project):
    run("promote", project, "003", "004", "--note", "sharp")
    run("exclude", project, "005")
    run("undo", project)
    told = run("history", project, "--json").json["history"]
    assert [line["what"] for line in told[:3]] == [
        "undo: exclude 005", "exclude 005", "promote 2 scenes"
    ]  # fmt: skip
    assert [line["undone"] for line in told[:3]] == [False, True, False]
    assert (told[2]["note"], told[2]["scenes"], told[2]["run"]) == (
        "sharp",
        ["003", "004"],
        "a-run",
    )
    assert len(run("history", project, "--limit", 2, "--json").json["history"]) == 2
    answer = run("history", project)
    assert "promote 2 scenes" in answer.out
    assert "exclude 005 (undone)" in answer.out
    assert answer.err == ""


def test_an_unknown_scene_changes_nothing(run, project):
    before = statuses(project)
    answer = run("promote", project, "003", "999")
    assert answer.status == 2
    assert "999" in answer.err
    assert statuses(project) == before


def test_a_scene_named_twice_is_told_once(run, project):
    assert run("promote", project, "003", "003").out == "003: promoted\n"


def test_new_tells_which_ground_truth_it_left_out_and_why(run, dataset, tmp_path):
    import shutil

    from smarthdr_studio.core.imaging.image_files import read_radiance, write_radiance_hdr

    spoilt = tmp_path / "dataset"
    shutil.copytree(dataset, spoilt)
    path = spoilt / "Training" / "002" / "HDRImg.hdr"
    write_radiance_hdr(path, np.ascontiguousarray(read_radiance(path)[::-1]))
    answer = run("new", tmp_path / "p.shdr", spoilt, "--json")
    assert (answer.status, answer.json["scenes"], answer.json["skipped"]) == (0, 6, [])
    (note,) = answer.json["notes"]
    assert note["scene"] == "002"
    assert "it has to be mirrored upside down" in note["note"]
    assert note["note"] in answer.err
    assert statuses(tmp_path / "p.shdr")["002"] == "unlabelled"


def test_asked_for_more_labels_than_are_sound_it_says_so(run, dataset, tmp_path, monkeypatch):
    notes = [
        SceneNote(scene=name, topic=TRUTH_ODD, text="odd") for name in ("001", "002", "003", "004")
    ]
    check = scan.check
    monkeypatch.setattr(scan, "check", lambda *a, **k: replace(check(*a, **k), notes=tuple(notes)))
    answer = run("new", tmp_path / "p.shdr", dataset, "--labelled", 2, "--json")
    assert answer.json["labelled"] == 1
    assert "only 1 ground truth is sound, not 2; " in answer.err
    assert "--labelled-from" in answer.err
    assert statuses(tmp_path / "p.shdr")["005"] == "ground truth"


@pytest.mark.parametrize("words", [("--note", "a\udcff"), ("--tag", "b\udcff")])
def test_a_note_that_is_no_text_is_refused_in_a_sentence(run, project, words):
    answer = run("note", project, "003", *words)
    assert answer.status == 2
    assert "no text in UTF-8" in answer.err
    assert len(answer.err.splitlines()) == 1
