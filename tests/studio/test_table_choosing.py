"""Table, gallery and list show the same scenes in the same order with the same selection."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.curation.scene_gallery import SceneGallery
from smarthdr_studio.studio.curation.scene_model import COLUMNS, SceneShelf
from smarthdr_studio.studio.curation.scene_overview import SceneTable
from smarthdr_studio.studio.state import Centre, StudioState
from smarthdr_studio.studio.theme import DARK

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
POOL = ("003", "004", "005", "006")


def press(qtbot, window, key, modifiers=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifiers)


def listed(window):
    return [row.id for row in window.page.shelf.model.rows]


def click_line(qtbot, view, line, modifiers=Qt.KeyboardModifier.NoModifier):
    place = view.visualRect(view.model().index(line, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifiers, place)


def column(title):
    return next(place for place, each in enumerate(COLUMNS) if each.title == title)


@pytest.fixture
def table(opened, qtbot):
    """The table in the middle of the window."""
    press(qtbot, opened, Qt.Key.Key_F7)
    assert opened.session.state.centre is Centre.TABLE
    qtbot.waitUntil(opened.page.browsing.table.isVisible, timeout=20000)
    return opened.page.browsing.table


def test_keys_and_words_over_the_list_lead_to_table_and_gallery_and_keys_back(opened, qtbot):
    for key, back in ((Qt.Key.Key_F7, Qt.Key.Key_F7), (Qt.Key.Key_F8, Qt.Key.Key_Escape)):
        press(qtbot, opened, key)
        assert opened.session.state.centre is not Centre.PICTURES
        assert not opened.page.views.isVisible()
        press(qtbot, opened, back)
        assert opened.session.state.centre is Centre.PICTURES
        assert opened.page.views.isVisible()
    choice = opened.page.scenes._centre
    for word, centre in (("Table", Centre.TABLE), ("Gallery", Centre.GALLERY)):
        qtbot.mouseClick(choice._buttons[word], Qt.MouseButton.LeftButton)
        assert opened.session.state.centre is centre
        assert choice._buttons[word].isChecked()


def test_the_table_is_left_walked_searched_and_sorted(opened, table, qtbot, until):
    # Return shows the pictures of the scene.
    click_line(qtbot, table, 3)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.session.state.centre is Centre.PICTURES
    until(opened.session, lambda s: s.shown == "004")
    press(qtbot, opened, Qt.Key.Key_F7)
    qtbot.waitUntil(table.isVisible, timeout=20000)
    # Home and End lead to the first and the last scene, and mark all between.
    press(qtbot, opened, Qt.Key.Key_End)
    assert opened.session.state.current == listed(opened)[-1]
    press(qtbot, opened, Qt.Key.Key_Home, SHIFT)
    assert list(opened.page.shelf.selected()) == listed(opened)
    press(qtbot, opened, Qt.Key.Key_Home)
    assert opened.session.state.current == listed(opened)[0]
    # A line that is not understood keeps the last good answer.
    bar = opened.page.browsing.bar
    bar.start_search()
    qtbot.keyClicks(bar.search, "unlabelled")
    assert listed(opened) == list(POOL)
    qtbot.keyClicks(bar.search, " retained<lots")
    assert listed(opened) == list(POOL)
    assert "retained is compared with a number" in bar._message.whole
    told = opened.page.scenes._fault
    assert told.text() == bar._message.whole
    assert told.wordWrap()
    bar.search.selectAll()
    qtbot.keyClick(bar.search, Qt.Key.Key_Delete)
    assert len(listed(opened)) == 7
    assert not opened.session.state.table.fault
    assert told.isHidden()
    # One query holds for all three.
    opened.page.browsing.bar.start_search()
    qtbot.keyClicks(QApplication.focusWidget(), "status:unlabelled sigma<0.08")
    found = listed(opened)
    assert found
    assert set(found) < set(POOL)
    assert opened.page.scenes._search.text() == "status:unlabelled sigma<0.08"
    assert opened.page.scenes._count.whole == f"{len(found)} of 7"
    assert table.model() is opened.page.scenes._list.model()
    bar.search.selectAll()
    qtbot.keyClick(bar.search, Qt.Key.Key_Delete)
    # A click on a head sorts, and another one reverses.
    head = table.horizontalHeader()
    place = head.sectionViewportPosition(column("σ")) + 5
    at = QPoint(place, head.height() // 2)
    qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert listed(opened)[:4] == list(POOL)  # each a little less sure than the one before
    qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert listed(opened)[:4] == list(POOL[::-1])
    assert set(listed(opened)[4:]) == {"001", "002", "Test-007"}  # what is not known comes last


def test_a_selection_made_in_the_table_is_the_one_that_keys_act_on(opened, table, qtbot):
    click_line(qtbot, table, 2)
    click_line(qtbot, table, 4, SHIFT)
    assert opened.page.scenes.selected() == ("003", "004", "005")
    assert len(opened.page.scenes._list.selectionModel().selectedRows()) == 3
    press(qtbot, opened, Qt.Key.Key_X)
    statuses = {row.id: row.status for row in opened.session.state.scenes}
    assert [statuses[name] for name in ("003", "004", "005")] == [Status.EXCLUDED] * 3
    assert opened.session.state.notice.text == "Excluded 3 scenes. Undo: Ctrl+Z"
    press(qtbot, opened, Qt.Key.Key_Z, CTRL)
    statuses = {row.id: row.status for row in opened.session.state.scenes}
    assert [statuses[name] for name in ("003", "004", "005")] == [Status.UNLABELLED] * 3


def test_a_bulk_promotion_is_one_step_to_undo(opened, table, qtbot, until, tiny_project):
    click_line(qtbot, table, 2)
    click_line(qtbot, table, 5, SHIFT)
    press(qtbot, opened, Qt.Key.Key_P)
    until(opened.session, lambda s: s.notice is not None)
    assert opened.session.state.notice.text == "Promoted 4 scenes. Undo: Ctrl+Z"
    assert opened.session.state.row("006").status is Status.PROMOTED
    press(qtbot, opened, Qt.Key.Key_Z, CTRL)
    until(opened.session, lambda s: s.row("006").status is Status.UNLABELLED)
    with Project.open(tiny_project) as project:
        assert {project.statuses()[name] for name in POOL} == {Status.UNLABELLED}


def press_deed(qtbot, window, word):
    deeds = window.page.browsing.bar._deeds
    qtbot.mouseClick(next(d for d in deeds if d.text() == word), Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("centre", [Centre.TABLE, Centre.GALLERY])
def test_the_buttons_over_the_scenes_decide_about_what_is_selected(opened, qtbot, until, centre):
    session, card = opened.session, opened.page.trust_side.scene
    session.inspection.table.toggle(centre)
    view = opened.page.browsing.table if centre is Centre.TABLE else opened.page.browsing.gallery
    qtbot.waitUntil(view.isVisible, timeout=20000)
    click_line(qtbot, view, 2)
    click_line(qtbot, view, 3, CTRL)
    press_deed(qtbot, opened, "Exclude")
    until(session, lambda s: [s.row(n).status for n in ("003", "004")] == [Status.EXCLUDED] * 2)
    press_deed(qtbot, opened, "Exclude")
    until(session, lambda s: s.row("004").status is Status.UNLABELLED)
    press_deed(qtbot, opened, "Promote")
    until(session, lambda s: [s.row(n).status for n in ("003", "004")] == [Status.PROMOTED] * 2)
    press_deed(qtbot, opened, "Tag…")
    qtbot.waitUntil(card.tags.line.hasFocus, timeout=20000)
    press_deed(qtbot, opened, "Note…")
    qtbot.waitUntil(card.note.hasFocus, timeout=20000)
    assert session.state.centre is centre


def test_sorting_keeps_what_is_selected(opened, table, qtbot):
    click_line(qtbot, table, 2)
    click_line(qtbot, table, 4, CTRL)
    before = set(opened.page.scenes.selected())
    opened.session.inspection.table.sort_by("sigma")
    opened.session.inspection.table.reverse()
    assert set(opened.page.scenes.selected()) == before
    assert opened.session.state.current == "005"


def test_a_query_that_leaves_the_current_scene_out_leaves_it_on_the_screen(opened, qtbot):
    opened.session.inspection.table.ask("status:ground")
    assert listed(opened) == ["001", "002"]
    assert opened.session.state.current == "003"
    assert opened.page.scenes.selected() == ("003",)
    press(qtbot, opened, Qt.Key.Key_Right)
    assert opened.session.state.current == "001"


def test_a_table_never_decides_about_a_scene_that_is_out_of_sight(opened, table, qtbot):
    opened.session.inspection.table.ask("status:ground")
    assert opened.session.state.current == "003"
    press(qtbot, opened, Qt.Key.Key_X)
    assert "No scene is selected" in opened.session.state.notice.text
    assert opened.session.state.row("003").status is Status.UNLABELLED
    press(qtbot, opened, Qt.Key.Key_Down)
    press(qtbot, opened, Qt.Key.Key_X)
    assert opened.session.state.row("001").status is Status.EXCLUDED


def test_a_demoted_scene_learns_from_its_ground_truth_again(opened, qtbot, until):
    opened.session.screen.pick("001")
    until(opened.session, lambda s: s.shown == "001")
    opened.session.curating.decide(lambda pen: pen.demote(["001"]))
    assert opened.session.state.row("001").status is Status.UNLABELLED
    opened.findChild(QAction, "use_truth").trigger()
    assert opened.session.state.row("001").status is Status.GROUND_TRUTH


def test_hidden_columns_are_remembered_with_the_project(opened, table, until, tiny_project):
    table.hide_columns(["Trend", "Note"])
    table.columns_changed.emit()
    opened.session.close_project()
    until(opened.session, lambda s: s.folder is None)
    table.hide_columns([])
    opened.session.take(tiny_project)
    until(opened.session, lambda s: s.charts is not None)
    assert table.hidden_columns == ["Trend", "Note"]


def test_an_order_follows_figures_that_change(opened, table, until):
    opened.session.inspection.table.ask("retained<0.3")
    before = set(listed(opened))
    masks = opened.session.state.masks
    opened.session.curating.settle_masks(type(masks)(tau_patch=0.05, tau_pixel=0.05))
    until(opened.session, lambda s: set(s.table.found or ()) > before)


def test_the_arrow_keys_go_on_from_scene_to_scene_wherever_one_comes_from(opened, qtbot, until):
    for key in (Qt.Key.Key_F7, Qt.Key.Key_F8, Qt.Key.Key_Escape):
        press(qtbot, opened, key)
        before = opened.session.state.current
        press(qtbot, opened, Qt.Key.Key_Right)
        assert opened.session.state.current > before
    until(opened.session, lambda s: s.shown == s.current)


def test_a_queue_has_an_order_of_its_own_in_the_gallery(opened, qtbot):
    press(qtbot, opened, Qt.Key.Key_F8)
    sort = opened.page.browsing.bar._sort
    assert sort.currentText() == "by name"
    press(qtbot, opened, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert sort.currentIndex() == -1
    press(qtbot, opened, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert sort.currentText() == "by name"


def test_another_order_without_the_scene_on_the_screen_is_seen_from_its_start(
    opened, table, qtbot, until
):
    views = (opened.page.scenes.list, table)
    for view in views:
        view.setFixedHeight(90)
    qtbot.keyClick(opened.page.scenes.list, Qt.Key.Key_End)
    until(opened.session, lambda s: s.shown == s.current == listed(opened)[-1])
    assert all(view.verticalScrollBar().value() for view in views)
    press(qtbot, opened, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    until(opened.session, lambda s: s.queue.scenes and not s.queue.preliminary)
    assert opened.session.state.current not in listed(opened)
    assert not any(view.verticalScrollBar().value() for view in views)


def test_what_comes_next_stays_in_sight_but_a_click_moves_nothing(opened, qtbot):
    view = opened.page.scenes._list

    def place(line):
        return view.visualRect(view.model().index(line, 0))

    view.setFixedHeight(2 * place(0).height() + 10)
    opened.page.shelf.step(-9)
    view.scrollToTop()
    second = place(1)
    click_line(qtbot, view, 1)
    assert view.currentIndex().row() == 1
    assert place(1) == second
    opened.page.shelf.step(1)
    assert view.viewport().rect().contains(place(2))
    assert place(3).top() < view.viewport().height()


@pytest.mark.parametrize("make", [SceneTable, SceneGallery])
def test_the_current_scene_stays_in_sight_in_another_room(qtbot, qapp, request, make):
    shelf = SceneShelf(qapp)
    request.addfinalizer(shelf.deleteLater)
    facts = tuple(SceneFacts(id=f"{k:03}", status=Status.UNLABELLED) for k in range(24))
    view = make(DARK, shelf)
    qtbot.addWidget(view)
    shelf.show_state(StudioState(), StudioState(scenes=facts, current="023"))
    view.resize(1200, 1600)
    with qtbot.waitExposed(view):
        view.show()
    current = view.currentIndex()
    assert current.row() == 23
    assert view.verticalScrollBar().value() == 0
    view.resize(1200, 320)
    qtbot.waitUntil(lambda: _whole(view, current))
    for width in (900, 500, 1200):
        view.resize(width, 320)
        qtbot.waitUntil(lambda: _whole(view, current))
    view.verticalScrollBar().setValue(0)  # a hand looks elsewhere
    view.resize(1200, 300)
    assert view.verticalScrollBar().value() == 0


@pytest.mark.parametrize("make", [SceneTable, SceneGallery])
def test_the_current_scene_is_in_sight_where_scenes_come_to_a_view_that_is_open(
    qtbot, qapp, request, make
):
    shelf = SceneShelf(qapp)
    request.addfinalizer(shelf.deleteLater)
    facts = tuple(SceneFacts(id=f"{k:03}", status=Status.UNLABELLED) for k in range(24))
    view = make(DARK, shelf)
    qtbot.addWidget(view)
    view.resize(600, 300)
    with qtbot.waitExposed(view):
        view.show()
    shelf.show_state(StudioState(), StudioState(scenes=facts, current="023"))
    qtbot.waitUntil(lambda: _whole(view, view.currentIndex()))
    assert view.currentIndex().row() == 23


def _whole(view, index):
    return view.viewport().rect().contains(view.visualRect(index).center())
