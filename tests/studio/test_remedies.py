"""What a sentence tells a person to choose stands in the window by that very name."""

import re
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QAbstractButton

from smarthdr_studio.core import remedies
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.decisions import refuse_without_truth
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.remedies import Way
from smarthdr_studio.studio.dataset.camera_curve import CurveChoice
from smarthdr_studio.studio.dataset.relocate import RelocateSheet

WAYS = {name: each for name, each in vars(remedies).items() if isinstance(each, Way)}


def lines_of(menu, above=""):
    """Every line of a menu and of the menus in it, with its way there."""
    for action in menu.actions():
        if action.isSeparator():
            continue
        line = f"{above}{action.text().partition(chr(9))[0]}"
        inside = action.menu()
        if inside is not None:
            yield from lines_of(inside, f"{line} ▸ ")
        else:
            yield line


def test_every_command_and_button_that_a_remedy_names_is_there(window):
    there = set(lines_of(window.menus))
    assert "File ▸ Open project…" in there
    asking = (RelocateSheet(window), CurveChoice())
    boxes = {each.text() for sheet in asking for each in sheet.findChildren(QAbstractButton)}
    for name, way in WAYS.items():
        words = way.window
        for button in re.findall(r"“([^”]+)”", words):
            assert button in boxes, name
        named = words.count(" ▸ ")
        found = [line for line in there if line in words]
        found = [line for line in found if not any(line in each for each in found if each != line)]
        assert sum(line.count(" ▸ ") for line in found) == named, name


@pytest.mark.parametrize("seen_in", ["window", "shell"])
def test_a_scene_without_ground_truth_names_the_way_of_where_it_is_told(
    seen_in, tiny_project, request
):
    if seen_in == "window":
        request.getfixturevalue("window")
    with Project.open(tiny_project) as project:
        scene = next(each for each in project.scenes if each.ground_truth is not None)
    with pytest.raises(ProjectError) as told:
        refuse_without_truth([replace(scene, ground_truth=None)])
    ways = {
        "window": "Scene ▸ Import ground truth…",
        "shell": "smarthdr-studio truth PROJECT SCENE FILE",
    }
    assert str(told.value) == (
        f"{scene.id}: has no ground truth file; promote it instead, or import one with: "
        f"{ways[seen_in]}"
    )
