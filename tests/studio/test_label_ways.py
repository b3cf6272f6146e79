"""A project without labels is no dead end: the window offers ways on, and a model takes one."""

import pytest
from made_models import make_checkpoint
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.run_folder import new_run
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.trust.pseudo_label import read_provenance
from smarthdr_studio.learning.bundle import write_bundle
from smarthdr_studio.learning.model_files import read_card, read_weights
from smarthdr_studio.studio.state import Activity
from smarthdr_studio.studio.widgets.controls import ElidedLabel

STARTER, FILE = "Use the starter model", "Use a model file…"
TRAIN = "Train without labels"
TRUTH, BRACKET = "Import a ground truth…", "Make one from a static bracket…"


SHORT = {
    "schedule.epochs": 2,
    "schedule.warmup_epochs": 1,
    "schedule.steps_per_epoch": 1,
    "batch.crop": 32,
    "batch.unlabelled": 1,
    "device": "cpu",
    "tile": 64,
}


@pytest.fixture
def bare_project(dataset, tmp_path):
    """Seven scenes, and no ground truth that counts."""
    place = tmp_path / "bare.shdr"
    Project.create(place, find_scenes(dataset), labelled=()).close()
    return place


@pytest.fixture
def model(tmp_path):
    """A model file of an untrained network."""
    (tmp_path / "run").mkdir()
    checkpoint = make_checkpoint(tmp_path / "run", load_preset("fast", changes={"tile": 64}))
    path = tmp_path / "some.shdrmodel"
    write_bundle(path, *read_weights(checkpoint))
    return path


@pytest.fixture
def shipped(model, monkeypatch):
    """That file in the place of the model that ships."""
    monkeypatch.setattr("smarthdr_studio.core.training.starter.starter_model", lambda: model)
    return model


def offered(window):
    bar = window.ways
    found = bar.findChildren(QPushButton)
    return [b.text() for b in found if b.isVisible()] if bar.isVisible() else []


def click(qtbot, window, text):
    found = next(b for b in window.ways.findChildren(QPushButton) if b.text() == text)
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def open_in(window, project, until):
    window.session.take(project)
    until(window.session, lambda s: s.shown is not None and not s.busy)


def test_without_ground_truth_five_ways_are_offered_and_a_model_fills_the_pool(
    window, qtbot, until, bare_project, shipped
):
    open_in(window, bare_project, until)
    assert offered(window) == [STARTER, FILE, TRAIN, TRUTH, BRACKET, "Close"]
    assert window.ways.findChild(ElidedLabel).whole == "No label yet."
    click(qtbot, window, STARTER)
    until(window.session, lambda s: s.pool is not None and s.notice is not None)
    until(window.session, lambda s: all(r.retained is not None for r in s.scenes[:6]))
    assert offered(window) == []
    assert window.session.state.notice.text.startswith("6 pseudo-labels by the starter model, ")
    assert window.session.state.notice.offers == ()  # one of them is on the screen
    provenance = read_provenance(bare_project / "pseudo" / "001.exr")
    assert provenance.checkpoint == read_card(shipped).weights
    assert provenance.words == f"by {read_card(shipped).run}"  # no round made it
    assert window.session.screen.stage.material.origin == provenance.words

    window.session.curating.promote(("001",))
    until(window.session, lambda s: s.row("001").status is Status.PROMOTED)


def test_whoever_looks_at_a_labelled_scene_is_offered_the_least_trusted_of_the_new_pseudo_labels(
    window, qtbot, until, bare_project, shipped
):
    open_in(window, bare_project, until)
    window.session.curating.exclude(("001",))
    until(window.session, lambda s: s.row("001").status is Status.EXCLUDED)
    click(qtbot, window, STARTER)
    until(window.session, lambda s: s.pool is not None and s.notice is not None)
    buttons = window.notice.findChildren(QPushButton)
    offer = next(b for b in buttons if b.text() == "Least trusted")
    qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    until(window.session, lambda s: s.shown not in {"001", None} and s.region is not None)
    assert window.session.state.retained is not None


def test_without_any_label_a_button_trains_by_selfhdr_until_there_are_pseudo_labels(
    window, qtbot, until, bare_project, monkeypatch
):
    asked = []

    def short(name, *, changes):
        asked.append(name)
        return load_preset(name, changes={**changes, **SHORT})

    monkeypatch.setattr("smarthdr_studio.studio.training.controller.load_preset", short)
    open_in(window, bare_project, until)
    click(qtbot, window, TRAIN)
    until(window.session, lambda s: s.training.busy)
    until(window.session, lambda s: not s.training.busy, timeout=120000)
    assert asked == ["quick-selfhdr"]
    assert window.session.state.training.activity is Activity.DONE
    assert read_provenance(bare_project / "pseudo" / "001.exr").uncertainty == "views"
    qtbot.waitUntil(lambda: offered(window) == [], timeout=20000)


def test_with_labels_only_models_are_offered_and_the_line_can_be_closed(
    window, qtbot, until, fresh_project
):
    open_in(window, fresh_project, until)
    assert offered(window) == [STARTER, FILE, "Close"]
    click(qtbot, window, "Close")
    assert offered(window) == []


def test_with_pseudo_labels_nothing_is_offered(opened):
    assert offered(opened) == []


def test_a_model_file_is_asked_for_beside_the_window(window, qtbot, until, bare_project, model):
    open_in(window, bare_project, until)
    click(qtbot, window, FILE)
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(model))
    dialog.close()
    until(window.session, lambda s: s.pool is not None and s.notice is not None)
    assert "by some.shdrmodel" in window.session.state.notice.text


def test_cancelled_it_leaves_the_project_as_it_was(window, qtbot, until, bare_project, shipped):
    open_in(window, bare_project, until)
    click(qtbot, window, STARTER)
    until(window.session, lambda s: bool(s.busy))
    window.readout.cancel_asked.emit()
    qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
    assert not list((bare_project / "pseudo").glob("*"))
    assert offered(window)[0] == STARTER


def test_a_run_of_another_process_is_not_disturbed(window, qtbot, until, bare_project, shipped):
    open_in(window, bare_project, until)
    run = new_run(bare_project, "fast")
    with run_lock(run.path):
        click(qtbot, window, STARTER)
        until(window.session, lambda s: s.notice is not None)
    assert "is at work and makes pseudo-labels itself" in window.session.state.notice.text
    assert not list((bare_project / "pseudo").glob("*"))


def test_a_static_bracket_is_asked_for_as_one(window, qtbot, until, bare_project):
    open_in(window, bare_project, until)
    click(qtbot, window, BRACKET)
    dialog = window.findChild(QFileDialog)
    assert dialog.windowTitle() == "Frames of 001 in which nothing moves, two or more"
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFiles
    dialog.close()
