"""A static bracket becomes ground truth; one that moves, or does not fit, is refused."""

import re
from itertools import pairwise

import numpy as np
import pytest
from made_pictures import plain_tiff
from made_truths import HEIGHT, REAL, WIDTH, exposed, put_frames, put_scene, view

from smarthdr_studio.core.datasets.ground_truth import apply_fix
from smarthdr_studio.core.datasets.static_merge import compare_exposures, merge_static
from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.imaging.bracket import Scene, decode_bracket
from smarthdr_studio.core.imaging.image_files import read_frame, read_radiance, write_frame_tiff
from smarthdr_studio.core.imaging.radiometry import mu_law

EXACT = view()
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real photographs at {REAL}")


@pytest.fixture(scope="module")
def scene_and_bracket(tmp_path_factory):
    return put_scene(tmp_path_factory.mktemp("truths"), EXACT)


@pytest.fixture
def merge(scene_and_bracket):
    def merged(frames, evs=None):
        return merge_static(frames, evs, *scene_and_bracket)

    return merged


def walking(radiance, step):
    """The same view with a bright thing in it that walks on at every step."""
    seen = radiance.copy()
    seen[20:70, 8 + 26 * step : 34 + 26 * step] = 0.3
    return seen


def distance(radiance, truth=EXACT):
    return float(np.abs(mu_law(radiance) - mu_law(truth)).mean())


def test_a_static_bracket_gives_the_truth_back(tmp_path, merge):
    evs = (0, 2, 4, 6)
    merged = merge(put_frames(tmp_path, [EXACT] * 4, evs), evs)
    assert distance(merged.radiance) < 2e-3
    assert (merged.stops, merged.moved) == ((0, 2, 4, 6), 0)
    assert merged.findings.usable
    assert merged.findings.warnings == ()
    assert not merged.findings.suggested.needed


def test_more_exposures_bring_it_nearer_than_the_shortest_alone(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT] * 3, (0, 3, 6))
    two, three = merge(frames[:2], (0, 3)), merge(frames, (0, 3, 6))
    assert distance(three.radiance) < distance(two.radiance)


def test_what_clips_in_every_frame_is_told_by_the_shortest(tmp_path, merge):
    bright = EXACT.copy()
    bright[:8, :8] = 1
    merged = merge(put_frames(tmp_path, [bright] * 2, (0, 3)), (0, 3))
    assert merged.radiance[:8, :8] == pytest.approx(1, abs=0.05)
    assert merged.radiance.max() <= 1


def test_what_is_black_in_every_frame_stays_black(tmp_path, merge):
    dark = EXACT.copy()
    dark[:8, :8] = 0
    merged = merge(put_frames(tmp_path, [dark] * 2, (0, 3)), (0, 3))
    assert np.isfinite(merged.radiance).all()
    assert merged.radiance[:8, :8].max() < 1e-3


def test_the_order_of_the_frames_does_not_matter(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT] * 3, (0, 2, 4))
    forth, back = merge(frames, (0, 2, 4)), merge(frames[::-1], (4, 2, 0))
    np.testing.assert_array_equal(forth.radiance, back.radiance)
    assert back.frames == frames


def test_exposures_are_read_from_the_file_beside_in_the_order_of_the_names(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT] * 2, (0, 3))
    (tmp_path / "exposure.txt").write_text("-1\n2\n", encoding="utf-8")
    assert merge(frames[::-1]).stops == (0, 3)
    assert merge(frames[::-1]).frames == frames


def test_a_bracket_that_starts_elsewhere_is_offered_its_gain(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT] * 2, (2, 5))
    merged = merge(frames, (2, 5))
    assert merged.findings.suggested.gain == pytest.approx(0.25, rel=0.03)
    assert (
        distance(apply_fix(merged.radiance, merged.findings.suggested), np.minimum(EXACT, 1)) < 0.1
    )


def test_a_bracket_that_moves_is_refused_with_the_share_that_moved(tmp_path, merge):
    frames = put_frames(tmp_path, [walking(EXACT, step) for step in range(3)], (0, 2, 4))
    findings = merge(frames, (0, 2, 4)).findings
    assert re.match(r"The bracket is not static, \d+ % of the pixels", findings.problems[0])
    assert (findings.usable, findings.forcible) == (False, True)


def test_a_little_that_moved_is_warned_of(tmp_path, merge):
    other = EXACT.copy()
    other[40:52, 60:72] = 0.4
    merged = merge(put_frames(tmp_path, [EXACT, other], (0, 2)), (0, 2))
    assert 0 < merged.moved < 0.04
    assert "look for what moved" in " ".join(merged.findings.warnings)


def test_a_camera_that_wobbles_by_a_pixel_has_not_moved_but_is_warned_of(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT, np.roll(EXACT, 1, axis=1)], (0, 2))
    merged = merge(frames, (0, 2))
    assert merged.moved < 0.02
    assert "not aligned to the pixel" in " ".join(merged.findings.warnings)


def test_wrong_exposure_values_are_refused_and_little_errors_told(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT] * 2, (0, 2))
    with pytest.raises(BadScene, match=r"f1\.tif: is 2\.0 stops brighter than f0\.tif by its pix"):
        merge(frames, (0, 3))
    merged = merge(frames, (0, 2.25))
    assert merged.moved < 0.002
    assert "2.25 stops apart by their exposure values but 2.0" in merged.findings.warnings[0]


def test_without_any_exposure_the_pixels_are_measured(tmp_path, merge):
    merged = merge(put_frames(tmp_path, [EXACT] * 2, (0, 2)))
    assert merged.stops == (0, 2)
    assert "measured by its pixels: 0, 2 EV" in merged.findings.warnings[-1]


def test_exposures_too_far_apart_cannot_be_compared(tmp_path, merge):
    merged = merge(put_frames(tmp_path, [EXACT] * 2, (0, 10)), (0, 10))
    assert "hardly share a brightness" in merged.findings.warnings[0]
    assert compare_exposures(*[np.zeros((8, 8, 3), np.uint16)] * 2, stops=10).stops is None


def test_frames_that_cannot_be_merged_are_refused_in_one_sentence(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT] * 2, (0, 2))
    small = put_frames(tmp_path, [EXACT[:64]] * 2, (0, 2), name="small")
    unlike = put_frames(tmp_path, [EXACT, view(seed=9)], (0, 2), name="unlike")
    cases = [
        (frames[:1], (0,), "two or more"),
        (frames, (0, 2, 4), "2 frames need as many"),
        (frames, (1, 1), "different exposure values"),
        (unlike, None, "no exposure in its EXIF"),
        (small, (0, 2), f"{WIDTH}×{HEIGHT}"),
    ]
    for files, evs, words in cases:
        with pytest.raises(BadScene, match=words):
            merge(files, evs)


def test_an_exposure_file_for_other_frames_is_refused(tmp_path, merge):
    frames = put_frames(tmp_path, [EXACT] * 2, (0, 2))
    (tmp_path / "exposure.txt").write_text("0 2 4", encoding="utf-8")
    with pytest.raises(BadScene, match="--evs"):
        merge(frames)


@needs_real
def test_real_photographs_that_hold_still_merge_into_the_published_radiance(tmp_path):
    inside = slice(60, 700), slice(60, 450)  # the scans have borders that are no picture
    chosen = []
    for number in (71, 69, 67, 65):
        chosen.append(tmp_path / f"{number}.tif")
        photograph = read_frame(REAL / "memorial" / f"memorial00{number}.png")
        write_frame_tiff(chosen[-1], photograph[inside])
    scene = Scene(id="m", frames=tuple(chosen[:3]), evs=(0, 2, 4), height=640, width=390)
    merged = merge_static(chosen, (0, 2, 4, 6), scene, decode_bracket(scene))
    published = read_radiance(REAL / "memorial" / "memorial.hdr")[inside]
    lights = [np.log2(each.mean(axis=2)).ravel() for each in (merged.radiance, published)]
    assert merged.moved < 0.002
    assert np.corrcoef(lights)[0, 1] > 0.99


@needs_real
def test_a_real_man_who_moves_is_seen():
    frames = tuple(sorted((REAL / "kalantari_test_002").glob("*.tif")))
    scene = Scene(id="k", frames=frames, evs=(0, 3, 6), height=1000, width=1500)
    findings = merge_static(frames, None, scene, decode_bracket(scene)).findings
    assert "not static" in findings.problems[0]


def through_a_camera(radiance, stops):
    """An 8-bit picture as cameras make it: an S-curve, and colours mixed to be more vivid."""
    coded = np.clip(radiance * 2.0**stops, 1e-6, 1 - 1e-6) ** (1 / 2.2)
    curved = coded**1.6 / (coded**1.6 + (1 - coded) ** 1.6)
    grey = (curved @ np.float32([0.299, 0.587, 0.114]))[..., None]
    return np.round(255 * np.clip(grey + 1.3 * (curved - grey), 0, 1)).astype(np.uint16) * 257


def test_smooth_bands_of_one_colour_are_no_motion():
    # Walls in warm light, brighter towards a window: every brightness is a band of its own.
    across, down = np.meshgrid(np.linspace(-9, -1, 320), np.linspace(-2, 1, 240))
    room = np.exp2(across + down)[..., None] * np.float32([1, 0.6, 0.25])
    frames = [through_a_camera(room, stops) for stops in (0, 1.5, 3, 4.5)]
    for shorter, longer in pairwise(frames):
        assert compare_exposures(shorter, longer, stops=1.5).moved.mean() < 0.001
    frames[2][100:140, 60:200] = frames[1][100:140, 60:200][:, ::-1]
    moved = compare_exposures(frames[1], frames[2], stops=1.5).moved
    assert moved[100:140, 60:200].mean() > 0.5


@needs_real
def test_a_real_still_room_of_seven_exposures_is_static():
    room = read_radiance(REAL / "radiance" / "st_fagans_interior_1k.hdr")
    room = np.clip(room / np.percentile(room, 99.9), 0, 1)
    evs = [1.5 * k for k in range(7)]
    frames = [through_a_camera(room, ev) for ev in evs]
    pairs = [compare_exposures(*pair, stops=1.5).moved for pair in pairwise(frames)]
    assert np.any(pairs, axis=0).mean() < 0.01


def test_a_static_bracket_whose_tags_disagree_lies_on_one_grid(tmp_path, merge):
    paths = []
    for number, (ev, tag) in enumerate(zip((0, 2, 4), (1, 6, 6), strict=True)):
        stored = np.ascontiguousarray(np.rot90(exposed(EXACT, ev, seed=number)))
        paths.append(tmp_path / f"{number}.tif")
        paths[-1].write_bytes(plain_tiff(stored, tags=[(274, 3, [tag])]))
    merged = merge(paths, (0, 2, 4))
    assert merged.findings.usable
    assert distance(merged.radiance) < 2e-3
