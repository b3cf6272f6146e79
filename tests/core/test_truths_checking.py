"""A ground truth that is brought is compared with its scene, and nothing is claimed unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_truths import HEIGHT, REAL, WIDTH, put_scene, view

from smarthdr_studio.core.datasets.ground_truth import (
    NO_FIX,
    TruthFix,
    apply_fix,
    inspect_radiance,
    match,
)
from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.imaging.bracket import Bracket, Scene, decode_bracket
from smarthdr_studio.core.imaging.image_files import (
    read_radiance,
    write_radiance_exr,
    write_radiance_hdr,
)

EXACT = view()


@pytest.fixture(scope="module")
def scene_and_bracket(tmp_path_factory):
    return put_scene(tmp_path_factory.mktemp("truths"), EXACT)


@pytest.fixture
def look(scene_and_bracket):
    def looked(radiance):
        made = np.ascontiguousarray(radiance, np.float32)
        return inspect_radiance(made, *scene_and_bracket, source="brought.exr")

    return looked


def test_the_exact_truth_fits_as_it_is(look):
    findings = look(EXACT)
    assert (findings.problems, findings.warnings, findings.suggested) == ((), (), NO_FIX)
    assert findings.usable
    assert findings.checked
    assert findings.summary == "brought.exr: fits the scene as it is."


@pytest.mark.parametrize("write", [write_radiance_exr, write_radiance_hdr])
def test_a_file_is_checked_as_its_radiance_is(tmp_path, scene_and_bracket, write):
    path = tmp_path / "brought"
    write(path, EXACT * 8)
    findings = inspect_radiance(read_radiance(path), *scene_and_bracket, source=path.name)
    assert findings.suggested.gain == pytest.approx(1 / 8, rel=0.02)
    assert findings.suggested.shift == (0, 0)


def test_a_camera_picture_is_no_ground_truth(tmp_path):
    import cv2

    path = tmp_path / "preview.png"
    cv2.imwrite(str(path), (EXACT * 255).astype(np.uint8))
    with pytest.raises(UnreadableImage):
        read_radiance(path)


def test_four_times_the_light_is_offered_to_be_divided_by_four(look):
    findings = look(EXACT * 4)
    assert findings.usable
    assert findings.suggested.gain == pytest.approx(0.25, rel=0.02)
    assert "multiplied by 0.25" in findings.summary
    np.testing.assert_allclose(apply_fix(EXACT * 4, findings.suggested), EXACT, rtol=0.02)


@given(stops=st.floats(-12, 12), right=st.integers(-1, 1), down=st.integers(-1, 1))
@settings(max_examples=25)
def test_the_fix_undoes_any_gain_and_any_shift_by_one_pixel(scene_and_bracket, stops, right, down):
    spoilt = np.roll(EXACT, (down, right), axis=(0, 1)) * np.float32(2.0**stops)
    findings = inspect_radiance(spoilt, *scene_and_bracket, source="x")
    assert findings.suggested.shift == (-right, -down)
    assert findings.suggested.gain * 2.0**stops == pytest.approx(1, rel=0.03)
    inner = slice(1, -1), slice(1, -1)
    np.testing.assert_allclose(
        apply_fix(spoilt, findings.suggested)[inner], EXACT[inner], rtol=0.03
    )


def test_a_shift_by_two_is_mended_and_a_larger_one_refused(look):
    assert look(np.roll(EXACT, 2, axis=1)).suggested.shift == (-2, 0)
    findings = look(np.roll(EXACT, 7, axis=0))
    assert not findings.usable
    assert findings.forcible
    assert findings.suggested.shift == (0, 0)
    assert "7 pixels off" in findings.problems[0]


def test_a_shift_repeats_the_border_and_no_pixel_more():
    picture = np.arange(12, dtype=np.float32).reshape(3, 4, 1).repeat(3, 2) / 12
    moved = apply_fix(picture, TruthFix(shift=(1, -1)))
    np.testing.assert_array_equal(moved[:-1, 1:], picture[1:, :-1])
    np.testing.assert_array_equal(moved[:, 0], moved[:, 1])
    np.testing.assert_array_equal(moved[-1], moved[-2])


@pytest.mark.parametrize("curve", [1 / 2.2, 1 / 3])
def test_gamma_is_told_from_a_wrong_scale(look, curve):
    findings = look(EXACT**curve)
    assert not findings.usable
    assert "gamma-encoded" in findings.problems[0]
    assert findings.forcible


def test_a_steeper_curve_is_warned_of(look):
    findings = look(EXACT**1.5)
    assert findings.usable
    assert "camera curve" in findings.warnings[0]


def test_colours_are_warned_of(look):
    tinted = look(EXACT * np.float32([0.7, 1, 0.8])).warnings[0]
    assert "white balance" in tinted


def test_exchanged_channels_are_no_ground_truth(look):
    findings = look(EXACT[..., ::-1])
    assert (findings.usable, findings.forcible) == (False, True)
    assert findings.problems == (
        "Its red and blue are exchanged; save it again as RGB and import it again.",
    )


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (lambda picture: picture[::-1, ::-1], "turned by 180°"),
        (lambda picture: picture[:, ::-1], "mirrored left to right"),
        (lambda picture: picture[::-1], "mirrored upside down"),
    ],
)
def test_a_turned_or_mirrored_picture_is_told_how_to_be_put_right(look, turn, words):
    findings = look(turn(EXACT))
    assert findings.problems == (f"It has to be {words}; do that and import it again.",)
    assert look(turn(turn(EXACT))).usable


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (lambda picture: picture[:, ::-1], "mirrored left to right"),
        (lambda picture: picture[::-1], "mirrored upside down"),
        (lambda picture: picture[::-1, ::-1], "turned by 180°"),
    ],
)
def test_a_view_much_like_its_mirror_image_is_refused_all_the_same(tmp_path, turn, words):
    alike = (0.6 * (EXACT + turn(EXACT)) / 2 + 0.4 * EXACT).astype(np.float32)
    scene, bracket = put_scene(tmp_path, alike)
    assert match(np.ascontiguousarray(turn(alike)), bracket).correlation > 0.7
    turned = np.ascontiguousarray(turn(alike))
    findings = inspect_radiance(turned, scene, bracket, source="brought.exr")
    assert findings.problems == (f"It has to be {words}; do that and import it again.",)
    assert inspect_radiance(alike, scene, bracket, source="brought.exr").usable


@pytest.mark.parametrize("quarter", [1, 3])
def test_a_square_picture_is_told_which_way_to_turn(tmp_path, quarter):
    square = view(size=(HEIGHT, HEIGHT))
    scene, bracket = put_scene(tmp_path, square)
    stored = np.ascontiguousarray(np.rot90(square, quarter))
    (problem,) = inspect_radiance(stored, scene, bracket, source="x").problems
    side = "right" if quarter == 1 else "left"  # what was turned to the left goes back right
    assert problem == f"It has to be turned to the {side}; do that and import it again."


def test_something_that_moved_is_warned_of(look):
    other = EXACT.copy()
    other[20:50, 40:80] = view(seed=5)[20:50, 40:80]
    findings = look(other)
    assert findings.usable
    assert "something that moved" in " ".join(findings.warnings)


def test_light_beyond_the_under_frame_is_counted(look):
    brighter = EXACT.copy()
    brighter[:10] = 3
    findings = look(brighter)
    assert findings.clipped == pytest.approx(10 / HEIGHT, abs=1e-3)
    assert "will be 1" in findings.warnings[-1]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (EXACT.swapaxes(0, 1), "turn it"),
        (EXACT[::2, ::2], "0.5 times the size"),
        (EXACT[:, 8:], "uncropped"),
    ],
)
def test_another_size_cannot_be_used_nor_forced(look, other, words):
    findings = look(other)
    assert not findings.usable
    assert not findings.forcible
    assert f"{WIDTH}×{HEIGHT}" in findings.problems[0]
    assert words in findings.problems[0]


@pytest.mark.parametrize("other", [view(seed=9), view(seed=1)[::-1]])
def test_another_view_is_refused(look, other):
    findings = look(other)
    assert not findings.usable
    assert "does not show" in findings.problems[0]


def test_noise_is_refused(look):
    findings = look(np.random.default_rng(3).random(EXACT.shape, np.float32))
    assert not findings.usable
    assert findings.suggested.shift == (0, 0)


def inspected(reference):
    frames = [np.full_like(reference, value) for value in (100, 60000)]
    bracket = Bracket(frames[0], reference, frames[1], (0.0, 2.0, 4.0))
    scene = Scene(id="x", frames=(REAL,) * 3, evs=(0, 2, 4), height=HEIGHT, width=WIDTH)
    return inspect_radiance(EXACT, scene, bracket, source="x.hdr")


@pytest.mark.parametrize("value", [0, 900, 65535])
def test_where_nothing_is_well_exposed_nothing_is_claimed(value):
    findings = inspected(np.full((HEIGHT, WIDTH, 3), value, np.uint16))
    assert findings.usable
    assert not findings.checked
    assert findings.suggested == NO_FIX
    assert "cannot be checked" in findings.warnings[0]
    assert "could not be checked" in findings.summary


def test_a_flat_reference_tells_no_shift():
    findings = inspected(np.full((HEIGHT, WIDTH, 3), 30000, np.uint16))
    assert findings.suggested.shift == (0, 0)
    assert "too little contrast" in findings.warnings[0]


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real photographs at {REAL}")
def test_a_published_radiance_map_matches_photographs_of_its_view():
    folder = REAL / "memorial"
    frames = tuple(folder / f"memorial00{number}.png" for number in (69, 66, 63))
    scene = Scene(id="m", frames=frames, evs=(0, 3, 6), height=768, width=512)
    findings = inspect_radiance(
        read_radiance(folder / "memorial.hdr"), scene, decode_bracket(scene), source="memorial.hdr"
    )
    assert findings.usable
    assert findings.match.correlation > 0.9
    assert findings.suggested.shift == (0, 0)
    assert findings.suggested.gain < 0.5


def test_light_as_bright_as_a_file_can_hold_is_refused_without_a_warning():
    from smarthdr_studio.core.datasets.ground_truth import _clipped, _log2_of_mean

    with np.errstate(all="raise"):
        brightest = np.full((64, 3), 127.9, np.float32)
        assert np.isfinite(_log2_of_mean(brightest)).all()
        fix = TruthFix(gain=1e-60)
        assert _clipped(np.ones((4, 4, 3), np.float32), fix) == 0.0
