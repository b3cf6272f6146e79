"""Which scenes are listed, in which order, and what fills the middle of the window."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.curation.query import FIELDS, Query, QueryError, parse
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.curation.sorting import SortKey
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import Centre, TableState

_LARGEST_FIRST: Final = frozenset({SortKey.PAINTED, SortKey.REVIEWED, SortKey.WHOLE})


class TableDesk(QObject):
    """Takes the query line, the order, and the choice between pictures, table, gallery, pair."""

    centred = Signal(str)

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._query = Query()
        self._asked_of: tuple[SceneFacts, ...] = ()

    @property
    def _table(self) -> TableState:
        return self._keeper.state.table

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
        if self._query.alternatives and self._keeper.state.scenes is not self._asked_of:
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
        if wanted is not self._keeper.state.centre:
            self._keeper.become(centre=wanted)
            self.centred.emit(str(wanted))

    def toggle(self, centre: Centre) -> None:
        """Fill the middle so, or with pictures again."""
        shown = self._keeper.state.centre
        self.show(Centre.PICTURES if shown is centre else centre)

    def _found(self) -> frozenset[str] | None:
        self._asked_of = self._keeper.state.scenes
        if not self._query.alternatives:
            return None
        return frozenset(row.id for row in self._query.chosen(self._asked_of))

    def _become(self, **changes: object) -> None:
        self._keeper.become(table=replace(self._table, **changes))  # type: ignore[arg-type]


def _without_half_a_field(text: str) -> str | None:
    """The line before its last word, where that may become a field; else None.

    Who types "unlabelled retained<0.6" does not ask for the word "retained" on the way.
    """
    before, _, word = text.rpartition(" ")
    word = word.removeprefix("-").casefold()
    typing = bool(word) and any(name.startswith(word) for name in FIELDS)
    return before if typing and before.count('"') % 2 == 0 and not before.endswith(" or") else None
