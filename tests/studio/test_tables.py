"""One table of values: sorted by a click, and told only what is new."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QAbstractItemView

from smarthdr_studio.studio.theme import DARK, LIGHT, tint
from smarthdr_studio.studio.widgets.tables import RIGHT, Column, SortedTable, SortedValues

LEFT_BUTTON, ROLE = Qt.MouseButton.LeftButton, Qt.ItemDataRole
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


@dataclass(frozen=True)
class Fruit:
    name: str
    weight: float | None = None


COLUMNS = (
    Column(title="Name", tip="What it is called", text=lambda fruit: fruit.name),
    Column(
        title="Weight",
        text=lambda fruit: "–" if fruit.weight is None else f"{fruit.weight:.0f} g",
        key=lambda fruit: fruit.weight,
        side=RIGHT,
        largest_first=True,
        tooltip=lambda fruit: f"all about {fruit.name}",
        tone=lambda fruit: "bad" if fruit.weight is None else "",
    ),
)
FRUITS = (Fruit("apple", 100), Fruit("melon", 900), Fruit("ghost"), Fruit("plum", 20))


def name_of(fruit):
    return fruit.name


@pytest.fixture
def values(qapp):
    values = SortedValues(COLUMNS, ident=name_of, parent=qapp)
    watch = QAbstractItemModelTester(
        values, QAbstractItemModelTester.FailureReportingMode.Fatal, values
    )
    yield values
    watch.deleteLater()
    values.deleteLater()


@pytest.fixture
def table(qtbot):
    table = SortedTable(COLUMNS, ident=name_of, name="Fruits")
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    qtbot.addWidget(table)
    table.resize(400, 200)
    table.rows.show_values(FRUITS)
    table.sort_by("Name")
    table.show()
    return table


def names(values):
    return [fruit.name for fruit in values.values()]


def click_head(qtbot, table, place):
    head = table.horizontalHeader()
    at = QPoint(head.sectionViewportPosition(place) + 20, head.height() // 2)
    qtbot.mouseClick(head.viewport(), LEFT_BUTTON, pos=at)


def test_values_stand_as_they_were_given_until_somebody_sorts(values):
    values.show_values(FRUITS)
    assert names(values) == ["apple", "melon", "ghost", "plum"]


def test_what_is_not_known_comes_after_and_the_last_one_below_it_in_either_order(values):
    values.show_values(FRUITS, last=Fruit("mean", 1e6))
    values.sort(1, UP)
    assert names(values) == ["plum", "apple", "melon", "ghost", "mean"]
    values.sort(1, DOWN)
    assert names(values) == ["melon", "apple", "plum", "ghost", "mean"]


@given(st.lists(st.none() | st.integers(0, 3), max_size=12), st.sampled_from((UP, DOWN)))
def test_equals_keep_the_order_they_were_given_in(qapp, weights, order):
    fruits = [Fruit(f"{n:02}", weight) for n, weight in enumerate(weights)]
    values = SortedValues(COLUMNS, ident=name_of, parent=qapp)
    values.show_values(fruits)
    values.sort(0, DOWN)  # an order before leaves no trace
    values.sort(1, order)
    known = [fruit for fruit in fruits if fruit.weight is not None]
    known.sort(key=lambda fruit: fruit.weight, reverse=order is DOWN)
    assert values.values() == known + [fruit for fruit in fruits if fruit.weight is None]
    values.deleteLater()


def test_only_rows_that_changed_are_told(values, qtbot):
    values.show_values(FRUITS)
    told = []
    values.dataChanged.connect(lambda first, last, _roles: told.append((first.row(), last.row())))
    with qtbot.assertNotEmitted(values.modelReset):
        assert not values.show_values((*FRUITS[:2], Fruit("ghost", 1), FRUITS[3]))
    assert told == [(2, 2)]
    assert values.show_values(FRUITS[1:])


def test_a_value_that_changes_moves_to_its_place_at_once(values):
    values.show_values(FRUITS)
    values.sort(1, DOWN)
    values.show_values((*FRUITS[:2], Fruit("ghost", 500), FRUITS[3]))
    assert names(values) == ["melon", "ghost", "apple", "plum"]
    assert values.index_of("ghost").row() == 1
    assert not values.index_of("pear").isValid()


def test_a_cell_has_its_side_its_tooltip_and_the_tone_of_the_palette(values, qapp):
    values.show_values(FRUITS)
    plain, odd = values.index(0, 1), values.index(2, 1)
    assert plain.data() == "100 g"
    assert Qt.AlignmentFlag(plain.data(ROLE.TextAlignmentRole)) & RIGHT
    assert plain.data(ROLE.ToolTipRole) == "all about apple"
    assert plain.data(ROLE.ForegroundRole) is None
    before = qapp.palette()
    for palette in (LIGHT, DARK):
        tint(qapp, palette)
        assert odd.data(ROLE.ForegroundRole).name() == palette.bad
    qapp.setPalette(before)


def test_a_head_says_what_it_is_and_its_sign_is_the_headers_own(table, qtbot):
    head = table.horizontalHeader()
    click_head(qtbot, table, 1)
    assert table.rows.headerData(1, Qt.Orientation.Horizontal) == "Weight"
    assert head.isSortIndicatorShown()
    assert (head.sortIndicatorSection(), head.sortIndicatorOrder()) == (1, DOWN)
    tip = table.rows.headerData(0, Qt.Orientation.Horizontal, ROLE.ToolTipRole)
    assert tip == "What it is called"


def test_a_click_sorts_each_column_its_own_way_first_and_another_reverses(table, qtbot):
    assert names(table.rows) == ["apple", "ghost", "melon", "plum"]
    click_head(qtbot, table, 1)
    assert names(table.rows) == ["melon", "apple", "plum", "ghost"]
    click_head(qtbot, table, 1)
    assert names(table.rows) == ["plum", "apple", "melon", "ghost"]
    click_head(qtbot, table, 0)
    assert names(table.rows) == ["apple", "ghost", "melon", "plum"]


def test_selection_and_the_current_row_move_along(table, qtbot):
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.assertNotEmitted(table.selectionModel().selectionChanged):
        click_head(qtbot, table, 1)
        click_head(qtbot, table, 1)
    chosen = {table.rows.value(index).name for index in table.selectionModel().selectedRows()}
    assert chosen == {"apple", "ghost"}
    assert table.rows.value(table.currentIndex()).name == "ghost"


def test_the_current_row_stays_in_sight(table, qtbot):
    table.rows.show_values([Fruit(f"{n:03}", n) for n in range(500)])
    table.setCurrentIndex(table.rows.index_of("003"))
    click_head(qtbot, table, 1)
    place = table.visualRect(table.currentIndex())
    assert table.viewport().rect().intersects(place)


def test_a_head_stands_over_its_words_where_no_sign_of_an_order_comes_beside_it():
    plain = Column(title="Weight", text=str, side=RIGHT)
    sorted_by = replace(plain, key=len)
    middle = int(Qt.AlignmentFlag.AlignVCenter)
    assert plain.head(ROLE.TextAlignmentRole) == int(RIGHT) | middle
    assert sorted_by.head(ROLE.TextAlignmentRole) == int(Qt.AlignmentFlag.AlignHCenter) | middle
