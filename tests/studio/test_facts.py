"""What is known of every scene at a glance, and what is found out while somebody looks."""

import dataclasses

import numpy as np
import pytest

from smarthdr_studio.core.curation.clues import ClueRecord
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.studio.curation.scene_facts import SceneLines, Wanted, find_figures, read_kept
from smarthdr_studio.studio.project import pool
from smarthdr_studio.studio.state import Centre

STATUSES = {"001": Status.GROUND_TRUTH, "003": Status.UNLABELLED, "004": Status.UNLABELLED}


def quiet(*_):
    """Nobody asks how far it is."""


def test_lines_are_made_anew_only_where_something_is_new():
    lines = SceneLines()
    first = lines.made(STATUSES, {"003": 0.5, "004": 0.7}, {"003": 0.01})
    assert lines.made(STATUSES, {"003": 0.5, "004": 0.7}, {"003": 0.01}) is first
    second = lines.made(STATUSES, {"003": 0.4, "004": 0.7}, {"003": 0.01})
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, False, True]
    lines.psnr_mu["001"] = 31.0
    assert lines.made(STATUSES, {"003": 0.4, "004": 0.7}, {"003": 0.01}) is second
    lines.touch(["001"])
    third = lines.made(STATUSES, {"003": 0.4, "004": 0.7}, {"003": 0.01})
    assert third[0].psnr_mu == 31.0
    assert [a is b for a, b in zip(second, third, strict=True)] == [False, True, True]


def test_a_line_says_all_that_is_known():
    lines = SceneLines()
    shares = np.array([[0.1, 0.2, 0.3, 0.5], [np.nan, np.nan, np.nan, np.nan]])
    lines.take_history(
        RunHistory(
            run="r",
            records=(),
            scenes=("003", "004"),
            shares=shares,
            replayable=frozenset(),
            psnr_mu=(),
        )
    )
    _, third, fourth = lines.made(STATUSES, {"003": 0.5}, {"003": 0.01})
    assert third.rounds == (0.1, 0.2, 0.3, 0.5)
    assert third.trend == pytest.approx(0.4)
    assert (third.retained, third.sigma_mean) == (0.5, 0.01)
    assert (fourth.rounds, fourth.trend, fourth.retained) == ((), None, None)


def test_every_field_of_a_line_outlives_a_threshold():
    lines = SceneLines()
    lines.made(STATUSES, {}, {})
    full = SceneFacts(
        id="003",
        status=Status.UNLABELLED,
        trend=0.1,
        motion=0.2,
        saturation=0.3,
        psnr_mu=30.0,
        painted=0.4,
        rounds=(0.5,),
        tags=("a",),
        note="b",
        reviewed=True,
        whole=True,
        pixels=12,
    )
    lines._plain["003"] = full
    made = lines.made(STATUSES, {"003": 0.6}, {"003": 0.7})[1]
    assert made == dataclasses.replace(full, retained=0.6, sigma_mean=0.7)


def test_notes_tags_and_brush_come_from_the_journal(opened, until, tiny_project):
    mask = np.zeros((96, 128), np.int8)
    mask[:48] = 1
    with Project.open(tiny_project) as project:
        pen = Decisions(project)
        pen.annotate(["003"], note="look again", add=["indoor"])
        pen.paint("004", lambda _: mask)
    until(opened.session, lambda s: s.row("004").painted == 0.5)
    row = opened.session.state.row("003")
    assert (row.note, row.tags, row.pixels) == ("look again", ("indoor",), 96 * 128)


def test_nothing_is_looked_at_before_somebody_looks(opened, until, tiny_project):
    assert all(row.motion is None for row in opened.session.state.scenes)
    opened.session.inspection.table.show(str(Centre.TABLE))
    until(
        opened.session,
        lambda s: all(row.motion is not None for row in s.scenes) and not s.table.work,
    )
    rows = {row.id: row for row in opened.session.state.scenes}
    assert all(rows[name].psnr_mu is not None for name in ("003", "004", "005", "006"))
    assert rows["001"].psnr_mu is None  # no pseudo-label to hold against its ground truth
    with Project.open(tiny_project) as project:
        kept = project.figures("clues")
        assert len(kept) == 7
        assert ClueRecord.from_bytes(kept["003"][1]).motion == pytest.approx(rows["003"].motion)


def test_what_was_found_is_kept_until_its_files_change(tiny_project, label_again):
    wanted = Wanted(look=("003",), measure=("003", "004"))
    found = find_figures(quiet, folder=tiny_project, wanted=wanted)
    kept = read_kept(folder=tiny_project)
    assert kept.psnr_mu == found.psnr_mu
    assert kept.records.keys() == {"003"}
    assert "003" not in kept.unseen
    assert set(kept.unmeasured) == {"005", "006"}
    with Project.open(tiny_project) as project:
        label_again(project, "003", at_round=4)
    again = read_kept(folder=tiny_project)
    assert again.psnr_mu.keys() == {"004"}
    assert again.unmeasured[0] == "003"


def test_a_scene_that_cannot_be_read_costs_only_itself(tiny_project, dataset):
    (dataset / "Training" / "003" / "2.tif").unlink()
    (dataset / "Training" / "004" / "HDRImg.hdr").write_bytes(b"nothing")
    wanted = Wanted(look=("003", "005"), measure=("004", "005"))
    found = find_figures(quiet, folder=tiny_project, wanted=wanted)
    assert found.records.keys() == {"005"}
    assert found.psnr_mu["004"] is None
    assert found.psnr_mu["005"] > 0


def test_looking_can_be_given_up(opened, until):
    facts = opened.session.inspection.facts
    opened.session.inspection.table.show(str(Centre.TABLE))
    facts.give_up()
    until(opened.session, lambda s: not s.table.work)
    left = [row for row in opened.session.state.scenes if row.motion is None]
    assert left
    opened.session.inspection.table.show(str(Centre.PICTURES))
    opened.session.inspection.table.show(str(Centre.GALLERY))
    until(opened.session, lambda s: all(row.motion is not None for row in s.scenes))


def test_charts_of_a_large_pool_follow_from_a_thread_and_say_the_same(
    session, until, tiny_project, monkeypatch
):
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.what_if is not None)
    strict = dataclasses.replace(session.state.masks, tau_patch=0.31, tau_pixel=0.2)
    first = session.state.what_if
    session.screen.move_masks(strict)
    until(session, lambda s: s.what_if != first)
    at_once, pixels = session.state.what_if, session.state.charts.pixels
    session.screen.move_masks(dataclasses.replace(strict, tau_patch=0.9))
    until(session, lambda s: s.what_if != at_once)
    monkeypatch.setattr(pool, "CHARTED_AT_ONCE", 0)
    session.screen.move_masks(strict)
    until(session, lambda s: s.what_if == at_once)
    assert np.array_equal(session.state.charts.pixels, pixels)
