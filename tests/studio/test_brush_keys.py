"""The brush from the keyboard alone, and keys that mean something else while it is in the hand."""

from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence

from smarthdr_studio.core.project.journal import Kind
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.brush import Ink
from smarthdr_studio.studio.actions import ACTIONS, by_id, claims, clashes, in_mode, with_keys
from smarthdr_studio.studio.state import BrushShape, Centre, Tool

ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
NONE, ENTER = Qt.KeyboardModifier.NoModifier, Qt.Key.Key_Return


def press(qtbot, window, *keys, modifier=NONE):
    for key in keys:
        qtbot.keyClick(window, key, modifier)


def kept(window):
    with Project.open(window.session.state.folder) as project:
        return project.person("003")


def strokes(window):
    with Project.open(window.session.state.folder) as project:
        return sum(entry.kind is Kind.PAINT for entry in project.entries())


@pytest.fixture
def brush(opened, qtbot):
    """The window with the brush in the hand and the crosshair on pixel (64, 48)."""
    opened.page.views.set_pixel((64, 48))
    press(qtbot, opened, Qt.Key.Key_B)
    opened.session.inspection.painting.set_radius(5)
    return opened


def test_b_takes_the_brush_and_puts_it_away_and_so_do_other_tools(opened, qtbot):
    for key, tool in (
        (Qt.Key.Key_B, Tool.HAND),
        (Qt.Key.Key_Escape, Tool.HAND),
        (Qt.Key.Key_S, Tool.RECTANGLE),
        (Qt.Key.Key_L, Tool.LASSO),
        (Qt.Key.Key_H, Tool.HAND),
    ):
        press(qtbot, opened, Qt.Key.Key_B)
        assert opened.session.state.tool is Tool.BRUSH
        assert opened.page.brush.isVisible()
        press(qtbot, opened, key)
        assert opened.session.state.tool is tool
        assert not opened.page.brush.isVisible()


def test_keys_mean_the_brush_while_it_is_in_the_hand_and_what_they_were_afterwards(brush, qtbot):
    session, exposure = brush.session, brush.session.state.display.exposure_ev
    press(qtbot, brush, Qt.Key.Key_T)
    assert (session.state.brush.ink, session.state.region) == (Ink.TRUST, None)
    press(qtbot, brush, Qt.Key.Key_Y)
    assert session.state.brush.ink is Ink.DISTRUST
    press(qtbot, brush, Qt.Key.Key_C)
    assert session.state.brush.ink is Ink.ERASE
    press(qtbot, brush, Qt.Key.Key_BracketRight)
    assert session.state.brush.radius > 5
    press(qtbot, brush, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketLeft)
    assert session.state.brush.radius < 5
    assert session.state.display.exposure_ev == exposure
    press(qtbot, brush, Qt.Key.Key_B)
    radius = session.state.brush.radius
    press(qtbot, brush, Qt.Key.Key_BracketRight)
    assert session.state.display.exposure_ev > exposure
    press(qtbot, brush, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: session.state.region is not None, timeout=20000)
    assert (session.state.brush.ink, session.state.brush.radius) == (Ink.ERASE, radius)


def test_keys_of_the_brush_reach_whatever_needs_no_stroke(brush, qtbot):
    # Without a region it is said how to mark one.
    press(qtbot, brush, ENTER, modifier=SHIFT)
    assert "mark a region first" in brush.session.state.notice.text
    assert kept(brush) is None
    # Shapes and hardness have keys.
    for key, shape in (
        (Qt.Key.Key_K, BrushShape.FILL),
        (Qt.Key.Key_O, BrushShape.LASSO),
        (Qt.Key.Key_Q, BrushShape.POLYGON),
        (Qt.Key.Key_J, BrushShape.DAB),
    ):
        press(qtbot, brush, key)
        assert brush.session.state.brush.shape is shape
    press(qtbot, brush, Qt.Key.Key_BraceLeft)
    assert brush.session.state.brush.hardness == 0.9
    press(qtbot, brush, Qt.Key.Key_BraceRight)
    assert brush.session.state.brush.hardness == 1
    # What is painted while masks are hidden says how to see it.
    words = brush.page.brush._words
    assert "hidden" not in words.whole
    press(qtbot, brush, Qt.Key.Key_M)
    assert words.whole.startswith("⚠ hidden with the masks (M)")
    press(qtbot, brush, Qt.Key.Key_M)
    assert "hidden" not in words.whole
    # Where no picture is shown the brush has no keys.
    press(qtbot, brush, Qt.Key.Key_F7)
    assert brush.session.state.centre is Centre.TABLE
    press(qtbot, brush, ENTER, Qt.Key.Key_Delete, Qt.Key.Key_Y)
    assert strokes(brush) == 0
    press(qtbot, brush, Qt.Key.Key_B)
    assert brush.session.state.centre is Centre.PICTURES
    assert brush.session.state.tool is Tool.BRUSH
    # The crosshair goes far with Shift: as far as the brush reaches.
    press(qtbot, brush, Qt.Key.Key_Left, modifier=ALT | SHIFT)
    assert brush.page.views.pixel == (59, 48)
    press(qtbot, brush, Qt.Key.Key_B)
    press(qtbot, brush, Qt.Key.Key_Down, modifier=ALT | SHIFT)
    assert brush.page.views.pixel == (59, 64)


def test_a_dab_is_painted_at_the_crosshair_and_undone(brush, qtbot):
    press(qtbot, brush, ENTER)
    assert (kept(brush)[48, 60:69] == -1).all()
    press(qtbot, brush, Qt.Key.Key_Right, Qt.Key.Key_Right, modifier=ALT)
    press(qtbot, brush, Qt.Key.Key_T, ENTER)
    assert kept(brush)[48, 70] == 1
    assert strokes(brush) == 2
    press(qtbot, brush, Qt.Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    assert kept(brush)[48, 70] == 0
    assert kept(brush)[48, 64] == -1


def test_the_region_marked_before_is_painted(opened, qtbot):
    press(qtbot, opened, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: opened.session.state.region is not None, timeout=20000)
    scene, region = opened.session.state.shown, opened.session.state.region
    press(qtbot, opened, Qt.Key.Key_B)
    assert opened.session.state.region == region
    press(qtbot, opened, Qt.Key.Key_T)
    press(qtbot, opened, ENTER, modifier=SHIFT)
    with Project.open(opened.session.state.folder) as project:
        mask = project.person(scene)
    assert (mask == 1).any()
    assert ((mask == 1) == region.mask(width=128, height=96)).all()


def test_the_fill_begins_at_the_crosshair(brush, qtbot):
    brush.page.views.set_pixel((126, 20))
    press(qtbot, brush, Qt.Key.Key_T, Qt.Key.Key_K, ENTER)
    assert kept(brush)[80, 127] == 1


def test_a_polygon_is_drawn_and_closed_without_a_mouse(brush, qtbot):
    ways = product((Qt.Key.Key_Q, Qt.Key.Key_O), (NONE, SHIFT))
    for before, (shape, closing) in enumerate(ways):
        brush.page.views.set_pixel((64, 48))
        press(qtbot, brush, shape, ENTER)
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Down):
            for _ in range(4):
                press(qtbot, brush, key, modifier=ALT | SHIFT)
            press(qtbot, brush, ENTER)
        assert strokes(brush) == before
        press(qtbot, brush, ENTER, modifier=closing)
        mask = kept(brush)
        assert mask[50, 75] == -1
        assert mask[60, 66] == 0
        assert strokes(brush) == before + 1
        brush.session.curating.undo()
        assert kept(brush) is None


def test_delete_clears_the_scene_in_one_step_that_can_be_undone(brush, qtbot):
    press(qtbot, brush, ENTER)
    press(qtbot, brush, Qt.Key.Key_Down, modifier=ALT | SHIFT)
    press(qtbot, brush, ENTER)
    mask = kept(brush)
    press(qtbot, brush, Qt.Key.Key_Delete)
    assert kept(brush) is None
    brush.session.curating.undo()
    assert (kept(brush) == mask).all()
    press(qtbot, brush, Qt.Key.Key_Delete, Qt.Key.Key_Delete)
    assert strokes(brush) == 4  # two dabs, and cleared twice; nothing is no decision


def test_whoever_types_a_size_keeps_return_and_delete(brush, qtbot):
    field = brush.page.brush._size.number
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "12")
    press(qtbot, field, ENTER)
    assert brush.session.state.brush.radius == 12
    assert kept(brush) is None
    press(qtbot, brush, ENTER)
    assert strokes(brush) == 1


def test_what_is_for_the_brush_cannot_be_done_without_it(opened, qtbot):
    made = {action.objectName(): action for action in opened.menus.findChildren(QAction)}
    own = [action.id for action in ACTIONS if action.mode == "brush"]
    assert own
    assert not any(made[name].isEnabled() for name in own)
    press(qtbot, opened, Qt.Key.Key_B)
    assert all(made[name].isEnabled() for name in own)
    assert made["least_trusted"].isEnabled()
    assert made["least_trusted"].shortcuts() == []
    press(qtbot, opened, Qt.Key.Key_B)
    assert made["least_trusted"].shortcuts() == [QKeySequence("T")]


def test_two_commands_clash_only_where_both_can_be_meant():
    assert clashes(ACTIONS) == {}
    assert claims(ACTIONS, "T") == (by_id("least_trusted"),)
    assert claims(ACTIONS, "T", mode="brush") == (by_id("ink_trust"),)
    same = with_keys(ACTIONS, {"ink_trust": ("Y",)})
    assert [action.id for action in clashes(same)["Y"]] == ["ink_trust", "ink_distrust"]


def test_in_a_mode_every_key_is_one_command_s():
    for mode in ("", "brush"):
        usable = [action for action in in_mode(ACTIONS, mode) if action.mode in ("", mode)]
        keys = [key for action in usable for key in action.keys]
        assert len(keys) == len(set(keys))


def test_only_the_brush_takes_keys_that_typists_need():
    typed = {"Return", "Enter", "Del", "Backspace", "Shift+Return", "Shift+Enter"}
    assert all(action.mode for action in ACTIONS if typed & set(action.keys))


def test_everything_painted_is_told_in_words(brush, qtbot):
    press(qtbot, brush, ENTER)
    share = (np.asarray(kept(brush)) < 0).mean()
    assert f"distrust {100 * share:.1f} %" in brush.page.brush._words.whole
    assert "next round" in brush.page.brush._words.whole
