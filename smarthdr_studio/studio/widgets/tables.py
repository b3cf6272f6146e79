"""Tables of values that sort, and facts in two tidy columns."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSignalBlocker,
    QSortFilterProxyModel,
    Qt,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QFrame, QGridLayout, QLabel, QTableView, QWidget

from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.studio.theme import current_palette
from smarthdr_studio.studio.widgets.controls import caption, give_role, give_tip

T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex

LEFT: Final = Qt.AlignmentFlag.AlignLeft
RIGHT: Final = Qt.AlignmentFlag.AlignRight
_AIR: Final = 8  # pixels between two rows of text


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[T]):
    """What one column says of every value.

    Attributes:
        title: Heads the column.
        text: What a cell shows.
        tip: The tooltip of the head.
        key: What rows are sorted by, the text unless it is given; None is last in either order.
        side: Where the words of a cell stand.
        largest_first: Whether the first click on the head sorts downwards.
        widest: A text that a cell is to have room for.
        tooltip: The tooltip of a cell.
        spoken: A cell for a screen reader, the text unless it is given.
        tone: The role of the palette a cell is written in, "" for the colour of text.
        font: The font of a cell, None for that of the table.
    """

    title: str
    text: Callable[[T], str]
    tip: str = ""
    key: Callable[[T], Any] | None = None
    side: Qt.AlignmentFlag = LEFT
    largest_first: bool = False
    widest: str = ""
    tooltip: Callable[[T], str] | None = None
    spoken: Callable[[T], str] | None = None
    tone: Callable[[T], str] | None = None
    font: Callable[[T], QFont | None] | None = None

    def told(self, value: T) -> str:
        """The cell with its title, for whoever does not see the head."""
        return f"{self.title}: {self.text(value) or 'none'}"

    def head(self, role: int) -> object:
        """What Qt is answered about the head."""
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.title
            case Qt.ItemDataRole.ToolTipRole:
                return self.tip
            case Qt.ItemDataRole.TextAlignmentRole:
                # The sign of the order stands at the right.
                signed = self.side != LEFT and self.key is not None
                across = Qt.AlignmentFlag.AlignHCenter if signed else self.side
                return int(across | Qt.AlignmentFlag.AlignVCenter)
            case Qt.ItemDataRole.InitialSortOrderRole:
                order = Qt.SortOrder
                return (order.DescendingOrder if self.largest_first else order.AscendingOrder).value
            case _:
                return None

    def cell(self, value: T, role: int) -> object:
        """What Qt is answered about the cell of a value."""
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.text(value)
            case Qt.ItemDataRole.TextAlignmentRole:
                return int(self.side | Qt.AlignmentFlag.AlignVCenter)
            case Qt.ItemDataRole.ForegroundRole:
                tone = self.tone(value) if self.tone else ""
                return QColor(getattr(current_palette(), tone)) if tone else None
            case _:
                others: dict[int, Callable[[T], object] | None] = {
                    Qt.ItemDataRole.ToolTipRole: self.tooltip,
                    Qt.ItemDataRole.AccessibleTextRole: self.spoken,
                    Qt.ItemDataRole.FontRole: self.font,
                }
                tell = others.get(role)
                return tell(value) if tell else None


class ValueTableModel(QStandardItemModel, Generic[T]):
    """A row for every value; where the same values come again, only what is new is told.

    Two values are the same one, older and newer, where `ident` says so. Qt's own model counts rows
    and columns: views and proxies ask for both of every index they make, and answers from Python
    would take most of the time of sorting.
    """

    def __init__(
        self, columns: Sequence[Column[T]], *, ident: Callable[[T], Hashable], parent: QObject
    ) -> None:
        super().__init__(0, len(columns), parent)
        self._columns, self._ident = tuple(columns), ident
        self._values: tuple[T, ...] = ()
        self._rows: dict[Hashable, int] = {}
        self._last: T | None = None

    @property
    def columns(self) -> tuple[Column[T], ...]:
        """The columns from the left."""
        return self._columns

    def show_columns(self, columns: Sequence[Column[T]]) -> None:
        """Other columns from now on, and no values."""
        self._columns, self._last = tuple(columns), None
        self._reset((), {})

    def show_values(self, values: Sequence[T], *, last: T | None = None) -> bool:
        """Show these values, and one that stays below them; whether rows came, went or moved."""
        shown = tuple(values) if last is None else (*values, last)
        rows = {self._ident(value): row for row, value in enumerate(shown)}
        if list(rows) != list(self._rows):
            self._last = last
            self._reset(shown, rows)
            return True
        before, self._values, self._last = self._values, shown, last
        for row, (old, new) in enumerate(zip(before, shown, strict=True)):
            if old != new:
                ends = self.index(row, 0), self.index(row, len(self._columns) - 1)
                self.dataChanged.emit(*ends)
        return False

    def value(self, row: int) -> T:
        """The value of a row."""
        return self._values[row]

    def row_of(self, ident: Hashable) -> int:
        """The row of a value, -1 where there is none."""
        return self._rows.get(ident, -1)

    def order(self, column: int, *, descending: bool) -> list[int]:
        """The rows sorted by a column: equal ones as they were given, unknown ones after them."""
        tell = self._columns[column].key or self._columns[column].text
        rows = range(len(self._values) - (self._last is not None))
        keys = [tell(self._values[row]) for row in rows]
        known = [row for row in rows if keys[row] is not None]
        known.sort(key=keys.__getitem__, reverse=descending)
        unknown = [row for row in rows if keys[row] is None]
        return [*known, *unknown, *range(len(rows), len(self._values))]

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401 - as Qt has it
        """Titles, what they mean, and which order comes first."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        return self._columns[section].head(role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """What a cell shows."""
        return self._columns[index.column()].cell(self._values[index.row()], role)

    def _reset(self, values: tuple[T, ...], rows: dict[Hashable, int]) -> None:
        self.beginResetModel()
        self._values, self._rows = values, rows
        with QSignalBlocker(self):  # the reset says it all
            self.setRowCount(len(values))
            self.setColumnCount(len(self._columns))
        self.endResetModel()


class SortedValues(QSortFilterProxyModel, Generic[T]):
    """Values in the order of a column, selection and current row moving along.

    What is not known comes last in either order, and below it the value that stays last.
    """

    def __init__(
        self, columns: Sequence[Column[T]], *, ident: Callable[[T], Hashable], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._model = ValueTableModel(columns, ident=ident, parent=self)
        self._ranks: dict[int, int] = {}  # of rows of the model, sorted once and not by pairs
        self.setSourceModel(self._model)

    @property
    def columns(self) -> tuple[Column[T], ...]:
        """The columns from the left."""
        return self._model.columns

    def show_values(self, values: Sequence[T], *, last: T | None = None) -> bool:
        """Show these values, and one that stays below them; whether rows came or went."""
        self._ranks = {}
        return self._model.show_values(values, last=last)

    def value(self, index: Index) -> T:
        """The value of an index."""
        return self._model.value(self.mapToSource(index).row())

    def values(self) -> list[T]:
        """All that is shown, in its order."""
        return [self.value(self.index(row, 0)) for row in range(self.rowCount())]

    def index_of(self, ident: Hashable) -> QModelIndex:
        """Where a value stands; an invalid index where there is none."""
        row = self._model.row_of(ident)
        return QModelIndex() if row < 0 else self.mapFromSource(self._model.index(row, 0))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by this column from now on."""
        self._ranks = {}
        super().sort(column, order)

    def lessThan(self, left: Index, right: Index) -> bool:
        """Whether one row comes before another, or after it where the largest is first."""
        ranks = self._ranks or self._rank(left.column())
        return ranks[left.row()] < ranks[right.row()]

    def _rank(self, column: int) -> dict[int, int]:
        descending = self.sortOrder() is Qt.SortOrder.DescendingOrder
        order = self._model.order(column, descending=descending)
        # Qt turns the comparison round where the largest is first.
        self._ranks = {row: -at if descending else at for at, row in enumerate(order)}
        return self._ranks


class SortedTable(QTableView, Generic[T]):
    """A table of whole rows that a click on a head sorts, and once more the other way round."""

    def __init__(
        self, columns: Sequence[Column[T]], *, ident: Callable[[T], Hashable], name: str
    ) -> None:
        """`name` is for a screen reader."""
        super().__init__()
        self.rows = SortedValues(columns, ident=ident, parent=self)
        self.setAccessibleName(name)
        self.setModel(self.rows)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(int(QFontMetricsF(self.font()).height()) + _AIR)
        self.horizontalHeader().setHighlightSections(False)

    def sort_by(self, title: str, *, descending: bool = False) -> None:
        """Sort by the column of this title, and from now on by whatever head is clicked."""
        head, order = self.horizontalHeader(), Qt.SortOrder
        place = [column.title for column in self.rows.columns].index(title)
        down = order.DescendingOrder if descending else order.AscendingOrder
        head.setSortIndicator(place, down)
        if not self.isSortingEnabled():
            self.setSortingEnabled(True)
            head.sortIndicatorChanged.connect(self._keep_in_sight)

    @Slot()
    def _keep_in_sight(self) -> None:
        """Go where the current row went."""
        self.scrollTo(self.currentIndex())


SIGN: Final = "▲"
_ALARM: Final = "speaks against trust"


class FactTable(QWidget):
    """Shows facts; an alarming one has a sign and words as well as a colour.

    Rows are made once and used again, so that a table may follow the mouse.
    """

    def __init__(self, *, name: str, tips: Mapping[str, str] | None = None) -> None:
        """`tips` says, for some names, what the fact means."""
        super().__init__()
        self._tips = dict(tips or {})
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._facts: tuple[Fact, ...] = ()
        self.setAccessibleName(name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What is shown."""
        return self._facts

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show these facts, in this order; a row that says the same already is left as it is."""
        if tuple(facts) != self._facts:
            before, self._facts = self._facts, tuple(facts)
            self._fill(before)

    def as_text(self) -> str:
        """The facts, one per line, to be copied."""
        return "\n".join(" ".join(filter(None, _three(fact))) for fact in self._facts)

    def changeEvent(self, event: QEvent) -> None:
        """Write quiet words in the quiet colour of another palette."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._fill()

    def _fill(self, before: tuple[Fact, ...] = ()) -> None:
        """Write what differs from the facts of before, row by row."""
        while len(self._rows) < len(self._facts):
            self._add_row()
        for (name, value), was, fact in zip_longest(self._rows, before, self._facts):
            if fact == was:
                continue
            name.setVisible(fact is not None)
            value.setVisible(fact is not None)
            if fact is not None:
                self._show(name, value, fact)

    def _add_row(self) -> None:
        name, value = caption("", role="muted"), caption("")
        name.setTextFormat(Qt.TextFormat.PlainText)
        value.setTextFormat(Qt.TextFormat.RichText)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setWordWrap(True)
        for column, label in enumerate((name, value)):
            self._grid.addWidget(label, len(self._rows), column, Qt.AlignmentFlag.AlignTop)
        self._rows.append((name, value))

    def _show(self, name: QLabel, value: QLabel, fact: Fact) -> None:
        quiet = self.palette().placeholderText().color().name()
        beside = f' <span style="color:{quiet}">{escape(fact.beside)}</span>' if fact.beside else ""
        give_role(value, role="bad" if fact.alarming else "")
        name.setText(fact.name)
        value.setText(f"{SIGN + ' ' if fact.alarming else ''}{escape(fact.value)}{beside}")
        spoken = (*_three(fact), _ALARM if fact.alarming else "")
        value.setAccessibleName(" ".join(filter(None, spoken)))
        tip = self._tips.get(fact.name, "") or (_ALARM.capitalize() if fact.alarming else "")
        give_tip(name, tip)
        give_tip(value, tip)


def _three(fact: Fact) -> tuple[str, str, str]:
    return fact.name, fact.value, fact.beside
