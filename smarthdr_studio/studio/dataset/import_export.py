"""Hands splits, decisions, datasets and reports in and out, on a thread, and says what became."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.display import DisplaySettings
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.dataset.start_page import ask_for_parent
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import (
    DatasetWish,
    Notice,
    SplitState,
    StudioState,
    Written,
    refused,
)
from smarthdr_studio.studio.tasks import How, Job, LatestTask, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import Choice, button, caption, describe


def put_split(report: Report, *, folder: Path, path: Path) -> Written:
    """What every scene is now. Raises ExportError."""
    from smarthdr_studio.core.reporting.splits import export_split

    report(f"writing {path.name}", 0, 0)
    with Project.open(folder) as project:
        count = export_split(project, path)
    return Written(words=f"The split of {_scenes(count)} is in {path}", path=path)


def put_journal(report: Report, *, folder: Path, path: Path) -> Written:
    """Every decision. Raises ExportError."""
    from smarthdr_studio.core.reporting.tables import export_journal

    report(f"writing {path.name}", 0, 0)
    with Project.open(folder) as project:
        count = export_journal(project, path)
    return Written(words=f"The journal, {count} entries, is in {path}", path=path)


def put_dataset(
    report: Report,
    *,
    folder: Path,
    target: Path,
    frames: Literal["link", "copy"],
    labels: Literal["hdr", "exr"],
    unlabelled: bool,
) -> Written:
    """The curated scenes as a folder that appears whole or not at all. Raises StudioError."""
    from smarthdr_studio.core.reporting.dataset_export import CURATED, export_dataset

    include = CURATED | {Status.UNLABELLED} if unlabelled else CURATED
    with Project.open(folder) as project:
        made = export_dataset(
            project, target, frames=frames, labels=labels, include=include, tell=report
        )
    words, left_out = f"Dataset written to {made.words}", tuple(made.left_out.values())
    return Written(words=words, path=made.folder, wrong=left_out)


def put_report(report: Report, *, folder: Path, path: Path, settings: DisplaySettings) -> Written:
    """A page about every scene. Raises ExportError."""
    from smarthdr_studio.core.reporting.report import write_report

    with Project.open(folder) as project:
        made = write_report(project, path, settings=settings, tell=report)
    words = f"The report on {_scenes(made.scenes)} is in {path}"
    return Written(words=words, path=path, wrong=made.problems)


def take_split(report: Report, *, folder: Path, path: Path) -> tuple[SplitState, dict[str, Status]]:
    """What a split would change, and what it asks for. Raises ProjectError."""
    from smarthdr_studio.core.reporting.splits import read_split

    report(f"reading {path.name}", 0, 0)
    with Project.open(folder) as project:
        wanted, now = read_split(path, project), project.statuses()
    return held_against(path, wanted, now), wanted


def held_against(path: Path, wanted: Mapping[str, Status], now: Mapping[str, Status]) -> SplitState:
    """What the split in a file would change of the statuses of now."""
    changed = {name: status for name, status in wanted.items() if now[name] is not status}
    by_status = (
        (status, tuple((name, now[name]) for name, to in changed.items() if to is status))
        for status in Status
    )
    return SplitState(file=path, changes=tuple(each for each in by_status if each[1]))


def _scenes(count: int) -> str:
    return "1 scene" if count == 1 else f"{count} scenes"


class HandoverController(QObject):
    """One thing at a time; what is given up or fails leaves nothing half-written."""

    def __init__(self, store: Store, tasks: TaskRunner, curating: CurationController) -> None:
        super().__init__(store)
        self._store, self._curating = store, curating
        self._handing = LatestTask(tasks, how=How(shown=True))
        self._wanted: dict[str, Status] = {}

    @property
    def at_work(self) -> bool:
        """Whether something is being read or written."""
        return self._handing.at_work

    @Slot(object)
    def export_split(self, path: Path) -> None:
        """What every scene is now, as CSV or JSON."""
        self._write(put_split, path=path)

    @Slot(object)
    def export_journal(self, path: Path) -> None:
        """Every decision, as CSV or JSON."""
        self._write(put_journal, path=path)

    @Slot(object)
    def export_dataset(self, wish: DatasetWish) -> None:
        """The curated scenes as a dataset folder."""
        self._write(
            put_dataset,
            target=wish.folder,
            frames=wish.frames,
            labels=wish.labels,
            unlabelled=wish.unlabelled,
        )

    @Slot(object)
    def export_report(self, path: Path) -> None:
        """A page about every scene, to hand on."""
        self._write(put_report, path=path, settings=self._store.state.display)

    @Slot(object)
    def read_split(self, path: Path) -> None:
        """See what a split from a file would change."""
        if self._store.project is not None:
            job = partial(take_split, folder=self._store.project.folder, path=path)
            self._begin(job, self._read)

    @Slot()
    def import_split(self) -> None:
        """Decide it; one thing to undo."""
        split, wanted = self._store.state.split, self._wanted
        self.drop_split()
        if split is not None:
            note = f"from {split.file.name}"
            self._curating.decide(lambda decisions: decisions.import_split(wanted, note=note))

    @Slot()
    def drop_split(self) -> None:
        """Leave everything as it is."""
        self._wanted = {}
        self._store.become(split=None)

    def take_journal(self, journal: JournalReading) -> None:
        """Somebody may have decided what a split would change."""
        split = self._store.state.split
        if split is not None:
            self._ask(held_against(split.file, self._wanted, journal.statuses))

    def cancel(self) -> None:
        """Give up what is being written."""
        self._handing.cancel()

    def _write(self, write: Callable[..., Written], **how: object) -> None:
        if self._store.project is not None:
            self._begin(partial(write, folder=self._store.project.folder, **how), self._written)

    def _begin(self, job: Job[Any], answered: Callable[[Any], object]) -> None:
        if self._handing.at_work:
            busy = "Something is being written or read already; wait for it, or cancel it below."
            self._store.notice(refused(busy))
        else:
            self._handing.start(job, answered)

    def _written(self, written: Written) -> None:
        self._store.notice(
            Notice(
                text=written.words,
                tone="warn" if written.wrong else "plain",
                opens=written.path,
                details=(*written.details, *written.wrong),
            )
        )

    def _read(self, found: tuple[SplitState, dict[str, Status]]) -> None:
        split, self._wanted = found
        self._ask(split)

    def _ask(self, split: SplitState) -> None:
        if split.count:
            self._store.become(split=split)
        else:
            self.drop_split()
            words = f"{split.file.name}: every scene is what it says already."
            self._store.notice(Notice(text=words))


_WIDTH: Final = 600
_FRAMES: Final = {
    "links": "Small; they follow the dataset where it lies now",
    "copies": "Large; they can be carried anywhere",
}
_LABELS: Final = {".hdr": "Radiance HDR, as Kalantari 2017 has it", ".exr": "EXR, half floats"}


class DatasetSheet(QDialog):
    """Not modal; nothing is written before Export."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"scenes"})

    wished = Signal(object)

    def __init__(self, state: StudioState, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export curated dataset")
        self._frames, self._labels = Choice(_FRAMES, name="Frames"), Choice(_LABELS, name="Labels")
        self._way: Literal["link", "copy"] = "link"
        self._suffix: Literal["hdr", "exr"] = "hdr"
        self._counts = caption("", role="title")
        self._unlabelled = QCheckBox("With unlabelled scenes, in a folder of their own")
        self._path = QLineEdit(str(_place(state)))
        self._export = button("Export", tip="Write the folder (Enter)")
        self._cancel = button("Cancel", tip="Nothing is written (Esc)")
        self._browse = button("Browse…", tip="Choose where the folder is made")
        self._lay_out()
        self.show_state(state, state)
        self._frames.picked.connect(self._take_way)
        self._labels.picked.connect(self._take_suffix)
        self._path.textChanged.connect(self._weigh)
        self._browse.clicked.connect(self._ask_for_folder)
        self._export.clicked.connect(self.accept)
        self._cancel.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Say how many scenes there are of each kind now."""
        counts = new.counts()
        told = (Status.GROUND_TRUTH, Status.PROMOTED, Status.TEST)
        self._counts.setText(" · ".join(f"{counts[status]} {status}" for status in told))
        tip = f"{counted(counts[Status.UNLABELLED], 'scene')} without a label"
        describe(self._unlabelled, name="With unlabelled scenes", tip=tip)

    def accept(self) -> None:
        """Say how it is wished."""
        self.wished.emit(
            DatasetWish(
                folder=Path(self._path.text().strip()),
                frames=self._way,
                labels=self._suffix,
                unlabelled=self._unlabelled.isChecked(),
            )
        )
        super().accept()

    @Slot(str)
    def _take_way(self, word: str) -> None:
        self._way = "link" if word == "links" else "copy"
        self._frames.show_word(word)

    @Slot(str)
    def _take_suffix(self, word: str) -> None:
        self._suffix = "hdr" if word == ".hdr" else "exr"
        self._labels.show_word(word)

    @Slot()
    def _weigh(self) -> None:
        self._export.setEnabled(Path(self._path.text().strip()).is_absolute())

    @Slot()
    def _ask_for_folder(self) -> None:
        ask_for_parent(self._path, title="Make the dataset folder in")

    def _lay_out(self) -> None:
        describe(self._path, name="Folder", tip="The folder that is made; it must not exist yet")
        self._frames.show_word("links")
        self._labels.show_word(".hdr")
        self._export.setProperty("role", "primary")
        self._export.setDefault(True)
        for other in (self._browse, self._cancel):
            other.setAutoDefault(False)
        grid, row, last = QGridLayout(), QHBoxLayout(), QHBoxLayout()
        for line, (name, choice) in enumerate((("Frames", self._frames), ("Labels", self._labels))):
            grid.addWidget(caption(name), line, 0)
            grid.addWidget(choice, line, 1)
        grid.setColumnStretch(2, 1)
        row.addWidget(self._path, 1)
        row.addWidget(self._browse)
        last.addStretch(1)
        last.addWidget(self._cancel)
        last.addWidget(self._export)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(self._counts)
        column.addWidget(_about_layout())
        column.addLayout(grid)
        column.addWidget(self._unlabelled)
        column.addLayout(row)
        column.addLayout(last)
        self.setMinimumWidth(_WIDTH)


def _about_layout() -> QLabel:
    words = "The layout of Kalantari 2017, with masks beside promoted labels and a manifest."
    about = caption(words, role="muted")
    about.setWordWrap(True)
    return about


def _place(state: StudioState) -> Path:
    """Beside the project, under its name."""
    beside = state.folder.parent if state.folder is not None else Path.home()
    return beside / f"{state.project}-curated"


_SIZE: Final = (560, 420)
_MOST: Final = 1000  # lines


class SplitSheet(QDialog):
    """Not modal; one undo takes an import back."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"split"})

    accepted_split = Signal()
    dropped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import split")
        self._split: SplitState | None = None
        self._words = caption("", role="title")
        self._list = QPlainTextEdit(readOnly=True)
        describe(self._list, name="What changes", tip="")
        self._import = button("Import", tip="One undo takes it back (Enter)")
        self._import.setProperty("role", "primary")
        self._import.setDefault(True)
        self._cancel = button("Cancel", tip="Nothing is changed (Esc)")
        self._cancel.setAutoDefault(False)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self._cancel)
        last.addWidget(self._import)
        column = QVBoxLayout(self)
        column.addWidget(self._words)
        column.addWidget(self._list, 1)
        column.addLayout(last)
        self.resize(*_SIZE)
        self._import.clicked.connect(self.accepted_split)
        self._cancel.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the split that waits, or go."""
        if new.split is self._split:
            return
        self._split = new.split
        if new.split is None:
            self.hide()
            return
        scenes = "1 scene changes" if new.split.count == 1 else f"{new.split.count} scenes change"
        self._words.setText(f"{new.split.file.name}: {scenes}")
        self._list.setPlainText(in_words(new.split))
        self.show()

    def reject(self) -> None:
        """Escape leaves everything as it is."""
        self.dropped.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._split is not None:
            self.dropped.emit()


def in_words(split: SplitState) -> str:
    """Every scene that changes under the status it gets."""
    lines: list[str] = []
    for status, scenes in split.changes:
        many = "1 scene becomes" if len(scenes) == 1 else f"{len(scenes)} scenes become"
        lines.append(f"{many} {status}:")
        lines += [f"  {name} (was {was})" for name, was in scenes]
        lines.append("")
    left = len(lines) - _MOST
    return "\n".join(
        lines[:_MOST] + ([f"… and {counted(left, 'line')} more"] if left > 0 else [])
    ).strip()
