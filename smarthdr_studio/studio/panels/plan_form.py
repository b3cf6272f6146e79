"""Every setting of a plan in its sections, to be scrolled, searched and changed."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.plan_field import as_text
from smarthdr_studio.studio.panels.parts import caption, describe
from smarthdr_studio.studio.panels.plan_row import PlanRow
from smarthdr_studio.studio.state import PlanningState

_HIDDEN = frozenset({"preset"})  # says where a plan comes from; picked above the form
_SECTIONS_WIDTH = 128


class PlanForm(QWidget):
    """Rows are made from the plan's schema when it first comes."""

    typed = Signal(str, str)
    reset_asked = Signal(str)
    found = Signal(int, int)  # settings in sight, and all of them

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, PlanRow] = {}
        self._titles: dict[str, QLabel] = {}
        self._query, self._changed_only = "", False
        self._differs: tuple[str, ...] = ()
        self._sections, self._scroll = QListWidget(), QScrollArea()
        self._nothing = caption("No setting has these words.", role="muted")
        self._inside = QWidget()
        self._inside.setObjectName("inside")
        self._column = QVBoxLayout(self._inside)
        self._lay_out()
        self._sections.currentRowChanged.connect(self._go_to)

    def show_planning(self, planning: PlanningState) -> None:
        """Show every value, what differs, and what is wrong."""
        book = planning.book
        if book is None:
            return
        if not self.rows:
            self._build(planning)
        values = book.values.get(planning.preset, {})
        for key, row in self.rows.items():
            base = as_text(values.get(key))
            differs = key in planning.differs
            row.show_value(planning.typed.get(key, base), changed_from=base if differs else None)
            row.show_complaint(planning.complaints.get(key, ""), planning.idle.get(key, ""))
        self._differs = planning.differs
        self._count_changes()
        if self._changed_only:
            self._filter()

    @Slot(str)
    def search(self, query: str) -> None:
        """Show only settings that have these words in name, key or description."""
        self._query = query
        self._filter()

    @Slot(bool)
    def show_changed_only(self, only: object) -> None:
        """Show only what differs from the preset, or all."""
        self._changed_only = bool(only)
        self._filter()

    def _build(self, planning: PlanningState) -> None:
        assert planning.book is not None
        for field in planning.book.fields:
            if field.key in _HIDDEN:
                continue
            if field.section not in self._titles:
                title = caption(field.section, role="title")
                title.setContentsMargins(0, 10 if self._titles else 0, 0, 2)
                self._titles[field.section] = title
                self._column.addWidget(title)
                self._sections.addItem(field.section)
            row = PlanRow(field)
            row.typed.connect(self.typed)
            row.reset_asked.connect(self.reset_asked)
            self.rows[field.key] = row
            self._column.addWidget(row)
        self._column.addWidget(self._nothing)
        self._column.addStretch(1)
        self._filter()

    def _filter(self) -> None:
        full: set[str] = set()
        shown = 0
        for key, row in self.rows.items():
            seen = row.field.found_by(self._query)
            seen = seen and (key in self._differs or not self._changed_only)
            row.setVisible(seen)
            shown += seen
            if seen:
                full.add(row.field.section)
        for section, title in self._titles.items():
            title.setVisible(section in full)
        for place in range(self._sections.count()):
            self._sections.item(place).setHidden(list(self._titles)[place] not in full)
        nothing = (
            "Nothing differs from the preset." if self._changed_only else self._words_missing()
        )
        self._nothing.setText(nothing)
        self._nothing.setVisible(not shown)
        self.found.emit(shown, len(self.rows))

    def _words_missing(self) -> str:
        return f"No setting has the words “{self._query}”."

    def _count_changes(self) -> None:
        for place, section in enumerate(self._titles):
            rows = (key for key, row in self.rows.items() if row.field.section == section)
            many = sum(key in self._differs for key in rows)
            self._sections.item(place).setText(f"{section} · {many}" if many else section)

    @Slot(int)
    def _go_to(self, place: int) -> None:
        if 0 <= place < len(self._titles):
            title = list(self._titles.values())[place]
            bar = self._scroll.verticalScrollBar()
            bar.setValue(title.y() - 4 if place else 0)

    def _lay_out(self) -> None:
        describe(self._sections, name="Sections", tip="Go to a section of the plan")
        self._sections.setFixedWidth(_SECTIONS_WIDTH)
        self._sections.setFrameShape(QFrame.Shape.NoFrame)
        self._column.setContentsMargins(4, 2, 8, 8)
        self._column.setSpacing(0)
        self._scroll.setWidget(self._inside)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._sections)
        row.addWidget(self._scroll, 1)
