"""Tags of one or several scenes: each a chip that can be taken off, and a line for more."""

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QStringListModel, Qt, Signal, Slot
from PySide6.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.flow import Flow
from smarthdr_studio.studio.panels.parts import button, describe


class TagRow(QWidget):
    """Says which tags were added or taken off; a tag that only some scenes have says so."""

    added = Signal(object)
    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[tuple[str, int], ...] = ()
        self._of = 0
        self._known = QStringListModel(self)
        self.line = QLineEdit(placeholderText="Add a tag, Enter")
        completer = QCompleter(self._known, self.line)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.line.setCompleter(completer)
        describe(self.line, name="Add a tag", tip="Words of your own; Enter adds (Ctrl+Shift+J)")
        self.line.returnPressed.connect(self._add)
        self._chips = QWidget()
        self._flow = Flow(self._chips)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._chips)
        column.addWidget(self.line)

    def show_tags(self, counts: Mapping[str, int], *, of: int, known: Iterable[str]) -> None:
        """Show how many of the scenes have which tag, and what to complete to."""
        shown = tuple(sorted(counts.items()))
        if (shown, of) != (self._shown, self._of):
            self._shown, self._of = shown, of
            self._fill(shown, of)
        words = sorted(known)
        if words != self._known.stringList():
            self._known.setStringList(words)

    def _fill(self, shown: Sequence[tuple[str, int]], of: int) -> None:
        self._flow.clear()
        for tag, count in shown:
            some = f"  {count} of {of}" if count < of else ""
            chip = button(f"{tag}{some}  ✕", tip=f"Take the tag {tag} off")
            chip.setAccessibleName(f"Take the tag {tag} off")
            chip.setProperty("tag", tag)
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            chip.clicked.connect(self._remove)
            self._flow.addWidget(chip)
        self._chips.setVisible(bool(shown))
        self._chips.updateGeometry()

    @Slot()
    def _add(self) -> None:
        words = tuple(word for word in self.line.text().replace(",", " ").split() if word)
        if words:
            self.added.emit(words)
            self.line.clear()

    @Slot()
    def _remove(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.removed.emit(str(sender.property("tag")))
