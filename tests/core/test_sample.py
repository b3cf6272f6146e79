"""The sample dataset is exact, reproducible, and hard enough to be worth learning."""

import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from smarthdr_studio.core.errors import BadDataset, PlanError
from smarthdr_studio.core.imaging.image_files import read_frame, read_radiance, write_radiance_hdr
from smarthdr_studio.core.imaging.radiometry import (
    exposure_weighted_merge,
    linear_radiance,
    mu_law,
    unit_ldr,
)
from smarthdr_studio.synthetic.dataset import write_sample
from smarthdr_studio.synthetic.geometry import Light, Sculpture
from smarthdr_studio.synthetic.settings import SampleSettings

_SMALL = SampleSettings(scenes=6, labelled=2, test=1, width=160, height=120)
_FRAMES = ("input_1.tif", "input_2.tif", "input_3.tif")
_REAL = Path(os.environ.get("SMARTHDR_REAL_DATA", Path(__file__).parents[3] / "shared" / "real"))


@pytest.fixture(scope="module")
def default_scenes(tmp_path_factory):
    """One scene of every kind at the default size."""
    folder = tmp_path_factory.mktemp("sample") / "five"
    events = list(write_sample(folder, SampleSettings(scenes=5, labelled=2, test=0)))
    return [event.path for event in events]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "small"
    return folder, list(write_sample(folder, _SMALL))


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.*"))}


def test_every_scene_is_told_once_in_order_and_lies_where_it_was_said(small):
    folder, events = small
    assert [event.index for event in events] == [1, 2, 3, 4, 5, 6]
    assert {event.total for event in events} == {6}
    assert [event.id for event in events] == ["001", "002", "003", "004", "005", "Test-006"]
    for event in events:
        names = {path.name for path in event.path.iterdir()}
        assert names == {*_FRAMES, "exposure.txt", "HDRImg.hdr"}
    assert events[-1].path == folder / "Test" / "006"


def test_labelled_scenes_are_named_and_spread_over_the_training_scenes(small):
    folder, _ = small
    assert (folder / "labelled.txt").read_text().split() == ["001", "005"]
    chosen = SampleSettings().labelled_scenes()
    assert len(chosen) == 5
    assert len({index % 5 for index in chosen}) == 5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(small, tmp_path):
    folder, _ = small
    list(write_sample(tmp_path / "again", _SMALL))
    assert _bytes_of(tmp_path / "again") == _bytes_of(folder)
    other = SampleSettings(scenes=1, labelled=0, test=0, width=160, height=120, seed=1)
    list(write_sample(tmp_path / "other", other))
    first = (folder / "Training/001/input_2.tif").read_bytes()
    assert (tmp_path / "other/Training/001/input_2.tif").read_bytes() != first


def test_a_scene_does_not_depend_on_how_many_are_asked_for(small, tmp_path):
    folder, _ = small
    fewer = SampleSettings(scenes=2, labelled=1, test=0, width=160, height=120)
    list(write_sample(tmp_path / "fewer", fewer))
    for name in (*_FRAMES, "HDRImg.hdr"):
        ours = (tmp_path / "fewer/Training/002" / name).read_bytes()
        assert ours == (folder / "Training/002" / name).read_bytes()


def test_every_scene_spans_twelve_stops(default_scenes):
    for path in default_scenes:
        luminance = read_radiance(path / "HDRImg.hdr") @ np.float32([0.2126, 0.7152, 0.0722])
        low, high = np.quantile(luminance, (1e-4, 1 - 1e-4))
        assert np.log2(high / max(low, 1e-9)) >= 12, path.name


def test_highlights_need_the_under_frame_and_shadows_the_over_frame(default_scenes):
    for path in default_scenes:
        shares = [(read_frame(path / name).max(axis=2) == 65535).mean() for name in _FRAMES]
        assert shares[0] < 0.06, path.name
        assert 0.01 <= shares[1] <= 0.10, path.name
        assert 0.05 <= shares[2] <= 0.35, path.name


def test_the_ground_truth_is_the_reference_frame_where_that_is_well_exposed(default_scenes):
    for path in default_scenes:
        truth = read_radiance(path / "HDRImg.hdr")
        assert truth.min() >= 0
        assert truth.max() <= 1
        ldr = unit_ldr(read_frame(path / _FRAMES[1]))
        usable = (ldr > 0.3) & (ldr < 0.9)
        ratio = linear_radiance(ldr, stops=3)[usable] / truth[usable]
        assert abs(np.median(ratio) - 1) < 0.01, path.name
        assert np.quantile(np.abs(ratio - 1), 0.9) < 0.15, path.name


def test_the_under_frame_is_noisier_than_the_over_frame_once_lifted(default_scenes):
    for path in default_scenes:
        truth = read_radiance(path / "HDRImg.hdr")
        dark = (truth > 5e-4) & (truth < 2e-3)
        lifted = [
            linear_radiance(unit_ldr(read_frame(path / name)), stops=stops)[dark]
            for name, stops in zip(_FRAMES[:2], (0, 3), strict=True)
        ]
        under, reference = (float(np.abs(values - truth[dark]).mean()) for values in lifted)
        assert under > 2 * reference


def test_the_plain_merge_leaves_ghosts_and_noise_worth_removing(default_scenes):
    for path in default_scenes:
        frames = [read_frame(path / name) for name in _FRAMES]
        merged = exposure_weighted_merge(frames, stops=(0, 3, 6))
        error = mu_law(merged) - mu_law(read_radiance(path / "HDRImg.hdr"))
        assert 19 < -10 * np.log10(float(np.mean(error**2))) < 33, path.name


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(BadDataset, match="not empty"):
        next(write_sample(tmp_path, _SMALL))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_stopping_midway_leaves_nothing_behind(tmp_path):
    with closing(write_sample(tmp_path / "half", _SMALL)) as events:
        next(events)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_filled(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    list(write_sample(folder, SampleSettings(scenes=1, labelled=1, test=0, width=96, height=64)))
    assert (folder / "Training/001/HDRImg.hdr").is_file()


@pytest.mark.parametrize(
    "wrong",
    [{"scenes": 3, "test": 3}, {"labelled": 30}, {"width": 8}, {"evs": (3.0, 0.0, 6.0)},
     {"seed": -1}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_at_birth(wrong):
    with pytest.raises(PlanError):
        SampleSettings(**wrong)


def test_a_folder_without_radiance_maps_is_refused_in_a_sentence(tmp_path):
    settings = SampleSettings(maps=tmp_path)
    with pytest.raises(BadDataset, match=r"holds no radiance map"):
        next(write_sample(tmp_path / "out", settings))
    assert list(tmp_path.iterdir()) == []


def test_maps_in_subfolders_become_scenes_that_move(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.lognormal(0, 2, (90, 140, 3)).astype(np.float32)
    (tmp_path / "maps/deep").mkdir(parents=True)
    write_radiance_hdr(tmp_path / "maps/deep/noise.hdr", noise)
    settings = SampleSettings(
        scenes=2, labelled=1, test=1, width=128, height=96, maps=tmp_path / "maps"
    )
    events = list(write_sample(tmp_path / "out", settings))
    frames = [read_frame(events[0].path / name) for name in _FRAMES]
    assert frames[0].mean() < frames[1].mean() < frames[2].mean()
    assert (tmp_path / "out/Test/002/HDRImg.hdr").is_file()


def test_real_radiance_maps_become_scenes(tmp_path):
    if not (_REAL / "radiance").is_dir():
        pytest.skip(f"no real radiance maps at {_REAL}")
    settings = SampleSettings(
        scenes=2, labelled=1, test=0, width=256, height=192, maps=_REAL / "radiance"
    )
    for event in list(write_sample(tmp_path / "out", settings)):
        truth = read_radiance(event.path / "HDRImg.hdr")
        assert truth.shape == (192, 256, 3)
        assert 0.05 < (truth.max(axis=2) > 2**-6).mean() < 0.5


def test_a_rounded_part_is_brighter_on_the_side_the_light_comes_from():
    model = Sculpture((60, 60))
    model.ellipse((30, 30), (24, 24), (0.5, 0.5, 0.5))
    lit = model.finished().shaded(Light(towards=(1, 0, 0.3), key=(1, 1, 1), ambient=(0, 0, 0)))
    assert lit[30, 45:50, 0].mean() > 3 * lit[30, 10:15, 0].mean()
    assert lit[2, 2, 3] == 0


def test_what_a_kill_has_left_beside_a_sample_is_swept_by_the_next(tmp_path):
    left = tmp_path / f".sample.{'0' * 32}" / "Training"
    left.mkdir(parents=True)
    for path in (left, left.parent):
        os.utime(path, (1, 1))
    one = SampleSettings(scenes=1, labelled=1, test=0, width=96, height=64)
    for _ in write_sample(tmp_path / "sample", one):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]
