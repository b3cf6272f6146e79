"""Discarded runs lie whole in the trash and come back; notes stay with their run."""

import pytest
from made_labels import a_project
from made_runs import a_run, log, started

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import empty_trash, trashed_files
from smarthdr_studio.core.training.run_folder import (
    discard_run,
    discarded_runs,
    read_note,
    restore_run,
    write_note,
)
from smarthdr_studio.core.training.run_index import list_rows
from smarthdr_studio.core.training.run_lock import run_lock


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def run(project):
    run = a_run(project.folder)
    log(run, started())
    (run.checkpoints / "step-1").mkdir(parents=True)
    (run.checkpoints / "step-1" / "teacher.safetensors").write_bytes(b"x" * 100)
    return run


def test_a_discarded_run_comes_back_as_it_was(project, run):
    write_note(run, "keep me")
    files = {path.relative_to(run.path): path.stat().st_size for path in run.path.rglob("*")}
    findings = check_up(project.folder).findings
    gone = discard_run(project, run.id)
    assert list_rows(project) == ()
    assert discarded_runs(project) == (gone,)
    assert check_up(project.folder).findings == findings  # the trash is nobody's fault
    back = restore_run(project, run.id)
    assert back == run
    assert discarded_runs(project) == ()
    assert {p.relative_to(run.path): p.stat().st_size for p in run.path.rglob("*")} == files
    assert read_note(run) == "keep me"


def test_a_run_discarded_twice_has_both_and_the_later_one_comes_back(project, run):
    discard_run(project, run.id)
    second = a_run(project.folder)
    write_note(second, "second")
    discard_run(project, second.id)
    assert len(discarded_runs(project)) == 2
    assert read_note(restore_run(project, run.id)) == "second"
    with pytest.raises(ProjectError, match="is there already"):
        restore_run(project, run.id)


def test_a_run_at_work_is_not_discarded(project, run):
    with run_lock(run.path), pytest.raises(ProjectError, match="is at work"):
        discard_run(project, run.id)
    assert [row.id for row in list_rows(project)] == [run.id]


@pytest.mark.parametrize("name", ["no-such", "", ".", "..", "../labels", "a/b"])
def test_a_name_that_is_no_run_is_one_sentence(project, run, name):
    with pytest.raises(ProjectError, match="has no run"):
        discard_run(project, name)
    with pytest.raises(ProjectError, match="holds no run"):
        restore_run(project, name)
    assert run.path.is_dir()


def test_only_an_emptied_trash_is_gone_for_good(project, run):
    discard_run(project, run.id)
    assert trashed_files(project).nbytes >= 100
    empty_trash(project)
    assert discarded_runs(project) == ()
    with pytest.raises(ProjectError, match="holds no run"):
        restore_run(project, run.id)


def test_the_note_that_was_written_last_counts_in_every_process(project, run):
    assert read_note(run) == ""
    write_note(run, "  first\nof two lines ")
    with Project.open(project.folder):
        write_note(run, "second")
    assert read_note(run) == "second"
    write_note(run, " ")
    write_note(run, "")
    assert read_note(run) == ""
    assert not list(run.path.glob("note*"))


def test_a_note_of_no_run_is_refused(project, run):
    discard_run(project, run.id)
    with pytest.raises(ProjectError, match="no such run"):
        write_note(run, "lost")
