"""A label_set outlives a checkpoint, and what changed between two is said in words."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.errors import ForeignPlace, PlanError
from smarthdr_studio.core.imaging.bracket import FrameReading
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.learning.label_set import (
    LabelFile,
    LabelSet,
    choose_held_out,
    held_out_count,
    label_changes,
)
from smarthdr_studio.learning.run_setup import open_run

PROJECT = Path("/somewhere/p.shdr")
NAMES = st.sampled_from([f"{number:03d}" for number in range(8)])


def _files_of(drawn):
    """Each scene with a file of its own labels."""
    return {
        name: LabelFile(
            path=PROJECT / "labels" / name / f"{number}.exr", checksum=checksum, whole=whole
        )
        for name, (number, checksum, whole) in drawn.items()
    }


FILES = st.dictionaries(
    NAMES,
    st.tuples(
        st.integers(1, 9), st.none() | st.sampled_from(["ab" * 32, "cd" * 32]), st.booleans()
    ),
).map(_files_of)
IDS = st.sets(NAMES).map(lambda names: tuple(sorted(names)))
ROSTERS = st.builds(
    LabelSet,
    labelled=IDS,
    promoted=FILES,
    unlabelled=IDS,
    masks=st.builds(MaskSettings, tau_patch=st.floats(0, 1), tau_pixel=st.floats(0, 1)),
    held_out=IDS,
    truths=FILES,
    brushes=st.dictionaries(NAMES, st.sampled_from(["12" * 32, "34" * 32])),
    damaged=st.dictionaries(NAMES, st.just("v.exr: is gone; restore it")),
    reading=st.none()
    | st.builds(
        FrameReading,
        response=st.none() | st.just(ResponseCurve(tables=((0.0, 0.25, 1.0),))),
        aligned=st.booleans(),
    ),
)
PLAIN = LabelSet(labelled=("a",), promoted={}, unlabelled=("u",), masks=MaskSettings())
FILE = LabelFile(path=PROJECT / "labels/u/1.exr", checksum="ab" * 32)


@given(ROSTERS)
def test_a_roster_comes_back_from_its_state(label_set):
    assert LabelSet.from_state(label_set.state(project=PROJECT), project=PROJECT) == label_set


@given(ROSTERS)
def test_where_nothing_changed_nothing_is_said(label_set):
    assert label_changes(label_set, label_set) == ()


@given(ROSTERS, IDS)
def test_what_is_held_out_or_set_aside_is_never_learned_from(label_set, names):
    for left in (
        label_set.holding_out(names),
        label_set.setting_aside(dict.fromkeys(names, "is gone")),
    ):
        assert not {name for name, _ in left.labels} & set(names)
        assert not set(left.unlabelled) & set(names)


def test_a_state_is_read_without_running_code(tmp_path):
    label_set = replace(PLAIN, promoted={"u": FILE}, brushes={"v": "12" * 32})
    torch.save(label_set.state(project=PROJECT), tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert LabelSet.from_state(state, project=PROJECT) == label_set


@pytest.mark.parametrize(
    "path", ["../../home/letter.exr", "/etc/letter.exr", "labels/v/1.exr", "project.sqlite", ""]
)
def test_a_checkpoint_that_speaks_of_other_files_is_refused(path):
    for file in (path, {"path": path, "checksum": None, "whole": True}):
        state = PLAIN.state(project=PROJECT) | {"promoted": {"u": file}}
        with pytest.raises(ForeignPlace, match="no label of u"):
            LabelSet.from_state(state, project=PROJECT)


def test_a_checkpoint_of_an_earlier_version_still_resumes():
    state = PLAIN.state(project=PROJECT) | {"promoted": {"u": "labels/u/1.exr"}}
    for later in ("truths", "brushes", "damaged", "reading"):
        del state[later]
    found = LabelSet.from_state(state, project=PROJECT)
    assert found == replace(PLAIN, promoted={"u": LabelFile(path=FILE.path)})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"brushes": {"u": "12"}}, "u: the brush is new from this round on"),
        ({"brushes": {"u": "12"}}, {}, "u: the brush is gone from this round on"),
        (
            {"brushes": {"u": "12"}},
            {"brushes": {"u": "34"}},
            "u: the brush is new from this round on",
        ),
        (
            {"promoted": {"p": FILE}},
            {"promoted": {"p": replace(FILE, whole=True)}},
            "p: every pixel of its label counts from this round on",
        ),
        (
            {},
            {"truths": {"a": FILE}},
            "a: learns from an imported ground truth from this round on",
        ),
        (
            {"promoted": {"p": FILE}},
            {"damaged": {"p": "1.exr: is gone; restore it"}},
            "p: is left out from this round on, because 1.exr: is gone; restore it",
        ),
        (
            {"reading": FrameReading()},
            {"reading": FrameReading(aligned=True)},
            "frames are read with gamma 2.2, aligned from this round on, were read with gamma 2.2",
        ),
    ],
)
def test_each_change_is_one_sentence(before, after, said):
    then, now = replace(PLAIN, **before), replace(PLAIN, **after)
    assert label_changes(then, now) == (said,)
    later = said.replace("from this round on", "from the next run on")
    assert label_changes(then, now, since="from the next run on") == (later,)


@pytest.mark.parametrize(
    ("asked", "held"), [(0, 0), (1, 1), (2, 2), (3, None), (99, None), ("auto", 1)]
)
def test_more_labels_than_there_are_cannot_be_held_out(project, make_plan, asked, held):
    plan = make_plan(held_out=asked)
    if held is not None:
        run, _folder = open_run(plan, project, resume=None)
        assert len(run.label_set.held_out) == held
        return
    with pytest.raises(PlanError, match=rf"held_out is {asked}, .* 3 ground truths.* at most 2"):
        open_run(plan, project, resume=None)
    assert not list(project.glob("runs/*"))


def test_the_only_label_is_learned_from_whatever_a_preset_holds_out():
    lone = replace(PLAIN, labelled=("a",))
    assert held_out_count(load_preset("quick"), lone) == 1
    assert choose_held_out(lone.labelled, count=1, seed=0) == ()
    with pytest.raises(PlanError, match="there is 1 ground truth"):
        held_out_count(load_preset("quick", changes={"held_out": 2}), lone)
