"""The parts of the page of runs: the list, comparing tables, pictures, and the sheets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from run_folders import checked, fabricate, over, round_told, stepped

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.training.run_folder import DiscardedRun, RunFolder
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.studio.runs import run_table
from smarthdr_studio.studio.runs.details import BEST, ContrastTable, RunsDetails
from smarthdr_studio.studio.runs.pictures import RunsPictures
from smarthdr_studio.studio.runs.rollback import RollbackSheet, heading, in_words
from smarthdr_studio.studio.runs.run_table import COLUMNS, RunsTable, usable
from smarthdr_studio.studio.runs.trash import RunTrashSheet
from smarthdr_studio.studio.state import (
    Contrast,
    RunPicture,
    RunsState,
    RunsTold,
    StudioState,
    WayBack,
)
from smarthdr_studio.studio.theme import DARK

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
STATUS, BEST_PSNR = 0, 4


@pytest.fixture
def rows(tmp_path):
    """Three runs, the latest first: one without a word, one that failed, one that is done."""
    done, failed, dead = (f"2026112{n}-100000-quick" for n in (3, 4, 5))
    remedy = Remedy(text="Half the batch", changes={"batch.labelled": 4})
    fabricate(tmp_path, done, checked(4, 31.0), checked(8, 30.0), over(done))
    fabricate(
        tmp_path,
        failed,
        checked(4, 35.0),
        over(failed, "failed", message="no memory is left", remedies=(remedy,)),
    )
    fabricate(tmp_path, dead, stepped(2), round_told(1, 2))
    return tuple(row_of(RunFolder(tmp_path / "runs" / name)) for name in (dead, failed, done))


def state_of(rows, *, chosen=None, **changes):
    chosen = (rows[0].id,) if chosen is None else chosen
    titles = {row.id: row.id[:8] for row in rows}
    runs = RunsState(rows=rows, titles=titles, chosen=chosen, looked=True, **changes)
    return StudioState(runs=runs)


@pytest.fixture
def table(qtbot, rows):
    table = RunsTable(DARK)
    qtbot.addWidget(table)
    table.resize(1200, 300)
    table.show_state(StudioState(), state_of(rows))
    table.show()
    qtbot.waitExposed(table)
    return table


def statuses(table):
    model = table.model()
    return [model.index(row, STATUS).data() for row in range(model.rowCount())]


def test_a_run_whose_log_is_damaged_is_marked_and_its_damage_is_told(qtbot, rows):
    lost = "has 1 line that cannot be read"
    spoilt = replace(rows[2], log_damage=lost)
    assert run_table.status(spoilt) == f"{run_table.status(rows[2])} · log damaged"
    assert f"its log {lost}" in run_table.in_full(spoilt)
    assert "log" not in run_table.in_full(rows[2])
    details = RunsDetails()
    qtbot.addWidget(details.glance)
    details.show_state(StudioState(), state_of((spoilt,)))
    assert f"Its log {lost}." in details.overview._message.text()


def test_every_status_has_a_sign_and_a_word_of_its_own(table):
    assert statuses(table) == ["⚠ interrupted 2/4", "✕ failed 3/4", "✓ done"]
    assert len({sign for _, sign in run_table.SIGNS.values()}) == len(run_table.SIGNS)


def chosen_in(table):
    return {table.rows.value(index).id for index in table.selectionModel().selectedRows()}


def test_a_click_on_a_figure_sorts_by_it_and_another_one_reverses(table, qtbot):
    head = table.horizontalHeader()
    x = head.sectionViewportPosition(BEST_PSNR) + 20
    qtbot.mouseClick(head.viewport(), LEFT, pos=QPoint(x, 8))
    assert statuses(table) == ["✕ failed 3/4", "✓ done", "⚠ interrupted 2/4"]
    qtbot.mouseClick(head.viewport(), LEFT, pos=QPoint(x, 8))
    assert statuses(table) == ["⚠ interrupted 2/4", "✓ done", "✕ failed 3/4"]


@given(st.sampled_from(COLUMNS), st.booleans(), st.permutations(range(6)))
def test_the_order_does_not_hang_on_the_order_before(
    tmp_path_factory, qapp, column, descending, order
):
    folder = tmp_path_factory.getbasetemp() / "sorted"
    names = [f"2026112{n}-100000-quick" for n in range(6)]
    if not folder.is_dir():
        for number, name in enumerate(names):
            fabricate(folder, name, *(checked(2, 30.0 + number % 3),) * (number % 2))
    known = [row_of(RunFolder(folder / "runs" / name)) for name in names]
    table, other = RunsTable(DARK), RunsTable(DARK)
    for each, given_rows in ((table, known), (other, [known[at] for at in order])):
        each.show_state(StudioState(), state_of(given_rows))
        each.sort_by(column.title, descending=descending)
    assert table.rows.values() == other.rows.values()
    among_equals = [row.id for row in table.rows.values() if row.best is None]
    if column.title == "Best PSNR-μ":
        assert among_equals == sorted(among_equals, reverse=True)  # the latest first


def test_chosen_runs_stay_chosen_while_others_come_and_lines_move(table, rows):
    chosen = (rows[0].id, rows[2].id)
    table.show_state(StudioState(), state_of(rows[:1] + rows[2:], chosen=chosen))
    said = []
    table.chosen.connect(said.append)
    table.show_state(StudioState(), state_of(rows, chosen=chosen))
    assert chosen_in(table) == set(chosen)
    assert said == []


def test_chosen_runs_and_the_keyboard_move_along_when_lines_are_sorted_anew(table, qtbot, rows):
    said = []
    table.setCurrentIndex(table.rows.index_of(rows[1].id))
    table.chosen.connect(said.append)
    for descending in (True, False):
        table.sort_by("Best PSNR-μ", descending=descending)
        assert chosen_in(table) == {rows[1].id}
        assert table.rows.value(table.currentIndex()) == rows[1]
    # One that is newly told moves at once, and is still the chosen one.
    better = replace(rows[1], best=replace(rows[1].best, psnr_mu=20.0))
    shown = state_of(rows, chosen=(rows[1].id,))
    newer = state_of((rows[0], better, rows[2]), chosen=(rows[1].id,))
    table.show_state(shown, newer)
    assert [row.id for row in table.rows.values()] == [rows[at].id for at in (0, 1, 2)]
    assert chosen_in(table) == {rows[1].id}
    assert said == []


def test_several_runs_are_chosen_with_ctrl_the_latest_first(table, qtbot, rows):
    said = []
    table.chosen.connect(said.append)
    place = table.visualRect(table.model().index(2, STATUS)).center()
    qtbot.mouseClick(table.viewport(), LEFT, CTRL, pos=place)
    assert said[-1] == (rows[0].id, rows[2].id)


def test_delete_asks_for_the_trash_and_return_for_the_curves(table, qtbot):
    with qtbot.waitSignal(table.discard_asked):
        qtbot.keyClick(table, Qt.Key.Key_Delete)
    with qtbot.waitSignal(table.opened):
        table.setCurrentIndex(table.model().index(0, 0))
        qtbot.keyClick(table, Qt.Key.Key_Return)


def test_only_what_can_be_done_is_offered(rows):
    dead = usable(state_of(rows))
    assert dead["run_resume"]
    assert dead["run_discard"]
    assert dead["run_continue"]
    done = usable(state_of(rows, chosen=(rows[2].id,)))
    assert not done["run_resume"]
    assert not done["run_copy"]
    two = usable(state_of(rows, chosen=(rows[0].id, rows[1].id)))
    assert two["run_discard"]
    assert not (two["run_resume"])
    assert not (two["run_go_back"])
    assert not any(usable(state_of((), chosen=()))[name] for name in ("run_resume", "run_discard"))


def test_the_best_value_of_a_line_says_so_in_a_word(qtbot):
    table = ContrastTable(name="Figures", first="figure")
    qtbot.addWidget(table)
    lines = (
        Contrast(name="PSNR-μ", values=("31", "35"), best=1),
        Contrast(name="steps", values=("8", "8")),
    )
    table.show_rows(["a", "b"], lines, words="")
    model = table._model
    cells = [[model.index(r, c).data() for c in range(3)] for r in range(2)]
    assert [sum(BEST in cell for cell in line) for line in cells] == [1, 0]
    assert BEST in cells[0][2]


def test_what_was_told_of_other_runs_is_gone_at_once(qtbot, rows):
    details = RunsDetails()
    for part in (details.glance, details.plans, details.labels, details.diary):
        qtbot.addWidget(part)
    line = Contrast(name="Schedule: Epochs", values=("10", "9"))
    told = RunsTold(runs=(rows[0].id,), plans=(line,), plan_words="1 setting differs.")
    one = state_of(rows, told=told)
    details.show_state(StudioState(), one)
    assert details.plans.rows == (line,)
    details.show_state(one, state_of(rows, chosen=(rows[1].id,), told=told))
    assert details.plans.rows == ()
    assert details.plans.words == ""


def test_a_remedy_is_one_click_away(qtbot, rows):
    details = RunsDetails()
    qtbot.addWidget(details.glance)
    details.show_state(StudioState(), state_of(rows, chosen=(rows[1].id,)))
    overview = details.overview
    assert overview._message.text() == "no memory is left"
    with qtbot.waitSignal(overview.remedy_picked) as picked:
        overview._remedies.itemAt(0).widget().click()
    assert picked.args == [rows[1].id, {"batch.labelled": 4}]


def test_a_double_click_shows_one_picture_alone_and_then_all_again(qtbot):
    panel = RunsPictures()
    qtbot.addWidget(panel)
    panel.resize(700, 300)
    panel.show()
    grey = np.full((12, 16, 3), 90, np.uint8)
    panel.show_pictures(tuple(RunPicture(run=name, round=2, rgb8=grey) for name in "abc"))

    def shown():
        return [frame.isVisible() for frame in panel._frames[:4]]

    assert shown() == [True, True, True, False]
    qtbot.mouseDClick(panel._frames[1], LEFT)
    assert shown() == [False, True, False, False]
    qtbot.mouseDClick(panel._frames[1], LEFT)
    assert shown() == [True, True, True, False]
    panel.show_pictures((RunPicture(run="a"),))
    assert shown() == [True, False, False, False]


def test_the_way_back_is_told_whole_before_it_is_gone(qtbot):
    way = WayBack(
        run="r",
        thresholds="0.2 and 0.4 → 0.4 and 0.4",
        changes=(("becomes unlabelled", ("003 (is promoted)", "004 (is excluded)")),),
        layout=True,
    )
    told = in_words(way)
    assert all(word in told for word in ("003 (is promoted)", "004", "0.2", "2 scenes"))
    assert heading(way, {"r": "quick"}) == (
        "As when quick was started: 2 scenes and the thresholds would change."
    )
    parent = QWidget()
    qtbot.addWidget(parent)
    sheet = RollbackSheet(parent)
    sheet.show_state(StudioState(), StudioState(runs=RunsState(way_back=way)))
    assert sheet.isVisible()
    assert not sheet.isModal()
    with qtbot.waitSignal(sheet.accepted_way) as accepted:
        sheet._go.click()
    assert accepted.args == [True]
    tip = sheet._layout.toolTip()
    for kept in (False, True):  # a run without views, and one with them again
        runs = RunsState(way_back=replace(way, layout=kept))
        sheet.show_state(StudioState(), StudioState(runs=runs))
        assert sheet._layout.isEnabled() is kept
        assert (sheet._layout.toolTip() == tip) is kept
    with qtbot.waitSignal(sheet.dropped):
        qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    sheet.show_state(StudioState(), StudioState())
    assert not sheet.isVisible()


def test_discarded_runs_are_asked_back_by_name_and_day(qtbot, tmp_path):
    parent = QWidget()
    qtbot.addWidget(parent)
    sheet = RunTrashSheet(parent)
    lying = tuple(
        DiscardedRun(id=name, day="20261125", folder=tmp_path / name) for name in ("b", "a")
    )
    sheet.show_state(StudioState(), StudioState(runs=RunsState(discarded=lying)))
    sheet._list.selectAll()
    with qtbot.waitSignal(sheet.restore_asked) as asked:
        sheet._restore.click()
    assert set(asked.args[0]) == {("a", "20261125"), ("b", "20261125")}
    sheet.show_state(StudioState(), StudioState(runs=RunsState(discarded=())))
    assert not sheet._restore.isEnabled()
    sheet.show_state(StudioState(), StudioState())
    assert not sheet.isVisible()
