"""What was made under another response curve is told, and nothing else is."""

import json
from dataclasses import replace

import numpy as np
import pytest
from made_labels import HEIGHT, WIDTH, a_project, pseudo_label

from smarthdr_studio.core.datasets.ground_truth import TruthFix
from smarthdr_studio.core.imaging import image_files
from smarthdr_studio.core.imaging.bracket import FrameReading
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.project import stale
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up, stale_findings
from smarthdr_studio.core.project.journal import Accounts
from smarthdr_studio.core.project.labels import TruthProvenance
from smarthdr_studio.core.project.stale import StaleLabel, StaleRun, stale_in_words, stale_labels
from smarthdr_studio.core.training.run_start import run_findings, runs_read_otherwise
from smarthdr_studio.core.trust.masking import MaskSettings, masks_as_text
from smarthdr_studio.core.trust.pseudo_label import read_provenance, write_pseudo_label

PLAIN = MaskSettings()
CURVE = FrameReading(response=ResponseCurve(tables=((0.0, 0.2, 1.0),)))
OTHER = FrameReading(response=ResponseCurve(tables=((0.0, 0.7, 1.0),)))


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def decisions(project):
    return Decisions(project)


def import_truth(decisions, scene, sources):
    of = TruthProvenance(sources=sources, checksums=("ab",) * len(sources), fix=TruthFix(), made="")
    radiance = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    decisions.import_truth(scene, radiance, provenance=of)


def told(project):
    return {(each.scene, each.what) for each in stale_labels(project)}


def test_a_pseudo_label_says_under_which_curve_it_was_made(project):
    label = pseudo_label("b")
    of = replace(label.provenance, curve=CURVE.curve)
    write_pseudo_label(project.pseudo_path("b"), replace(label, provenance=of))
    assert read_provenance(project.pseudo_path("b")).curve == CURVE.curve
    assert read_provenance(project.pseudo_path("c")).curve == ""


def test_nothing_is_stale_and_no_label_looked_at_before_a_curve_was_ever_chosen(
    project, monkeypatch
):
    monkeypatch.setattr(stale, "read_provenance", None)
    assert stale_labels(project) == ()
    assert runs_read_otherwise(project) == ()
    assert stale_in_words(()) == ""


def test_all_that_depends_on_the_curve_is_stale_until_it_is_undone(project, decisions):
    decisions.promote(["b"])
    import_truth(decisions, "c", ("1.tif", "2.tif"))
    import_truth(decisions, "d", ("theirs.hdr",))
    decisions.read_frames(CURVE)
    assert told(project) == {
        ("b", "promoted label"),
        ("c", "merged ground truth"),
        *((name, "pseudo-label") for name in "bcd"),
    }
    decisions.undo()
    assert told(project) == set()
    decisions.redo()
    import_truth(decisions, "c", ("1.tif", "2.tif"))
    assert ("c", "merged ground truth") not in told(project)
    decisions.read_frames(OTHER)
    assert ("c", "merged ground truth") in told(project)


def test_alignment_makes_nothing_stale(project, decisions):
    decisions.read_frames(FrameReading(aligned=True))
    assert told(project) == set()


def test_a_label_made_under_the_curve_of_now_is_not_stale(project, decisions):
    decisions.read_frames(CURVE)
    label = pseudo_label("b")
    of = replace(label.provenance, curve=CURVE.curve)
    write_pseudo_label(project.pseudo_path("b"), replace(label, provenance=of))
    assert told(project) == {("c", "pseudo-label"), ("d", "pseudo-label")}
    assert stale_labels(project, of=["b"]) == ()


def test_a_label_that_cannot_be_read_is_left_to_the_doctor(project, decisions):
    project.pseudo_path("b").write_bytes(b"no label")
    decisions.read_frames(CURVE)
    assert told(project) == {("c", "pseudo-label"), ("d", "pseudo-label")}


def test_only_headers_of_labels_are_read(project, decisions, monkeypatch):
    decisions.promote(["b"])
    decisions.read_frames(CURVE)
    monkeypatch.setattr(image_files, "_refuse_layers_without_room", None)
    assert len(stale_labels(project)) == 4


def test_a_run_is_stale_that_began_under_another_curve(project, decisions):
    def begin(name):
        folder = project.runs_folder / name
        folder.mkdir(parents=True)
        (folder / "plan.toml").write_text("")
        told = {"journal": project.entries()[-1].seq, "masks": json.loads(masks_as_text(PLAIN))}
        parts = {"labelled": [], "promoted": {}, "unlabelled": [], "held_out": []}
        (folder / "start.json").write_text(json.dumps(told | parts))

    decisions.read_frames(CURVE)
    begin("20261129-100000-first")
    decisions.read_frames(OTHER)
    begin("20261129-110000-second")
    (found,) = runs_read_otherwise(project)
    assert found == StaleRun(run="20261129-100000-first", curve=True)
    (told,) = [
        each
        for each in check_up(project.folder, also=run_findings).findings
        if each.trouble is FindingKind.STALE_RUN
    ]
    assert told.sentence == (
        "20261129-100000-first learned under another response curve than frames are read under now"
    )
    assert "smarthdr-studio response PROJECT --use" in told.remedy


def test_it_is_said_whether_the_curve_the_frames_or_both_are_others():
    curve = StaleRun(run="r", curve=True)
    frames, both = StaleRun(run="r", frames=True), StaleRun(run="r", curve=True, frames=True)
    assert "frames of the bracket" not in curve.words
    assert frames.words == "r learned from other frames of the bracket than are chosen now"
    assert "response" not in frames.remedy
    assert both.words == (
        "r learned under another response curve than frames are read under now and from other "
        "frames of the bracket than are chosen now"
    )
    assert "smarthdr-studio response" in both.remedy
    assert "smarthdr-studio frames" in both.remedy
    assert " now and of other frames" in stale_in_words((), runs=[both])
    assert " now or of other frames" in stale_in_words((), runs=[curve, frames])
    label = StaleLabel(scene="a", what="pseudo-label", curve=True, frames=True)
    assert label.words.count("than") == 2


def test_the_journal_is_added_up_once_however_many_truths_were_imported(
    project, decisions, monkeypatch
):
    for name in "bcd":
        import_truth(decisions, name, ("1.tif", "2.tif"))
    decisions.read_frames(CURVE)
    entries = project.entries()
    monkeypatch.setattr(Accounts, "ledger", lambda _: pytest.fail("every scene is copied"))
    made = stale._truths_made_of(entries)
    assert len(made) == 3


def test_the_sentence_counts_them_and_names_both_remedies():
    labels = [
        StaleLabel(scene=name, what=what, curve=True)
        for name, what in (("a", "pseudo-label"), ("b", "pseudo-label"), ("a", "promoted label"))
    ]
    words = stale_in_words(labels, runs=[StaleRun(run="r", curve=True)])
    assert words.startswith("2 pseudo-labels, 1 promoted label and 1 run were made under another")
    assert "smarthdr-studio label PROJECT" in words
    assert "smarthdr-studio response PROJECT --use" in words
    assert stale_in_words(labels[:1]).startswith("1 pseudo-label was made under")


def test_the_doctor_tells_each_with_its_scene_and_the_remedy(project, decisions):
    decisions.read_frames(CURVE)
    found = list(stale_findings(project))
    assert [each.trouble for each in found] == [FindingKind.STALE] * 3
    assert [each.what for each in found] == ["b", "c", "d"]
    assert "1 pseudo-label was made under another response curve" in found[0].sentence
    assert "make pseudo-labels anew" in found[0].remedy
