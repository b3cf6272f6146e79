"""All scenes at once: as a table, and the bar over table and gallery."""

from collections.abc import Iterable
from typing import ClassVar, Final

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFontMetrics,
    QFontMetricsF,
    QPainter,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QMenu,
    QSlider,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.curation.scene_facts import SceneFacts, SortKey
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.curation.scene_gallery import FIRST_WIDTH, WIDTHS
from smarthdr_studio.studio.curation.scene_listing import (
    BAR,
    QueryLine,
    count_in_words,
    fields_as_html,
    paint_bar,
    paint_chip,
    paint_rounds,
    paint_thumbnail,
    status_colour,
)
from smarthdr_studio.studio.curation.scene_model import (
    COLUMNS,
    SceneColumn,
    SceneShelf,
)
from smarthdr_studio.studio.curation.steady_lines import SteadyLines
from smarthdr_studio.studio.state import QueueKind, StudioState
from smarthdr_studio.studio.theme import SELECTED, Palette, on_selection
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    describe,
    give_role,
    give_tip,
)

_THUMBNAIL: Final = QSize(48, 32)
_PAD: Final = 6.0


class SceneTable(SteadyLines, QTableView):
    """Says by which figure to sort, and which scene's pictures are wanted."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"table", "queue"})

    sort_picked = Signal(str)
    opened = Signal()
    columns_changed = Signal()

    def __init__(self, palette: Palette, shelf: SceneShelf) -> None:
        super().__init__()
        self._shelf = shelf
        self._cells = _Cells(palette, shelf, self)
        describe(self, name="Table of scenes", tip="")
        shelf.begun.connect(self.scrollToTop)
        self.setItemDelegate(self._cells)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_THUMBNAIL.height() + 8)
        self._set_up_head()
        self.activated.connect(self._open)

    @property
    def hidden_columns(self) -> list[str]:
        """The titles of the columns that are hidden."""
        return [each.title for place, each in enumerate(COLUMNS) if self.isColumnHidden(place)]

    def hide_columns(self, titles: Iterable[str]) -> None:
        """Hide these columns and show all others; the first stays."""
        hidden = set(titles)
        for place, column in enumerate(COLUMNS):
            self.setColumnHidden(place, place > 0 and column.title in hidden)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._cells.palette = palette
        self.viewport().update()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show by what the scenes are sorted."""
        if (old.table, old.queue.kind) == (new.table, new.queue.kind):
            return
        place = -1  # a queue has an order of its own
        if new.queue.kind is QueueKind.ALL:
            place = next((p for p, c in enumerate(COLUMNS) if c.sort == new.table.sort), -1)
        order = (
            Qt.SortOrder.DescendingOrder if new.table.descending else Qt.SortOrder.AscendingOrder
        )
        self.horizontalHeader().setSortIndicator(place, order)

    def fit_scenes(self) -> None:
        """Each column is as wide as its longest figure."""
        digit = QFontMetrics(self.font()).horizontalAdvance("0")
        for place, column in enumerate(COLUMNS):
            self.setColumnWidth(place, column.width * digit + int(2 * _PAD))

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Home and End go to the first and the last scene, as in the list."""
        ends, column = QAbstractItemView.CursorAction, max(self.currentIndex().column(), 0)
        rows = self._shelf.model.rowCount()
        if rows and action in (ends.MoveHome, ends.MoveEnd):
            return self.model().index(0 if action is ends.MoveHome else rows - 1, column)
        return super().moveCursor(action, modifiers)

    def _set_up_head(self) -> None:
        head = self.horizontalHeader()
        head.setSectionsClickable(True)
        head.setSectionsMovable(True)
        head.setHighlightSections(False)
        head.setSortIndicatorShown(True)
        head.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        head.setMinimumSectionSize(36)
        head.setStretchLastSection(True)
        head.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        head.setAccessibleName("Columns: a click sorts, the context menu hides")
        head.sectionClicked.connect(self._sort)
        head.customContextMenuRequested.connect(self._choose_columns)

    @Slot(int)
    def _sort(self, place: int) -> None:
        self.sort_picked.emit(str(SortKey(COLUMNS[place].sort)))

    @Slot(QPoint)
    def _choose_columns(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for place, column in enumerate(COLUMNS[1:], 1):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(place))
            action.setData(place)
        menu.triggered.connect(self._toggle_column)
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    @Slot(object)
    def _toggle_column(self, action: object) -> None:
        place = action.data()  # type: ignore[attr-defined]
        self.setColumnHidden(place, not self.isColumnHidden(place))
        self.columns_changed.emit()

    @Slot(QModelIndex)
    def _open(self, _index: QModelIndex) -> None:
        self.opened.emit()


class _Cells(QStyledItemDelegate):
    """Paints a cell straight from what is known of its scene."""

    def __init__(self, palette: Palette, shelf: SceneShelf, parent: QObject) -> None:
        super().__init__(parent)
        self.palette, self._model = palette, shelf.model
        self._inks = palette

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one cell."""
        column, row = COLUMNS[index.column()], self._model.row(index.row())
        box = QRectF(option.rect)
        self._ground(painter, box, index.row(), state=option.state)
        inner = box.adjusted(_PAD, 0, -_PAD, 0)
        metrics = QFontMetricsF(option.font)
        painter.setFont(option.font)
        painter.setPen(QColor(self.palette.text))
        match column.look:
            case "name":
                self._name(painter, inner, row, metrics)
            case "status":
                colour = status_colour(row.status, self.palette)
                line = metrics.height() + 3
                chip = QRectF(inner.x(), inner.center().y() - line / 2, inner.width(), line)
                paint_chip(painter, chip, column.text(row), colour, ink=self.palette.text)
            case "bar":
                self._bar(painter, inner, column, row, metrics)
            case "rounds":
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                paint_rounds(painter, inner.adjusted(0, 8, 0, -8), row.rounds, self.palette)
            case _:
                self._text(painter, inner, column, row, metrics)

    def _ground(
        self, painter: QPainter, box: QRectF, line: int, *, state: QStyle.StateFlag
    ) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        self._inks = on_selection(self.palette, selected=selected)
        if selected:
            fill = QColor(self.palette.accent)
            fill.setAlphaF(SELECTED)
            painter.fillRect(box, fill)
        elif line % 2:
            painter.fillRect(box, QColor(self.palette.window))

    def _name(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        size = _THUMBNAIL
        picture = QRectF(box.x(), box.center().y() - size.height() / 2, size.width(), size.height())
        paint_thumbnail(painter, picture, self._model.thumbnail(row.id), self.palette)
        room = box.adjusted(size.width() + 8, 0, 0, 0)
        name = metrics.elidedText(row.id, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)

    def _bar(
        self,
        painter: QPainter,
        box: QRectF,
        column: SceneColumn,
        row: SceneFacts,
        metrics: QFontMetricsF,
    ) -> None:
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(box, right, column.text(row))
        room = metrics.horizontalAdvance("> 99 %") + 8
        bar = QRectF(box.x(), box.center().y() - BAR / 2, box.width() - room, BAR)
        paint_bar(painter, bar, row.retained, self.palette)

    def _text(
        self,
        painter: QPainter,
        box: QRectF,
        column: SceneColumn,
        row: SceneFacts,
        metrics: QFontMetricsF,
    ) -> None:
        words = column.text(row)
        if column.look == "trend" and row.trend is not None:
            falls = words.startswith("▼")
            rises = words.startswith("▲")
            p = self._inks
            painter.setPen(QColor(p.bad if falls else p.good if rises else p.muted))
        elif words == "–":
            painter.setPen(QColor(self._inks.muted))
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | column.side, shown)


SORTS: Final = {
    SortKey.ID: "by name",
    SortKey.STATUS: "by status",
    SortKey.RETAINED: "by retained share",
    SortKey.TREND: "by trend",
    SortKey.SIGMA: "by σ",
    SortKey.MOTION: "by motion",
    SortKey.SATURATION: "by saturation",
    SortKey.PSNR: "by PSNR-μ",
    SortKey.PAINTED: "by painted share",
    SortKey.TAGS: "by tags",
    SortKey.REVIEWED: "by reviewed",
}


class TableBar(QWidget):
    """Says what is asked for, how to sort, and which decision was pressed."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"table", "scenes", "queue", "read_only"})

    query_typed = Signal(str)
    sort_picked = Signal(str)
    reverse_asked = Signal()
    width_picked = Signal(int)
    cancel_asked = Signal()
    promote_asked = Signal()
    exclude_asked = Signal()
    tag_asked = Signal()
    note_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.search, self._count = QueryLine(), caption("", role="muted")
        self._fields = button("?", tip="What can be asked for", role="link")
        self._sort, self._reverse = QComboBox(), button("▲", tip="The other way round")
        self._width = QSlider(Qt.Orientation.Horizontal)
        self._message, self._stop = ElidedLabel(role="muted"), button("Stop", tip="", role="link")
        self._selected = caption("", role="muted")
        self._deeds = {
            button(word, tip=tip): tip
            for word, action in (
                ("Promote", "promote"),
                ("Exclude", "exclude"),
                ("Tag…", "add_tag"),
                ("Note…", "write_note"),
            )
            for tip in (by_id(action).tip_with_key,)
        }
        self._set_up()
        self._lay_out()
        self._connect()

    def start_search(self) -> None:
        """Put the cursor into the query line."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show what is asked for, and what comes of it."""
        table = new.table
        self.search.show_query(table)
        parts = ((state.table, state.scenes, state.queue) for state in (old, new))
        if any(was is not now for was, now in zip(*parts, strict=True)):
            self._count.setText(count_in_words(new))
            self._reverse.setText("▼" if table.descending else "▲")
            give_role(self._message, role="warn" if table.fault else "muted")
            done = "" if table.progress is None else f" ({table.progress:.0%})".replace("%", " %")
            self._message.tell(table.fault or (table.work and f"{table.work}{done}"))
            self._stop.setVisible(bool(table.work) and not table.fault)
        walked = new.queue.kind is not QueueKind.ALL  # a queue has an order of its own
        self._sort.setCurrentIndex(-1 if walked else max(self._sort.findData(table.sort), 0))
        self._reverse.setEnabled(not walked)
        for deed, tip in self._deeds.items():
            deed.setEnabled(not new.read_only)
            give_tip(deed, new.read_only or tip)

    def turn_to(self, *, gallery: bool) -> None:
        """What only a gallery needs: it has no heads of columns to sort by."""
        for part in (self._sort, self._reverse, self._width):
            part.setVisible(gallery)

    @Slot(object)
    def show_selection(self, ids: tuple[str, ...]) -> None:
        """How many scenes a decision is about."""
        self._selected.setText(f"{len(ids):,} selected" if ids else "none selected")

    def _set_up(self) -> None:
        for key, words in SORTS.items():
            self._sort.addItem(words, str(key))
        self._sort.setPlaceholderText("as in the queue")
        describe(self._sort, name="Sort", tip="In which order the scenes stand")
        self._sort.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._reverse.setAccessibleName("Reverse the order")
        self._width.setRange(*WIDTHS)
        self._width.setValue(FIRST_WIDTH)
        self._width.setFixedWidth(84)
        self._width.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        describe(self._width, name="Size of pictures", tip="How large the pictures are")
        self._fields.setAccessibleName("What can be asked for")
        describe(self._stop, name="Stop looking", tip="Find no more figures until you look anew")
        self._stop.hide()
        self.turn_to(gallery=False)
        for pressed in (*self._deeds, self._fields, self._reverse, self._stop):
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.search, 1)
        first.addWidget(self._fields)
        for part in (self._sort, self._reverse, self._width, self._count):
            first.addWidget(part)
        second.addWidget(self._message, 1)
        second.addWidget(self._stop)
        second.addWidget(self._selected)
        for deed in self._deeds:
            second.addWidget(deed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(first)
        column.addLayout(second)

    def _connect(self) -> None:
        self.search.textEdited.connect(self.query_typed)
        self._fields.clicked.connect(self._tell_fields)
        self._sort.activated.connect(self._pick_sort)
        self._reverse.clicked.connect(self.reverse_asked)
        self._width.valueChanged.connect(self.width_picked)
        self._stop.clicked.connect(self.cancel_asked)
        asked = (self.promote_asked, self.exclude_asked, self.tag_asked, self.note_asked)
        for deed, signal in zip(self._deeds, asked, strict=True):
            deed.clicked.connect(signal)

    @Slot(int)
    def _pick_sort(self, place: int) -> None:
        key = str(self._sort.itemData(place))
        self.sort_picked.emit(key)

    @Slot()
    def _tell_fields(self) -> None:
        QToolTip.showText(QCursor.pos(), fields_as_html(), self._fields, msecShowTime=60_000)
