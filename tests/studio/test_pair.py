"""Two scenes side by side: their pictures, their figures, and decisions about either."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.curation.pair import PairTable, is_better
from smarthdr_studio.studio.state import Centre

BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def press(qtbot, window, key, modifiers=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifiers)


@pytest.fixture
def pair(opened, qtbot, until):
    """Scene 003 beside 005, both painted."""
    opened.session.inspection.pair.pick("005")
    press(qtbot, opened, Qt.Key.Key_2, BOTH)
    assert opened.session.state.centre is Centre.PAIR
    page = opened.page.browsing.pair
    qtbot.waitUntil(lambda: shown(page, 1) == "Pseudo-label", timeout=10000)
    return page


def shown(page, side, place=0):
    painted = page.grids[side].view(place).painted
    return painted.title if not painted.why_empty else ""


def test_two_scenes_show_the_same_layers_place_and_figures_until_nobody_looks(
    pair, opened, qtbot, until
):
    for side in (0, 1):
        assert shown(pair, side) == "Pseudo-label"
        assert shown(pair, side, 1) == "Pixel mask"
    assert pair.heads[0]._pick.currentText() == "003"
    assert pair.heads[1]._pick.currentText() == "005"
    qtbot.waitUntil(lambda: "003" in pair.table.as_text(), timeout=20000)
    first, second = pair.table.as_text().splitlines()
    assert first.startswith("003")
    assert second.startswith("005")
    assert first.count("better") + second.count("better") >= 2  # kept and σ
    left, right = pair.grids
    left.zoom_in()
    left.nudge(0.3, 0.1)
    assert (right.lens.x, right.lens.y) == pytest.approx((left.lens.x, left.lens.y))
    assert right.lens.scale == pytest.approx(left.lens.scale)
    right.nudge(-0.2, 0.0)
    assert (right.lens.x, right.lens.y) == pytest.approx((left.lens.x, left.lens.y))
    # Scenes of other sizes are looked at in the same place.
    pair._set_size(1, 256, 192)
    left.zoom_in()
    assert right.lens.x / 256 == pytest.approx(left.lens.x / 128)
    assert right.lens.y / 192 == pytest.approx(left.lens.y / 96)
    assert right.lens.scale == pytest.approx(left.lens.scale / 2)
    pair.grids[1].layer_picked.emit(0, "Uncertainty σ")
    qtbot.waitUntil(
        lambda: {shown(pair, side) for side in (0, 1)} == {"Uncertainty σ"}, timeout=20000
    )
    before = opened.session.state.beside.retained
    masks = opened.session.state.masks
    opened.session.screen.move_masks(type(masks)(tau_patch=0.1, tau_pixel=0.1))
    until(opened.session, lambda s: s.beside.retained != before)
    # The other one is let go when nobody looks.
    press(qtbot, opened, Qt.Key.Key_Escape)
    assert opened.session.state.centre is Centre.PICTURES
    qtbot.waitUntil(lambda: opened.session.inspection.pair.stage.loaded is None, timeout=20000)


def test_without_a_pick_the_scene_looked_at_before_stands_beside(opened, qtbot, until):
    opened.session.screen.pick("006")
    until(opened.session, lambda s: s.shown == "006")
    press(qtbot, opened, Qt.Key.Key_2, BOTH)
    assert opened.session.state.pair == "003"


def test_of_two_selected_scenes_the_other_stands_beside(opened, qtbot):
    opened.page.shelf._select({"003", "006"})
    press(qtbot, opened, Qt.Key.Key_2, BOTH)
    assert (opened.session.state.current, opened.session.state.pair) == ("003", "006")


def test_keys_decide_about_the_side_that_was_pointed_at(pair, opened, qtbot):
    pair.grids[1].view(0).picture.pointed.emit()  # a hand that rests there decides nothing
    assert not pair.heads[1]._words.whole.startswith("keys act here")
    pair.grids[1].view(0).picture.pressed.emit()
    assert opened.session.state.beside.side == 1
    assert pair.heads[1]._words.whole.startswith("keys act here")
    assert "keys" not in pair.heads[0]._words.whole
    press(qtbot, opened, Qt.Key.Key_X)
    assert opened.session.state.row("005").status is Status.EXCLUDED
    assert opened.session.state.row("003").status is Status.UNLABELLED


def test_sides_can_be_swapped(pair, opened, qtbot, until):
    press(qtbot, opened, Qt.Key.Key_3, BOTH)
    until(opened.session, lambda s: (s.current, s.pair) == ("005", "003"))
    until(opened.session, lambda s: s.shown == "005")
    qtbot.waitUntil(lambda: opened.session.inspection.pair.stage.scene == "003", timeout=20000)


def test_what_is_not_known_is_not_better():
    assert is_better(0.5, 0.4, more=True)
    assert is_better(0.4, 0.5, more=False)
    assert not is_better(None, 0.5, more=True)
    assert not is_better(0.5, None, more=False)
    assert not is_better(0.5, 0.5, more=True)


def test_a_scene_that_is_gone_leaves_its_line_empty(qtbot):
    table = PairTable()
    qtbot.addWidget(table)
    table.show_pair(SceneFacts(id="a", status=Status.TEST, retained=0.5), None)
    first, second = table.as_text().splitlines()
    assert "50 %" in first
    assert set(second) <= {" ", "|"}
