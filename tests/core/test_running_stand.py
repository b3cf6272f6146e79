"""A run knows how the project stood when it was started, and the project can become that again."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_labels import HEIGHT, WIDTH, a_project
from made_runs import a_run, log, started

from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status, differing_scenes
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import empty_trash, trash_older_versions
from smarthdr_studio.core.training.run_start import (
    changes_since_start,
    go_back_to_start,
    layout_at_start,
    read_start_state,
    start_state_in,
)
from smarthdr_studio.core.trust.masking import MaskSettings, masks_as_text

THEN = MaskSettings(tau_patch=0.2, tau_pixel=0.7, patch_size=16)


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def decisions(project):
    return Decisions(project)


def begun(project, name="20261101-120000-quick"):
    """A run that starts now, as training leaves it."""
    run, ledger = a_run(project.folder, name), project.ledger()
    of = {status: [n for n, s in project.statuses().items() if s is status] for status in Status}
    told = {
        "journal": project.entries()[-1].seq,
        "labelled": of[Status.GROUND_TRUTH],
        "promoted": {n: ledger.scenes[n].label for n in of[Status.PROMOTED]},
        "unlabelled": of[Status.UNLABELLED],
        "held_out": [],
        "masks": json.loads(masks_as_text(ledger.masks)),
    }
    run.start_path.write_text(json.dumps(told), encoding="utf-8")
    return run


def states(project):
    return {
        name: state._replace(note="", tags=(), aside=None)
        for name, state in project.ledger().scenes.items()
    }


def test_a_run_knows_its_labels_and_thresholds(project, decisions):
    decisions.promote(["b"])
    decisions.set_masks(THEN)
    stand = read_start_state(begun(project))
    assert (stand.labelled, stand.promoted) == (("a",), {"b": "labels/b/1.exr"})
    assert (stand.unlabelled, stand.masks) == (("c", "d"), THEN)


def test_labels_and_thresholds_become_again_what_they_were(project, decisions):
    decisions.promote(["b", "c"])
    decisions.set_masks(THEN)
    run, before = begun(project), states(project)
    decisions.demote(["b"])
    decisions.exclude(["c"])
    decisions.promote(["d"], whole=True)
    decisions.exclude(["a"])
    decisions.set_masks(MaskSettings())
    did = go_back_to_start(decisions, run)
    assert (did.scenes, did.thresholds) == (("a", "b", "c", "d"), True)
    assert states(project) == before
    assert decisions.masks() == THEN


def test_going_back_is_one_decision_to_undo_and_redo(project, decisions):
    decisions.promote(["b"])
    run, before = begun(project), states(project)
    decisions.promote(["b", "c"])
    decisions.set_masks(THEN)
    after = states(project)
    go_back_to_start(decisions, run, who="mira@lab")
    assert decisions.next_undo.words == "set 2 scenes back to a run"
    assert decisions.history(1)[0].note == f"back to the start of {run.id}"
    decisions.undo()
    assert (states(project), decisions.masks()) == (after, THEN)
    decisions.redo()
    assert (states(project), decisions.masks()) == (before, MaskSettings())
    with Project.open(project.folder) as again:
        assert states(again) == before


def test_going_back_to_the_present_is_no_decision(project, decisions):
    decisions.promote(["b"])
    run, count = begun(project), len(project.entries())
    decisions.annotate(["b"], note="later", add=["sharp"])
    assert not go_back_to_start(decisions, run).changed
    assert len(project.entries()) == count + 1
    assert project.state("b").note == "later"


def test_a_label_of_then_is_brought_back_from_the_trash(project, decisions):
    decisions.promote(["b"])
    run = begun(project)
    decisions.demote(["b"])
    trash_older_versions(project)
    assert not (project.folder / "labels" / "b" / "1.exr").exists()
    go_back_to_start(decisions, run)
    assert project.label_path("b").is_file()


def test_a_label_that_is_gone_for_good_changes_nothing(project, decisions):
    decisions.promote(["b"])
    run = begun(project)
    decisions.demote(["b"])
    trash_older_versions(project)
    empty_trash(project)
    count = len(project.entries())
    with pytest.raises(LabelError, match="tidied away for good"):
        go_back_to_start(decisions, run)
    assert len(project.entries()) == count


def test_what_a_scene_was_before_it_was_excluded_is_not_needed(project, decisions):
    decisions.promote(["b"])
    decisions.exclude(["b"])
    run = begun(project)
    decisions.restore(["b"])
    decisions.demote(["b"])
    trash_older_versions(project)
    empty_trash(project)
    go_back_to_start(decisions, run)
    assert project.state("b").status is Status.EXCLUDED


def test_the_brush_becomes_again_what_it_was(project, decisions):
    first = np.zeros((HEIGHT, WIDTH), np.int8)
    first[3:9, 3:9] = 1
    decisions.paint("b", lambda _: first)
    run = begun(project)
    decisions.paint("b", lambda _: -first)
    decisions.paint("c", lambda _: first)
    go_back_to_start(decisions, run)
    np.testing.assert_array_equal(project.person("b"), first)
    assert project.person("c") is None


def test_what_differs_now_is_told_but_for_notes(project, decisions):
    run = begun(project)
    decisions.promote(["b"])
    decisions.annotate(["c"], note="dark")
    decisions.set_masks(THEN)
    told = [change.words for change in changes_since_start(project, run)]
    assert len(told) == 3
    assert told[0].startswith("thresholds")
    assert "b: status unlabelled → promoted" in told
    go_back_to_start(decisions, run)
    assert changes_since_start(project, run) == ()


def test_an_older_run_is_known_by_the_time_it_was_started(project, decisions):
    decisions.promote(["b"])
    decisions.set_masks(THEN)
    before = states(project)
    run = a_run(project.folder)
    begin = datetime.now(UTC)
    log(run, started(labelled=("a", "b"), unlabelled=("c", "d")), begin=begin)
    while datetime.now(UTC) < begin + timedelta(milliseconds=2):
        pass  # the journal counts milliseconds
    decisions.demote(["b"])
    decisions.promote(["b", "c"])
    stand = start_state_in(project, run)
    assert (stand.labelled, stand.promoted) == (("a",), {"b": "labels/b/1.exr"})
    assert stand.masks == THEN
    go_back_to_start(decisions, run)
    assert states(project) == before


def test_a_run_without_anything_has_a_stand_all_the_same(project):
    run = a_run(project.folder)
    run.start_path.write_text("[]", encoding="utf-8")
    assert read_start_state(run).labelled == ()
    assert start_state_in(project, run).promoted == {}


def test_the_layout_of_then_is_handed_over(project, decisions):
    run = begun(project)
    assert layout_at_start(run) is None
    run.window_path.write_text('{"columns": 3}', encoding="utf-8")
    assert go_back_to_start(decisions, run).layout == {"columns": 3}
    run.window_path.write_text("[1", encoding="utf-8")
    assert layout_at_start(run) is None


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["promote", "demote", "exclude", "restore", "undo", "redo", "masks"]),
        st.sampled_from("bcd"),
    ),
    max_size=8,
)


@given(before=DEEDS, after=DEEDS)
def test_back_is_back_whatever_was_decided(tmp_path_factory, before, after):
    with a_project(tmp_path_factory.mktemp("project")) as project:
        decisions = Decisions(project)
        _do(decisions, before)
        run, then = begun(project), project.ledger()
        _do(decisions, after)
        now = project.ledger()
        go_back_to_start(decisions, run)
        assert differing_scenes(project.ledger(), then) == ()
        assert project.ledger().masks == then.masks
        if differing_scenes(now, then) or now.masks != then.masks:
            decisions.undo()
        assert differing_scenes(project.ledger(), now) == ()
        assert project.ledger().masks == now.masks


def _do(decisions, deeds):
    for deed, scene in deeds:
        try:
            if deed in ("undo", "redo"):
                getattr(decisions, deed)()
            elif deed == "masks":
                decisions.set_masks(MaskSettings(tau_patch=0.1 * "abcd".index(scene)))
            else:
                getattr(decisions, deed)([scene])
        except ProjectError:
            continue  # not allowed of that scene now
