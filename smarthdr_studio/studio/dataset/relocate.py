"""Takes care of what a project lives from: where its dataset is, and whether it is still the same.

What opening a project has told is said here as well.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import Missing, guess, missing_dataset, relocate
from smarthdr_studio.core.project.stale import stale_in_words, stale_labels
from smarthdr_studio.core.project.stamps import CHANGED_TAG, Comparison
from smarthdr_studio.core.training.run_start import runs_read_otherwise
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import MovedState, Notice, StudioState
from smarthdr_studio.studio.tasks import How, LatestTask, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import button, caption, describe, give_role, rename
from smarthdr_studio.studio.widgets.file_dialogs import begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What is missing of a project's dataset, None for nothing, and where it may be now.

    `pictures` says whether those that are there are the ones the project knows, and `stale` what
    was made of frames that are read otherwise now, in a sentence.
    """

    folder: Path
    missing: Missing | None
    pictures: Comparison
    guess: Path | None = None
    stale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAgain:
    """Where the dataset of a project lies, how many of its scenes, and with which pictures."""

    folder: Path
    root: Path
    found: int
    scenes: int
    pictures: Comparison


def look_for_dataset(report: Report, *, folder: Path) -> Whereabouts:
    """Whether the dataset of a project is where and what it was, and if not where it may be."""
    report("", 0, 0)
    with Project.open(folder) as project:
        missing = missing_dataset(project)
        report("", 0, 0)
        place = None if missing is None else guess(project)
        report("", 0, 0)
        pictures = project.compare_pictures()
        report("", 0, 0)
        stale = stale_in_words(stale_labels(project), runs=runs_read_otherwise(project))
    return Whereabouts(folder=folder, missing=missing, guess=place, pictures=pictures, stale=stale)


def accept_pictures(report: Report, *, folder: Path, found: Comparison, same: bool) -> str:
    """Take the pictures as they were compared; says what was done. Raises ProjectError."""
    report("accepting pictures", 0, 0)
    with Project.open(folder) as project:
        tagged = Decisions(project).accept_pictures(found, same=same)
    taken = f"The pictures of {counted(len(found.changed), 'scene')} are taken as they are now."
    if not tagged:
        return taken
    labels = "label was" if len(tagged) == 1 else "labels were"
    return f"{taken} {', '.join(tagged)}: tagged {CHANGED_TAG}, as the {labels} made before."


def move_dataset(report: Report, *, folder: Path, root: Path, even_partly: bool) -> FoundAgain:
    """Verify that the dataset lies there and remember it. Raises BadDataset and ProjectError."""
    report(f"looking for scenes in {root.name}", 0, 0)
    with Project.open(folder) as project:
        moved = relocate(project, root, even_partly=even_partly)
        pictures = project.compare_pictures()
    return FoundAgain(
        folder=folder,
        root=moved.root,
        found=moved.found,
        scenes=moved.scenes,
        pictures=pictures,
    )


_ALL_THERE = "The dataset lies where the project knows it, with the pictures it knows: "
_MOST_TOLD: Final = 1000  # scenes, one line each
_KNOWN = "Other pictures in the place of these are told from now on."


class RelocationController(QObject):
    """Asks once where a dataset that is gone lies now; "not now" leaves the project as it is."""

    moved = Signal()  # the dataset lies elsewhere now: everything is to be read again

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._looking, self._moving = LatestTask(tasks), LatestTask(tasks, how=How(shown=True))
        self._asked = False  # by a person, who wants an answer also when nothing is missing
        self._found_for: Path | None = None  # the project whose dataset was found just now
        self._compared: Comparison | None = None  # what a person is asked about
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        project, self._asked = self._store.project, False
        self._store.become(moved=None, read_only=project.read_only if project else "")
        if project is None:
            return
        if project.folder != self._found_for:  # else one that is only looked at would ask again
            self._look()
        self._found_for = None
        if project.warnings:
            first, *others = project.warnings
            self._store.notice(Notice(text=first, tone="warn", details=tuple(others)))

    @Slot()
    def ask_again(self) -> None:
        """Look once more whether the dataset is where it was."""
        self._asked = True
        self._look()

    @Slot(object, bool)
    def relocate(self, root: Path, even_partly: object) -> None:
        """The dataset lies there now; remembered once its scenes were found."""
        moved, project = self._store.state.moved, self._store.project
        if project is None or moved is None or moved.at_work:
            return
        self._store.become(moved=replace(moved, at_work=True, fault=""))
        job = partial(move_dataset, folder=project.folder, root=root, even_partly=bool(even_partly))
        self._moving.start(job, self._found, self._not_found)

    @Slot(bool)
    def accept(self, same: object) -> None:
        """Take the pictures a person was asked about for those of the project."""
        moved, project, found = self._store.state.moved, self._store.project, self._compared
        if project is None or moved is None or moved.at_work or found is None or not moved.changed:
            return
        self._store.become(moved=replace(moved, at_work=True, fault=""))
        job = partial(accept_pictures, folder=project.folder, found=found, same=bool(same))
        self._moving.start(job, self._accepted, self._not_found)

    @Slot()
    def not_now(self) -> None:
        """Work without frames for now."""
        self._store.become(moved=None)

    @Slot()
    def look_again(self) -> None:
        """Another process may have found the dataset, or taken the pictures, of the question."""
        moved = self._store.state.moved
        if moved is not None and not moved.at_work:
            self._look()

    def _look(self) -> None:
        if self._store.project is not None:
            self._looking.start(
                partial(look_for_dataset, folder=self._store.project.folder), self._looked
            )

    def _looked(self, found: Whereabouts) -> None:
        asked, self._asked = self._asked, False
        missing, pictures = found.missing, found.pictures
        if missing is not None:
            self._store.become(
                moved=MovedState(root=missing.root, partly=bool(missing.found), guess=found.guess)
            )
        elif pictures.changed:
            self._tell_changed(pictures, asked=asked or self._store.state.moved is not None)
        elif pictures.gone:
            self._store.become(moved=None)
            self._tell_lost(pictures)
        elif self._store.state.moved is not None:
            self._found_elsewhere(pictures.root)
        elif asked and self._store.project is not None:
            self._store.notice(Notice(text=f"{_ALL_THERE}{self._store.project.dataset}"))
        elif found.stale:
            self._store.notice(Notice(text=found.stale, tone="warn"))
        elif pictures.first == pictures.scenes and self._store.state.notice is None:
            self._store.notice(Notice(text=_KNOWN))

    def _found_elsewhere(self, root: Path) -> None:
        """What was asked is answered by another process."""
        project = self._store.project
        if project is None:
            return
        try:
            if project.dataset != root:
                project.move_dataset(root)
        except StudioError as error:
            self._store.complain(str(error))
            return
        self._store.become(moved=None)
        self._found_for = project.folder
        self.moved.emit()

    def _tell_changed(self, pictures: Comparison, *, asked: bool) -> None:
        """One sentence where nobody has asked, else the choice."""
        self._compared = pictures
        if asked:
            changed = tuple(pictures.changed)
            self._store.become(
                moved=MovedState(root=pictures.root, changed=changed, scenes=pictures.scenes)
            )
            if pictures.gone:
                self._tell_lost(pictures)
            return
        details = [f"{name}: {', '.join(each)}" for name, each in pictures.changed.items()]
        details += map(pictures.lost_of, pictures.gone)
        self._store.notice(
            Notice(text=pictures.sentence, tone="warn", details=tuple(details[:_MOST_TOLD]))
        )

    def _tell_lost(self, pictures: Comparison) -> None:
        """Which scenes lack pictures: there is nothing to take in their place."""
        first, *others = pictures.gone
        text = pictures.lost if others else pictures.lost_of(first)
        details = tuple(map(pictures.lost_of, pictures.gone)) if others else ()
        self._store.notice(Notice(text=f"{text}.", tone="warn", details=details[:_MOST_TOLD]))

    def _accepted(self, said: str) -> None:
        if self._store.project is None:
            return
        self._store.become(moved=None)
        self._found_for = self._store.project.folder
        self.moved.emit()
        self._store.notice(Notice(text=said))

    def _found(self, found: FoundAgain) -> None:
        if self._store.project is None:
            return
        try:
            self._store.project.move_dataset(found.root)
        except StudioError as error:
            self._store.complain(str(error))
            return
        self._store.become(moved=None)
        self._found_for = found.folder
        self.moved.emit()
        words = f"The dataset is found again: {found.found} of {found.scenes} scenes lie in "
        why = self._store.project.read_only
        forgotten = f"; that is forgotten when the project is closed, because {why}" if why else ""
        self._store.notice(Notice(text=f"{words}{found.root}{forgotten}"))
        if found.pictures.changed:
            self._tell_changed(found.pictures, asked=False)

    def _not_found(self, message: str) -> None:
        moved = self._store.state.moved
        if moved is not None:
            self._store.become(moved=replace(moved, at_work=False, fault=message))


_WIDTH = 640
_MOST_NAMED: Final = 8
_STAYS: Final = (
    "Labels, pseudo-labels and runs lie in the project: they can be looked at meanwhile."
)
_WAITING: Final = "Nothing is learned from these pictures before they are taken."


def _was(moved: MovedState) -> str:
    return f"It was {moved.root}"


def _few(scenes: tuple[str, ...]) -> str:
    return ", ".join(scenes[:_MOST_NAMED]) + (", …" if len(scenes) > _MOST_NAMED else "")


def _heading(moved: MovedState) -> str:
    if moved.changed:
        many = f"{len(moved.changed):,} of {counted(moved.scenes, 'scene')}"
        return f"The pictures of {many} are not those the project knows."
    return "Some scenes of the dataset are gone." if moved.partly else "The dataset is gone."


class RelocateSheet(QDialog):
    """Not modal: whoever does not know can say so and go on with what the project holds itself."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"moved"})

    folder_given = Signal(object, bool)
    pictures_accepted = Signal(bool)  # whether they show the same as before
    not_now = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Where is the dataset?")
        self._moved: MovedState | None = None
        self._gone, self._old = caption("", role="title"), caption("", role="muted")
        self._guessed, self._meanwhile = caption(""), caption("", role="muted")
        self._path = QLineEdit()
        self._browse = button("Browse…", tip="Choose the dataset folder")
        self._partly = QCheckBox("A part of the scenes is enough")
        self._fault = caption("", role="bad")
        self._same = QCheckBox("They show the same as before")
        self._accept = button("Take these pictures", tip="The project knows them from then on")
        self._later = button("Not now", tip="Work with what the project holds itself (Esc)")
        self._use = button("Use this folder", tip="Its scenes are looked for there (Enter)")
        self._lay_out()
        self._browse.clicked.connect(self._ask_for_folder)
        self._path.textChanged.connect(self._weigh)
        self._use.clicked.connect(self._take)
        self._accept.clicked.connect(self._take_pictures)
        self._later.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Ask, or go."""
        if new.moved == self._moved:
            return
        before, self._moved = self._moved, new.moved
        if new.moved is None:
            self.hide()
            return
        if before is None or before.root != new.moved.root:
            self._path.setText(str(new.moved.guess or ""))
            self._partly.setChecked(new.moved.partly)
        if before is None:
            self._same.setChecked(False)  # what was said of other pictures is not said of these
        self._show(new.moved)
        self.show()

    def reject(self) -> None:
        """Escape is "not now"."""
        self.not_now.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So is closing the sheet."""
        super().closeEvent(event)
        if self._moved is not None:
            self.not_now.emit()

    def _show(self, moved: MovedState) -> None:
        changed = bool(moved.changed)
        self.setWindowTitle("Changed pictures" if changed else "Where is the dataset?")
        self._gone.setText(_heading(moved))
        self._old.setText(f"{_few(moved.changed)}, in {moved.root}" if changed else _was(moved))
        self._meanwhile.setText(_WAITING if changed else _STAYS)
        self._fault.setText(moved.fault)
        self._fault.setVisible(bool(moved.fault))
        self._same.setVisible(changed)
        self._accept.setVisible(changed)
        for part in (self._path, self._browse, self._partly, self._same, self._accept):
            part.setEnabled(not moved.at_work)
        rename(self._use, "Looking …" if moved.at_work else "Use this folder")
        self._weigh()
        self.adjustSize()

    @Slot()
    def _weigh(self) -> None:
        path, moved = self._path.text().strip(), self._moved
        guessed = moved is not None and moved.guess is not None and path == str(moved.guess)
        changed = moved is not None and moved.changed
        where = "Where are the right ones?" if changed else "Where is it now?"
        self._guessed.setText("Its scenes seem to lie here:" if guessed else where)
        give_role(self._guessed, role="good" if guessed else "")
        self._use.setEnabled(bool(path) and not (moved is not None and moved.at_work))

    @Slot()
    def _take(self) -> None:
        self.folder_given.emit(Path(self._path.text().strip()), self._partly.isChecked())

    @Slot()
    def _take_pictures(self) -> None:
        self.pictures_accepted.emit(self._same.isChecked())

    @Slot()
    def _ask_for_folder(self) -> None:
        dialog = QFileDialog(self, "The dataset folder")
        begin(dialog, "open a dataset folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._path.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _lay_out(self) -> None:
        describe(self._path, name="Dataset folder", tip="The folder that holds the scenes now")
        tip = "Also where fewer than half of the project's scenes lie there"
        describe(self._partly, name="A part is enough", tip=tip)
        self._use.setProperty("role", "primary")
        self._use.setDefault(True)
        self._later.setAutoDefault(False)
        self._browse.setAutoDefault(False)
        for words in (self._gone, self._fault, self._old):
            words.setWordWrap(True)
        tip = "Saved anew, or other tags inside: labels made of the earlier ones are not tagged"
        describe(self._same, name="They show the same", tip=tip)
        self._accept.setAutoDefault(False)
        row, last, taking = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        taking.addWidget(self._same, 1)
        taking.addWidget(self._accept)
        row.addWidget(self._path, 1)
        row.addWidget(self._browse)
        last.addStretch(1)
        last.addWidget(self._later)
        last.addWidget(self._use)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        for part in (self._gone, self._old):
            column.addWidget(part)
        column.addLayout(taking)
        column.addWidget(self._guessed)
        column.addLayout(row)
        column.addWidget(self._partly)
        for words in (self._fault, self._meanwhile):
            column.addWidget(words)
        column.addLayout(last)
        self.setMinimumWidth(_WIDTH)
