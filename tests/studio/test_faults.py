"""Files that are torn, newer, of another size or gone: one sentence, and the last good picture."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.image_files import read_layers, write_layers
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.pseudo_label import FORMAT, PseudoLabel, write_pseudo_label
from smarthdr_studio.studio.settings import Preferences


@pytest.fixture
def pseudo(tiny_project):
    """The pseudo-label file of the scene that is shown."""
    with Project.open(tiny_project) as project:
        return project.pseudo_path("003")


@pytest.fixture
def looking(session, until, tiny_project):
    """A session that shows a scene with its pseudo-label."""
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.pool is not None)
    return session


def tear(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def make_newer(path):
    layers, header = read_layers(path)
    own = {name: value for name, value in header.items() if name.startswith("smarthdr.")}
    write_layers(path, layers, header={**own, "smarthdr.format": FORMAT + 1})


def resize(path):
    layers, header = read_layers(path)
    own = {name: value for name, value in header.items() if name.startswith("smarthdr.")}
    write_layers(path, {name: np.asarray(v)[:50, :40] for name, v in layers.items()}, header=own)


def delete(path):
    path.unlink()


@pytest.mark.parametrize("break_it", [tear, make_newer, resize, delete])
def test_a_broken_label_is_one_sentence_and_the_last_good_picture_stays(
    looking, until, pseudo, tmp_path, break_it
):
    whole = tmp_path / "whole.exr"
    shutil.copy2(pseudo, whole)
    shown = looking.screen.stage.loaded
    share = looking.state.retained
    break_it(pseudo)
    looking.screen.look_again()
    until(looking, lambda s: s.notice is not None)
    assert "003.exr" in looking.state.notice.text
    assert looking.screen.stage.loaded is shown
    assert looking.state.retained == share
    looking.dismiss()
    shutil.copy2(whole, pseudo)
    looking.screen.look_again()
    until(looking, lambda s: looking.screen.stage.loaded is not shown)
    assert looking.screen.stage.loaded.label is not None
    assert looking.state.notice is None


def test_a_broken_label_is_told_once_and_not_every_second(looking, until, pseudo):
    tear(pseudo)
    looking.screen.look_again()
    until(looking, lambda s: s.notice is not None)
    looking.dismiss()
    for _ in range(3):
        looking.screen.look_again()
    until(looking, lambda s: looking.at_rest)
    assert looking.state.notice is None


def test_a_dataset_that_vanishes_leaves_what_is_there_and_comes_back_by_itself(
    looking, until, dataset
):
    away = dataset.with_name("unplugged")
    dataset.rename(away)
    looking.screen.pick("005")
    until(looking, lambda s: s.shown == "005")
    assert str(dataset) in looking.state.notice.text
    assert looking.screen.stage.material.bracket is None
    assert looking.screen.stage.material.hdr is not None
    away.rename(dataset)
    looking.screen.look_again()
    until(looking, lambda s: looking.screen.stage.material.bracket is not None)


def test_a_scene_of_which_nothing_can_be_read_leaves_the_picture_that_was_there(
    looking, until, dataset
):
    shutil.rmtree(dataset / "Training" / "002")
    looking.screen.pick("002")
    until(looking, lambda s: s.notice is not None)
    assert looking.state.shown == "003"
    assert "002" in looking.state.notice.text


def test_a_journal_that_cannot_be_read_is_told_and_scenes_can_still_be_looked_at(
    looking, until, monkeypatch
):
    def unplugged(*_):
        raise ProjectError("tiny.shdr: the disk is gone; plug it in")

    monkeypatch.setattr(Project, "data_version", unplugged)
    monkeypatch.setattr(Project, "label_path", unplugged)
    until(looking, lambda s: s.notice is not None)
    assert "plug it in" in looking.state.notice.text
    looking.screen.pick("004")
    until(looking, lambda s: s.shown == "004")


def test_a_newer_label_of_the_shown_scene_comes_onto_the_screen_by_itself(
    looking, until, pseudo, tiny_project
):
    label = looking.screen.stage.loaded.label
    newer = replace(label, provenance=replace(label.provenance, round=9))
    assert isinstance(newer, PseudoLabel)
    write_pseudo_label(pseudo, newer)
    looking.screen.look_again()
    until(looking, lambda s: looking.screen.stage.loaded.label.provenance.round == 9)


def test_a_project_that_cannot_be_written_forgets_its_layout_and_nothing_else(
    looking, until, tiny_project
):
    if os.geteuid() == 0:
        (tiny_project / "window.json").mkdir()  # root may write anywhere but over a folder
    else:
        tiny_project.chmod(0o555)
    looking.close_project()
    assert looking.state.folder is None
    if os.geteuid() != 0:
        tiny_project.chmod(0o755)


@pytest.mark.parametrize("content", ["{", "[]", '{"keys": 3, "budget": "x"}', '{"budget": 0}'])
def test_damaged_preferences_are_as_if_they_had_never_been(tmp_path, content):
    path = tmp_path / "window.json"
    path.write_text(content)
    assert Preferences.read(path).budget >= 2**28


def test_preferences_come_back_as_they_were(tmp_path):
    path = tmp_path / "window.json"
    wanted = replace(Preferences(), keys={"promote": ("Q",)}, budget=2**31, look="dark")
    wanted.write(path)
    assert Preferences.read(path) == wanted
