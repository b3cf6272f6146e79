"""The line over the list of runs: how many there are, and what can be done with the chosen ones."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption
from smarthdr_studio.studio.panels.runs_words import how_many
from smarthdr_studio.studio.state import StudioState

_BUTTONS: Final[Mapping[str, str]] = {
    "run_resume": "Resume",
    "run_continue": "Continue as new…",
    "run_go_back": "Go back…",
    "run_export": "Export…",
    "run_discard": "Discard…",
}
_MORE: Final = ("run_note", "run_folder", "run_copy", "run_restore")
_ONE: Final = frozenset({"run_continue", "run_go_back", "run_export", "run_note", "run_folder"})


class RunsBar(QWidget):
    """Says by its id which command is wanted; offers only what can be done."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._usable: dict[str, bool] = {}
        self._count = ElidedLabel(role="muted")
        self._buttons = {name: self._made(name, words) for name, words in _BUTTONS.items()}
        more = button("More", tip="Note, folder, command, discarded runs")
        self._menu = QMenu(more)
        more.setMenu(self._menu)
        self._fill(self._menu, _MORE)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(caption("Runs", role="title"))
        row.addWidget(self._count, 1)
        for each in (*self._buttons.values(), more):
            row.addWidget(each)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Offer what can be done with the chosen runs now."""
        if (old.runs, old.training.busy) == (new.runs, new.training.busy) and self._usable:
            return
        count = how_many(new.runs.rows) if new.runs.looked else "looking for runs"
        self._count.tell(" · ".join(filter(None, (count, new.runs.work))))
        self._usable = usable(new)
        for name, each in self._buttons.items():
            each.setEnabled(self._usable[name])
        for made in self._menu.actions():
            made.setEnabled(self._usable[made.objectName()])

    @Slot(QPoint)
    def pop_up(self, at: QPoint) -> None:
        """Everything that can be done, as a menu at a place of the screen."""
        menu = QMenu(self)
        self._fill(menu, (*_BUTTONS, *_MORE))
        for made in menu.actions():
            made.setEnabled(self._usable.get(made.objectName(), False))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def _made(self, name: str, words: str) -> QPushButton:
        role = "primary" if name == "run_resume" else ""
        made = button(words, tip=by_id(name).tip_with_key, role=role)
        made.clicked.connect(partial(self._ask, name))
        return made

    def _fill(self, menu: QMenu, names: tuple[str, ...]) -> None:
        menu.setToolTipsVisible(True)
        for name in names:
            made = menu.addAction(by_id(name).title)
            made.setObjectName(name)
            made.setToolTip(by_id(name).tip_with_key)
            made.triggered.connect(partial(self._ask, name))

    def _ask(self, name: str, *_: object) -> None:
        self.asked.emit(name)


def usable(state: StudioState) -> dict[str, bool]:
    """Which commands can be carried out, by id."""
    runs = state.runs
    rows = [row for run in runs.chosen if (row := runs.row(run)) is not None]
    one = rows[0] if len(rows) == 1 else None
    resumable = one is not None and one.resumable
    found = dict.fromkeys(_ONE, one is not None)
    return found | {
        "run_resume": resumable and not state.training.busy,
        "run_copy": resumable,
        "run_discard": bool(rows) and not any(row.at_work for row in rows),
        "run_restore": state.folder is not None,
    }
