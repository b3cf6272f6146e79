"""The frames that are used are chosen in the window, and taken back by Undo."""

import pytest
from made_truths import put_frames, view
from PySide6.QtCore import Qt

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.dataset.chosen_frames import FramesSheet

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def sheet(window, until, tmp_path):
    """The sheet of a scene of five frames, in an open project."""
    put_frames(tmp_path / "d" / "s", [view()] * 5, (0, 1, 2, 3, 4))
    (tmp_path / "d" / "s" / "exposure.txt").write_text("0 1 2 3 4")
    Project.create(tmp_path / "p.shdr", find_scenes(tmp_path / "d"), labelled=()).close()
    window.session.take(tmp_path / "p.shdr")
    until(window.session, lambda s: s.shown == "s")
    window.menus._actions["choose_frames"].trigger()
    (found,) = (each for each in window.findChildren(FramesSheet) if each.isVisible())
    return found


def frames(window):
    return [path.name for path in window.session.project.scene("s").frames]


def test_frames_are_chosen_seen_and_undone(window, until, qtbot, sheet):
    before = frames(window)
    assert not sheet.use.isEnabled(), "nothing would change"
    for box, place in zip(sheet.boxes, (0, 1, 4), strict=True):
        box.setCurrentIndex(place)
    qtbot.mouseClick(sheet.use, LEFT)
    until(window.session, lambda _: frames(window) == ["f0.tif", "f1.tif", "f4.tif"])
    until(window.session, lambda _: window.session._chosen == {"s": (0, 1, 4)})
    until(
        window.session,
        lambda _: getattr(window.session.screen.stage.material.bracket, "stops", None) == (0, 1, 4),
    )
    window.session.curating.undo()
    until(window.session, lambda _: frames(window) == before)
    until(window.session, lambda _: window.session._chosen == {})


def test_what_makes_no_bracket_cannot_be_used(qtbot, sheet):
    under, reference, over = sheet.boxes
    under.setCurrentIndex(4)
    reference.setCurrentIndex(2)
    assert "may not be brighter" in sheet.fault.text()
    assert not sheet.use.isEnabled()
    qtbot.mouseClick(sheet.auto, LEFT)
    assert sheet.fault.text() == ""
    assert not sheet.auto.isEnabled()
    assert "f0.tif" in over.itemText(0)
    sheet.reject()
