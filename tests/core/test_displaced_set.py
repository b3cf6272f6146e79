"""Real static brackets become test scenes with motion, without a pixel being made up."""

import numpy as np
import pytest
from made_curves import photograph, put_png, shot
from made_truths import put_frames, view

from smarthdr_studio.core.datasets.camera_curve import measure_response
from smarthdr_studio.core.datasets.proposal import propose
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import BadDataset, BadScene
from smarthdr_studio.core.imaging.bracket import decode_bracket, read_ground_truth
from smarthdr_studio.core.imaging.radiometry import linear_radiance, mu_law, unit_ldr
from smarthdr_studio.synthetic.benchmark_set import DIFFICULTIES
from smarthdr_studio.synthetic.displaced_set import displacement, write_displaced

EVS = (0.0, 1.0, 2.0, 3.0, 4.0)
EXACT = view()


def put_bracket(folder, radiances, evs=EVS):
    put_frames(folder, radiances, evs)
    (folder / "exposure.txt").write_text("".join(f"{ev:g}\n" for ev in evs))
    return folder


@pytest.fixture
def static(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "static" / name).mkdir(parents=True)
        put_bracket(tmp_path / "static" / name, [EXACT] * len(EVS))
    return tmp_path / "static"


def only_scene(folder, name):
    (scene,) = (each for each in find_scenes(folder).scenes if each.id == f"Test-{name}")
    return scene


def test_the_reference_shows_what_the_ground_truth_says(static, tmp_path):
    told = list(write_displaced(tmp_path / "made", brackets=static))
    assert [each.id for each in told] == ["Test-a", "Test-b"]
    scene = only_scene(tmp_path / "made", "b")
    assert scene.split == "test"
    bracket, truth = decode_bracket(scene), read_ground_truth(scene)
    seen = unit_ldr(bracket.frames[1])
    inside = seen.max(axis=2) < 0.97
    shown = linear_radiance(seen, stops=bracket.stops[1])
    off = np.abs(mu_law(shown) - mu_law(truth)).mean(axis=2)
    assert float(np.median(off[inside])) < 5e-3  # of the reference's own noise
    assert 0.3 < inside.mean() < 1


def test_the_other_frames_show_something_else_where_things_moved(static, tmp_path):
    list(write_displaced(tmp_path / "made", brackets=static))
    scene = only_scene(tmp_path / "made", "b")  # of the second third: motion of 6 pixels or more
    bracket, truth = decode_bracket(scene), read_ground_truth(scene)
    under = linear_radiance(unit_ldr(bracket.frames[0]), stops=0)
    apart = np.abs(mu_law(under) - mu_law(truth)).mean(axis=2)
    still = np.abs(mu_law(linear_radiance(unit_ldr(bracket.frames[1]), stops=bracket.stops[1])))
    off = np.abs(still - mu_law(truth)).mean(axis=2)
    assert float((apart > 0.05).mean()) > 3 * float((off > 0.05).mean()) + 0.01


def test_every_pixel_is_one_that_the_camera_recorded():
    rng = np.random.default_rng(0)
    picture = np.arange(120 * 160, dtype=np.int32).reshape(120, 160)
    moved = displacement(rng, height=120, width=160, difficulty=DIFFICULTIES[2])
    assert moved.pieces
    for frame in range(3):
        shown = moved.applied(picture, frame=frame)
        assert shown.shape == moved.size
        assert np.isin(shown, picture).all()
        untouched = picture[moved.corners[frame][0] :, moved.corners[frame][1] :]
        same = shown == untouched[: shown.shape[0], : shown.shape[1]]
        assert 0.3 < same.mean() < 1
    assert (np.diff([piece.places for piece in moved.pieces], axis=1) != 0).any()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(static, tmp_path):
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        list(write_displaced(tmp_path / name, brackets=static, seed=seed))

    def held(name):
        folder = tmp_path / name / "Test" / "b"
        return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))

    assert held("one") == held("two") != held("other")


def test_a_bracket_in_which_something_moved_is_left_out_with_the_reason(static, tmp_path):
    walking = [EXACT.copy() for _ in EVS]
    for step, radiance in enumerate(walking):
        radiance[20:70, 8 + 20 * step : 34 + 20 * step] = 0.3
    put_bracket(static / "a", walking)
    told = list(write_displaced(tmp_path / "made", brackets=static))
    assert isinstance(told[0], BadScene)
    assert "not static" in str(told[0])
    assert not (tmp_path / "made" / "Test" / "a").exists()
    assert (tmp_path / "made" / "Test" / "b").is_dir()


def test_brackets_of_three_frames_are_too_few_and_nothing_is_left_behind(tmp_path):
    (tmp_path / "static" / "a").mkdir(parents=True)
    put_bracket(tmp_path / "static" / "a", [EXACT] * 3, EVS[:3])
    with pytest.raises(BadDataset, match="no bracket has 4 frames or more"):
        list(write_displaced(tmp_path / "made", brackets=tmp_path / "static"))
    assert not (tmp_path / "made").exists()


NINE = tuple(range(9))


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """Nine static exposures, a stop apart, by a camera whose curve is far from gamma 2.2; light."""
    folder, light = tmp_path_factory.mktemp("camera"), photograph(4)
    for stop in NINE:
        frame = shot(light / 2**4, stop, "S-shaped", full_well=70_000, read=14, seed=stop)
        put_png(folder / "d" / "view" / f"{stop}.png", frame)
    (folder / "d" / "view" / "exposure.txt").write_text("\n".join(map(str, NINE)))
    return folder / "d", light


def test_a_bracket_that_gamma_2_2_does_not_fit_is_no_truth_unless_somebody_says_so(
    camera, tmp_path
):
    with pytest.raises(BadDataset, match=r"no bracket will do.*gamma 2\.2 does not fit.*measured"):
        list(write_displaced(tmp_path / "made", brackets=camera[0]))
    (told,) = write_displaced(tmp_path / "made", brackets=camera[0], even_bent=True)
    assert told.id == "Test-view"


def test_nine_frames_under_the_measured_curve_are_merged_to_the_light_that_was_there(
    camera, tmp_path
):
    brackets, light = camera
    fit = measure_response(propose(brackets).scenes)
    list(write_displaced(tmp_path / "right", brackets=brackets, response=fit.curve))
    list(write_displaced(tmp_path / "wrong", brackets=brackets, even_bent=True))
    assert "view,9," in (tmp_path / "right" / "scenes.csv").read_text().replace("Test/", "")
    off = {}
    for name in ("right", "wrong"):
        scene = only_scene(tmp_path / name, "view")
        truth = read_ground_truth(scene)
        most = (light.shape[0] - scene.height) // 2
        there = light[most:-most, most:-most]
        seen = (there > 0.01) & (there < 0.5)
        ratios = truth[seen] / there[seen]
        off[name] = float(np.median(np.abs(ratios / np.median(ratios) - 1)))
    assert off["right"] < 0.015
    assert off["wrong"] > 0.03
