"""Which scenes are listed, in which order, and what fills the middle of the window."""

from dataclasses import replace
from html import escape
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QLineEdit

from smarthdr_studio.core.curation.query import FIELDS, Query, parse
from smarthdr_studio.core.curation.scene_facts import SceneFacts, SortKey
from smarthdr_studio.core.errors import QueryError
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Centre, QueueKind, StudioState, TableState
from smarthdr_studio.studio.widgets.controls import describe, give_role

_LARGEST_FIRST: Final = frozenset({SortKey.PAINTED, SortKey.REVIEWED, SortKey.WHOLE})


class TableController(QObject):
    """Takes the query line, the order, and the choice between pictures, table, gallery, pair."""

    centred = Signal(str)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._store = store
        self._query = Query()
        self._asked_of: tuple[SceneFacts, ...] = ()

    @property
    def _table(self) -> TableState:
        return self._store.state.table

    def forget(self) -> None:
        """Another project: nothing is asked, and the pictures are in the middle."""
        self._query, self._asked_of = Query(), ()

    @Slot(str)
    def ask(self, text: str) -> None:
        """List the scenes that match; with a fault in the line the last good one holds."""
        try:
            self._query = parse(text)
        except QueryError as error:
            self._become(query=text, fault=str(error))
            return
        found = self._found()
        before = _without_half_a_field(text)
        if found == frozenset() and before is not None:
            self._query = parse(before)
            found = self._found()
        self._become(query=text, fault="", found=found)

    @Slot()
    def refresh(self) -> None:
        """Figures may have changed: other scenes may match now."""
        if self._query.alternatives and self._store.state.scenes is not self._asked_of:
            found = self._found()
            if found != self._table.found:
                self._become(found=found)

    @Slot(str)
    def sort_by(self, key: str) -> None:
        """Sort by this figure; once more reverses."""
        wanted = SortKey(key)
        if wanted == self._table.sort:
            self.reverse()
        else:
            self._become(sort=str(wanted), descending=wanted in _LARGEST_FIRST)

    @Slot()
    def reverse(self) -> None:
        """The last first."""
        self._become(descending=not self._table.descending)

    @Slot(str)
    def show(self, centre: str) -> None:
        """Fill the middle of the window so."""
        wanted = Centre(centre)
        if wanted is not self._store.state.centre:
            self._store.become(centre=wanted)
            self.centred.emit(str(wanted))

    def toggle(self, centre: Centre) -> None:
        """Fill the middle so, or with pictures again."""
        shown = self._store.state.centre
        self.show(Centre.PICTURES if shown is centre else centre)

    def _found(self) -> frozenset[str] | None:
        self._asked_of = self._store.state.scenes
        if not self._query.alternatives:
            return None
        return frozenset(row.id for row in self._query.chosen(self._asked_of))

    def _become(self, **changes: object) -> None:
        self._store.become(table=replace(self._table, **changes))  # type: ignore[arg-type]


def _without_half_a_field(text: str) -> str | None:
    """The line before its last word, where that may become a field; else None.

    Who types "unlabelled retained<0.6" does not ask for the word "retained" on the way.
    """
    before, _, word = text.rpartition(" ")
    word = word.removeprefix("-").casefold()
    typing = bool(word) and any(name.startswith(word) for name in FIELDS)
    return before if typing and before.count('"') % 2 == 0 and not before.endswith(" or") else None


_EXAMPLE = "status:unlabelled retained<0.6"


class QueryLine(QLineEdit):
    """A line edit that shows the query of the state, and tells its fault in its tooltip."""

    def __init__(self) -> None:
        super().__init__(placeholderText=_EXAMPLE, clearButtonEnabled=True)
        self._tip = fields_as_html()
        describe(self, name="Filter scenes", tip=self._tip)

    def show_query(self, table: TableState) -> None:
        """Show what is asked for, whoever asked."""
        if self.text() != table.query:
            self.setText(table.query)
        if bool(table.fault) != (self.property("role") == "fault"):
            give_role(self, role="fault" if table.fault else "")
        self.setToolTip(table.fault or self._tip)
        self.setAccessibleDescription(table.fault)


def count_in_words(state: StudioState) -> str:
    """How many scenes are listed of how many."""
    every = len(state.scenes)
    words = f"{every:,} scenes" if every != 1 else "1 scene"
    found, queue = state.table.found, state.queue
    if queue.kind is not QueueKind.ALL:
        many = sum(found is None or name in found for name in queue.scenes)
        return f"{many:,} of {every:,}"
    return words if found is None else f"{len(found):,} of {every:,}"


def fields_as_html() -> str:
    """What can be asked for, one field a line."""
    lines = []
    for name, meaning in FIELDS.items():
        said, _, examples = meaning.partition(": ")
        lines.append(
            f"<tr><td><b>{name}</b></td><td>{escape(said)}</td><td><tt>{escape(examples)}</tt></td></tr>"
        )
    return (
        "<p>Words of an id, a status, a tag or a note, and figures (Ctrl+F):<br>"
        f"<tt>{escape(_EXAMPLE)}</tt>, <tt>-tag:indoor</tt>, <tt>trend&lt;0 or psnr&lt;35</tt></p>"
        f"<table cellpadding='2'>{''.join(lines)}</table>"
    )
