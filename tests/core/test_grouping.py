"""A flat folder straight off a camera becomes brackets, and what belongs to none is told."""

from pathlib import Path

import pytest

from smarthdr_studio.core.datasets.grouping import group_shots
from smarthdr_studio.core.imaging.shots import Shot


def shots(exposures, *, every=1.0, start=0.0, biases=None, first=1, camera="X", size=(6000, 4000)):
    return [
        Shot(
            path=Path(f"IMG_{first + index:04d}.JPG"),
            size=size,
            camera=camera,
            taken=start + index * every,
            seconds=0.01,
            ev=ev,
            bias=None if biases is None else biases[index],
        )
        for index, ev in enumerate(exposures)
    ]


def never(path):
    raise AssertionError(f"the pixels of {path} were asked for")


def found(given, brightness=never):
    grouping = group_shots(given, brightness=brightness)
    names = [[int(shot.path.stem[-4:]) for shot in group] for group in grouping.groups]
    return names, [int(each.path.stem[-4:]) for each in grouping.left_out]


@pytest.mark.parametrize("order", [(0, -2, 2), (-2, 0, 2), (2, 0, -2)])
def test_an_exposure_that_comes_back_begins_another_bracket(order):
    assert found(shots(order * 3)) == ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [])


def test_a_camera_that_meters_anew_is_told_by_its_bias():
    evs = [-5, -7, -3, -6, -8, -4, -5.3, -7.3, -3.3]
    assert found(shots(evs, biases=[0, -2, 2] * 3)) == ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [])


def test_a_pause_begins_another_bracket_even_where_no_exposure_comes_back():
    first, second = shots([-9, -7, -5]), shots([-8, -6, -4], start=100, first=4)
    assert found(first + second) == ([[1, 2, 3], [4, 5, 6]], [])


def test_a_slow_tripod_bracket_is_not_torn_apart():
    assert found(shots([-8, -6, -4, -2, 0], every=25)) == ([[1, 2, 3, 4, 5]], [])


def test_a_long_exposure_is_no_pause():
    slow = shots([-8, -4, 0, 4])
    times = [0, 1, 3, 6]
    seconds = [0.01, 0.5, 2, 30]
    slow = [
        Shot(path=s.path, size=s.size, camera=s.camera, taken=t, seconds=d, ev=s.ev)
        for s, t, d in zip(slow, times, seconds, strict=True)
    ]
    after = shots([-8, -4, 0, 4], start=37, first=5)
    assert found(slow + after) == ([[1, 2, 3, 4], [5, 6, 7, 8]], [])


def test_a_single_shot_between_two_brackets_is_left_out_with_its_reason():
    given = shots([0, -2, 2, -2, 0, -2, 2])
    assert found(given) == ([[1, 2, 3], [5, 6, 7]], [4])
    (left,) = group_shots(given, brightness=never).left_out
    assert left.reason.startswith("IMG_0004.JPG: stands alone: no other exposure")


def test_a_bracket_that_lost_a_frame_stays_a_bracket():
    assert found(shots([0, -2, 2, 0, -2, 0, -2, 2])) == ([[1, 2, 3], [4, 5], [6, 7, 8]], [])


def test_two_cameras_and_two_sizes_are_never_one_bracket():
    mixed = shots([0, -2, 2]) + shots([0, -2, 2], camera="Y", first=4)
    mixed += shots([0, -2, 2], size=(3000, 2000), first=7)
    assert found(mixed) == ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [])


def test_the_clock_goes_before_the_names_where_the_counter_wraps():
    wrapped = shots([0, -2, 2], first=9998)
    wrapped[2] = Shot(**{**_fields(wrapped[2]), "path": Path("IMG_0001.JPG")})
    assert found(wrapped) == ([[9998, 9999, 1]], [])


def _fields(shot):
    return {name: getattr(shot, name) for name in Shot.__slots__}


def silent(count, name="IMG_{:04d}.png", first=1):
    return [Shot(path=Path(name.format(first + k)), size=(6000, 4000)) for k in range(count)]


def test_names_group_pictures_that_say_nothing():
    given = silent(3, "hall_{:04d}.png") + silent(3, "yard_{:04d}.png", first=4)
    assert found(given) == ([[1, 2, 3], [4, 5, 6]], [])


def test_five_pictures_of_five_brightnesses_are_one_bracket():
    assert found(silent(5), brightness=lambda path: int(path.stem[-4:])) == ([[1, 2, 3, 4, 5]], [])


def test_sixteen_of_which_the_last_are_all_but_white_are_one_bracket():
    bright = found(silent(16), brightness=lambda path: min(int(path.stem[-4:]), 13))
    assert bright == ([list(range(1, 17))], [])


def test_brightness_that_rises_and_falls_alike_tells_the_brackets():
    rank = [2, 0, 4] * 3
    lights = [light + 0.1 * (k // 3) for k, light in enumerate(rank)]
    grouped = found(silent(9), brightness=lambda path: lights[int(path.stem[-4:]) - 1])
    assert grouped == ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [])


def test_one_picture_without_exposure_among_many_is_left_out():
    given = shots([0, -2, 2]) + silent(1, first=4)
    given[3] = Shot(path=given[3].path, size=(6000, 4000), camera="X")
    assert found(given) == ([[1, 2, 3]], [4])
