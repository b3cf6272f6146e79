"""The bar over table and gallery: the query line, the order, and what to decide."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSlider, QToolTip, QVBoxLayout, QWidget

from smarthdr_studio.core.curation.sorting import SortKey
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.parts import (
    ElidedLabel,
    button,
    caption,
    describe,
    give_role,
)
from smarthdr_studio.studio.panels.query_line import QueryLine, count_in_words, fields_as_html
from smarthdr_studio.studio.panels.scene_gallery import FIRST_WIDTH, WIDTHS
from smarthdr_studio.studio.state import Centre, QueueKind, StudioState

SORTS: Final = {
    SortKey.ID: "by name",
    SortKey.STATUS: "by status",
    SortKey.RETAINED: "by kept share",
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
        gallery = new.centre is Centre.GALLERY
        for part in (self._sort, self._reverse, self._width):
            part.setVisible(gallery)
        if old.table is not table or old.scenes is not new.scenes:
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
            deed.setToolTip(new.read_only or tip)

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
