"""Names from somebody else's project, run, dataset or list lead nowhere but where they belong."""

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from made_handover import a_project as a_dataset_project
from made_labels import a_project, pseudo_label, scene_in

from smarthdr_studio.core.errors import ForeignPlace, ProjectError, StudioError
from smarthdr_studio.core.files import (
    move_to_trash,
    place_in,
    restore_from_trash,
    trashed_copies,
)
from smarthdr_studio.core.imaging.bracket import Catalogue
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.places import label_file, odd_in_entry
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import repair, trash_older_versions
from smarthdr_studio.core.reporting.dataset_export import export_dataset
from smarthdr_studio.core.reporting.report import write_report
from smarthdr_studio.core.reporting.splits import read_split
from smarthdr_studio.core.training.run_folder import (
    discard_run,
    find_run,
    new_run,
    read_note,
    restore_run,
    run_folders,
    run_of,
)
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.training.steering import Stop, leave_wish, take_wishes
from smarthdr_studio.core.trust.pseudo_label import write_pseudo_label


def everything(folder):
    """What lies in a folder, byte for byte."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture
def outside(tmp_path):
    """A folder of the person, which no project may touch."""
    folder = tmp_path / "home" / "mine"
    (folder / "deep").mkdir(parents=True)
    (folder / "letter.exr").write_bytes(b"a letter")
    (folder / "deep" / "1.exr").write_bytes(b"another one")
    (folder / "at-work.json").write_text("not a lock")
    return folder


@pytest.fixture
def project(tmp_path):
    place = tmp_path / "work"
    place.mkdir()
    with a_project(place) as project:
        yield project


def forge(project, statement, *values):
    """Change the database as somebody could who does not go through the program."""
    project.close()
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_changed")
        connection.execute(statement, values)
        connection.execute(
            "CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
        connection.commit()


def whatever_one_does(folder):
    """Open, label, promote, tidy, undo and repair, as far as it goes; the sentences on the way."""
    told = []

    def attempt(deed):
        try:
            deed()
        except StudioError as error:
            told.append(str(error))

    def decide():
        with Project.open(folder) as opened:
            decisions = Decisions(opened)
            attempt(lambda: trash_older_versions(opened))
            for scene in opened.scenes:
                attempt(lambda scene=scene: decisions.promote([scene.id]))
                label = pseudo_label(scene.id)
                attempt(lambda s=scene, la=label: write_pseudo_label(opened.pseudo_path(s.id), la))
            attempt(decisions.undo)
            attempt(decisions.undo)

    attempt(decide)
    attempt(lambda: repair(folder, quiet=0))
    assert all("\n" not in sentence for sentence in told)
    return told


OUT = ("../../home/mine/letter.exr", "labels/b/../../../../home/mine/letter.exr", "project.sqlite")


@pytest.mark.parametrize("column", ["label", "truth"])
@pytest.mark.parametrize("name", [*OUT, "absolute", "labels/c/1.exr", b"labels/b/1.exr", ""])
def test_a_label_of_the_journal_that_lies_elsewhere_moves_nothing(project, outside, column, name):
    if name == "absolute":
        name = str(outside / "letter.exr")
    Decisions(project).promote(["b"])
    Decisions(project).promote(["b"])
    forge(project, f"UPDATE journal SET {column} = ? WHERE seq = 6", name)
    before = everything(outside), (project.folder / "labels" / "b" / "2.exr").read_bytes()
    with (
        pytest.raises(ForeignPlace, match="leads out of where it belongs") as refused,
        Project.open(project.folder) as opened,
    ):
        opened.ledger()
    assert str(project.folder) in str(refused.value)
    assert whatever_one_does(project.folder)
    (finding,) = check_up(project.folder).findings
    assert (finding.trouble, finding.mendable) == (FindingKind.PLACE, False)
    assert "entry 6" in finding.sentence
    assert before == (
        everything(outside),
        (project.folder / "labels" / "b" / "2.exr").read_bytes(),
    )


@pytest.mark.parametrize("name", ["../../home/mine/letter", "/etc/letter", "..", "", "x/y", "x\0"])
def test_a_scene_whose_id_leads_elsewhere_is_refused(tmp_path, outside, name):
    place = tmp_path / "work"
    scene = replace(scene_in(place, "a"), id=name)
    catalogue = Catalogue(root=place, scenes=(scene,), skipped=())
    place.mkdir()
    with suppress(StudioError):
        Project.create(place / "p.shdr", catalogue, labelled=()).close()
    before = everything(outside)
    told = whatever_one_does(place / "p.shdr")
    assert "is no name of a file" in told[0]
    assert check_up(place / "p.shdr").findings[0].trouble is FindingKind.PLACE
    assert everything(outside) == before


def test_a_frame_whose_way_leads_up_is_refused(project):
    forge(project, "UPDATE scenes SET over = 'a/../../../home/mine/letter.exr' WHERE id = 'a'")
    with pytest.raises(ForeignPlace, match="of scene a is odd"):
        Project.open(project.folder)
    assert check_up(project.folder).findings[0].trouble is FindingKind.PLACE


def test_a_frame_with_a_place_of_its_own_is_named(project, outside):
    forge(project, "UPDATE scenes SET over = ? WHERE id = 'a'", str(outside / "letter.exr"))
    found = check_up(project.folder).findings
    (named,) = (f for f in found if f.trouble is FindingKind.DATASET and f.what == "a")
    assert named.sentence.startswith("a picture of a lies outside the dataset")


def test_a_dataset_that_is_said_to_lie_beside_the_project_does(project, outside):
    forge(project, "UPDATE facts SET value = '../../home' WHERE name = 'dataset_from_project'")
    with Project.open(project.folder) as opened:
        assert opened.dataset == project.folder.parent, "the absolute place counts instead"
    (finding,) = (f for f in check_up(project.folder).findings if f.trouble is FindingKind.PLACE)
    assert "../../home" in finding.sentence
    assert outside.is_dir()


@pytest.mark.parametrize("name", ["labels", "pseudo", "runs", "trash", "backups", "window.json"])
def test_a_link_in_the_place_of_a_folder_of_the_project_is_refused(project, outside, name):
    project.close()
    shutil.rmtree(project.folder / name, ignore_errors=True)
    (project.folder / name).symlink_to(outside)
    before = everything(outside)
    told = whatever_one_does(project.folder)
    assert f"its {name} is a link that leads out of it" in told[0]
    found = check_up(project.folder).findings
    assert [each.what for each in found if each.trouble is FindingKind.PLACE] == [name]
    assert everything(outside) == before


def test_a_database_that_is_a_link_is_not_written_through(project, outside):
    project.close()
    theirs = outside / "theirs.sqlite"
    (project.folder / "project.sqlite").rename(theirs)
    (project.folder / "project.sqlite").symlink_to(theirs)
    before = everything(outside)
    assert "project.sqlite is a link" in whatever_one_does(project.folder)[0]
    assert everything(outside) == before


def test_a_link_deep_in_the_project_is_refused_where_it_is_met(project, outside):
    Decisions(project).promote(["b"])
    shutil.rmtree(project.labels_folder("c"), ignore_errors=True)
    (project.folder / "labels" / "c").symlink_to(outside)
    pseudo = project.pseudo_path("d")
    pseudo.unlink()
    pseudo.symlink_to(outside / "letter.exr")
    project.close()
    before = everything(outside)
    told = " ".join(whatever_one_does(project.folder))
    assert "its labels/c is a link" in told
    assert "its pseudo/d.exr is a link" in told
    found = check_up(project.folder).findings
    places = {each.what for each in found if each.trouble is FindingKind.PLACE}
    assert places == {"labels/c", "pseudo/d.exr"}
    assert everything(outside) == before


def test_a_link_that_stays_inside_the_project_is_followed(project):
    project.close()
    (project.folder / "pseudo").rename(project.folder / "kept")
    (project.folder / "pseudo").symlink_to("kept")
    with Project.open(project.folder) as opened:
        assert opened.pseudo_path("b").is_file()
    assert not [f for f in check_up(project.folder).findings if f.trouble is FindingKind.PLACE]


def test_a_project_that_is_reached_by_a_link_is_a_project(project, tmp_path):
    project.close()
    (tmp_path / "short").symlink_to(project.folder)
    with Project.open(tmp_path / "short") as opened:
        Decisions(opened).promote(["b"])
        assert place_in(tmp_path / "short", "labels", "b", "1.exr").is_file()


def test_nothing_of_another_folder_moves_into_the_trash_or_out_of_it(project, outside):
    before = everything(outside)
    with pytest.raises(ForeignPlace):
        move_to_trash(project.folder, outside / "letter.exr")
    with pytest.raises(ForeignPlace):
        move_to_trash(project.folder, project.folder / ".." / ".." / "home" / "mine")
    (project.folder / "trash").mkdir()
    (project.folder / "trash" / "20260101").symlink_to(outside)
    with pytest.raises(ForeignPlace):
        restore_from_trash(project.folder, "deep/1.exr", None)
    for name in ("../../home/mine/letter.exr", "/etc/passwd", "labels//b"):
        with pytest.raises(ForeignPlace):
            restore_from_trash(project.folder, name, None)
    assert everything(outside) == before


def test_brackets_in_a_name_are_found_in_the_trash(project):
    label = project.folder / "labels" / "[b]" / "1.exr"
    label.parent.mkdir(parents=True)
    label.write_bytes(b"a label")
    gone = move_to_trash(project.folder, label)
    assert trashed_copies(project.folder, "labels/[b]/1.exr") == (gone,)


def test_a_run_is_named_by_one_plain_name(project, outside):
    (project.runs_folder / "theirs").parent.mkdir(exist_ok=True)
    (project.runs_folder / "theirs").symlink_to(outside)
    before = everything(outside)
    for name in ("../../../home/mine", str(outside), "", "..", "theirs", "a/b", 7):
        with pytest.raises(ForeignPlace):
            run_of(project.folder, name)
    for name in ("../../../home/mine", "theirs", ".."):
        for deed in (find_run, discard_run, restore_run):
            with pytest.raises(ProjectError):
                deed(project, name)
    assert run_folders(project.folder) == ()
    assert everything(outside) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_note_of_a_run_is_not_read_through_a_link_or_from_a_pipe(project, outside):
    (outside / "secret").write_text("not for others")
    run = new_run(project.folder, "quick")
    (run.path / "note.txt").symlink_to(outside / "secret")
    assert read_note(run) == ""
    (run.path / "note.txt").unlink()
    os.mkfifo(run.path / "note.txt")
    assert read_note(run) == ""


@pytest.mark.parametrize("name", ["at-work.json", "events.jsonl", "checkpoints", "wishes"])
def test_a_run_with_a_link_to_elsewhere_is_not_gone_on_with(project, outside, name):
    run = project.runs_folder / "20260101-000000-quick"
    run.mkdir(parents=True)
    target = outside / "at-work.json" if "." in name else outside
    (run / name).symlink_to(target)
    before = everything(outside)
    with pytest.raises(ForeignPlace, match=name), run_lock(run):
        pass
    assert everything(outside) == before


def test_wishes_are_neither_left_nor_taken_through_a_link(project, outside):
    run = project.runs_folder / "20260101-000000-quick"
    run.mkdir(parents=True)
    (run / "wishes").symlink_to(outside)
    (outside / "1.json").write_text(json.dumps({"wish": "Stop"}))
    before = everything(outside)
    with pytest.raises(ForeignPlace):
        leave_wish(run, Stop())
    assert take_wishes(run) == ()
    assert everything(outside) == before


@pytest.mark.parametrize("name", ["../../home/mine/letter", "/etc/passwd", "..", "b/../b"])
def test_a_split_names_scenes_and_no_files(project, outside, tmp_path, name):
    before = everything(outside)
    (tmp_path / "split.txt").write_text(f"{name} unlabelled\n")
    (tmp_path / "split.json").write_text(json.dumps([{"id": name, "status": "excluded"}]))
    for kind in ("txt", "json"):
        with pytest.raises(ProjectError, match="no scene of this project"):
            read_split(tmp_path / f"split.{kind}", project)
    assert everything(outside) == before


@pytest.fixture
def pictured(tmp_path):
    with a_dataset_project(tmp_path) as (project, _):
        yield project


def secret(project, scene, number, place):
    """A frame of the dataset becomes a link to a picture that is no part of it."""
    place.mkdir()
    frame = project.scene(scene).frames[number]
    frame.rename(place / "private.tif")
    frame.symlink_to(place / "private.tif")


def test_copies_carry_only_pictures_of_the_dataset(pictured, tmp_path):
    secret(pictured, "001", 0, tmp_path / "private")
    copied = export_dataset(pictured, tmp_path / "out", frames="copy")
    assert "001/photo_1.tif is a link that leads out" in copied.left_out["001"]
    assert not (tmp_path / "out" / "Training" / "001").exists()
    export_dataset(pictured, tmp_path / "linked", frames="link")
    assert (tmp_path / "linked" / "Training" / "001" / "1.tif").is_symlink()


def test_a_ground_truth_from_elsewhere_is_not_written_into_an_export(pictured, tmp_path):
    truth = pictured.scene("001").ground_truth
    (tmp_path / "private").mkdir()
    truth.rename(tmp_path / "private" / "private.hdr")
    truth.symlink_to(tmp_path / "private" / "private.hdr")
    for suffix in ("hdr", "exr"):
        copied = export_dataset(pictured, tmp_path / suffix, frames="copy", labels=suffix)
        assert "HDRImg.hdr is a link" in copied.left_out["001"]
        assert not (tmp_path / suffix / "Training" / "001").exists()
    page = tmp_path / "page.html"
    write_report(pictured, page)
    assert "HDRImg.hdr is a link that leads out" in page.read_text(encoding="utf-8")


def test_a_report_shows_only_pictures_of_the_dataset(pictured, tmp_path):
    write_report(pictured, tmp_path / "whole.html")
    secret(pictured, "005", 1, tmp_path / "private")
    write_report(pictured, tmp_path / "less.html")
    whole, less = (
        (tmp_path / f"{name}.html").read_text(encoding="utf-8") for name in ("whole", "less")
    )
    assert "photo_2.tif is a link that leads out" in less
    assert less.count("<img") < whole.count("<img")


ODD = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["..", ".", "", "a", "/", "\\", "\0", "C:", "~", "b", "labels", "trash"]),
    st.lists(st.sampled_from(["..", ".", "", "x", "labels", "b", "1.exr"]), max_size=7).map(
        "/".join
    ),
)


def tried(deed):
    """What it answers and no sentence, or None and the sentence of the refusal."""
    try:
        return deed(), ""
    except ForeignPlace as error:
        return None, str(error)


PATIENT = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@PATIENT
@given(names=st.lists(ODD, min_size=1, max_size=4))
@example(names=["..", "x"])
@example(names=["x" * 300])
def test_whatever_a_name_is_it_lies_inside_or_is_refused_in_one_line(tmp_path, names):
    place, sentence = tried(lambda: place_in(tmp_path, *names))
    if place is None:
        assert "\n" not in sentence
        assert sentence.startswith(f"{tmp_path}: ")
    else:
        assert place.resolve().is_relative_to(tmp_path.resolve())
        assert place.relative_to(tmp_path).parts == tuple(names)


@PATIENT
@given(told=ODD)
@example(told="labels/b/..")
@example(told="labels/b/1.exr/")
def test_whatever_a_label_is_called_it_lies_among_those_of_its_scene(tmp_path, told):
    path, sentence = tried(lambda: label_file(tmp_path, told, scene="b"))
    if path is None:
        assert "\n" not in sentence
        assert odd_in_entry("b", told) or "is no name" in sentence
    else:
        assert path.parent == tmp_path / "labels" / "b"
        assert not odd_in_entry("b", told)


def test_the_painted_mask_is_looked_up_and_never_a_file(project, outside):
    Decisions(project).paint("b", lambda _: np.ones((48, 64), np.int8))
    forge(project, "UPDATE journal SET person = '../../home/mine/letter.exr' WHERE seq = 6")
    before = everything(outside)
    whatever_one_does(project.folder)
    assert FindingKind.PAINTING in {each.trouble for each in check_up(project.folder).findings}
    assert everything(outside) == before
