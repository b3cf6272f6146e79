"""A dataset folder that has moved is noticed, guessed at, told once and remembered."""

import shutil

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.imaging.bracket import Catalogue, Scene
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import guess, missing_dataset, relocate

HEIGHT, WIDTH = 24, 32


def write_scene(root, name, *, size=(HEIGHT, WIDTH)):
    folder = root / "Training" / name
    folder.mkdir(parents=True)
    frames = tuple(folder / f"{k}.png" for k in (1, 2, 3))
    for frame in frames:
        cv2.imwrite(str(frame), np.zeros((*size, 3), np.uint8))
    return Scene(id=name, frames=frames, evs=(0, 2, 4), height=size[0], width=size[1])


@pytest.fixture
def home(tmp_path):
    """A dataset of 20 scenes in one corner of the disk and a project in another."""
    root = tmp_path / "data" / "brackets"
    scenes = tuple(write_scene(root, f"{k:03d}") for k in range(20))
    catalogue = Catalogue(root=root, scenes=scenes, skipped=())
    (tmp_path / "work").mkdir()
    with Project.create(tmp_path / "work" / "p.shdr", catalogue, labelled=()) as project:
        yield project


def moved(project, place):
    place.parent.mkdir(parents=True, exist_ok=True)
    return shutil.move(project.dataset, place)


def test_nothing_is_missing_while_all_is_in_its_place(home):
    assert missing_dataset(home) is None


def test_a_folder_that_is_gone_or_has_lost_scenes_is_noticed(home):
    shutil.rmtree(home.dataset / "Training" / "000")
    some = missing_dataset(home)
    assert 0 < some.found < some.asked
    shutil.rmtree(home.dataset)
    gone = missing_dataset(home)
    assert gone.found == 0
    assert str(home.dataset) in gone.sentence
    assert "relocate" in gone.sentence


@pytest.mark.parametrize("given", ["elsewhere/set", "elsewhere", "elsewhere/set/Training"])
def test_a_moved_dataset_is_told_once_also_from_a_step_beside(tmp_path, home, given):
    Decisions(home).exclude(["003"])
    journal = len(home.entries())
    moved(home, tmp_path / "elsewhere" / "set")
    now = relocate(home, tmp_path / given)
    assert (now.root, now.found, now.scenes) == (tmp_path / "elsewhere" / "set", 20, 20)
    assert missing_dataset(home) is None
    assert len(home.entries()) == journal, "where files lie is no decision"
    with Project.open(home.folder) as again:
        assert again.dataset == now.root
        assert all(frame.is_file() for frame in again.scene("007").frames)
        Decisions(again).undo()
        assert again.dataset == now.root


def test_a_project_that_goes_to_and_fro_between_two_places_is_asked_once_in_each(tmp_path, home):
    first = home.dataset
    second = moved(home, tmp_path / "usb" / "brackets")
    relocate(home, second)
    shutil.move(second, first)
    with Project.open(home.folder) as back:
        assert back.dataset == first
        assert missing_dataset(back) is None


def test_a_relocation_survives_copying_the_project(tmp_path, home):
    relocate(home, moved(home, tmp_path / "elsewhere" / "set"))
    home.close()
    shutil.copytree(home.folder, tmp_path / "far" / "away" / "q.shdr")
    with Project.open(tmp_path / "far" / "away" / "q.shdr") as copy:
        assert missing_dataset(copy) is None


def test_a_dataset_put_beside_the_project_travels_with_it(tmp_path, home):
    relocate(home, moved(home, tmp_path / "work" / "brackets"))
    home.close()
    shutil.move(tmp_path / "work", tmp_path / "other" / "work")
    with Project.open(tmp_path / "other" / "work" / "p.shdr") as project:
        assert project.dataset == tmp_path / "other" / "work" / "brackets"
        assert missing_dataset(project) is None


@pytest.mark.parametrize(
    "place", ["work/brackets", "brackets", "work/sets/brackets", "work/renamed", "data/renamed"]
)
def test_a_dataset_that_moved_near_by_is_guessed(tmp_path, home, place):
    moved(home, tmp_path / place)
    assert guess(home) == tmp_path / place


def test_another_dataset_is_not_guessed_and_not_taken(tmp_path, home):
    moved(home, tmp_path / "very" / "far" / "away" / "set")
    write_scene(tmp_path / "work" / "brackets", "000")
    assert guess(home) is None
    with pytest.raises(BadDataset, match=r"holds 1 of the 20 scenes.*--partly"):
        relocate(home, tmp_path / "work" / "brackets")
    with pytest.raises(BadDataset, match="holds 0 of the 20 scenes") as error:
        relocate(home, tmp_path / "nowhere")
    assert "\n" not in str(error.value)
    assert relocate(home, tmp_path / "work" / "brackets", even_partly=True).found == 1


def test_scenes_of_the_same_names_and_another_size_are_refused(tmp_path, home):
    shutil.rmtree(home.dataset)
    other = tmp_path / "other"
    for k in range(20):
        write_scene(other, f"{k:03d}", size=(48, 64))
    with pytest.raises(BadDataset, match="64×48 pixels, but 000 has 32×24"):
        relocate(home, other)
    assert home.dataset != other


def test_frames_that_lie_on_their_side_are_taken(tmp_path, home):
    shutil.rmtree(home.dataset)
    for k in range(20):
        write_scene(tmp_path / "other", f"{k:03d}", size=(WIDTH, HEIGHT))
    assert relocate(home, tmp_path / "other").found == 20
