"""Queues in the window: walked with Space from anywhere, never shuffled under the hand."""

from contextlib import contextmanager

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox, QLineEdit, QPlainTextEdit, QPushButton

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.words import percent
from smarthdr_studio.studio.curation.scene_list import QueueFooter, reason_in_words
from smarthdr_studio.studio.curation.scene_overview import TableBar
from smarthdr_studio.studio.state import Activity, QueueKind, TrainingState

SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def space(qtbot, window, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Space, modifier)


def queue(window):
    return window.session.state.queue


def button(window, text):
    return next(b for b in window.findChildren(QPushButton) if b.text() == text and b.isVisible())


def listed(window):
    return tuple(row.id for row in window.page.shelf.model.rows)


def is_shown(scene):
    return lambda state: state.shown == state.current == scene


@pytest.fixture
def ranked(opened, qtbot, until):
    """The window with the safest queue, all frames looked at: 003, 004, 005, 006."""
    qtbot.mouseClick(button(opened, "Safest"), Qt.MouseButton.LeftButton)
    until(opened.session, lambda s: s.queue.scenes and not s.queue.preliminary)
    assert queue(opened).scenes == ("003", "004", "005", "006")
    return opened


def test_a_queue_orders_the_list_with_its_reasons_until_all_are_listed_again(ranked, qtbot):
    assert listed(ranked) == queue(ranked).scenes
    counts = [part._count.text() for part in (ranked.page.scenes, ranked.findChild(TableBar))]
    assert counts == ["4 of 7"] * 2
    assert ranked.session.state.current == "003"
    assert button(ranked, "Safest").isChecked()
    index = ranked.page.shelf.model.index(0, 0)
    reason = queue(ranked).reason_of("003")
    assert "is trusted" in reason
    assert reason in index.data(Qt.ItemDataRole.ToolTipRole)
    assert reason in index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert reason_in_words(ranked.session.state) == reason
    footer = ranked.page.scenes.findChild(QueueFooter)
    reason = footer._reason
    long = "100 % is not trusted, mostly saturated or moving; unlike what is labelled or above it"
    reason.tell(long)
    assert reason.text() == long
    assert footer.width() <= 236
    qtbot.mouseClick(button(ranked, "All"), Qt.MouseButton.LeftButton)
    assert len(listed(ranked)) == 7
    assert queue(ranked).kind is QueueKind.ALL


def test_space_walks_and_what_is_left_is_reviewed(ranked, qtbot, until):
    assert (queue(ranked).reviewed, queue(ranked).total) == (0, 4)
    space(qtbot, ranked)
    until(ranked.session, is_shown("004"))
    assert queue(ranked).reviewed == 1
    space(qtbot, ranked)
    until(ranked.session, is_shown("005"))
    space(qtbot, ranked, SHIFT)
    until(ranked.session, is_shown("004"))
    assert queue(ranked).reviewed == 3
    with Project.open(ranked.session.state.folder) as project:
        assert set(project.reviewed()) == {"003", "004", "005"}


def test_space_starts_the_most_worth_scenes_from_the_plain_list(opened, qtbot, until):
    space(qtbot, opened)
    until(opened.session, lambda s: s.queue.kind is QueueKind.WORTH and s.shown == s.current)
    until(opened.session, lambda s: not s.queue.preliminary)
    first = opened.session.state.current
    assert first in queue(opened).scenes


def test_space_walks_whatever_was_clicked_and_return_presses_what_has_the_keyboard(
    ranked, qtbot, until
):
    page = ranked.page
    masks = button(ranked, "Masks")
    for clicked in (
        masks,
        page.trust_side.reliability.patches._slider,
        page.scenes._list.viewport(),
        page.views.view(1).picture,
        button(ranked, "Safest"),
        "a tab of the keyboard",
    ):
        if isinstance(clicked, str):
            masks.setFocus(Qt.FocusReason.TabFocusReason)
        else:
            qtbot.mouseClick(clicked, Qt.MouseButton.LeftButton, pos=QPoint(30, 8))
        until(ranked.session, lambda s: s.shown == s.current)
        at, checked = ranked.session.state.current, masks.isChecked()
        space(qtbot, ranked)
        until(ranked.session, lambda s, at=at: s.current != at)
        assert masks.isChecked() is checked
        ranked.session.screen.pick("003")  # the first, so that the walk does not come to its end
        until(ranked.session, is_shown("003"))
    space(qtbot, ranked, SHIFT)
    assert ranked.session.state.notice.text == "This is the first scene of the queue."
    # Return presses the button that has the keyboard.
    before = masks.isChecked()
    masks.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(masks, Qt.Key.Key_Return)
    assert masks.isChecked() is not before


def test_space_in_a_note_a_number_or_a_line_leaves_the_scene_alone(ranked, qtbot):
    for tab, kind in (("scene", QPlainTextEdit), ("thresholds", QDoubleSpinBox)):
        ranked.page.go_to_tab(tab)
        field = next(f for f in ranked.page.findChildren(kind) if f.isVisible())
        field.setFocus()
        space(qtbot, ranked)
        assert ranked.session.state.current == "003"
        if kind is QPlainTextEdit:
            assert field.toPlainText() == " "
    field = next(f for f in ranked.page.scenes.findChildren(QLineEdit) if f.isVisible())
    field.setFocus()
    qtbot.keyClicks(field, "00")
    space(qtbot, ranked)
    assert field.text() == "00 "
    assert ranked.session.state.current == "003"


def test_a_fresh_project_has_no_button_under_return(opened, qtbot):
    qtbot.keyClick(opened.focusWidget(), Qt.Key.Key_Return)
    assert opened.session.state.undo is None
    assert not isinstance(opened.focusWidget(), QPushButton)


def test_a_decided_scene_stays_on_the_screen_and_leaves_with_the_next_step(ranked, qtbot, until):
    space(qtbot, ranked)
    until(ranked.session, is_shown("004"))
    order = queue(ranked).scenes
    qtbot.keyClick(ranked, Qt.Key.Key_X)
    until(ranked.session, lambda s: s.row("004").status is Status.EXCLUDED)
    assert ranked.session.state.current == "004"
    assert queue(ranked).scenes == order
    space(qtbot, ranked)
    until(ranked.session, is_shown("005"))
    assert queue(ranked).scenes == ("003", "005", "006")
    space(qtbot, ranked, SHIFT)
    until(ranked.session, is_shown("003"))


@pytest.mark.parametrize("where", ["list", "table", "gallery"])
def test_a_click_below_a_scene_that_leaves_its_queue_means_what_was_clicked(
    ranked, qtbot, until, where
):
    key = {"table": Qt.Key.Key_F7, "gallery": Qt.Key.Key_F8}.get(where)
    if key is not None:
        qtbot.keyClick(ranked, key)
    view = ranked.page.scenes.list if where == "list" else getattr(ranked.page.browsing, where)
    qtbot.waitUntil(view.isVisible, timeout=20000)
    qtbot.keyClick(ranked, Qt.Key.Key_P)
    until(ranked.session, lambda s: s.row("003").status is Status.PROMOTED)
    assert listed(ranked) == ("003", "004", "005", "006")
    at = view.visualRect(view.model().index(1, 0)).center()
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(view.viewport(), at + QPoint(1, 1))  # no hand is still
    assert view.visualRect(view.model().index(1, 0)).contains(at)
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at + QPoint(1, 1))
    until(ranked.session, is_shown("004"))
    until(ranked.session, lambda s: s.queue.scenes == ("004", "005", "006"))
    assert listed(ranked) == ("004", "005", "006")
    assert ranked.page.shelf.selected() == ("004",)
    qtbot.keyClick(view, Qt.Key.Key_X)
    until(ranked.session, lambda s: s.row("004").status is Status.EXCLUDED)
    assert ranked.session.state.row("005").status is Status.UNLABELLED


def test_promoting_never_shuffles_and_an_undo_brings_the_scene_back_to_its_place(
    ranked, qtbot, until
):
    order = queue(ranked).scenes
    qtbot.keyClick(ranked, Qt.Key.Key_P)
    until(ranked.session, lambda s: s.row("003").status is Status.PROMOTED)
    space(qtbot, ranked)
    until(ranked.session, is_shown("004"))
    until(ranked.session, lambda s: s.queue.scenes == order[1:])
    qtbot.keyClick(ranked, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    until(ranked.session, lambda s: s.queue.scenes == order)
    assert queue(ranked).reviewed >= 1


def test_a_reason_tells_the_share_of_now_also_after_a_decision_about_another(ranked, qtbot, until):
    def agree(state):
        retained = {row.id: row.retained for row in state.scenes}
        return all(
            state.queue.reason_of(name).startswith(percent(retained[name]))
            for name in state.queue.scenes
            if name != state.current
        )

    assert agree(ranked.session.state)
    before = {row.id: row.retained for row in ranked.session.state.scenes}
    ranked.session.screen.pick("006")  # the least sure: the range of the pool goes with it
    until(ranked.session, is_shown("006"))
    order = queue(ranked).scenes
    qtbot.keyClick(ranked, Qt.Key.Key_X)
    until(
        ranked.session,
        lambda s: s.row("006").status is Status.EXCLUDED and s.row("003").retained != before["003"],
    )
    until(ranked.session, agree)
    assert queue(ranked).scenes == order


def test_the_end_is_told_and_leads_back_to_what_was_passed_over(ranked, qtbot, until):
    ranked.session.screen.pick("006")
    until(ranked.session, is_shown("006"))
    space(qtbot, ranked)
    assert "Space goes back to 3 not reviewed" in ranked.session.state.notice.text
    assert ranked.session.state.current == "006"
    space(qtbot, ranked)
    until(ranked.session, is_shown("003"))
    for scene in ("004", "005", "006"):
        space(qtbot, ranked)
        until(ranked.session, is_shown(scene))
    space(qtbot, ranked)
    assert "4 of 4" in ranked.session.state.notice.text


def test_moving_thresholds_do_not_rank_but_settled_ones_do(ranked, qtbot, until):
    controller = ranked.session.recommendations.queue
    before = controller._basis
    low = ranked.session.inspection.thresholds
    low.moved.emit(ranked.session.state.masks)
    assert controller._basis is before
    qtbot.keyClick(ranked, Qt.Key.Key_BracketLeft, Qt.KeyboardModifier.ControlModifier)
    until(ranked.session, lambda s: s.masks != before.masks)
    assert controller._basis.masks == ranked.session.state.masks
    assert ranked.session.state.current == "003"


def test_a_new_pseudo_label_ranks_anew(ranked, qtbot, until, label_again):
    controller = ranked.session.recommendations.queue
    before = controller._basis
    with Project.open(ranked.session.state.folder) as project:
        label_again(project, "004", at_round=4)
    ranked.session.inspection.round_came()
    qtbot.waitUntil(lambda: controller._basis != before, timeout=20000)
    assert ranked.session.state.current == "003"


def test_the_query_line_bounds_the_walk(ranked, qtbot, until):
    ranked.session.inspection.table.ask("005 or 006")
    space(qtbot, ranked)
    until(ranked.session, is_shown("005"))
    assert listed(ranked) == ("005", "006")


def test_space_walks_while_a_run_goes_on(ranked, qtbot, until):
    ranked.session.training.became.emit(TrainingState(activity=Activity.RUNNING, run="r"))
    space(qtbot, ranked)
    until(ranked.session, is_shown("004"))
    ranked.session.training.became.emit(TrainingState())


def test_before_the_first_run_nothing_waits_and_that_is_said(window, qtbot, until, fresh_project):
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
    space(qtbot, window)
    assert "No scene waits" in window.session.state.notice.text
    assert "No scene waits" in reason_in_words(window.session.state)


def test_keys_pick_the_order(opened, qtbot):
    for key, kind in (("2", QueueKind.SAFEST), ("3", QueueKind.WORTH), ("1", QueueKind.ALL)):
        qtbot.keyClick(opened, key, ALT)
        assert queue(opened).kind is kind


@pytest.fixture
def new_window(qtbot, until, build_window, tiny_project):
    """Opens the project in a window of its own, and closes it."""

    @contextmanager
    def opens():
        window = build_window()
        with qtbot.waitActive(window, timeout=20000):
            window.show()
            window.activateWindow()
        window.session.take(tiny_project)
        until(window.session, lambda s: s.shown is not None and s.charts is not None)
        yield window
        window.session.shut_down()
        qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
        window.close()
        window.deleteLater()

    return opens


def test_marks_survive_a_restart_and_the_queue_is_walked_on(new_window, qtbot, until):
    with new_window() as window:
        assert queue(window).reviewed == 0
        window.session.recommendations.queue.pick(QueueKind.SAFEST)
        until(window.session, lambda s: not s.queue.preliminary)
        space(qtbot, window)
        until(window.session, is_shown("004"))
    with new_window() as window:
        assert queue(window).reviewed == 1
        assert queue(window).kind is QueueKind.SAFEST
        until(window.session, lambda s: not s.queue.preliminary)
        space(qtbot, window)
        until(window.session, is_shown("005"))


def test_another_window_sees_what_was_reviewed(ranked, until):
    with Project.open(ranked.session.state.folder) as other:
        other.mark_reviewed(["005", "006"])
    until(ranked.session, lambda s: s.queue.reviewed == 2)
