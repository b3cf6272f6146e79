"""Looking closer: clues, regions, thresholds, evidence and rounds, by a session alone."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.display import Layer, Painter
from smarthdr_studio.core.display.layer_data import ErrorMaps
from smarthdr_studio.core.imaging.metrics import SplitQuality, split_quality
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import Validated, as_json
from smarthdr_studio.core.training.rounds import RoundRecord, history_path, write_record
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.causes import Reason
from smarthdr_studio.core.trust.masking import MaskSettings, Range, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.trust.reliability import Part, part_flags
from smarthdr_studio.studio.state import Notice, Offer, StudioState
from smarthdr_studio.studio.trust import inspector
from smarthdr_studio.studio.trust.thresholds_panel import ThresholdsPanel
from smarthdr_studio.studio.trust.what_if import MOST_SNAPSHOTS
from smarthdr_studio.studio.widgets.controls import percent

RUN = "20260101-000000-tiny"
POOL = ("003", "004", "005", "006")
STRICT = MaskSettings(tau_patch=0.3, tau_pixel=0.2)


@pytest.fixture
def looking(session, until, tiny_project):
    """A session whose scene has been looked at closely."""
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.pool is not None and s.clues_known)
    return session


@pytest.fixture
def three_rounds(tiny_project):
    """A run of three rounds in which σ fell; only records are left of it."""
    with Project.open(tiny_project) as project:
        sigmas = {s: read_pseudo_label(project.pseudo_path(s)).sigma for s in POOL}
    folder = tiny_project / "runs" / RUN
    (folder / "history").mkdir(parents=True)
    (folder / "plan.toml").write_text("")
    for number, times in ((1, 3.0), (2, 2.0), (3, 1.0)):
        known = {s: sigma * np.float32(times) for s, sigma in sigmas.items()}
        record = RoundRecord(
            round=number,
            step=number * 10,
            epoch=number,
            masks=STRICT,
            patch_range=Range(0.01, 0.3),
            pixel_range=None,
            statistics={s: SceneStatistics.of(sigma).coarser(32) for s, sigma in known.items()},
            retained=dict.fromkeys(POOL, number / 10),
            columns=dict.fromkeys(POOL, 2),
        )
        write_record(history_path(folder, number), record)
    return folder


def test_a_region_is_counted_as_numpy_counts_it(looking, until, tiny_project):
    region = Region.rectangle((10.0, 20.0), (100.0, 80.0))
    looking.screen.move_masks(STRICT)
    looking.inspection.inspector.mark(region)
    until(looking, lambda s: s.report is not None)
    report = looking.state.report
    with Project.open(tiny_project) as project:
        label = read_pseudo_label(project.pseudo_path("003"))
    found = trust(
        label.sigma, STRICT, patch_range=looking.screen.ranges(["003"])["003"][0]
    ).trusted[20:80, 10:100]
    assert report.pixels == found.size
    assert report.retained == pytest.approx(found.mean())
    sigma = next(figures for figures in report.layers if figures.name == "Uncertainty σ")
    assert sigma.mean == pytest.approx(label.sigma[20:80, 10:100].mean(), rel=1e-4)
    assert looking.state.explanation is report.explanation


def test_a_region_follows_the_thresholds_and_goes_with_its_scene(looking, until):
    looking.inspection.inspector.mark(Region.rectangle((0.0, 0.0), (128.0, 96.0)))
    until(looking, lambda s: s.report is not None)
    before = looking.state.report.retained
    looking.screen.move_masks(STRICT)
    until(looking, lambda s: s.report is not None and s.report.retained != before)
    assert looking.state.report.retained == pytest.approx(looking.state.retained)
    looking.screen.pick("004")
    until(looking, lambda s: s.shown == "004")
    assert looking.state.region is None
    assert looking.state.report is None


def test_histograms_count_the_pool_the_scene_or_the_region(looking, until):
    counts = {}
    looking.inspection.inspector.mark(Region.rectangle((0.0, 0.0), (40.0, 40.0)))
    until(looking, lambda s: s.report is not None)
    for scope in ("scene", "region", "pool"):
        looking.inspection.set_scope(scope)
        until(looking, lambda s, scope=scope: s.charts is not None and s.charts.scope == scope)
        counts[scope] = int(looking.state.charts.patches.sum())
    assert counts == {"scene": 4, "region": 1, "pool": 16}


def test_every_untrusted_pixel_has_a_reason_and_no_trusted_one(looking, until):
    looking.screen.move_masks(STRICT)
    looking.inspection.viewing.set_layer(0, Layer.REASONS)
    until(looking, lambda s: looking.screen.stage.material.reasons is not None)
    of = looking.screen.stage.material
    assert np.array_equal(of.reasons == Reason.TRUSTED, of.trust.trusted)


def test_the_least_trusted_region_is_the_patch_of_the_greatest_mean(looking, until):
    wanted = []
    looking.inspection.look_wanted.connect(wanted.append)
    looking.inspection.thresholds.least_trusted()
    until(looking, lambda s: s.report is not None)
    # Every scene is less sure than the one before, and σ rises to the right.
    assert looking.state.shown == "006"
    assert looking.state.region.points[0] == (64.0, 0.0)
    assert wanted == [looking.state.region]
    looking.inspection.thresholds.least_trusted()
    until(looking, lambda s: s.shown == "005" and s.region is not None)
    # A scene that leaves the pool takes no other's turn.
    looking.curating.promote(("005",))
    until(looking, lambda s: s.row("005").status is Status.PROMOTED and s.pool.scenes == 3)
    for scene in ("004", "003", "006"):
        looking.inspection.thresholds.least_trusted()
        until(looking, lambda s, scene=scene: s.shown == scene)


def test_where_the_least_trusted_is_gone_to_no_notice_offers_it_any_more(looking, until):
    offer = Offer(text="Least trusted", tip="", asks="least_trusted", about="")
    looking.tell(Notice(text="13 pseudo-labels.", offers=(offer,)))
    looking.inspection.thresholds.least_trusted()
    assert looking.state.notice is None


def test_while_a_past_round_is_on_the_screen_it_is_not_promoted_and_thresholds_act_on_it(
    looking, until, three_rounds
):
    history = looking.inspection.history
    history.refresh()
    until(looking, lambda s: s.history is not None)
    history.pick(1)
    until(looking, lambda s: looking.screen.stage.material.masks == STRICT)
    looking.curating.promote(("003",))
    assert "go back to now" in looking.state.notice.text
    assert looking.state.row("003").status is Status.UNLABELLED
    moved = replace(looking.state.masks, tau_pixel=0.77)
    looking.screen.move_masks(moved)
    assert looking.screen.stage.material.masks == moved
    until(looking, lambda s: s.heat.now)
    assert looking.state.replay == 1
    history.pick(None)
    looking.curating.promote(("003",))
    until(looking, lambda s: s.row("003").status is Status.PROMOTED)


def test_dropping_a_share_moves_the_thresholds_until_it_is_dropped(looking, until):
    looking.inspection.evidence.set_scope("pool")
    looking.inspection.thresholds.drop_settled(0.4)
    assert looking.state.pool.retained == pytest.approx(0.6, abs=0.02)
    assert looking.state.undo is not None
    looking.curating.undo()
    assert looking.state.masks == MaskSettings()


def test_pairs_set_aside_are_lettered_counted_again_and_dropped(looking, until):
    controller = looking.inspection.thresholds
    controller.keep_snapshot()
    looking.curating.settle_masks(STRICT)
    controller.keep_snapshot()
    kept = looking.state.snapshots
    assert [each.name for each in kept] == ["A", "B"]
    assert kept[1].pool == looking.state.pool.retained
    looking.screen.pick("006")
    until(looking, lambda s: s.shown == "006" and s.clues_known)
    assert looking.state.snapshots[1].scene == pytest.approx(looking.state.retained)
    controller.keep_snapshot()
    assert len(looking.state.snapshots) == 2
    assert "B is this pair" in looking.state.notice.text
    looking.curating.settle_masks(MaskSettings(tau_patch=0.7))
    controller.drop_snapshot("A")
    controller.keep_snapshot()
    assert [each.name for each in looking.state.snapshots] == ["B", "A"]


def test_a_scene_that_is_gone_back_to_is_not_looked_into_again(looking, until, monkeypatch):
    asked, compared = [], []
    find, compare = inspector.find_clues, ErrorMaps.of
    monkeypatch.setattr(
        inspector, "find_clues", lambda *, bracket: asked.append(bracket) or find(bracket=bracket)
    )
    monkeypatch.setattr(ErrorMaps, "of", lambda *both: compared.append(both) or compare(*both))
    session = looking
    for scene in ("004", "003", "004"):
        session.screen.pick(scene)
        until(session, lambda s, scene=scene: s.shown == scene and s.clues_known)
        until(session, lambda s: session.at_rest and isinstance(s.quality, SplitQuality))
    assert len(asked) == len(compared) == 1
    held = session.inspection.inspector.held_bytes + session.inspection.truth.held_bytes
    assert held == 2 * (session.screen.stage.clues.nbytes + session.screen.stage.errors.nbytes)


def test_a_scene_that_is_gone_back_to_is_shown_in_the_very_same_pictures(looking, until):
    def pictures(scene):
        looking.screen.pick(scene)
        until(looking, lambda s: s.shown == scene and s.clues_known and looking.at_rest)
        return [looking.screen.painted_view(k).rgb8 for k in range(len(looking.state.views))]

    first, other, again = pictures("004"), pictures("003"), pictures("004")
    assert all(one is once_more for one, once_more in zip(first, again, strict=True))
    assert not any(one is another for one, another in zip(first, other, strict=True))


def test_what_moved_meanwhile_is_made_anew_in_a_scene_that_is_gone_back_to(looking, until):
    looking.screen.pick("004")
    until(looking, lambda s: s.shown == "004")
    looking.screen.pick("003")
    until(looking, lambda s: s.shown == "003")
    looking.screen.move_masks(STRICT)
    looking.screen.pick("004")
    until(looking, lambda s: s.shown == "004")
    stage = looking.screen.stage
    pool = looking.screen.retention
    told = trust(
        stage.material.sigma,
        STRICT,
        patch_range=pool.patch_range,
        pixel_range=pool.pixel_range,
    )
    assert np.array_equal(stage.material.trust.trusted, told.trusted)
    settings = looking.state.display
    fresh = Painter().paint(Layer.PATCH_MASK, stage.material, settings)
    assert np.array_equal(stage.paint(Layer.PATCH_MASK, settings).rgb8, fresh.rgb8)


def test_no_more_pairs_are_set_aside_than_can_be_compared(looking):
    for step in range(MOST_SNAPSHOTS + 1):
        looking.curating.settle_masks(MaskSettings(tau_patch=step / 20))
        looking.inspection.thresholds.keep_snapshot()
    assert len(looking.state.snapshots) == MOST_SNAPSHOTS
    assert "drop one first" in looking.state.notice.text


def test_what_if_counts_the_crops_of_the_pool(looking, until):
    until(looking, lambda s: s.what_if is not None)
    known = looking.state.what_if
    assert known.pixels == 4 * 96 * 128
    assert known.trusted_pixels == pytest.approx(
        looking.state.pool.retained * known.pixels, rel=0.01
    )
    assert known.crops_at_least <= known.crops_at_most <= known.crops
    assert known.epoch_seconds is None  # no run has said how fast it is


def test_psnr_of_trusted_and_untrusted_pixels_is_told_where_the_truth_is_known(looking, until):
    looking.screen.move_masks(STRICT)
    trusted = looking.screen.stage.material.trust.trusted
    until(looking, lambda s: s.quality and s.quality.kept.pixels == trusted.sum())
    kept, dropped = looking.state.quality.kept, looking.state.quality.dropped
    assert (kept.pixels, dropped.pixels) == (trusted.sum(), (~trusted).sum())
    assert np.isfinite([kept.psnr_mu, kept.psnr_l, dropped.psnr_mu, dropped.psnr_l]).all()


def test_no_ground_truth_is_said_only_where_there_is_none(looking, until):
    until(looking, lambda s: isinstance(s.quality, SplitQuality))
    stage = looking.screen.stage
    known = stage.material
    stage.material = replace(known, trust=None)
    assert stage.why_not_compared() == "no pseudo-label of this scene to compare"
    stage.material = replace(known, ground_truth=None)
    assert stage.why_not_compared() == "no ground truth here"


def test_evidence_of_the_scene_is_measured_while_somebody_looks(looking, until):
    assert looking.state.evidence.shown is None
    looking.inspection.look_at_evidence(seen=True)
    until(looking, lambda s: s.evidence.shown is not None)
    shown = looking.state.evidence.shown
    assert shown.pixels == 96 * 128
    error = looking.screen.stage.error
    assert shown.error == pytest.approx(float(error.mean()), rel=1e-4)
    dropped, left = looking.state.evidence.point
    assert dropped == pytest.approx(1 - looking.state.retained)
    trusted = looking.screen.stage.material.trust.trusted
    assert left == pytest.approx(error[trusted].mean() / error.mean(), rel=1e-4)


def test_the_point_of_a_part_is_what_the_thresholds_do_to_that_part(looking, until):
    looking.inspection.look_at_evidence(seen=True)
    until(looking, lambda s: s.evidence.shown is not None and s.clues_known)
    stage, controller = looking.screen.stage, looking.inspection.evidence
    looking.screen.move_masks(STRICT)
    trusted, error = stage.material.trust.trusted, stage.error
    seen = [part for part in Part if part_flags(stage.clues, part).any()]
    assert len(seen) > 1
    for part in seen:
        controller.set_part(str(part))
        of = part_flags(stage.clues, part)
        dropped, left = looking.state.evidence.point
        assert dropped == pytest.approx(1 - trusted[of].mean())
        kept = error[of & trusted]
        expected = kept.mean() / error[of].mean() if len(kept) else 0.0
        assert left == pytest.approx(expected, rel=1e-4)
    looking.inspection.thresholds.drop_settled(0.3)
    share = 1 - stage.material.trust.trusted[part_flags(stage.clues, seen[-1])].mean()
    assert share == pytest.approx(0.3, abs=0.1)
    until(looking, lambda s: s.evidence.point[0] == pytest.approx(share))
    controller.set_scope("pool")
    assert looking.state.evidence.point is None  # nobody knows it of a part of the pool


def test_evidence_follows_from_scene_to_scene(looking, until):
    looking.inspection.look_at_evidence(seen=True)
    until(looking, lambda s: s.evidence.shown is not None)
    first = looking.state.evidence.shown
    looking.screen.pick("004")
    until(looking, lambda s: s.evidence.shown not in (None, first) and not s.evidence.work)
    looking.screen.pick("001")  # has a ground truth, but nothing to hold to it
    until(looking, lambda s: s.shown == "001" and s.clues_known)
    assert looking.state.evidence.shown is None
    assert "asks the teacher" in looking.state.evidence.note


def test_rounds_are_read_and_the_alarm_and_shares_are_those_on_record(looking, until, three_rounds):
    looking.inspection.history.refresh()
    until(looking, lambda s: s.history is not None)
    heat = looking.state.heat
    assert heat.rounds == (1, 2, 3)
    assert np.allclose(heat.shares, [[0.1, 0.2, 0.3]] * 4)


def test_the_alarm_is_asked_for_after_every_check_and_sounded_once(looking, until, three_rounds):
    checks = [(1, 36.0), (2, 36.2), (3, 36.1), (900, 34.0), (950, 33.9)]
    events = [
        Validated(step=step, epoch=step, psnr_mu=psnr, psnr_l=30.0, scenes={"001": psnr})
        for step, psnr in checks
    ]
    log = RunFolder(looking.state.folder / "runs" / RUN).events_path
    for place, event in enumerate(events):
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_json(event)) + "\n")
        if place == 3:
            looking.training.take((event,))
            until(looking, lambda s: s.notice is not None)
            assert "was 34.0 dB, after 36.1 dB" in looking.state.notice.text
            assert looking.state.notice.text == looking.state.history.alarm
            assert "Pause and lower τ_pa" in looking.state.notice.text
            looking.dismiss()
    looking.training.take((events[-1],))
    until(looking, lambda s: "was 33.9 dB" in s.history.alarm)
    assert looking.state.notice is None


@pytest.mark.parametrize("other", [False, True])
def test_the_alarm_goes_from_the_screen_when_its_reason_goes_and_takes_no_other_notice_along(
    looking, until, three_rounds, other
):
    log = RunFolder(looking.state.folder / "runs" / RUN).events_path

    def check(step, psnr):
        event = Validated(step=step, epoch=step, psnr_mu=psnr, psnr_l=30.0, scenes={"001": psnr})
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_json(event)) + "\n")
        looking.training.take((event,))

    for step, psnr in ((1, 36.0), (2, 36.2), (3, 36.1), (900, 34.0)):
        check(step, psnr)
    until(looking, lambda s: s.notice is not None)
    if other:
        looking._store.notice(Notice(text="Saved."))
    check(950, 36.2)
    until(looking, lambda s: s.history.alarm == "" and looking.at_rest)
    assert (looking.state.notice is not None) is other


def test_a_past_round_is_replayed_with_the_masks_it_was_used_with(looking, until, three_rounds):
    history = looking.inspection.history
    history.refresh()
    until(looking, lambda s: s.history is not None)
    looking.inspection.viewing.set_layer(0, Layer.FLIPS)
    now = looking.screen.stage.material.trust
    history.step(-1)
    assert looking.state.replay == 3
    history.pick(1)
    until(looking, lambda s: looking.screen.stage.material.trust is not now)
    of = looking.screen.stage.material
    assert of.masks == STRICT
    record = history.records[0]
    means = record.statistics["003"].means.reshape(2, 2)
    assert np.array_equal(of.trust.patch_mask, means <= np.float32(0.01 + 0.3 * 0.29))
    history.step(5)
    assert looking.state.replay is None
    assert looking.screen.stage.material.masks == looking.state.masks


def test_a_replay_ends_when_another_run_has_rounds(looking, until, three_rounds):
    history = looking.inspection.history
    history.refresh()
    until(looking, lambda s: s.history is not None)
    history.pick(1)
    known = looking.state.history
    for run, replayed in ((known.run, 1), ("another", None)):
        history._answered(replace(known, run=run))
        assert looking.state.replay == replayed


def test_a_replayed_round_tells_what_it_retained_of_the_scene_and_of_its_own_pool(
    looking, until, three_rounds, qtbot
):
    panel = ThresholdsPanel()
    qtbot.addWidget(panel)
    looking.show_in(panel)
    history = looking.inspection.history
    history.refresh()
    until(looking, lambda s: s.history is not None)

    def told():
        """Scene, pool, patches of the pool, and of which moment they are."""
        tiles = (panel._scene, panel._pool, panel._pool_patches)
        return (*(label.text() for label in tiles), panel._past.whole)

    history.pick(1)
    until(looking, lambda s: s.past is not None)
    record = history.records[0]
    means = np.concatenate([record.statistics[s].means for s in POOL])
    patches = percent(float((means <= np.float32(0.01 + 0.3 * 0.29)).mean()))
    assert told() == ("10 %", "10 %", patches, "Replayed round 1, as it was used:")
    history.step(1)
    until(looking, lambda s: s.past is not None and s.past.round == 2)
    assert told()[:2] == ("20 %", "20 %")
    history.set_kind("now")
    until(looking, lambda s: s.past is not None and s.past.now)
    of_now = PoolStatistics(history.records[1].statistics).retention(looking.state.masks)
    exact = of_now.scenes["003"].retained, of_now.retained, of_now.patches_retained
    assert told() == (*map(percent, exact), "Replayed round 2, by τ of now:")
    assert np.nanmax(np.abs(looking.state.heat.shares[0, 1] - exact[0])) < 1e-12
    history.pick(None)
    assert looking.state.past is None
    assert told() == (
        *map(percent, (looking.state.retained, looking.state.pool.retained)),
        percent(looking.state.pool.patches_retained),
        "",
    )


def test_a_pair_set_aside_tells_nothing_of_a_round_that_is_replayed(looking, until, three_rounds):
    history, thresholds = looking.inspection.history, looking.inspection.thresholds
    history.refresh()
    until(looking, lambda s: s.history is not None)
    history.pick(1)
    until(looking, lambda s: s.past is not None)
    thresholds.keep_snapshot()
    (kept,) = looking.state.snapshots
    assert (kept.pool, kept.scene) == (looking.state.pool.retained, None)
    history.pick(None)
    (kept,) = looking.state.snapshots
    assert kept.scene == pytest.approx(looking.state.retained)


def test_a_new_run_with_fewer_rounds_ends_a_replay(looking, until, three_rounds):
    history = looking.inspection.history
    history.refresh()
    until(looking, lambda s: s.history is not None)
    history.pick(3)
    newer = three_rounds.with_name("20270101-000000-tiny")
    (newer / "history").mkdir(parents=True)
    history_path(three_rounds, 1).rename(history_path(newer, 1))
    (newer / "plan.toml").write_text("")
    history.refresh()
    until(looking, lambda s: s.history.run == newer.name)
    assert looking.state.replay is None


def test_shares_of_the_past_can_be_told_with_the_thresholds_of_now(looking, until, three_rounds):
    history = looking.inspection.history
    history.refresh()
    until(looking, lambda s: s.history is not None)
    history.set_kind("now")
    until(looking, lambda s: s.heat.now)
    loose = looking.state.heat.shares
    looking.curating.settle_masks(replace(STRICT, tau_patch=0.1))
    until(looking, lambda s: s.heat.shares is not loose)
    assert np.nanmean(looking.state.heat.shares) < np.nanmean(loose)
    history.set_kind("used")
    assert not looking.state.heat.now


def test_a_closed_project_leaves_nothing_of_it_behind(looking, until, three_rounds):
    looking.inspection.history.refresh()
    looking.inspection.inspector.mark(Region.rectangle((0.0, 0.0), (9.0, 9.0)))
    looking.close_project()
    until(looking, lambda s: looking.at_rest)
    plain = StudioState(recent=looking.state.recent, generation=looking.state.generation)
    kept = replace(plain, cache_bytes=looking.state.cache_bytes, cache_budget=2**30)
    assert replace(looking.state, evidence=kept.evidence) == kept


def test_a_picture_is_held_against_the_truth_on_a_thread_and_never_that_of_another_scene(
    looking, until, monkeypatch
):
    until(looking, lambda s: isinstance(s.quality, SplitQuality))
    go, threads, known = threading.Event(), [], looking.state.quality

    def of(picture, truth):
        threads.append(threading.current_thread())
        assert go.wait(60)
        return measure(picture, truth)

    measure = ErrorMaps.of
    monkeypatch.setattr(ErrorMaps, "of", of)
    looking.screen.pick("004")
    until(looking, lambda s: s.shown == "004" and threads)
    looking.screen.pick("005")
    until(looking, lambda s: s.shown == "005")
    assert looking.state.quality == known
    go.set()
    until(looking, lambda s: s.quality != known)
    stage = looking.screen.stage
    expected = measure(*stage.picture_and_truth)
    np.testing.assert_array_equal(stage.errors.squares, expected.squares)
    trusted = stage.material.trust.trusted
    assert looking.state.quality == split_quality(
        expected.squares, expected.linear_squares, trusted
    )
    assert threading.main_thread() not in threads
