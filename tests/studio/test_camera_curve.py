"""The curve of a project that is there is looked at and changed from the window, and taken back."""

import threading

import numpy as np
import pytest
from made_curves import photograph, put_png, shot
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.imaging.bracket import FrameReading
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.project import stale
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Kind
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.dataset.camera_curve import CurveSheet

LEFT = Qt.MouseButton.LeftButton
OTHER = ResponseCurve(tables=((0.0, 0.2, 1.0),))


@pytest.fixture
def curved(tmp_path):
    """A project of two brackets of a camera with a curve of its own, read with gamma 2.2."""
    for seed in range(2):
        light = photograph(seed, size=(192, 256))
        for k, stop in enumerate((0.0, 2.0, 4.0)):
            frame = shot(light, stop, "S-shaped", full_well=70_000, read=14, seed=k)
            put_png(tmp_path / "d" / f"s{seed}" / f"{k}.png", frame)
        (tmp_path / "d" / f"s{seed}" / "exposure.txt").write_text("0 2 4")
    Project.create(tmp_path / "p.shdr", find_scenes(tmp_path / "d"), labelled=()).close()
    return tmp_path / "p.shdr"


@pytest.fixture
def opened(window, until):
    def open_it(folder):
        window.session.take(folder)
        until(window.session, lambda s: s.shown is not None)

    return open_it


@pytest.fixture
def asked(window, until):
    """The sheet, once the curve is measured."""

    def ask():
        window.menus._actions["camera_curve"].trigger()
        until(window.session, lambda s: s.curve is not None and not s.curve.doing)
        return window.findChild(CurveSheet)

    return ask


def reading(folder):
    with Project.open(folder) as project:
        return project.reading


def test_the_measured_curve_is_used_and_undone_like_any_decision(
    window, until, qtbot, curved, opened, asked
):
    opened(curved)
    sheet = asked()
    assert not sheet.isModal()
    assert sheet._now.text() == "Frames are read with gamma 2.2."
    assert sheet.choice.gamma.isChecked()
    assert "It fits clearly better." in sheet.choice.words.text()
    assert not sheet.use.isEnabled(), "nothing would change"
    qtbot.mouseClick(sheet.choice.measured, LEFT)
    qtbot.mouseClick(sheet.use, LEFT)
    until(window.session, lambda s: s.curve is None and s.notice is not None)
    measured = reading(curved)
    assert measured.response is not None
    assert window.session._store.project.scenes[0].reading == measured
    assert f"camera's curve {measured.curve}" in window.session.state.notice.text
    with Project.open(curved) as project:
        assert project.entries()[-1].kind is Kind.READ_FRAMES
    window.session.curating.undo()
    until(window.session, lambda _: reading(curved) == FrameReading())
    until(window.session, lambda _: window.session._reading == FrameReading())


def test_gamma_2_2_comes_back_and_a_curve_that_is_neither_can_stay(
    window, until, qtbot, curved, opened, asked
):
    with Project.open(curved) as project:
        Decisions(project).read_frames(FrameReading(response=OTHER, aligned=True))
    opened(curved)
    sheet = asked()
    assert sheet.choice.other.isVisible()
    assert sheet.choice.other.isChecked()
    qtbot.mouseClick(sheet.choice.gamma, LEFT)
    assert sheet.use.isEnabled()
    qtbot.mouseClick(sheet.choice.other, LEFT)
    assert not sheet.use.isEnabled()
    qtbot.mouseClick(sheet.choice.gamma, LEFT)
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    until(window.session, lambda s: s.curve is None)
    until(window.session, lambda _: reading(curved) == FrameReading(aligned=True))


def test_escape_changes_nothing(window, qtbot, curved, opened, asked):
    opened(curved)
    sheet = asked()
    qtbot.mouseClick(sheet.choice.measured, LEFT)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert window.session.state.curve is None
    assert not sheet.isVisible()
    assert reading(curved) == FrameReading()


def test_brackets_that_show_no_curve_say_so(window, until, tmp_path, opened, asked):
    for k, stop in enumerate((0.0, 2.0, 4.0)):
        frame = shot(photograph(5, size=(96, 128)), stop, "gamma 2.2", seed=k)
        put_png(tmp_path / "d" / "s" / f"{k}.png", frame)
    Project.create(tmp_path / "p.shdr", find_scenes(tmp_path / "d"), labelled=()).close()
    opened(tmp_path / "p.shdr")
    sheet = asked()
    assert "a curve shows only where" in sheet.choice.words.text()
    assert not sheet.choice.measured.isEnabled()
    sheet.reject()


def test_labels_of_another_curve_are_told_when_the_project_opens_and_on_the_card(
    window, until, tiny_project
):
    with Project.open(tiny_project) as project:
        project.compare_pictures()
        Decisions(project).read_frames(FrameReading(response=OTHER))
    window.session.take(tiny_project)
    until(
        window.session, lambda s: s.notice is not None and "another response curve" in s.notice.text
    )
    notice = window.session.state.notice
    assert notice.tone == "warn"
    assert notice.text.startswith("4 pseudo-labels were made under")
    assert "File ▸ How frames are read ▸ Camera curve…" in notice.text
    window.session.screen.pick("003")
    words = "its pseudo-label was made under another response curve"
    until(window.session, lambda s: s.story.scene == "003" and words in s.story.frames)


def test_labels_are_read_for_the_card_of_a_scene_beside_the_window(
    window, until, tiny_project, monkeypatch
):
    with Project.open(tiny_project) as project:
        project.compare_pictures()
        Decisions(project).read_frames(FrameReading(response=OTHER))
    threads, read = set(), stale.read_provenance
    monkeypatch.setattr(
        stale, "read_provenance", lambda path: threads.add(threading.get_ident()) or read(path)
    )
    window.session.take(tiny_project)
    until(window.session, lambda s: s.story is not None and "was made under" in s.story.frames)
    assert threads
    assert threading.get_ident() not in threads


def test_the_chart_shows_the_measured_curve(curved, opened, asked):
    opened(curved)
    sheet = asked()
    table = sheet.choice.chart.table()
    assert np.abs(table["stops, measured"] - table["stops, gamma 2.2"]).max() > 0.2
    sheet.reject()


def test_the_curve_leaves_as_the_menu_of_its_chart_says(
    window, until, curved, opened, asked, tmp_path
):
    opened(curved)
    sheet = asked()
    sheet.choice.chart.export_asked.emit("csv")
    dialog = sheet.findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "curve.csv"))
    dialog.close()
    until(window.session, lambda _: (tmp_path / "curve.csv").is_file())
    assert "gamma 2.2" in (tmp_path / "curve.csv").read_text(encoding="utf-8")
