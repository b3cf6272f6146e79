"""Older versions stay until a person cleans up, and undo brings back what it needs."""

import numpy as np
import pytest
from made_labels import HEIGHT, WIDTH, a_project

from smarthdr_studio.core import files
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.project import repair
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.project import Project


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def decisions(project):
    """b promoted three times, c promoted and excluded, d demoted again."""
    decisions = Decisions(project)
    for _ in range(3):
        decisions.promote(["b"])
    decisions.promote(["c", "d"])
    decisions.exclude(["c"])
    decisions.demote(["d"])
    return decisions


def names(heap, project):
    return {path.relative_to(project.folder).as_posix() for path in heap.files}


def test_only_what_no_scene_needs_is_tidied(project, decisions):
    assert decisions.next_undo
    older = {"labels/b/1.exr", "labels/b/2.exr", "labels/d/1.exr"}
    said = repair.older_versions(project)
    assert names(said, project) == older
    assert said.nbytes == sum(path.stat().st_size for path in said.files)
    repair.trash_older_versions(project)
    assert not repair.older_versions(project).files
    assert repair.trashed_files(project).nbytes == said.nbytes
    assert project.label_path("b").is_file()
    troubles = {each.trouble for each in check_up(project.folder, quiet=0).findings}
    assert troubles <= {FindingKind.PSEUDO_LABEL, FindingKind.DATASET}


def test_undoing_and_redoing_everything_brings_the_tidied_labels_back(project, decisions):
    states = [project.ledger().scenes]
    repair.trash_older_versions(project)
    while decisions.next_undo:
        decisions.undo()
        states.append(project.ledger().scenes)
        for name in "bcd":
            for path, checksum in project.state(name).files().items():
                check_label(project.folder / path, checksum)
    repair.trash_older_versions(project)
    for state in reversed(states[:-1]):
        decisions.redo()
        assert project.ledger().scenes == state
    check_label(project.label_path("b"), project.state("b").checksum)


def test_an_undo_whose_label_is_gone_for_good_is_refused_and_changes_nothing(project, decisions):
    repair.trash_older_versions(project)
    gone = repair.empty_trash(project)
    assert len(gone.files) == 3
    before = project.entries()
    with pytest.raises(LabelError, match=r"labels/d/1.exr: was tidied away for good") as error:
        decisions.undo()
    assert "\n" not in str(error.value)
    assert project.entries() == before
    assert project.statuses()["d"] is Status.UNLABELLED
    decisions.promote(["d"])
    assert project.label_path("d").name == "2.exr", "a number is never used twice"
    decisions.restore(["c"])
    assert project.label_path("c").is_file()


def test_a_damaged_file_in_the_trash_is_not_brought_back(project, decisions):
    repair.trash_older_versions(project)
    (found,) = files.trashed_copies(project.folder, "labels/d/1.exr")
    found.write_bytes(b"damaged")
    with pytest.raises(LabelError, match="tidied away for good"):
        decisions.undo()


def test_the_trash_keeps_every_file_of_the_same_name(project):
    for k in range(3):
        stray = project.folder / "labels" / "b" / "7.exr"
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_bytes(bytes([k]))
        files.move_to_trash(project.folder, stray)
    kept = {path.read_bytes() for path in files.trash_contents(project.folder)}
    assert kept == {b"\0", b"\1", b"\2"}
    assert len(files.trashed_copies(project.folder, "labels/b/7.exr")) == 3


def test_a_brought_ground_truth_stays_while_a_scene_has_it(project):
    from smarthdr_studio.core.datasets.ground_truth import TruthFix
    from smarthdr_studio.core.project.labels import TruthProvenance

    of = TruthProvenance(sources=("x.hdr",), checksums=("ab",), fix=TruthFix(), made="")
    radiance = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    decisions = Decisions(project)
    for _ in range(2):
        decisions.import_truth("d", radiance, provenance=of)
    decisions.demote(["d"])
    assert names(repair.trash_older_versions(project), project) == {"labels/d/1.exr"}
    decisions.undo()
    decisions.undo()
    with Project.open(project.folder) as again:
        truth = again.scene("d").ground_truth
        assert truth.name == "1.exr"
        assert truth.is_file()
