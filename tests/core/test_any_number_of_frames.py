"""A scene keeps every frame of its bracket; three of them, chosen by exposure, are used."""

import json
import sqlite3

import numpy as np
import pytest
from made_truths import exposed, put_frames, view

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.datasets.three_frames import choose_three
from smarthdr_studio.core.errors import ForeignPlace
from smarthdr_studio.core.imaging.bracket import decode_bracket
from smarthdr_studio.core.imaging.image_files import write_radiance_exr
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.reporting.dataset_export import put_frames as export_frames

EXACT = view()


def put(folder, stops, text=True):
    put_frames(folder, [EXACT] * len(stops), stops)
    if text:
        (folder / "exposure.txt").write_text(" ".join(map(str, stops)))


def project_of(tmp_path):
    found = find_scenes(tmp_path / "d")
    return Project.create(tmp_path / "p.shdr", found, labelled=())


@pytest.mark.parametrize("count", [2, 4, 5, 7, 9, 12])
def test_a_scene_keeps_all_frames_of_its_bracket_and_so_does_the_project(tmp_path, count):
    stops = [index * 0.75 for index in range(count)]
    put(tmp_path / "d" / "s", stops)
    (scene,) = find_scenes(tmp_path / "d").scenes
    kept = [(frame.path.name, frame.ev) for frame in scene.whole_bracket]
    assert kept == [(f"f{index}.tif", ev) for index, ev in enumerate(stops)]
    with project_of(tmp_path) as project:
        assert project.scenes == (scene,)


def test_three_frames_are_kept_as_ever(tmp_path):
    put(tmp_path / "d" / "s", (0, 2, 4))
    (scene,) = find_scenes(tmp_path / "d").scenes
    assert (scene.every, [frame.ev for frame in scene.whole_bracket]) == ((), [0, 2, 4])


def test_the_best_exposed_frame_is_the_reference_with_frames_that_clip_nothing_and_show_all():
    # Light up to 1, so +0 clips nothing; it is well exposed around +3.
    evs = [-2, -1, 0, 1, 2, 3, 4, 5, 6]
    pixels = [exposed(np.clip(EXACT, 0.002, 1), ev) for ev in evs]
    under, reference, over = choose_three(evs, pixels)
    shares = [np.mean((p > 0.06 * 65535) & (p < 0.94 * 65535)) for p in pixels]
    assert shares[reference] == pytest.approx(max(shares[1:-1]), abs=0.01)
    clipped = [np.mean(p.max(axis=2) >= 0.98 * 65535) for p in pixels]
    assert clipped[under] <= 1e-3 < clipped[under + 1]
    dark = [np.mean(p.max(axis=2) < 0.1 * 65535) for p in pixels]
    assert dark[over] <= 1e-2
    assert under < reference < over


def test_neighbours_closer_than_a_stop_are_passed_over():
    grey = np.full((8, 8, 3), 0.2, np.float32)
    evs = [-1.0, -0.5, 0.0, 0.5, 1.0]
    pixels = [exposed(grey, ev) for ev in evs]
    assert choose_three(evs, pixels, reference=2) == (0, 2, 4)


@pytest.mark.parametrize(("lift", "expected"), [(2.0, (0, 0, 2)), (-3.0, (0, 2, 2))])
def test_of_two_frames_the_better_exposed_is_the_reference_and_stands_in(tmp_path, lift, expected):
    radiance = np.clip(EXACT, 0.01, 0.3) * 2.0**lift
    put_frames(tmp_path / "d" / "s", [radiance] * 2, (0, 2))
    (tmp_path / "d" / "s" / "exposure.txt").write_text("0 2")
    catalogue = find_scenes(tmp_path / "d")
    (scene,) = catalogue.scenes
    assert scene.stops == expected
    (note,) = [each.text for each in catalogue.notes if "stands in" in each.text]
    assert str(scene.frames[1]) in note
    bracket = decode_bracket(scene)
    merged = exposure_weighted_merge(bracket.frames, stops=bracket.stops)
    light = np.clip(radiance, 0, 1)
    well = (light > 0.01) & (light < 0.24)
    assert np.abs(merged[well] / light[well] - 1).mean() < 0.03


def test_a_bracket_of_two_is_exported_as_two(tmp_path):
    put(tmp_path / "d" / "s", (0, 2))
    (tmp_path / "out").mkdir()
    with project_of(tmp_path) as project:
        (scene,) = project.scenes
        told = export_frames(scene, tmp_path / "out", dataset=project.dataset, way="copy")
    assert [each["file"] for each in told] == ["1.tif", "2.tif"]


@pytest.mark.parametrize("count", [4, 6])
def test_a_truth_that_counts_from_a_frame_the_networks_do_not_see_is_brought_to_scale(
    tmp_path, count
):
    stops = [2.0 * index for index in range(count)]
    radiance = EXACT / 64
    folder = tmp_path / "d" / "s"
    put_frames(folder, [radiance * 64 / 4] * count, stops)
    (folder / "exposure.txt").write_text(" ".join(map(str, stops)))
    write_radiance_exr(folder / "gt.exr", EXACT / 4)
    catalogue = find_scenes(tmp_path / "d")
    (scene,) = catalogue.scenes
    assert scene.ground_truth is not None
    off = scene.evs[0] - stops[0]
    assert scene.ground_truth_gain == pytest.approx(2.0**off)


def test_a_bracket_that_leads_out_of_the_dataset_is_not_opened(tmp_path):
    put(tmp_path / "d" / "s", (0, 1, 2, 3))
    project_of(tmp_path).close()
    for odd in ([["../../secret.tif", 0], ["s/f1.tif", 1]], [1], {}):
        with sqlite3.connect(tmp_path / "p.shdr" / "project.sqlite") as connection:
            connection.execute("UPDATE scenes SET bracket = ?", (json.dumps(odd),))
        connection.close()
        with pytest.raises(ForeignPlace, match="database leads out"):
            Project.open(tmp_path / "p.shdr")
