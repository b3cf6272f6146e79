"""Goes back to how the project stood when a run was started, once a person has seen how."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Change, ChangeKind
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.core.training.run_folder import find_run, run_of
from smarthdr_studio.core.training.run_start import (
    changes_since_start,
    go_back_to_start,
    layout_at_start,
)
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.settings import Layout
from smarthdr_studio.studio.state import Notice, StudioState, WayBack
from smarthdr_studio.studio.tasks import LatestTask, Report, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import button, caption, describe


def find_way_back(*, folder: Path, run: str) -> WayBack:
    """What would be decided. Raises ProjectError."""
    with Project.open(folder) as project:
        found = find_run(project, run)
        changes = changes_since_start(project, found)
    return WayBack(
        run=run,
        thresholds=_thresholds(changes),
        changes=_grouped(changes),
        layout=layout_at_start(found) is not None,
    )


def go_way_back(report: Report, *, folder: Path, run: str) -> None:
    """Decide it, as one decision. Raises StudioError."""
    report("going back to the start of the run", 0, 0)
    with Project.open(folder) as project:
        go_back_to_start(Decisions(project), run_of(project.folder, run))


def _thresholds(changes: Iterable[Change]) -> str:
    """The thresholds now and then; of a change, `before` is then."""
    told = [change for change in changes if change.matter is ChangeKind.THRESHOLDS]
    return "; ".join(f"{change.after} → {change.before}" for change in told)


def _grouped(changes: Iterable[Change]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Scenes by the status they get; those whose status stays by what of them changes."""
    groups: dict[str, list[str]] = {}
    told = [change for change in changes if change.scene is not None]
    moved = {change.scene for change in told if change.matter is ChangeKind.STATUS}
    for change in told:
        if change.matter is ChangeKind.STATUS:
            line = f"{change.scene} (is {change.after})"
            groups.setdefault(f"becomes {change.before}", []).append(line)
        elif change.scene not in moved:
            line = f"{change.scene} ({change.after or 'none'} → {change.before or 'none'})"
            groups.setdefault(f"gets back its {change.matter}", []).append(line)
    return tuple((heading, tuple(lines)) for heading, lines in groups.items())


class RollbackController(QObject):
    """One decision, which one undo takes back; the views are arranged as they were at once."""

    layout_wanted = Signal(object)  # Layout

    def __init__(self, store: Store, tasks: TaskRunner, curating: CurationController) -> None:
        super().__init__(store)
        self._store, self._curating = store, curating
        self._finding = LatestTask(tasks)

    def take_journal(self, _journal: JournalReading) -> None:
        """Somebody may have decided what going back would change."""
        way = self._store.state.runs.way_back
        if way is not None:
            self.ask(way.run)

    @Slot(str)
    def ask(self, run: str) -> None:
        """Find out what going back would change."""
        if self._store.project is not None:
            job = plain(find_way_back, folder=self._store.project.folder, run=run)
            self._finding.start(job, self._found)

    @Slot()
    def give_up(self) -> None:
        """Everything stays as it is."""
        self._finding.cancel()
        self._become(None)

    @Slot(bool)
    def go(self, layout: object) -> None:
        """Go back, with `layout` also to the views of that time."""
        way = self._store.state.runs.way_back
        if self._store.project is None or way is None:
            return
        self.give_up()
        name = self._store.state.runs.titles.get(way.run, way.run)
        if not way.empty:
            job = partial(go_way_back, folder=self._store.project.folder, run=way.run)
            said = f"The project stands as it did when {name} was started; Undo takes it back."
            self._curating.decide_at_length(job, words=f"go back to the start of {name}", said=said)
        if layout and way.layout:
            self.layout_wanted.emit(Layout.read(self._store.project.runs_folder / way.run))

    def _found(self, way: WayBack) -> None:
        if way.empty and not way.layout:
            words = "Labels, brush and thresholds are what they were when that run was started."
            self._become(None)
            self._store.notice(Notice(text=words))
        else:
            self._become(way)

    def _become(self, way: WayBack | None) -> None:
        self._store.become(runs=replace(self._store.state.runs, way_back=way))


_SIZE: Final = (580, 420)
_MOST: Final = 1000  # lines


_VIEWS_TIP: Final = "Undo does not take this part back"


class RollbackSheet(QDialog):
    """Not modal; the decision is one, which one undo takes back."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs"})

    accepted_way = Signal(bool)  # whether the views as well
    dropped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go back to the state of a run")
        self._way: WayBack | None = None
        self._words = caption("", role="title")
        self._words.setWordWrap(True)
        self._list = QPlainTextEdit(readOnly=True)
        describe(self._list, name="What changes", tip="")
        self._layout = QCheckBox("Views, display and sizes as they were")
        self._go = button("Go back", tip="One undo takes the decision back (Enter)", role="primary")
        self._go.setDefault(True)
        self._cancel = button("Cancel", tip="Nothing is changed (Esc)")
        self._cancel.setAutoDefault(False)
        last = QHBoxLayout()
        last.addWidget(self._layout, 1)
        last.addWidget(self._cancel)
        last.addWidget(self._go)
        column = QVBoxLayout(self)
        column.addWidget(self._words)
        column.addWidget(self._list, 1)
        column.addLayout(last)
        self.resize(*_SIZE)
        self._go.clicked.connect(self._accept)
        self._cancel.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the way back that waits for a word, or go."""
        way = new.runs.way_back
        if way is self._way:
            return
        before, self._way = self._way, way
        if way is None:
            self.hide()
            return
        self._words.setText(heading(way, new.runs.titles))
        self._list.setPlainText(in_words(way))
        self._layout.setEnabled(way.layout)
        if before is None or before.run != way.run:  # else the tick is a person's
            self._layout.setChecked(way.layout)
        tip = _VIEWS_TIP if way.layout else "How the project was looked at was not kept with it"
        describe(self._layout, name="Views as well", tip=tip)
        self.show()
        if before is None or before.run != way.run:
            self.activateWindow()

    def reject(self) -> None:
        """Escape leaves everything as it is."""
        self.dropped.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._way is not None:
            self.dropped.emit()

    @Slot()
    def _accept(self) -> None:
        self.accepted_way.emit(self._layout.isChecked())


def heading(way: WayBack, titles: Mapping[str, str]) -> str:
    """Whose start this is, and how much changes."""
    name = titles.get(way.run, way.run)
    if way.empty:
        return f"Labels and thresholds are as when {name} was started; only the views differ."
    scenes = sum(len(lines) for _, lines in way.changes)
    parts = [f"{scenes} scene{'' if scenes == 1 else 's'}"] if scenes else []
    parts += ["the thresholds"] if way.thresholds else []
    return f"As when {name} was started: {' and '.join(parts)} would change."


def in_words(way: WayBack) -> str:
    """Thresholds, then every scene under what it becomes."""
    lines = [f"Thresholds: {way.thresholds}", ""] if way.thresholds else []
    for what, scenes in way.changes:
        many = f"1 scene {what}" if len(scenes) == 1 else f"{len(scenes)} scenes, each {what}"
        lines += [f"{many}:", *(f"  {scene}" for scene in scenes), ""]
    left = len(lines) - _MOST
    return "\n".join(
        lines[:_MOST] + ([f"… and {counted(left, 'line')} more"] if left > 0 else [])
    ).strip()
