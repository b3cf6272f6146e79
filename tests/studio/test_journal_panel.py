"""The journal panel: every decision as a line, and the past beside it."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import (
    Change,
    ChangeKind,
    JournalEntry,
    Kind,
    Status,
    decision_history,
)
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.studio.curation.journal import differences, in_full, moment_of
from smarthdr_studio.studio.curation.journal_panel import JournalPanel
from smarthdr_studio.studio.state import JournalState, PastState, StudioState
from smarthdr_studio.studio.widgets.controls import local_time, short_time

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier
TODAY = datetime(2026, 11, 22, 9).astimezone()


def utc(local):
    return datetime.strptime(local, "%Y-%m-%d %H:%M:%S").astimezone(UTC)


@pytest.mark.parametrize(
    ("typed", "after", "before"),
    [
        ("2026-11-22 14:00", "2026-11-22 14:00:59", "2026-11-22 14:01:00"),
        ("2026-11-22T14:00:07", "2026-11-22 14:00:07", "2026-11-22 14:00:08"),
        (" 2026-11-21 ", "2026-11-21 23:59:59", "2026-11-22 00:00:00"),
        ("14:00", "2026-11-22 14:00:59", "2026-11-22 14:01:00"),
    ],
)
def test_a_typed_moment_is_meant_to_its_end_on_the_local_clock(typed, after, before):
    moment = datetime.fromisoformat(moment_of(typed, today=TODAY))
    assert utc(after) <= moment < utc(before)
    assert moment.isoformat(timespec="milliseconds") == moment_of(typed, today=TODAY)


@pytest.mark.parametrize("typed", ["", "tomorrow", "2026-13-01", "2026-11-22 25:00", "22.11.2026"])
def test_what_is_no_moment_is_none(typed):
    assert moment_of(typed, today=TODAY) is None


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))
def test_short_times_drop_only_what_is_known(moment):
    at = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    whole = local_time(at)
    short = short_time(at, seconds=True, now=TODAY)
    assert whole.endswith(short.removeprefix("today "))
    assert len(short) == len(whole) or whole.startswith("2026")


def entry(seq, kind, scene=None, **how):
    at = (datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=seq)).isoformat(
        timespec="milliseconds"
    )
    how = {"group": f"g{seq}", "who": "ada@lab", "masks": MaskSettings(), **how}
    return JournalEntry(at=at, kind=kind, scene=scene, seq=seq, **how)


def journal(decisions):
    """A scene that is excluded and restored in turn."""
    states = (Status.UNLABELLED, Status.EXCLUDED)
    first = entry(1, Kind.CREATED, "001", after=Status.UNLABELLED)
    kinds = (Kind.EXCLUDE, Kind.RESTORE)
    return [first] + [
        entry(n + 2, kinds[n % 2], "001", before=states[n % 2], after=states[(n + 1) % 2])
        for n in range(decisions)
    ]


@pytest.fixture
def panel(qtbot):
    panel = JournalPanel()
    qtbot.addWidget(panel)
    panel.resize(800, 240)
    panel.show()
    return panel


def test_ten_thousand_decisions_are_shown_as_quickly_as_ten(panel):
    def fastest(lines):
        shown = StudioState(journal=JournalState(lines=lines))
        times = []
        for _ in range(3):
            panel.show_state(shown, StudioState())
            started = time.process_time()
            panel.show_state(StudioState(), shown)
            panel.grab()
            times.append(time.process_time() - started)
        return min(times)

    few, many = fastest(decision_history(journal(10))), fastest(decision_history(journal(10000)))
    assert panel._list.rows.rowCount() == 10001
    assert many < 20 * few + 0.05  # the factor forgives the machine


def test_differences_are_grouped_and_never_endless():
    changes = tuple(
        Change(scene=f"{n:04}", matter=matter, before="unlabelled", after="promoted")
        for n in range(3000)
        for matter in (ChangeKind.STATUS, ChangeKind.NOTE)
    )
    words = differences(PastState(before="", changes=changes), most=100)
    assert words.startswith("Status (3000)\n  0000: unlabelled → promoted\n")
    assert len(words.splitlines()) == 101
    assert "more" in words.splitlines()[-1]


def click(qtbot, panel, row, modifier=PLAIN):
    view = panel._list
    view.scrollTo(view.model().index(row, 1))
    place = view.visualRect(view.model().index(row, 1)).center()
    qtbot.mouseClick(view.viewport(), LEFT, modifier, place)


def shown_rows(panel):
    model = panel._list.rows
    return [model.index(row, 1).data() for row in range(model.rowCount())]


@pytest.fixture
def told(opened, until, qtbot, tiny_project):
    """The window with its journal in front, after some decisions."""
    with Project.open(tiny_project) as project:
        pen = Decisions(project)
        pen.exclude(["004"], note="a ghost")
        pen.promote(["005"])
        pen.undo()
        pen.exclude(["005", "006"])
        pen.set_masks(MaskSettings(tau_patch=0.3))
    qtbot.keyClick(opened, Qt.Key.Key_F10)
    until(opened.session, lambda s: len(s.journal.lines) == 6)
    return opened


def test_every_decision_is_a_line_the_newest_first(told):
    panel = told.page.journal
    assert panel.isVisible()
    assert shown_rows(panel) == [
        "set the thresholds to 0.3 and 0.4",
        "exclude 2 scenes",
        "undo: promote 005",
        "promote 005",
        "exclude 004",
        "create 7 scenes",
    ]
    model = panel._list.rows
    assert model.index(4, 3).data() == "a ghost"
    assert "earlier · round 3 · ab12" in in_full(model.value(3))


def test_an_undone_decision_is_struck_through_and_says_so(told):
    model = told.page.journal._list.rows
    role = Qt.ItemDataRole
    struck = [
        row for row in range(6) if (f := model.index(row, 1).data(role.FontRole)) and f.strikeOut()
    ]
    assert struck == [3]
    assert [row for row in range(6) if model.index(row, 2).data() == "undone"] == [3]


def test_a_click_shows_the_scene_and_the_past_and_arrow_keys_only_the_past(told, until, qtbot):
    panel, session = told.page.journal, told.session
    click(qtbot, panel, 4)
    until(session, lambda s: s.current == "004" and s.journal.past is not None)
    words = panel._past._text.toPlainText()
    assert "005: unlabelled → excluded" in words
    assert "excluded 1 → 3" in panel._past._counts.text()
    panel._list.setFocus()
    qtbot.keyClick(panel._list, Qt.Key.Key_Up)
    until(session, lambda s: session.state.journal.chosen == (panel._list.rows.value(3).seq,))
    assert session.state.current == "004"
    qtbot.keyClick(panel._list, Qt.Key.Key_Return)
    until(session, lambda s: s.current == "005")


def test_two_lines_are_held_against_each_other(told, until, qtbot):
    panel, session = told.page.journal, told.session
    click(qtbot, panel, 4)
    click(qtbot, panel, 1, CTRL)
    until(session, lambda s: s.journal.past is not None and bool(s.journal.past.after))
    scenes = {change.scene for change in session.state.journal.past.changes}
    assert scenes == {"005", "006"}
    assert "→" in panel._past._title.whole
    assert session.state.current != "006"


def test_a_typed_moment_shows_the_project_as_it_was(told, until, qtbot):
    panel, session = told.page.journal, told.session
    qtbot.keyClick(told, Qt.Key.Key_J, Qt.KeyboardModifier.AltModifier)
    field = panel._past._typed
    qtbot.waitUntil(field.hasFocus, timeout=20000)
    qtbot.keyClicks(field, "soon")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel._past._fault.isVisible()
    field.clear()
    qtbot.keyClicks(field, "1999-01-01")
    assert not panel._past._fault.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    until(session, lambda s: s.journal.past is not None)
    assert "before the project was made" in panel._past._text.toPlainText()
    panel._past.moment_asked.emit(moment_of("2090-01-01"))
    until(session, lambda s: s.journal.past.known)
    assert session.state.journal.past.changes == ()
    qtbot.waitUntil(lambda: "Nothing differs" in panel._past._text.toPlainText(), timeout=20000)


def test_the_lines_of_this_scene_alone(told, until, qtbot):
    panel = told.page.journal
    told.session.screen.pick("004")
    panel._which.picked.emit("this scene")
    assert shown_rows(panel) == ["exclude 004", "create 7 scenes"]
    told.session.screen.pick("006")
    assert shown_rows(panel) == ["exclude 2 scenes", "create 7 scenes"]


def test_what_is_decided_meanwhile_appears_and_the_past_is_held_against_the_new_now(
    told, until, qtbot
):
    panel, session = told.page.journal, told.session
    click(qtbot, panel, 0)
    until(session, lambda s: s.journal.past is not None and s.journal.past.changes == ())
    session.curating.exclude(("003",))
    until(session, lambda s: len(s.journal.lines) == 7 and bool(s.journal.past.changes))
    assert [c.scene for c in session.state.journal.past.changes] == ["003"]
    chosen = [index.row() for index in panel._list.selectionModel().selectedRows()]
    assert chosen == [1]


def test_a_journal_nobody_looks_at_is_not_read(opened, qtbot):
    assert not opened.page.journal.isVisible()
    opened.session.curating.exclude(("004",))
    qtbot.wait(100)
    assert opened.session.state.journal.lines == ()


def test_a_journal_that_was_in_front_before_the_project_was_opened_is_filled(
    session, tiny_project, until
):
    session.files.journal.watch(True)
    session.take(tiny_project)
    until(session, lambda s: len(s.journal.lines) == 1)


def test_the_columns_fill_the_list_and_never_ask_for_more(told, qtbot):
    view = told.page.journal._list
    view.setParent(None)
    qtbot.addWidget(view)
    for width, fewest in ((320, 3), (560, 4), (1600, 7), (320, 3)):
        view.resize(width, 200)
        view.show()
        columns = [c for c in range(view.model().columnCount()) if not view.isColumnHidden(c)]
        assert columns == list(range(fewest))
        assert sum(map(view.columnWidth, columns)) == view.viewport().width()


def test_thresholds_are_read_to_their_last_digit_beside_a_note(told, qtbot):
    view = told.page.journal._list
    view.setParent(None)
    qtbot.addWidget(view)
    view.resize(600, 200)
    view.show()
    words = "set the thresholds to 0.487 and 0.404"
    assert not view.isColumnHidden(3)
    assert view.columnWidth(1) > view.fontMetrics().horizontalAdvance(words) + 6
