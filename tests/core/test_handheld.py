"""Hand-held frames are laid onto the reference, and only where that makes them agree better."""

import json
import os
import re

import cv2
import numpy as np
import pytest
from made_truths import exposed, view

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.imaging import bracket
from smarthdr_studio.core.imaging.bracket import FrameReading, decode_bracket, frames_stamp
from smarthdr_studio.core.imaging.handheld import _alike, hand_shake, laid_onto
from smarthdr_studio.core.imaging.image_files import write_frame_tiff
from smarthdr_studio.core.project import database, formats
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import add_up
from smarthdr_studio.core.project.project import Project

SIZE = (300, 400)
# The same everywhere but for single bright points would have no features; this has many.
LIGHT = view(5, size=SIZE)


def seen_from(matrix, stops, *, light=LIGHT):
    """What a camera sees that shows at `matrix`·(x, y) what the reference shows at (x, y)."""
    moved = cv2.warpPerspective(
        light, np.asarray(matrix, float), SIZE[::-1], flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    return exposed(moved, stops, seed=3)


def shake(dx=0.0, dy=0.0, degrees=0.0, tilt=0.0):
    turn = np.vstack([cv2.getRotationMatrix2D((200, 150), degrees, 1), [0, 0, 1]])
    turn[:2, 2] += dx, dy
    return turn @ np.array([[1, 0, 0], [0, 1, 0], [tilt, 0, 1]])


def corners_off(found, true):
    corners = np.array([[[0.0, 0]], [[400, 0]], [[0, 300]], [[400, 300]]])
    places = (cv2.perspectiveTransform(corners, np.asarray(each)) for each in (found, true))
    first, second = places
    return float(np.abs(first - second).max())


@pytest.mark.parametrize("stops", [-2.0, 2.0, 3.0])
@pytest.mark.parametrize("true", [shake(7, -4), shake(3, 5, 1.2), shake(-4, 2, -0.6, 3e-5)])
def test_a_shake_is_found_to_a_pixel_at_the_corners(true, stops):
    reference = exposed(LIGHT, 2.0)
    found = hand_shake(reference, seen_from(true, 2.0 + stops), stops=stops)
    assert found.kind == "homography"
    assert found.inliers >= 40
    assert corners_off(found.matrix, true) < 1.0


def test_a_laid_frame_shows_what_the_reference_shows_to_its_very_border():
    true, stops = shake(9, -6, 0.8), 2.0
    reference = exposed(LIGHT, 0.0)
    frame = seen_from(true, stops)
    laid = laid_onto(reference, frame, hand_shake(reference, frame, stops=stops), stops=stops)
    exact = exposed(LIGHT, stops).astype(float)
    before, after = (np.abs(each - exact)[2:-2, 2:-2].mean() for each in (frame, laid))
    assert after < 0.3 * before
    border = np.abs(laid - exact)[:6].mean(), np.abs(frame - exact)[:6].mean()
    assert border[0] < 0.4 * border[1]


def test_a_still_bracket_stays_bit_for_bit():
    reference, frame = exposed(LIGHT, 0.0, seed=1), exposed(LIGHT, 2.0, seed=2)
    found = hand_shake(reference, frame, stops=2.0)
    assert found.kind == "none"
    assert laid_onto(reference, frame, found, stops=2.0) is frame


def test_what_does_not_show_the_same_or_nothing_at_all_is_left_as_it_is():
    reference = exposed(LIGHT, 0.0)
    other = exposed(view(8, size=SIZE), 2.0)
    flat = np.full((*SIZE, 3), 30000, np.uint16)
    far = seen_from(shake(90, 0), 2.0)
    assert {hand_shake(reference, each, stops=2.0).kind for each in (other, flat, far)} == {"none"}


def test_frames_too_far_apart_to_share_a_value_are_left_as_they_are():
    frames = exposed(LIGHT, 0), exposed(LIGHT, 12.0)
    # Brought to one exposure, values of the darker one are far beyond white.
    assert max(each.max() for each in _alike(*frames, stops=12.0, shrink=1.0)) <= 1
    assert hand_shake(*frames, stops=12.0).kind == "none"


def test_somebody_walking_through_moves_nobody():
    light = LIGHT.copy()
    light[80:240, 60:180] = view(9, size=(160, 120))
    reference = exposed(LIGHT, 0.0)
    true = shake(5, 3)
    found = hand_shake(reference, seen_from(true, 2.0, light=light), stops=2.0)
    assert corners_off(found.matrix, true) < 1.0


def put_hand_held(folder):
    """A bracket whose under and over frames were shot from a little elsewhere."""
    folder.mkdir(parents=True)
    frames = seen_from(shake(6, 2, 0.5), 0), exposed(LIGHT, 2.0), seen_from(shake(-5, 4), 4)
    for index, frame in enumerate(frames):
        write_frame_tiff(folder / f"{index}.tif", frame)
    (folder / "exposure.txt").write_text("0 2 4")


def test_a_project_aligns_its_frames_as_they_are_read_until_it_is_told_not_to(tmp_path):
    put_hand_held(tmp_path / "d" / "s")
    before = {path: path.read_bytes() for path in (tmp_path / "d" / "s").iterdir()}
    found = find_scenes(tmp_path / "d")
    shot = decode_bracket(found.scenes[0])
    with Project.create(tmp_path / "p.shdr", found, labelled=()) as project:
        stamp = frames_stamp(project.scenes[0])
        Decisions(project).read_frames(FrameReading(aligned=True))
    with Project.open(tmp_path / "p.shdr") as project:
        assert project.reading.aligned
        laid = decode_bracket(project.scenes[0])
        assert frames_stamp(project.scenes[0]) != stamp
        Decisions(project).read_frames(FrameReading())
        again = decode_bracket(project.scene(project.scenes[0].id))
    assert np.array_equal(laid.reference, shot.reference)
    for index, stops in ((0, 0.0), (2, 4.0)):
        exact = exposed(LIGHT, stops).astype(float)
        off = [np.abs(each.frames[index] - exact).mean() for each in (shot, laid)]
        assert off[1] < 0.4 * off[0]
        assert np.array_equal(again.frames[index], shot.frames[index])
    assert {path: path.read_bytes() for path in (tmp_path / "d" / "s").iterdir()} == before


@pytest.fixture
def hand_held(tmp_path):
    put_hand_held(tmp_path / "d" / "s")
    with Project.create(tmp_path / "p.shdr", find_scenes(tmp_path / "d"), labelled=()) as project:
        Decisions(project).read_frames(FrameReading(aligned=True))
        yield project


def test_how_frames_lie_is_found_once_and_kept_in_the_project(hand_held, monkeypatch):
    (scene,) = hand_held.scenes
    first = decode_bracket(scene)
    assert (hand_held.folder / "alignment" / f"{scene.id}.json").is_file()
    monkeypatch.setattr(bracket, "hand_shakes", None)  # looked for once more, it would be a fault
    again = decode_bracket(scene)
    for index in range(3):
        assert np.array_equal(first.frames[index], again.frames[index])
    assert [each.inliers for each in first.shakes] == [each.inliers for each in again.shakes]
    assert "features agree" in again.shakes[0].words


def test_how_frames_lie_is_found_anew_where_a_file_changed_or_what_was_kept_is_spoilt(hand_held):
    (scene,) = hand_held.scenes
    kept = hand_held.folder / "alignment" / f"{scene.id}.json"
    first = decode_bracket(scene)
    endless = re.sub(r'"inliers": \d+', '"inliers": 1e999', kept.read_text())
    for spoilt in ("", "[]", '{"stamp": 1}', kept.read_text().replace("1", "nan"), endless):
        kept.write_text(spoilt)
        assert np.array_equal(decode_bracket(scene).under, first.under)
    stamp = json.loads(kept.read_text())["stamp"]
    os.utime(scene.frames[0], (1, 1))
    assert np.array_equal(decode_bracket(scene).under, first.under)
    assert json.loads(kept.read_text())["stamp"] != stamp


def test_a_project_of_an_older_version_stays_aligned_and_can_undo_it(tmp_path, monkeypatch):
    put_hand_held(tmp_path / "d" / "s")
    with monkeypatch.context() as older:
        older.setattr(formats, "MIGRATIONS", formats.MIGRATIONS[:5])
        connection = database.create(tmp_path / "old.sqlite")
    connection.execute("INSERT INTO facts VALUES ('frames_aligned', 'yes')")
    database.bring_up_to_date(connection, tmp_path / "old.sqlite")
    entries = database.entries_after(connection, 0)
    connection.close()
    assert add_up(entries).reading == FrameReading(aligned=True)
    assert add_up(entries).undoable == (entries[0].group,)
