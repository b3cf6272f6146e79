"""What the tabs of words show: of one run what it is, of several how they differ."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.training.diary import DiaryLine
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.studio.runs.run_table import labels_in_full, moment
from smarthdr_studio.studio.state import Contrast, RunsState, RunsTold, StudioState
from smarthdr_studio.studio.widgets.controls import (
    EventWatch,
    button,
    caption,
    clear,
    describe,
    give_role,
)
from smarthdr_studio.studio.widgets.tables import Column, FactTable, ValueTableModel

_PAUSE_MS: Final = 1200  # without a key, and what was written is saved


class RunsNote(EventWatch, QWidget):
    """Never loses a word: another run, leaving the field or closing the window saves first."""

    written = Signal(str, str)  # run, text

    def __init__(self) -> None:
        super().__init__()
        self._run, self._sent = "", ""
        self._filling = self._dirty = False
        self._field, self._told = QPlainTextEdit(), caption("", role="muted")
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        describe(self._field, name="Note on the run", tip="Saved when you pause or leave it")
        self._field.setPlaceholderText("What to remember about this run")
        self._field.setTabChangesFocus(True)
        self._field.setMinimumHeight(56)
        self.watch(self._field)
        self._field.textChanged.connect(self._changed)
        self._pause.timeout.connect(self.save)
        head = QHBoxLayout()
        head.addWidget(caption("Note", role="title"))
        head.addStretch(1)
        head.addWidget(self._told)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._field, 1)

    def show_note(self, run: str, text: str) -> None:
        """The note of this run as it is kept; what is being written about it is left alone."""
        if run != self._run:
            self.save()
            self._run, self._dirty = run, False
        if self._dirty and self._field.toPlainText().strip() == text.strip():
            self._dirty = False
            self._told.setText("Saved")
        if not self._dirty and self._field.toPlainText().strip() != text.strip():
            self._filling = True
            self._field.setPlainText(text)
            self._filling = False
            self._told.setText("")

    def write(self) -> None:
        """Put the cursor into the note."""
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def save(self) -> None:
        """Keep what was written, if anything was."""
        self._pause.stop()
        text = self._field.toPlainText()
        if self._dirty and self._run and text != self._sent:
            self._sent = text
            self.written.emit(self._run, text)

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """The cursor leaves the note."""
        if watched is self._field and event.type() is QEvent.Type.FocusOut:
            self.save()
        return False

    @Slot()
    def _changed(self) -> None:
        if not self._filling:
            self._dirty, self._sent = True, ""
            self._told.setText("Being written")
            self._pause.start()


_TONES: Final = {"failed": "bad", "interrupted": "warn", "done": ""}
_INTERRUPTED: Final = (
    "Its process ended without a last word; Resume goes on from the last checkpoint."
)


class RunsOverview(QWidget):
    """Says which remedy was picked, and what was written."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs"})

    remedy_picked = Signal(str, object)  # run, changes of its plan by dotted key

    def __init__(self) -> None:
        super().__init__()
        self._row: RunRow | None = None
        self._facts = FactTable(name="About the run")
        self._message, self._checkpoints = caption(""), caption("")
        self._remedies = QVBoxLayout()
        self.note = RunsNote()
        self._lay_out()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the run, if it is one."""
        runs = new.runs
        row = runs.row(runs.chosen[0]) if len(runs.chosen) == 1 else None
        if row is not None:
            self.note.show_note(row.id, row.note)
        told = runs.told if runs.told is not None and runs.told.runs == runs.chosen else None
        facts = told.facts if told is not None else ()
        if row is not None and facts:
            labels = Fact(name="began with", value=labels_in_full(row.labels))
            self._facts.show_facts((*facts, labels))
        self._checkpoints.setText("\n".join(told.checkpoints) or "None yet" if told else "")
        if row is not None and row != self._row:
            self._tell_last_word(row)
        self._row = row

    def _tell_last_word(self, row: RunRow) -> None:
        words = _INTERRUPTED if row.status == "interrupted" else row.message
        words = words or (row.status.capitalize() if row.at_work else "It has not said why.")
        self._message.setText(f"{words}\nIts log {row.log_damage}." if row.log_damage else words)
        give_role(self._message, role=_TONES.get(row.status, ""))
        clear(self._remedies)
        for remedy in row.remedies if row.resumable else ():
            self._remedies.addWidget(self._offer(row.id, remedy))

    def _offer(self, run: str, remedy: Remedy) -> QWidget:
        made = button(remedy.text, tip="Resume with this change of the plan")
        made.clicked.connect(partial(self._pick, run, remedy))
        return made

    def _pick(self, run: str, remedy: Remedy, *_: object) -> None:
        self.remedy_picked.emit(run, dict(remedy.changes))

    def _lay_out(self) -> None:
        for label in (self._message, self._checkpoints):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 0)
        row.setSpacing(20)
        self._remedies.setSpacing(4)
        left = _column(caption("About the run", role="title"), self._facts)
        right = _column(caption("Last word", role="title"), self._message)
        right.addLayout(self._remedies)
        right.addSpacing(6)
        right.addWidget(caption("Checkpoints", role="title"))
        right.addWidget(self._checkpoints)
        for column, stretch in ((left, 4), (right, 3)):
            column.addStretch(1)
            row.addWidget(_scrolled(column), stretch)
        row.addWidget(self.note, 3)


def _column(*parts: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 6, 0)
    column.setSpacing(4)
    for part in parts:
        column.addWidget(part)
    return column


def _scrolled(column: QVBoxLayout) -> QScrollArea:
    inside, area = QWidget(), QScrollArea()
    inside.setObjectName("inside")
    inside.setLayout(column)
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


BEST: Final = "best"
_HEAD: Final = "QHeaderView::section { padding-left: 3px; }"  # over the words of its cells
_NARROWEST, _WIDEST = 90, 320


class ContrastTable(QWidget):
    """A sentence over a table; where nothing differs the sentence is all there is."""

    def __init__(self, *, name: str, first: str) -> None:
        """`name` is for a screen reader, `first` heads the column of matters."""
        super().__init__()
        self._words = caption("", role="muted")
        self._words.setWordWrap(True)
        self._first, self._titles = first, tuple[str, ...]()
        self._rows: tuple[Contrast, ...] = ()
        self._model: ValueTableModel[Contrast] = ValueTableModel(
            [_matter(first)], ident=lambda row: row.name, parent=self
        )
        self._table = QTableView()
        describe(self._table, name=name, tip="")
        self._set_up()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._words)
        column.addWidget(self._table, 1)

    @property
    def words(self) -> str:
        """The sentence over the table."""
        return self._words.text()

    @property
    def rows(self) -> tuple[Contrast, ...]:
        """What is shown."""
        return self._rows

    def show_rows(self, titles: Sequence[str], rows: Sequence[Contrast], *, words: str) -> None:
        """These matters, a column for each title, under this sentence."""
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._table.setVisible(bool(rows))
        if (tuple(titles), tuple(rows)) != (self._titles, self._rows):
            self._titles, self._rows = tuple(titles), tuple(rows)
            runs = (_run(title, place) for place, title in enumerate(titles))
            self._model.show_columns([_matter(self._first), *runs])
            self._model.show_values(rows)
            self._fit()

    def _fit(self) -> None:
        """Columns as wide as their words, within reason."""
        self._table.resizeColumnsToContents()
        for place in range(self._model.columnCount()):
            wanted = self._table.columnWidth(place) + 12
            self._table.setColumnWidth(place, min(max(wanted, _NARROWEST), _WIDEST))
        self._table.resizeRowsToContents()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width: words of the last column wrap otherwise."""
        super().resizeEvent(event)
        self._table.resizeRowsToContents()

    def _set_up(self) -> None:
        table = self._table
        table.setModel(self._model)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setShowGrid(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        head = table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        head.setStyleSheet(_HEAD)


def _matter(title: str) -> Column[Contrast]:
    """The column that says what is compared."""
    return Column(
        title=title, text=lambda row: row.name, tooltip=lambda row: row.name, tone=lambda _: "muted"
    )


def _run(title: str, place: int) -> Column[Contrast]:
    """What it is to one run; the best value of a line is bold and says so."""

    def text(row: Contrast) -> str:
        return f"{row.values[place]}  ▲ {BEST}" if row.best == place else row.values[place]

    def font(row: Contrast) -> QFont | None:
        if row.best != place:
            return None
        bold = QFont(QApplication.font())
        bold.setWeight(QFont.Weight.DemiBold)
        return bold

    return Column(title=title, text=text, tooltip=text, font=font)


_SIGNS: Final = {"good": "✓ ", "warn": "⚠ ", "bad": "✕ ", "plain": ""}
_NONE: Final = "No run yet: pick a preset and press Train."


class RunsDetails:
    """The panels of the tabs Overview, Plan, Labels and Diary, filled from one state."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs"})

    def __init__(self) -> None:
        self.overview = RunsOverview()
        self._figures = ContrastTable(name="Figures side by side", first="figure")
        self._empty = _quiet(_NONE)
        self.glance = QStackedWidget()
        self.plans = ContrastTable(name="Plan", first="setting")
        self.labels = ContrastTable(name="Label set", first="")
        self._diary = ContrastTable(name="Diary", first="when")
        self._several = _quiet("Choose one run to read its diary.")
        self.diary = QStackedWidget()
        for part in (self.overview, self._figures, self._empty):
            self.glance.addWidget(part)
        for part in (self._diary, self._several):
            self.diary.addWidget(part)

    @property
    def figures(self) -> ContrastTable:
        """The figures of several runs side by side."""
        return self._figures

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show what is told of the chosen runs; what was told of others is gone at once."""
        if old.runs is new.runs:
            return
        self.overview.show_state(old, new)
        self._turn(new.runs)
        runs = new.runs
        told = runs.told
        if told is None or told.runs != runs.chosen:
            if old.runs.chosen != runs.chosen:
                self._show(RunsTold(runs=runs.chosen), runs.titles)
        elif told is not old.runs.told or old.runs.titles != runs.titles:
            self._show(told, runs.titles)

    def _turn(self, runs: RunsState) -> None:
        several = len(runs.chosen) > 1
        empty = runs.looked and not runs.rows
        self.glance.setCurrentWidget(
            self._empty if empty else self._figures if several else self.overview
        )
        self.diary.setCurrentWidget(self._several if several else self._diary)

    def _show(self, told: RunsTold, names: Mapping[str, str]) -> None:
        titles = [names.get(run, run) for run in told.runs]
        several = len(titles) > 1
        self._figures.show_rows(titles, told.figures, words=told.figure_words)
        heads = titles if several else ["preset", "this run"]
        self.plans.show_rows(heads, told.plans, words=told.plan_words)
        heads = titles if several else ["", ""]
        self.labels.show_rows(heads, told.labels, words=told.label_words)
        self._diary.show_rows(["step", "what happened"], _diary(told.diary), words="")


def _diary(lines: Sequence[DiaryLine]) -> tuple[Contrast, ...]:
    """The latest line first."""
    return tuple(
        Contrast(
            name=moment(line.time), values=(f"{line.step:,}", f"{_SIGNS[line.tone]}{line.text}")
        )
        for line in reversed(lines)
    )


def _quiet(words: str) -> QWidget:
    label: QLabel = caption(words, role="muted")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    return label
