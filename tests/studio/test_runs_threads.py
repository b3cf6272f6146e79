"""What threads find out about runs: cheaply, and no more than is there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_folders import checked, fabricate, over, preview, round_told, say, stepped

from smarthdr_studio.core.display import DisplaySettings
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training import run_log
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.trust.masking import Level, MaskSettings
from smarthdr_studio.studio.runs import controller as looking
from smarthdr_studio.studio.runs.comparison import (
    _thresholds,
    facts_of,
    figures_of,
    read_run_curves,
    tell_of_runs,
)
from smarthdr_studio.studio.runs.controller import RunsSeen, look_at_runs, titles_of
from smarthdr_studio.studio.runs.pictures import read_run_pictures
from smarthdr_studio.studio.runs.rollback import find_way_back, go_way_back
from smarthdr_studio.studio.widgets.controls import percent


def silent(_text, _done, _total):
    return


def look(project, known=None):
    return look_at_runs(silent, runs=project / "runs", known=known or RunsSeen())


@pytest.fixture
def two(fresh_project):
    """A run that is done and a later one that was interrupted."""
    fabricate(
        fresh_project,
        "20261124-100000-quick",
        round_told(1, 2),
        checked(4, 31.0),
        checked(8, 30.0),
        over("20261124-100000-quick"),
        journal=1,
    )
    fabricate(
        fresh_project,
        "20261125-100000-quick",
        stepped(1),
        round_told(1, 2, retained=0.25),
        round_told(2, 4),
        checked(4, 33.0),
        epochs=9,
        journal=1,
        promoted={"003": "labels/003/2.exr"},
        unlabelled=("004",),
    )
    return fresh_project


def test_a_second_look_reads_nothing_while_nothing_is_new(two, monkeypatch):
    first = look(two)
    assert [row.status for row in first.rows] == ["interrupted", "done"]
    monkeypatch.setattr(looking, "row_of", None)  # whoever reads a run fails
    assert look(two, first) is first


def test_only_the_run_that_has_said_something_is_read_again(two, monkeypatch):
    first, read = look(two), []
    say(two / "runs" / "20261125-100000-quick", stepped(5))
    monkeypatch.setattr(looking, "row_of", lambda run: read.append(run.id) or row_of(run))
    second = look(two, first)
    assert read == ["20261125-100000-quick"]
    assert second.rows[0].step == 5
    assert second.rows[1] is first.rows[1]


def test_a_run_is_at_work_while_its_lock_is_held_and_interrupted_then(two):
    run = two / "runs" / "20261125-100000-quick"
    with run_lock(run):
        held = look(two)
        assert held.rows[0].status == "running"
    left = look(two, held)
    assert left.rows[0].status == "interrupted"
    assert left.rows[0].resumable


def test_runs_that_come_and_go_are_noticed(two):
    first = look(two)
    fabricate(two, "20261126-100000-paper")
    more = look(two, first)
    assert next(row.id for row in more.rows) == "20261126-100000-paper"
    (two / "runs" / "20261126-100000-paper").rename(two / "elsewhere")
    assert [row.id for row in look(two, more).rows] == [row.id for row in first.rows]


def test_a_project_without_runs_has_none(fresh_project):
    assert look(fresh_project).rows == ()


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=8, unique=True), st.data())
def test_no_two_runs_are_called_alike(tmp_path_factory, seconds, data):
    folder = tmp_path_factory.mktemp("runs")
    rows = []
    for number, each in enumerate(seconds):
        name = f"202611{25 + each // 86400}-{each % 86400 // 3600:02}{each // 60 % 60:02}"
        name += f"{each % 60:02}-{data.draw(st.sampled_from(('quick', 'paper')))}-{number}"
        (folder / name).mkdir()
        rows.append(row_of(RunFolder(folder / name)))
    assert len(set(titles_of(rows).values())) == len(rows)


def test_the_best_figure_is_told_only_where_one_is_better(two):
    rows = look(two).rows
    best = {each.name: each.best for each in figures_of(rows)}
    assert best["best PSNR-μ"] == 0
    assert best["rounds"] is None  # more of them are no merit
    assert all(each.best is None for each in figures_of((rows[0], rows[0])))


def test_one_run_is_told_with_its_diary_and_how_it_differs_from_its_preset(two):
    told = tell_of_runs(folder=two, rows=look(two).rows[:1])
    assert any("round 2" in line.text for line in told.diary)
    epochs = next(each for each in told.plans if each.name == "Schedule: Epochs")
    assert epochs.values == ("10 epochs", "9 epochs")
    parts = {each.name: each.values for each in told.labels}
    assert parts["promoted"] == ("1", "003 (2)")
    assert parts["held out"] == ("1", "002")


def test_a_retained_share_is_told_as_in_the_table_of_runs(two):
    rows = look(two).rows
    shares = {percent(row.retained) for row in rows if row.retained is not None}
    (held,) = (each for each in figures_of(rows) if each.name == "last retained")
    assert shares
    assert set(held.values) == {*shares, *("–" for row in rows if row.retained is None)}
    for row in rows:
        told = {each.name: each.value for each in facts_of(row)}
        assert told.get("last retained") == (
            None if row.retained is None else percent(row.retained)
        )


def test_one_epoch_of_a_plan_is_told_as_one(two):
    told = tell_of_runs(folder=two, rows=look(two).rows[:1])
    warm_up = next(each for each in told.plans if each.name == "Schedule: Warm-up")
    assert warm_up.values == ("4 epochs", "1 epoch")


def test_of_several_runs_only_differences_are_told(two):
    told = tell_of_runs(folder=two, rows=look(two).rows)
    assert [each.name for each in told.plans] == ["Schedule: Epochs"]
    assert {each.name: each.values for each in told.labels} == {
        "003": ("promoted (2)", "unlabelled")
    }
    assert told.label_words == "1 scene differs, 3 are the same, as they began."
    assert told.plan_words == "1 setting differs, 72 are the same."
    assert told.figure_words == ""


def test_thresholds_of_runs_are_told_with_all_decimals_that_count():
    masks = [MaskSettings(tau_patch=0.305), MaskSettings(tau_patch=0.41), None]
    (told,) = (each for each in _thresholds(masks) if each.name == "threshold τ_pa")
    assert told.values == ("0.305", "0.41", "–")


def test_how_scores_were_made_is_told_where_it_differs_and_where_a_run_is_looked_at():
    other = MaskSettings(patches=Level(scope="scene", normalisation="percentile"), patch_size=32)
    told = _thresholds([MaskSettings(), other, None])
    assert {each.name: each.values for each in told} == {
        "threshold τ_pa": ("0.40", "0.40", "–"),
        "threshold τ_pi": ("0.40", "0.40", "–"),
        "scores S_pa": ("min–max over the pool", "percentiles 1–99 over the scene", "–"),
        "patches": ("64 px", "32 px", "–"),
    }
    assert _thresholds([other, other]) == _thresholds([None, None]) == []


def test_where_only_masks_differ_no_scene_is_counted(two):
    fabricate(two, "20261126-100000-quick", checked(2, 40.0), journal=1)
    sharper = MaskSettings(tau_patch=0.3)
    fabricate(two, "20261126-110000-quick", checked(2, 40.0), journal=1, masks=sharper)
    rows = [row for row in look(two).rows if row.id.startswith("20261126-1")]
    told = tell_of_runs(folder=two, rows=rows)
    assert told.label_words == "Only masks differ; 4 scenes are the same, as they began."
    assert [each.name for each in told.labels] == ["threshold τ_pa"]
    alone = tell_of_runs(folder=two, rows=rows[:1])
    assert alone.labels[1].values == (
        "",
        "S_pa min–max over the pool, S_pi min–max over the scene",
    )


def test_runs_checked_on_other_labels_are_told_to_be(two):
    fabricate(two, "20261126-100000-paper", checked(2, 40.0), journal=1, held_out=("001",))
    told = tell_of_runs(folder=two, rows=look(two).rows)
    assert "same held-out labels" in told.figure_words


def test_a_run_without_a_plan_is_told_in_words(fresh_project):
    run = fabricate(fresh_project, "20261125-100000-quick")
    (run / "plan.toml").unlink()
    told = tell_of_runs(folder=fresh_project, rows=look(fresh_project).rows)
    assert told.plans == ()
    assert "no such file" in told.plan_words


def pictures(project, **how):
    rows = look(project).rows
    asked = {"scene": "003", "common": True, **how}
    return read_run_pictures(
        silent,
        runs=[row.folder for row in rows],
        display=DisplaySettings(),
        **asked,
    )


def test_pictures_are_of_the_last_round_all_have_made_or_of_the_last_of_each(two):
    late, early = (row.folder for row in look(two).rows)
    for number in (1, 2):
        preview(late, number, "003", grey=100 + number)
    preview(early, 1, "003", grey=50)
    assert [each.round for each in pictures(two)] == [1, 1]
    assert [each.round for each in pictures(two, common=False)] == [2, 1]
    assert all(each.small for each in pictures(two))
    assert np.allclose(pictures(two)[1].rgb8, 50, atol=2)


def test_a_run_without_rounds_keeps_no_other_from_being_shown(two):
    late = look(two).rows[0].folder
    preview(late, 2, "003", grey=100)
    shown = pictures(two)
    assert (shown[0].round, shown[1].round) == (2, None)
    assert shown[1].rgb8 is None


def test_a_scene_that_took_no_part_has_no_picture(two):
    preview(look(two).rows[0].folder, 1, "003", grey=100)
    assert pictures(two, scene="001")[0].rgb8 is None


def test_the_way_back_tells_what_it_then_does_and_one_undo_takes_it_back(tiny_project):
    with Project.open(tiny_project) as project:
        moment = project.entries()[-1].seq
    fabricate(tiny_project, "20261125-100000-quick", journal=moment)
    with Project.open(tiny_project) as project:
        pen = Decisions(project)
        pen.promote(["003"])
        pen.set_masks(MaskSettings(tau_patch=0.2))
    way = find_way_back(folder=tiny_project, run="20261125-100000-quick")
    assert way.changes == (("becomes unlabelled", ("003 (is promoted)",)),)
    assert "→" in way.thresholds
    go_way_back(silent, folder=tiny_project, run="20261125-100000-quick")
    assert find_way_back(folder=tiny_project, run="20261125-100000-quick").empty
    with Project.open(tiny_project) as project:
        Decisions(project).undo()
        assert str(project.statuses()["003"]) == "promoted"
        assert project.ledger().masks.tau_patch == 0.2


def test_curves_that_are_known_are_read_on_not_anew(two, monkeypatch):
    rows = look(two).rows[:1]
    first = read_run_curves(silent, rows=rows, known=None)
    run = rows[0].folder
    say(run, stepped(5), checked(6, 34.0))
    begun = []
    monkeypatch.setattr(run_log, "chunks", lambda path, start: begun.append(start) or [])
    read_run_curves(silent, rows=rows, known=first)
    assert begun == [first.curves[run.name].read_to]
    monkeypatch.undo()
    on = read_run_curves(silent, rows=rows, known=first).curves[run.name].series
    anew = read_run_curves(silent, rows=rows, known=None).curves[run.name].series
    assert on.keys() == anew.keys()
    assert all(np.array_equal(on[name], anew[name]) for name in on)
