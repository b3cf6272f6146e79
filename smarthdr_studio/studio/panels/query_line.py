"""The line in which scenes are asked for, with what can be asked and what is wrong with it."""

from html import escape

from PySide6.QtWidgets import QLineEdit

from smarthdr_studio.core.curation.query import FIELDS
from smarthdr_studio.studio.panels.parts import describe, give_role
from smarthdr_studio.studio.state import QueueKind, StudioState, TableState

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
