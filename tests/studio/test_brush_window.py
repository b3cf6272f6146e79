"""The brush in the real window: a drag paints, the share follows, and one undo takes it back."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Kind
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.brush import Ink
from smarthdr_studio.studio.state import BrushShape, Tool

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def place(picture, x, y):
    """Where the middle of an image pixel is on the widget."""
    return picture.sight.at(x + 0.5, y + 0.5).toPoint()


def drag(qtbot, picture, *pixels):
    places = [place(picture, *pixel) for pixel in pixels]
    qtbot.mousePress(picture, LEFT, pos=places[0])
    for where in places[1:]:
        qtbot.mouseMove(picture, where)
    qtbot.mouseRelease(picture, LEFT, pos=places[-1])


def paintings(window):
    """The journal's strokes, as another process reads them."""
    with Project.open(window.session.state.folder) as project:
        return [entry for entry in project.entries() if entry.kind is Kind.PAINT]


def kept(window, scene="003"):
    """What the journal says is painted on a scene."""
    with Project.open(window.session.state.folder) as project:
        return project.person(scene)


@pytest.fixture
def brush(opened, qtbot):
    """The window with the brush in the hand, small and distrusting."""
    qtbot.keyClick(opened, Qt.Key.Key_B)
    assert opened.session.state.tool is Tool.BRUSH
    opened.session.inspection.painting.set_radius(6)
    QApplication.processEvents()  # the row over the pictures has its place now
    return opened


def test_a_drag_paints_and_one_undo_takes_it_back(brush, qtbot):
    before = brush.session.state.retained
    picture = brush.page.views.view(0).picture
    drag(qtbot, picture, (20, 40), (30, 42), (40, 45))
    mask = kept(brush)
    assert set(np.unique(mask)) == {-1, 0}
    assert mask[40, 20] == mask[45, 40] == -1
    assert len(paintings(brush)) == 1
    assert brush.session.state.retained < before
    assert brush.session.state.brush.distrusted == pytest.approx((mask < 0).mean())
    brush.session.curating.undo()
    assert brush.session.screen.stage.person is None
    assert brush.session.state.retained == before
    assert brush.session.state.brush.distrusted == 0
    brush.session.curating.redo()
    assert (brush.session.screen.stage.person == mask).all()


def test_where_a_stroke_ends_the_pixel_is_read_as_it_is_now(brush, qtbot):
    picture = brush.page.views.view(0).picture
    drag(qtbot, picture, (20, 40), (30, 42), (60, 45))
    qtbot.waitUntil(lambda: kept(brush) is not None)
    readout, stage = brush.session.state.readout, brush.session.screen.stage
    assert (readout.x, readout.y) == (60, 45)
    assert readout == stage.read((60, 45))
    assert stage.brush[45, 60] == -1


def test_what_is_shown_while_drawing_is_what_is_kept(brush, qtbot):
    painting, stage = brush.session.inspection.painting, brush.session.screen.stage
    painting.set_hardness(0.3)
    picture = brush.page.views.view(0).picture
    qtbot.mousePress(picture, LEFT, pos=place(picture, 10, 10))
    for pixel in ((18, 14), (30, 40), (31, 41), (90, 60)):
        qtbot.mouseMove(picture, place(picture, *pixel))
        qtbot.wait(5)
    qtbot.waitUntil(lambda: stage.brush is not None and stage.brush[60, 90] == -1, timeout=20000)
    shown, trusted = stage.brush.copy(), stage.material.trust.trusted.copy()
    share = brush.session.state.retained
    assert paintings(brush) == []
    qtbot.mouseRelease(picture, LEFT, pos=place(picture, 90, 60))
    assert (kept(brush) == shown).all()
    assert (stage.material.trust.trusted == trusted).all()
    assert brush.session.state.retained == share


def test_every_view_shows_the_stroke_while_it_is_drawn(brush, qtbot):
    views = brush.page.views
    before = [views.view(k).painted.rgb8.copy() for k in range(4)]
    picture = views.view(0).picture
    qtbot.mousePress(picture, LEFT, pos=place(picture, 30, 30))
    qtbot.mouseMove(picture, place(picture, 60, 30))
    qtbot.waitUntil(lambda: (views.view(2).painted.rgb8 != before[2]).any(), timeout=20000)
    changed = [(views.view(k).painted.rgb8 != before[k]).any(2) for k in range(4)]
    assert [part[30, 45] for part in changed] == [False, False, True, True]
    qtbot.mouseRelease(picture, LEFT, pos=place(picture, 60, 30))


def test_escape_in_the_middle_of_a_stroke_leaves_nothing(brush, qtbot):
    before, stage = brush.session.state.retained, brush.session.screen.stage
    picture = brush.page.views.view(0).picture
    qtbot.mousePress(picture, LEFT, pos=place(picture, 20, 40))
    qtbot.mouseMove(picture, place(picture, 40, 40))
    qtbot.waitUntil(lambda: stage.brush is not None, timeout=20000)
    qtbot.keyClick(brush, Qt.Key.Key_Escape)
    assert stage.brush is None
    assert brush.session.state.retained == before
    qtbot.mouseRelease(picture, LEFT, pos=place(picture, 60, 40))
    assert paintings(brush) == []
    assert brush.session.state.tool is Tool.BRUSH


def test_the_eraser_gives_the_pixels_back_to_the_gates(brush, qtbot):
    picture = brush.page.views.view(0).picture
    before = brush.session.state.retained
    drag(qtbot, picture, (20, 40), (60, 40))
    brush.session.inspection.painting.set_ink(Ink.ERASE)
    drag(qtbot, picture, (20, 40), (40, 40))
    assert kept(brush)[40, 20] == 0
    assert kept(brush)[40, 60] == -1
    brush.session.inspection.painting.set_radius(40)
    drag(qtbot, picture, (0, 40), (127, 40))
    assert kept(brush) is None
    assert brush.session.state.retained == before
    assert len(paintings(brush)) == 3


def test_a_fill_trusts_all_that_hangs_together_untrusted(brush, qtbot, until):
    session = brush.session
    painting, picture = session.inspection.painting, brush.page.views.view(3).picture
    untrusted = ~session.screen.stage.material.trust.trusted
    assert untrusted[50, 127]
    painting.set_ink(Ink.TRUST)
    painting.set_shape(BrushShape.FILL)
    qtbot.mouseClick(picture, LEFT, pos=place(picture, 126, 50))
    mask = kept(brush)
    assert mask[50, 126] == 1
    assert not (mask[~untrusted]).any()
    qtbot.mouseClick(picture, LEFT, pos=place(picture, 126, 50))
    assert "is trusted" in session.state.notice.text
    assert len(paintings(brush)) == 1


def test_a_polygon_is_clicked_and_closed_by_a_double_click(brush, qtbot):
    brush.session.inspection.painting.set_shape(BrushShape.POLYGON)
    picture = brush.page.views.view(1).picture
    for pixel in ((20, 20), (60, 20)):
        qtbot.mouseClick(picture, LEFT, pos=place(picture, *pixel))
    assert paintings(brush) == []
    last = place(picture, 60, 60)
    qtbot.mouseClick(picture, LEFT, pos=last)
    qtbot.mouseDClick(picture, LEFT, pos=last)
    mask = kept(brush)
    assert mask[30, 50] == -1
    assert mask[50, 25] == 0
    assert len(paintings(brush)) == 1


def test_a_polygon_is_closed_by_return_and_loses_corners_by_backspace(brush, qtbot):
    brush.session.inspection.painting.set_shape(BrushShape.POLYGON)
    picture = brush.page.views.view(1).picture
    for pixel in ((20, 20), (60, 20), (60, 60), (110, 90)):
        qtbot.mouseClick(picture, LEFT, pos=place(picture, *pixel))
    qtbot.keyClick(brush, Qt.Key.Key_Backspace)
    qtbot.keyClick(brush, Qt.Key.Key_Return)
    mask = kept(brush)
    assert mask[30, 50] == -1
    assert mask[70, 85] == 0
    qtbot.mouseClick(picture, LEFT, pos=place(picture, 20, 20))
    qtbot.keyClick(brush, Qt.Key.Key_Escape)
    assert brush.session.state.tool is Tool.BRUSH
    qtbot.mouseClick(picture, LEFT, pos=place(picture, 20, 20))
    qtbot.mouseClick(picture, Qt.MouseButton.RightButton, pos=place(picture, 20, 20))
    qtbot.keyClick(brush, Qt.Key.Key_Escape)
    assert brush.session.state.tool is Tool.HAND
    assert len(paintings(brush)) == 1


def test_a_lasso_paints_what_it_goes_around(brush, qtbot):
    brush.session.inspection.painting.set_shape(BrushShape.LASSO)
    drag(qtbot, brush.page.views.view(0).picture, (20, 20), (70, 20), (70, 60), (20, 60))
    mask = kept(brush)
    assert mask[40, 45] == -1
    assert mask[80, 100] == 0


def test_strokes_beside_the_picture_change_nothing_and_those_across_are_cut(brush, qtbot):
    brush.resize(1280, 960)
    QApplication.processEvents()
    picture = brush.page.views.view(0).picture
    brush.page.views.one_to_one()
    drag(qtbot, picture, (-30, 10), (-20, 12))
    assert paintings(brush) == []
    drag(qtbot, picture, (-20, 10), (20, 10))
    mask = kept(brush)
    assert mask[10, 0] == mask[10, 20] == -1


def test_alt_and_the_middle_button_move_the_picture_and_the_wheel_sizes(brush, qtbot):
    picture, state = brush.page.views.view(0).picture, brush.session.state
    brush.page.views.one_to_one()
    brush.page.views.zoom_in()
    lens = brush.page.views.lens
    start = QPoint(picture.width() // 2, picture.height() // 2)
    qtbot.mousePress(picture, LEFT, Qt.KeyboardModifier.AltModifier, pos=start)
    qtbot.mouseMove(picture, start + QPoint(5, 0))
    qtbot.mouseRelease(picture, LEFT, Qt.KeyboardModifier.AltModifier, pos=start)
    assert brush.page.views.lens != lens
    assert paintings(brush) == []
    for modifier in (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier):
        before = brush.session.state.brush.radius
        turn(picture, start, modifier)
        assert brush.session.state.brush.radius > before
    assert state.brush.radius == 6


def turn(picture, start, modifier):
    event = QWheelEvent(
        QPointF(start),
        QPointF(picture.mapToGlobal(start)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(picture, event)


def test_another_window_paints_and_this_one_shows_it(brush, until):
    before = brush.session.state.retained
    with Project.open(brush.session.state.folder) as project:
        distrust = np.full((96, 128), -1, np.int8)
        Decisions(project).paint("003", lambda _: distrust)
    until(brush.session, lambda s: s.retained == 0 != before)
    assert brush.session.state.brush.distrusted == 1
