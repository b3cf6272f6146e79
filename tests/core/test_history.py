"""What all rounds of a run say together, against the maps they were made from."""

import logging
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.training.round_files import round_path
from smarthdr_studio.core.training.round_history import flips, read_history, strip_now
from smarthdr_studio.core.training.rounds import (
    RECORDED_BINS,
    RoundRecord,
    history_path,
    write_record,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.masking import Level, MaskSettings, pool_ranges, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics

MASKS = MaskSettings(tau_patch=0.4, tau_pixel=0.5, patch_size=16)
OWN = replace(MASKS, patches=Level(scope="scene"))
SHAPES = {"a": (72, 97), "b": (40, 64), "tiny": (1, 1)}


def maps(seed, *, shapes=SHAPES):
    """σ of every scene in one round: patches differ, and differ from round to round."""
    rng = np.random.default_rng(seed)
    made = {}
    for scene, (height, width) in shapes.items():
        coarse = rng.lognormal(-4, 0.6, (height // 16 + 1, width // 16 + 1))
        rough = coarse.repeat(16, 0).repeat(16, 1)[:height, :width]
        made[scene] = (rough * rng.lognormal(0, 0.2, (height, width))).astype(np.float32)
    return made


def judged(sigmas, masks):
    """The exact trust of every scene, pixel by pixel."""
    patches, pixels = pool_ranges(list(sigmas.values()), masks)
    return {
        scene: trust(sigma, masks, patch_range=patches, pixel_range=pixels)
        for scene, sigma in sigmas.items()
    }


def record(number, sigmas, *, masks=MASKS):
    found = judged(sigmas, masks)
    patches, pixels = pool_ranges(list(sigmas.values()), masks)
    return RoundRecord(
        round=number,
        step=10 * number,
        epoch=number,
        masks=masks,
        patch_range=patches,
        pixel_range=pixels,
        statistics={
            scene: SceneStatistics.of(sigma, size=masks.patch_size).coarser(RECORDED_BINS)
            for scene, sigma in sigmas.items()
        },
        retained={scene: float(found[scene].trusted.mean()) for scene in sigmas},
        columns={scene: found[scene].patch_mask.shape[1] for scene in sigmas},
    )


def keep(run, *records):
    for of in records:
        write_record(history_path(run.path, of.round), of)


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "20260101-000000-tiny")


def _flips_slowly(rounds, masks):
    """Counts patch by patch, from the masks of the maps themselves."""
    sides = [judged(sigmas, masks)["a"].patch_mask for sigmas in rounds]
    counted = np.zeros(sides[0].shape, int)
    for before, after in pairwise(sides):
        for place in np.ndindex(counted.shape):
            counted[place] += bool(before[place]) != bool(after[place])
    return counted


@pytest.mark.parametrize("masks", [MASKS, OWN, replace(MASKS, tau_patch=1.0)])
@pytest.mark.parametrize("on_disk", [False, True])
def test_flips_are_the_changes_of_the_patch_gate(run, masks, on_disk):
    rounds = [maps(seed) for seed in range(6)]
    records = tuple(record(n, sigmas, masks=masks) for n, sigmas in enumerate(rounds, start=1))
    if on_disk:
        keep(run, *records)
        records = read_history(run).records
    found = flips(records, "a")
    assert found.shape == (5, 7)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, _flips_slowly(rounds, masks))
    assert (found.max() > 0) == (masks.tau_patch < 1)


@settings(max_examples=30)
@given(
    taus=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    scopes=st.sampled_from([("pool", "scene"), ("scene", "pool"), ("pool", "pool")]),
    kind=st.sampled_from(["minmax", "percentile"]),
)
def test_flips_under_other_masks_are_those_had_they_been_in_use(taus, scopes, kind):
    rounds = [maps(seed, shapes={"a": (40, 50), "b": (33, 20)}) for seed in range(4)]
    records = [record(n, sigmas) for n, sigmas in enumerate(rounds, start=1)]
    masks = MaskSettings(
        tau_patch=taus[0],
        tau_pixel=taus[1],
        patch_size=16,
        patches=Level(scope=scopes[0], normalisation=kind),
        pixels=Level(scope=scopes[1]),
    )
    np.testing.assert_array_equal(flips(records, "a", masks), _flips_slowly(rounds, masks))


def test_flips_skip_rounds_without_the_scene_and_of_another_patch_size():
    rounds = [maps(seed) for seed in range(5)]
    without = {"b": rounds[1]["b"], "tiny": rounds[1]["tiny"]}
    records = [
        record(1, rounds[0], masks=replace(MASKS, patch_size=32)),
        record(2, rounds[0]),
        record(3, without),
        record(4, rounds[2]),
    ]
    expected = _flips_slowly([rounds[0], rounds[2]], MASKS)
    np.testing.assert_array_equal(flips(records, "a"), expected)
    assert flips(records[:3], "a") is None
    assert flips(records, "nobody") is None
    assert flips([], "a") is None
    assert flips([replace(of, columns={}) for of in records], "a") is None
    assert flips(records, "tiny").shape == (1, 1)


def test_more_flips_than_a_byte_holds_stay_the_most_it_holds():
    one, other = maps(0), maps(1)
    records = [record(n, one if n % 2 else other) for n in range(1, 301)]
    found = flips(records, "a")
    np.testing.assert_array_equal(found, _flips_slowly([one, other], MASKS) * 255)
    assert found.max() == 255


def test_shares_as_used_are_scenes_by_rounds_with_nan_where_a_scene_took_no_part(run):
    first, second = maps(0), {name: maps(1)[name] for name in ("a", "b")}
    records = record(2, first), record(10, second)
    keep(run, *records)
    history = read_history(run)
    assert history.run == run.id
    assert [of.round for of in history.records] == [2, 10]
    assert history.scenes == ("a", "b", "tiny")
    assert history.shares.shape == (3, 2)
    for column, sigmas in enumerate((first, second)):
        for row, scene in enumerate(history.scenes):
            share = history.shares[row, column]
            if scene in sigmas:
                assert share == judged(sigmas, MASKS)[scene].trusted.mean()
            else:
                assert np.isnan(share)


def test_a_run_without_records_has_an_empty_history(run):
    history = read_history(run)
    assert (history.records, history.scenes, history.psnr_mu, history.alarm) == ((), (), (), "")
    assert history.shares.shape == (0, 0)
    assert strip_now(history, MASKS).shape == (0, 0)


@pytest.mark.parametrize("masks", [replace(MASKS, tau_patch=0.7, tau_pixel=0.3), OWN])
def test_the_strip_of_now_is_what_these_masks_would_have_kept(run, masks):
    shapes = {"a": (96, 128), "b": (80, 100)}
    rounds = [maps(seed, shapes=shapes) for seed in range(3)]
    keep(run, *[record(n, sigmas) for n, sigmas in enumerate(rounds, start=1)])
    history = read_history(run)
    found = strip_now(history, masks)
    exact = np.array([[judged(s, masks)[name].trusted.mean() for s in rounds] for name in "ab"])
    np.testing.assert_allclose(found, exact, atol=0.02)
    assert np.abs(found - history.shares).max() > 0.05  # as used is something else


def test_the_strip_of_now_says_how_far_it_is_and_can_be_given_up(run):
    keep(run, *[record(n, maps(n)) for n in range(1, 4)])
    history, said = read_history(run), []

    def give_up(done, total):
        said.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        strip_now(history, MASKS, said=give_up)
    assert said == [(0, 3), (1, 3), (2, 3)]


def test_damaged_records_are_logged_and_left_out(run, caplog):
    keep(run, *[record(n, maps(n)) for n in range(1, 5)])
    whole = history_path(run.path, 2).read_bytes()
    history_path(run.path, 2).write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        history = read_history(run)
    assert [of.round for of in history.records] == [1, 3, 4]
    assert "0002.npz: the record of this round cannot be read" in caplog.text
    history_path(run.path, 3).unlink()
    strip = strip_now(history, MASKS)
    assert np.isnan(strip[:, 1]).all()
    assert not np.isnan(strip[:, [0, 2]]).any()
    assert flips(history.records, "a") is not None
    history_path(run.path, 2).write_bytes(whole)
    keep(run, record(3, maps(3)))
    assert [of.round for of in read_history(run).records] == [1, 2, 3, 4]


def test_only_records_that_are_new_are_read(run):
    keep(run, record(1, maps(1)), record(2, maps(2)))
    known = read_history(run)
    keep(run, record(2, maps(20)), record(3, maps(3)))
    again = read_history(run, known=known)
    assert again.records[0] is known.records[0]
    assert again.records[1].retained == record(2, maps(20)).retained
    assert [of.round for of in again.records] == [1, 2, 3]


def test_rounds_whose_maps_are_on_disk_can_be_replayed(run):
    keep(run, record(1, maps(1)), record(2, maps(2)))
    path = round_path(run.path, number=2)
    path.parent.mkdir()
    path.write_bytes(b"")
    assert read_history(run).replayable == {2}
