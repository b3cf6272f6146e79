"""Four folders as people have them become projects by Enter alone, and merge to the true light."""

import cv2
import numpy as np
import pytest
from made_curves import photograph
from made_shots import dng, mosaic, put_brackets, put_png
from made_truths import put_frames
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from smarthdr_studio.core.imaging.bracket import decode_bracket
from smarthdr_studio.core.imaging.image_files import write_radiance_hdr
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge

pytestmark = pytest.mark.slow

SIZE = (320, 480)
LIGHTS = [photograph(seed, size=SIZE, stops=7) for seed in (1, 2, 3)]


def imported(window, qtbot, until, folder, *, hand_held=False):
    """The scenes of the project that the import makes of a folder by Enter."""
    ways = window.start.findChildren(QPushButton)
    entry = next(way for way in ways if way.accessibleName() == "Import brackets…")
    qtbot.mouseClick(entry, Qt.MouseButton.LeftButton)
    sheet = window._open_commands._importing
    qtbot.keyClicks(sheet.folder.path, str(folder))
    qtbot.keyClick(sheet.folder.path, Qt.Key.Key_Return)
    for step in ("brackets", "exposures", "truths", "project"):
        until(window.session, lambda state, step=step: step_is_done(state, step))
        if step == "exposures" and hand_held:
            qtbot.mouseClick(sheet.exposures.hand_held, Qt.MouseButton.LeftButton)
        qtbot.keyClick(sheet, Qt.Key.Key_Return)
    until(window.session, lambda state: state.project is not None and state.bringing is None)
    return window.session._store.project.scenes


def step_is_done(state, step):
    bringing = state.bringing
    known = bringing is not None and (step == "brackets" or bringing.catalogue is not None)
    return known and bringing.step == step and not bringing.doing


def error(scene, light, *, margin=0):
    """The median of how far the program's merge is from the light where that is well exposed.

    Of means over 8×8 pixels: what a sensor's noise does to one pixel (1.4 % here) is no fault
    of reading."""
    bracket = decode_bracket(scene)
    merged = exposure_weighted_merge(bracket.frames, stops=bracket.stops)
    inside = (slice(margin, light.shape[0] - margin), slice(margin, light.shape[1] - margin))
    merged, light = merged[inside], light[inside]
    well = cv2.erode(((light > 0.01) & (light < 0.8)).astype(np.uint8), np.ones((8, 8))) > 0
    merged, light = cv2.blur(merged, (8, 8)), cv2.blur(light, (8, 8))
    return float(np.median(np.abs(merged[well] / light[well] - 1)))


def shaken(light, *, dx, dy, degrees):
    turn = cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0] / 2), degrees, 1)
    turn[:, 2] += dx, dy
    return cv2.warpAffine(
        light, turn, SIZE[::-1], flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )


def test_nine_jpegs_of_three_hand_held_brackets(window, qtbot, until, tmp_path):
    views = [
        [light, shaken(light, dx=5, dy=-3, degrees=0.4), shaken(light, dx=-4, dy=6, degrees=-0.3)]
        for light in LIGHTS
    ]
    put_brackets(tmp_path / "DCIM", views)
    scenes = imported(window, qtbot, until, tmp_path / "DCIM", hand_held=True)
    assert [len(scene.whole_bracket) for scene in scenes] == [3, 3, 3]
    assert [
        error(scene, light, margin=16) < 0.01 for scene, light in zip(scenes, LIGHTS, strict=True)
    ] == [True] * 3


def test_a_folder_of_raw_files(window, qtbot, until, tmp_path):
    pytest.importorskip("rawpy", reason="reading RAW needs the extra smarthdr-studio[raw]")
    for number, light in enumerate(LIGHTS[:2]):
        for shot, stops in enumerate((0, 2, 4)):
            raw = dng(mosaic(light, stops), seconds=(2**stops, 256))
            path = tmp_path / "raw" / f"view{number}" / f"IMG_{3 * number + shot}.dng"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
    scenes = imported(window, qtbot, until, tmp_path / "raw")
    assert [error(scene, light) < 0.01 for scene, light in zip(scenes, LIGHTS, strict=False)] == [
        True
    ] * 2


def test_five_pngs_of_each_view_without_a_word_about_their_exposure(window, qtbot, until, tmp_path):
    for number, light in enumerate(LIGHTS[:2]):
        for stops in range(0, 10, 2):
            put_png(tmp_path / "png" / f"view{number}" / f"{stops}.png", light, stops / 2)
    scenes = imported(window, qtbot, until, tmp_path / "png")
    for scene, light in zip(scenes, LIGHTS, strict=False):
        assert len(scene.whole_bracket) == 5
        assert np.diff([frame.ev for frame in scene.whole_bracket]) == pytest.approx([1] * 4)
        under = scene.evs[0] - scene.whole_bracket[0].ev
        assert error(scene, np.clip(light * 2.0**under, 0, 1)) < 0.01


def test_a_folder_of_kalantari(window, qtbot, until, tmp_path):
    for number, light in enumerate(LIGHTS, start=1):
        folder = tmp_path / "kalantari" / "Training" / f"{number:03d}"
        put_frames(folder, [light] * 3, (0, 2, 4))
        (folder / "exposure.txt").write_text("0\n2\n4\n")
        write_radiance_hdr(folder / "HDRImg.hdr", light)
    scenes = imported(window, qtbot, until, tmp_path / "kalantari")
    assert all(scene.ground_truth is not None for scene in scenes)
    assert all(scene.reading.response is None for scene in scenes)
    assert [error(scene, light) < 0.01 for scene, light in zip(scenes, LIGHTS, strict=True)] == [
        True
    ] * 3
