"""The benchmark set has few labels of few kinds, and scenes as hard as it says."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.imaging.image_files import read_frame, read_radiance
from smarthdr_studio.core.imaging.radiometry import linear_radiance, unit_ldr
from smarthdr_studio.synthetic.benchmark_set import (
    DIFFICULTIES,
    LARGE,
    SMALL,
    BenchmarkSettings,
    shoot,
    write_benchmark,
)

_TINY = BenchmarkSettings(
    width=96, height=64, training=1, test=1, labelled=1, labelled_kinds=("room",)
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark") / "tiny"
    return folder, list(write_benchmark(folder, _TINY))


@pytest.mark.parametrize("settings", [SMALL, LARGE])
def test_pools_are_of_many_kinds_and_labels_of_few(settings):
    assert settings.pool >= 40
    labelled = settings.labelled_scenes()
    assert len(labelled) == 5
    assert {settings.kind_of(i) for i in labelled} == {"room"}
    assert {settings.difficulty_of(i) for i in labelled} == {DIFFICULTIES[0]}
    tested = {settings.kind_of(i) for i in range(settings.pool, settings.scenes)}
    assert tested == {"valley", "street", "room", "forest", "arcade"}


def test_every_kind_is_tested_at_every_difficulty():
    tested = [(SMALL.kind_of(i), SMALL.difficulty_of(i)) for i in range(SMALL.pool, SMALL.scenes)]
    assert len(set(tested)) == len(SMALL.kinds) * len(DIFFICULTIES)


@pytest.mark.parametrize("index", [0, 7, 12])
def test_motion_and_clipping_are_as_the_difficulty_says(index):
    shot = shoot(index, settings=replace(SMALL, width=128, height=96), shelf=None)
    difficulty = SMALL.difficulty_of(index)
    assert difficulty.motion[0] <= shot.motion <= difficulty.motion[1]
    # Glare of the lens lifts a few pixels over the brink after the share was set.
    low, high = difficulty.clipped
    assert 0.6 * low <= shot.clipped <= 1.6 * high
    clipped = (shot.frames[1].max(axis=2) == 65535).mean()
    assert clipped == pytest.approx(shot.clipped, abs=0.01)  # noise alone is between


def test_the_under_frame_shows_what_the_reference_clips():
    shot = shoot(0, settings=replace(SMALL, width=128, height=96), shelf=None)
    still = shoot(0, settings=replace(SMALL, width=128, height=96), shelf=None)
    assert all(np.array_equal(a, b) for a, b in zip(shot.frames, still.frames, strict=True))
    reference = linear_radiance(unit_ldr(shot.frames[1]), stops=shot.evs[1] - shot.evs[0])
    exposed = shot.frames[1].max(axis=2) < 60000
    error = np.abs(reference - shot.truth)[exposed]
    assert np.median(error) < 0.01  # the truth is of the reference's instant
    assert shot.truth.max() <= 1


def test_files_and_table_say_the_same(tiny):
    folder, events = tiny
    rows = list(csv.DictReader((folder / "scenes.csv").read_text().splitlines()))
    assert [row["kind"] for row in rows] == list(_TINY.kinds) * 2
    assert [folder / row["scene"] for row in rows] == [event.path for event in events]
    for row, event in zip(rows, events, strict=True):
        evs = [float(line) for line in (event.path / "exposure.txt").read_text().split()]
        truth = read_radiance(event.path / "HDRImg.hdr")
        share = (truth.max(axis=2) >= 2.0 ** (evs[0] - evs[1])).mean()
        assert share == pytest.approx(float(row["clipped"]), abs=0.005)
        assert read_frame(event.path / "input_2.tif").shape == (64, 96, 3)
    assert (folder / "labelled.txt").read_text().split() == ["003"]


def test_a_folder_of_maps_adds_a_kind(tmp_path):
    assert replace(_TINY, maps=tmp_path).kinds[-1] == "photograph"
    with pytest.raises(PlanError, match="photograph"):
        replace(_TINY, labelled_kinds=("photograph",))


def test_more_labels_than_those_kinds_have_are_refused():
    with pytest.raises(PlanError, match="fewer easy scenes than 2 labels"):
        replace(_TINY, labelled=2)
