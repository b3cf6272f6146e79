"""A camera's curve is found again by its brackets, used everywhere alike, and taken back."""

import numpy as np
import pytest
from made_curves import (
    CAMERAS,
    EVERY_CAMERA,
    LIGHTS,
    OTHERS,
    curve_error,
    photograph,
    put_png,
    shot,
)
from made_truths import REAL

from smarthdr_studio.core.datasets.camera_curve import choose_response, measure_response
from smarthdr_studio.core.datasets.proposal import propose
from smarthdr_studio.core.datasets.scan import CAMERA_CURVES, check, find_scenes
from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.imaging.bracket import (
    FrameReading,
    FrameStore,
    decode_bracket,
    frames_stamp,
)
from smarthdr_studio.core.imaging.image_files import read_frame
from smarthdr_studio.core.imaging.response import (
    GAMMA_2_2,
    ResponseCurve,
    fit_response,
    read_response,
    sample_pair,
    write_response,
)
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.reporting.dataset_export import export_dataset

STOPS = (0.0, 2.0, 4.0)


def pairs(camera, *, scenes=2, stops=STOPS, **noise):
    found = []
    for seed in range(scenes):
        light = photograph(seed)
        frames = [
            shot(light, stop, camera, seed=10 * seed + k, **noise).astype(np.uint16) * 257
            for k, stop in enumerate(stops)
        ]
        found += [
            sample_pair(frames[k], frames[k + 1], stops=stops[k + 1] - stops[k])
            for k in range(len(frames) - 1)
        ]
    return found


def off(curve, camera):
    """The median of how far light is off, but for one scale, and how far that is off."""
    return curve_error(curve.light(EVERY_CAMERA[camera](LIGHTS)))


@pytest.mark.parametrize("camera", list(CAMERAS))
def test_a_known_curve_is_found_to_a_hundredth_of_light(camera):
    fit = fit_response(pairs(camera, full_well=70_000, read=14))
    error, scale = off(fit.curve, camera)
    assert error < 0.01
    assert scale < 0.2  # what white stands for is only known by what comes near it
    assert fit.measured < 0.02


@pytest.mark.parametrize("camera", [*CAMERAS, *OTHERS])
def test_frames_three_stops_apart_tell_it_as_well(camera):
    # The curve is only known up to a wave of three stops then, which is what bends it most.
    fit = fit_response(pairs(camera, scenes=4, stops=(0.0, 3.0, 6.0)))
    assert off(fit.curve, camera)[0] < 0.015


@pytest.mark.parametrize("camera", ["S-shaped", "log-like"])
def test_it_is_found_in_noise_too_and_fits_clearly_better(camera):
    fit = fit_response(pairs(camera))
    assert off(fit.curve, camera)[0] < 0.02
    assert fit.is_better
    assert fit.gamma > 0.1


def test_gamma_2_2_is_kept_where_it_fits():
    assert not fit_response(pairs("gamma 2.2")).is_better


def test_a_published_bracket_keeps_gamma_2_2():
    if not (REAL / "kalantari_test_002").is_dir():
        pytest.skip("the real photographs are not here")
    fit = measure_response(propose(REAL / "kalantari_test_002").scenes)
    assert fit is None or not fit.is_better


def test_what_moves_between_frames_does_not_bend_the_curve():
    light = photograph(3)
    moved = light.copy()
    moved[:, :170] = light[:, 170:340]
    frames = [
        shot(view, stop, "S-shaped", seed=k).astype(np.uint16) * 257
        for k, (view, stop) in enumerate(zip((light, moved, light), STOPS, strict=True))
    ]
    samples = [sample_pair(frames[k], frames[k + 1], stops=2.0) for k in (0, 1)]
    assert off(fit_response([*samples, *pairs("S-shaped")]).curve, "S-shaped")[0] < 0.02


def test_a_curve_never_falls_and_white_is_white():
    for camera in CAMERAS:
        (table,) = fit_response(pairs(camera, scenes=1)).curve.tables
        assert (np.diff(table) >= 0).all()
        assert table[-1] == 1


def test_gamma_2_2_as_a_table_changes_nothing():
    frame = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    assert np.array_equal(GAMMA_2_2.camera_values(frame), frame)


def test_a_file_of_a_curve_is_read_as_it_was_written(tmp_path):
    curve = fit_response(pairs("S-shaped", scenes=1)).curve
    write_response(tmp_path / "curve.txt", curve)
    again = read_response(tmp_path / "curve.txt")
    values = np.linspace(0, 1, 777)
    assert np.allclose(again.light(values), curve.light(values), atol=1e-4)


def test_a_file_may_count_to_255_and_tell_three_channels(tmp_path):
    lines = [f"{v} {v**2} {3 * v} {v}" for v in range(256)]
    (tmp_path / "c.txt").write_text("# mine\n" + "\n".join(lines))
    light = read_response(tmp_path / "c.txt").light([0.5])
    assert light[0] == pytest.approx([0.25, 0.5, 0.5], rel=1e-3)


@pytest.mark.parametrize(
    "text", ["", "1 2 3", "0 0\n1 nan", "0 1\n1 0", "a b", "1 1\n0 0", "0 0\n1 0"]
)
def test_a_file_that_is_no_curve_is_refused_by_name(tmp_path, text):
    (tmp_path / "c.txt").write_text(text)
    with pytest.raises(BadDataset, match=r"c\.txt: .*give a text"):
        read_response(tmp_path / "c.txt")


def put_dataset(folder, camera="S-shaped", *, scenes=2, evs=True):
    """Brackets of a camera with a curve; their light."""
    lights = [photograph(seed) for seed in range(scenes)]
    for number, light in enumerate(lights):
        for k, stop in enumerate(STOPS):
            frame = shot(light, stop, camera, full_well=70_000, read=14, seed=k)
            put_png(folder / f"s{number}" / f"{k}.png", frame)
        if evs:
            (folder / f"s{number}" / "exposure.txt").write_text("0 2 4")
    return lights


def merge(bracket):
    """An independent merge: every frame where it is well exposed, longer ones count more."""
    total, weight = 0.0, 1e-12
    for frame, stop in zip(bracket.frames, bracket.stops, strict=True):
        values = frame / 65535
        w = ((values > 0.08) & (values < 0.95)) * 2.0**stop
        total, weight = total + w * values**2.2 / 2.0**stop, weight + w
    return total / weight


def test_a_merge_is_the_true_light_within_a_hundredth(tmp_path):
    lights = put_dataset(tmp_path / "d")
    fit = measure_response(propose(tmp_path / "d").scenes)
    assert fit.is_better
    scenes = check(propose(tmp_path / "d"), response=fit.curve).scenes
    for scene, light in zip(scenes, lights, strict=True):
        for reading, least, most in ((scene.reading, 0, 0.01), (FrameReading(), 0.05, 1)):
            merged = merge(decode_bracket(type(scene)(**{**fields(scene), "reading": reading})))
            ratios = (merged / np.maximum(light, 1e-6))[(light > 0.01) & (light < 0.5)]
            error = float(np.median(np.abs(ratios / np.median(ratios) - 1)))
            assert least <= error < most


def fields(scene):
    return {name: getattr(scene, name) for name in type(scene).__dataclass_fields__}


def test_a_dataset_is_told_of_its_curve_and_free_of_the_note_under_it(tmp_path):
    put_dataset(tmp_path / "d")
    plain = find_scenes(tmp_path / "d")
    assert {note.topic for note in plain.notes} >= {CAMERA_CURVES}
    fit = measure_response(propose(tmp_path / "d").scenes)
    assert not check(propose(tmp_path / "d"), response=fit.curve).notes


def test_nothing_is_measured_of_brackets_whose_exposures_only_pixels_tell(tmp_path):
    put_dataset(tmp_path / "d", "gamma 2.2", evs=False)
    assert measure_response(propose(tmp_path / "d").scenes) is None
    with pytest.raises(BadDataset, match="shows no response curve"):
        choose_response("measured", propose(tmp_path / "d").scenes)


@pytest.fixture
def project(tmp_path):
    put_dataset(tmp_path / "d", scenes=1)
    with Project.create(tmp_path / "p.shdr", find_scenes(tmp_path / "d"), labelled=()) as made:
        yield made


CURVE = ResponseCurve(tables=((0.0, 0.2, 1.0),))


def test_the_curve_is_a_decision_that_is_undone_and_read_by_everybody(project):
    before, stamp = decode_bracket(project.scenes[0]), frames_stamp(project.scenes[0])
    decisions = Decisions(project)
    decisions.read_frames(FrameReading(response=CURVE))
    scene = project.scenes[0]
    assert project.reading.response == CURVE
    assert frames_stamp(scene) != stamp
    read = decode_bracket(scene)
    assert np.array_equal(read.reference, CURVE.camera_values(before.reference))
    with Project.open(project.folder) as other:
        assert other.scenes == project.scenes
        decisions.undo()
        assert other.reading == FrameReading()  # as a window asks that sees another has written
        assert other.scenes[0].reading == FrameReading()
    assert "read frames with gamma 2.2" not in decisions.next_redo.words
    assert np.array_equal(decode_bracket(project.scenes[0]).reference, before.reference)
    decisions.redo()
    assert project.scenes == (scene,)


def test_the_same_reading_again_is_no_decision(project):
    Decisions(project).read_frames(FrameReading())
    assert Decisions(project).next_undo is None


def test_frames_that_are_kept_are_of_the_curve_they_were_read_under(project):
    store = FrameStore()
    plain = store.bracket(project.scenes[0])
    Decisions(project).read_frames(FrameReading(response=CURVE))
    assert not np.array_equal(store.bracket(project.scenes[0]).under, plain.under)


def test_an_exported_set_is_gamma_2_2_whatever_the_camera(project, tmp_path):
    Decisions(project).read_frames(FrameReading(response=CURVE))
    export_dataset(project, tmp_path / "out", include=[Status.UNLABELLED])
    (over,) = (tmp_path / "out").rglob("3.tif")
    assert np.array_equal(decode_bracket(project.scenes[0]).over, read_frame(over))


@pytest.mark.parametrize("text", ["0 0\n1 1\n", "\n".join(f"{k} 1" for k in range(32))])
def test_a_file_that_tells_too_little_of_a_curve_is_refused(tmp_path, text):
    (tmp_path / "c.txt").write_text(text)
    with pytest.raises(BadDataset, match="tells too little of a curve"):
        read_response(tmp_path / "c.txt")


def test_a_curve_that_was_saved_is_the_same_curve_when_it_is_read(tmp_path):
    rng = np.random.default_rng(3)
    for _ in range(20):
        table = np.sort(rng.random(256))
        curve = ResponseCurve(tables=((*(round(float(v), 6) for v in table[:-1]), 1.0),))
        write_response(tmp_path / "c.txt", curve)
        assert read_response(tmp_path / "c.txt").digest == curve.digest
