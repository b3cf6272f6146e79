"""What exposures are believed to be is held against the pixels of the frames."""

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_truths import exposed, put_frames, view

from smarthdr_studio.core.datasets.exposures import exposures_beside, find_exposures
from smarthdr_studio.core.datasets.scan import CAMERA_CURVES, find_scenes
from smarthdr_studio.core.errors import BadScene, StudioError
from smarthdr_studio.core.imaging.exposure import (
    evs_from_exif,
    measured_step,
    read_exposures,
    thinned,
)
from smarthdr_studio.core.imaging.image_files import read_frame

REAL = Path(
    os.environ.get("SMARTHDR_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "real")
)
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real photographs at {REAL}")
EXACT = view()
STOPS = (0, 2, 4)


@pytest.fixture
def bracket(tmp_path):
    """Three frames, 0, 2 and 4 EV, named so that text and people sort them differently."""
    made = put_frames(tmp_path / "made", [EXACT] * 3, STOPS)
    return [
        path.rename(tmp_path / f"IMG_{n}.tif") for n, path in zip((9, 10, 11), made, strict=True)
    ]


def found(frames, text=None, **how):
    if text is not None:
        (frames[0].parent / "exposure.txt").write_text(text, encoding="utf-8")
    pixels = [read_frame(path) for path in frames]
    return find_exposures(frames, pixels, listed=exposures_beside(frames), **how)


def stops(exposures):
    return tuple(ev - min(exposures.evs) for ev in exposures.evs)


@pytest.mark.parametrize("text", ["0 2 4", "-2 0 2", "0 EV, 2 EV, 4 EV", "[0.0, 2.0, 4.0]  # EV"])
def test_evs_that_the_pixels_confirm_are_taken_without_a_word(bracket, text):
    exposures = found(bracket, text)
    assert (stops(exposures), exposures.notes) == (STOPS, ())


@pytest.mark.parametrize("text", ["1 4 16", "0.125 .5 2", "1/8 1/2 2", "0.125s 0.5s 2s", "1,4,16"])
def test_times_in_a_file_for_evs_are_understood_and_said(bracket, text):
    exposures = found(bracket, text)
    assert stops(exposures) == pytest.approx(STOPS)
    (note,) = exposures.notes
    assert note.endswith("holds shutter times or ratios instead of EVs; taken as 0, 2, 4 EV.")


@pytest.mark.parametrize("text", ["0 3 6", "0 1 2", "0 0.5 1", "0 2 7"])
def test_evs_that_the_pixels_contradict_are_refused_in_a_sentence_that_names_both(bracket, text):
    with pytest.raises(
        BadScene, match=r"IMG_\d+\.tif: is 2\.0 stops brighter than IMG_"
    ) as refused:
        found(bracket, text)
    assert "by exposure.txt; write the EVs that were shot" in str(refused.value)


@pytest.mark.parametrize("text", ["4 2 0", "0 4 2", "4 0 2"])
def test_evs_in_a_wrong_order_are_refused(bracket, text):
    with pytest.raises(BadScene, match="is no brighter than"):
        found(bracket, text)


def test_numbers_stand_in_the_order_people_count_whatever_order_is_given(bracket):
    by_text = sorted(bracket)
    assert [path.name for path in by_text] == ["IMG_10.tif", "IMG_11.tif", "IMG_9.tif"]
    exposures = found(by_text, "0 2 4")
    assert (exposures.evs, exposures.notes) == ((2, 4, 0), ())


def test_numbers_in_the_order_of_text_are_understood_and_said(bracket):
    exposures = found(bracket, "2 4 0")  # of 10, 11 and 9
    assert exposures.evs == STOPS
    assert "in the order IMG_10.tif, IMG_11.tif, IMG_9.tif; taken as 0, 2, 4" in exposures.notes[0]


def test_a_file_for_all_frames_of_a_folder_serves_some_of_them(bracket):
    extra = put_frames(bracket[0].parent / "more", [EXACT], [6])[0]
    extra.rename(bracket[0].with_name("IMG_12.tif"))
    assert found(bracket, "0 2 4 6").evs == STOPS
    with pytest.raises(BadScene, match="5 exposure values for 3 frames"):
        found(bracket, "0 2 4 6 8")


def test_an_array_beside_the_frames_is_read(bracket):
    np.save(bracket[0].with_name("exposures.npy"), np.array([-3, -1, 1]))
    assert found(bracket).evs == (-3, -1, 1)


def test_without_any_exposure_the_pixels_are_measured_and_that_is_said(bracket):
    exposures = found(bracket[::-1])
    assert exposures.evs == (4, 2, 0)
    assert "measured by its pixels: 4, 2, 0 EV" in exposures.notes[0]


@given(
    evs=st.tuples(st.floats(0.7, 3.5), st.floats(0.7, 3.5)),
    gain=st.floats(-1, 0),
    bits=st.sampled_from([8, 16]),
)
@settings(max_examples=20, deadline=None)
def test_steps_are_measured_to_a_tenth_of_a_stop(evs, gain, bits):
    light = view(3) * 2**gain
    totals = np.cumsum((0, *evs))
    frames = [exposed(light, total, seed=k) for k, total in enumerate(totals)]
    if bits == 8:
        frames = [np.round(frame / 257).astype(np.uint16) * 257 for frame in frames]
    for shorter, longer, ev in zip(frames[:-1], frames[1:], evs, strict=True):
        step = measured_step(thinned(shorter), thinned(longer))
        assert step.stops == pytest.approx(ev, abs=0.1)
        assert step.tells


def test_flat_dark_or_clipped_frames_tell_nothing():
    for value in (0, 30000, 65535):
        flat = np.full((40, 40, 3), value, np.uint16)
        assert measured_step(flat, np.minimum(flat, 60000) + 5000).stops is None


def through_a_camera(light, ev, *, contrast=1.6):
    coded = np.clip(light * 2.0**ev, 1e-6, 1 - 1e-6) ** (1 / 2.2)
    curved = coded**contrast / (coded**contrast + (1 - coded) ** contrast)
    return np.round(255 * curved).astype(np.uint8)


@pytest.mark.parametrize("contrast", [1.2, 1.4, 1.6, 1.8])
def test_a_camera_curve_is_noted_and_never_a_contradiction(tmp_path, contrast):
    for k in range(3):
        seen = through_a_camera(EXACT, 3 * k, contrast=contrast)
        cv2.imwrite(str(tmp_path / f"{k}.png"), seen[..., ::-1])
    (tmp_path / "exposure.txt").write_text("0 3 6")
    (note,) = find_scenes(tmp_path).notes
    assert note.topic == CAMERA_CURVES
    assert "where 3 were shot by exposure.txt: the camera's curve is not gamma 2.2" in note.text
    assert "smarthdr-studio new PROJECT DATASET --response measured" in note.text


@needs_real
def test_real_photographs_of_a_moving_man_confirm_their_exposures():
    frames = sorted((REAL / "kalantari_test_002").glob("*.tif"))
    exposures = found(frames)
    assert (exposures.evs, exposures.notes) == ((0, 3, 6), ())


@needs_real
def test_real_scans_of_film_are_not_contradicted_where_shadows_are_fogged():
    frames = [REAL / "memorial" / f"memorial00{n}.png" for n in (73, 70, 67, 64, 61)]
    pixels = [read_frame(path) for path in frames]
    assert find_exposures(frames, pixels, given=(0, 3, 6, 9, 12)).evs == (0, 3, 6, 9, 12)


@needs_real
def test_all_sixteen_scans_of_film_are_a_bracket_though_four_are_all_but_black():
    frames = [REAL / "memorial" / f"memorial00{n}.png" for n in range(61, 77)]
    evs = tuple(float(ev) for ev in range(5, -11, -1))
    assert find_exposures(frames, [read_frame(path) for path in frames], given=evs).evs == evs


def fogged(bracket):
    """Nothing but a lamp, and a blue border that is lighter in the darker frame, as scans have."""
    pixels = [np.full((64, 96, 3), 3500, np.uint16) for _ in bracket[:2]]
    for frame, lamp, border in zip(pixels, (4300, 6000), (65535, 9000), strict=True):
        frame[:6, :, 2] = border
        frame[30:42, 40:52] = lamp
    return pixels


def test_of_frames_that_are_all_but_black_the_lights_tell_which_is_brighter(bracket):
    pixels = fogged(bracket)
    assert pixels[0].mean() > pixels[1].mean()
    assert find_exposures(bracket[:2], pixels, given=(0, 2)).evs == (0, 2)


def test_where_the_lights_fall_too_they_are_still_refused(bracket):
    dark, bright = fogged(bracket)
    bright[:6] = dark[:6] = 3500
    with pytest.raises(BadScene, match="is no brighter than"):
        find_exposures(bracket[:2], [bright, dark], given=(0, 2))


def test_one_file_given_twice_is_refused(bracket):
    with pytest.raises(BadScene, match=r"IMG_9\.tif: is given twice"):
        found([bracket[0], bracket[1], bracket[0]], given=(0, 2, 4))


@pytest.mark.parametrize("evs", [(0, 2, float("nan")), (float("-inf"), 0, 2), (0, 0, 2), (0, 2)])
def test_given_values_that_cannot_be_are_refused(bracket, evs):
    with pytest.raises(BadScene, match=r"not finite|different exposure values"):
        found(bracket, given=evs)


TEXTS = st.text(max_size=40) | st.lists(
    st.floats(width=32).map(str)
    | st.sampled_from(["1/8", "1/0", "2s", '2"', "0", "-2", "−2", "EV", "#", "nan", "1e400", "."]),
    max_size=6,
).map(" ".join)


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_finite_numbers_or_one_sentence(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "exposure.txt"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    readings, sentence = (), f"{path}: ."
    try:
        readings = read_exposures(path).readings
    except StudioError as error:
        sentence = str(error)
    assert sentence.startswith(f"{path}: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for reading in readings:
        assert len(set(reading)) == len(reading) >= 2
        assert np.isfinite(reading).all()


@pytest.mark.parametrize(
    ("text", "evs"),
    [
        ("1 16 256", (0, 4, 8)),
        ("0.0167 0.0667 0.25", (-5.904, -3.9062, -2)),
        ("1/60 1/15 1/4", (-5.9069, -3.9069, -2)),
        ("0 2 4", (0, 2, 4)),
        ("1 4 16", (1, 4, 16)),
    ],
)
def test_plain_times_are_turned_into_evs(tmp_path, text, evs):
    (tmp_path / "exposure.txt").write_text(text)
    assert read_exposures(tmp_path / "exposure.txt").readings[0] == pytest.approx(evs, abs=1e-3)


def exif_file(path, *, ratios=(), shorts=(), longs=()):
    """A TIFF header whose EXIF directory holds these tags: all that EXIF needs."""
    rows = [(tag, 5, 1, value) for tag, value in ratios]
    rows += [(tag, 3, 1, value) for tag, value in shorts]
    rows += [(tag, 4, 1, value) for tag, value in longs]
    after = 26 + 2 + 12 * len(rows) + 4
    entries, data = b"", b""
    for tag, kind, count, value in sorted(rows):
        packed = struct.pack("<HHI", tag, kind, count)
        if kind == 5:
            entries += packed + struct.pack("<I", after + len(data))
            data += struct.pack("<II", *value)
        else:
            entries += packed + struct.pack("<I", value)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, 0x8769, 4, 1, 26) + b"\0" * 4
    path.write_bytes(head + struct.pack("<H", len(rows)) + entries + b"\0" * 4 + data)
    return path


EXPOSURE_TIME, F_NUMBER, ISO, KIND = 0x829A, 0x829D, 0x8827, 0x8830


def test_an_aperture_in_one_frame_only_is_that_of_all(tmp_path):
    frames = [
        exif_file(
            tmp_path / f"{k}.tif",
            ratios=[(EXPOSURE_TIME, (4**k, 64)), *([(F_NUMBER, (8, 1))] if k == 1 else [])],
        )
        for k in range(3)
    ]
    assert evs_from_exif(frames) == (-12, -10, -8)


def test_an_aperture_that_differs_and_is_missing_once_is_refused(tmp_path):
    frames = [
        exif_file(
            tmp_path / f"{k}.tif",
            ratios=[(EXPOSURE_TIME, (4**k, 64)), *([(F_NUMBER, (4 + k, 1))] if k else [])],
        )
        for k in range(3)
    ]
    with pytest.raises(BadScene, match=r"0\.tif: has no aperture in its EXIF, and that of the oth"):
        evs_from_exif(frames)


@pytest.mark.parametrize(
    ("kind", "tags", "iso"),
    [
        (1, {0x8831: 102400}, 102400),
        (2, {0x8832: 204800}, 204800),
        (3, {0x8833: 102400}, 102400),
        (6, {0x8832: 102400, 0x8833: 80000}, 102400),
    ],
)
def test_a_sensitivity_beyond_16_bits_is_where_its_type_says(tmp_path, kind, tags, iso):
    second = [(EXPOSURE_TIME, (1, 1))]
    wide = exif_file(
        tmp_path / "1.tif", ratios=second, shorts=[(ISO, 65535), (KIND, kind)], longs=tags.items()
    )
    plain = exif_file(tmp_path / "2.tif", ratios=second, shorts=[(ISO, 100)])
    assert evs_from_exif([plain, wide]) == (0, pytest.approx(np.log2(iso / 100), abs=1e-4))
