"""The first thing anyone sees: what this is, and the ways in."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from PySide6.QtCore import QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.datasets.arrival import in_few_lines
from smarthdr_studio.core.datasets.scan import find_scenes, labelled_by_default
from smarthdr_studio.core.environment import resource
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.bracket import Catalogue, FrameReading
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.state import Notice, StudioState
from smarthdr_studio.studio.tasks import How, Job, LatestTask, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    card,
    clear,
    describe,
)
from smarthdr_studio.synthetic.settings import SampleSettings

_SHOWN_RECENT: Final = 6


class StartPage(QWidget):
    """Recent projects, the sample, a dataset folder, a project; folders may be dropped."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"recent", "busy"})

    sample_asked = Signal()
    dataset_asked = Signal()
    project_asked = Signal()
    import_asked = Signal()
    recent_picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._ways = (
            _entry("sample", "Try the sample project", "24 generated scenes, ready in seconds"),
            _entry("brackets", "Import brackets…", "Pictures off a camera, step by step"),
            _entry("dataset", "Open a dataset folder…", "A published set, any known layout"),
            _entry("project", "Open a project…", "A folder called NAME.shdr"),
        )
        self._recent = QVBoxLayout()
        self._recent.setSpacing(4)
        self._lay_out()
        self._show_recent(())
        asked_for = (
            self.sample_asked,
            self.import_asked,
            self.dataset_asked,
            self.project_asked,
        )
        for way, asked in zip(self._ways, asked_for, strict=True):
            way.clicked.connect(asked)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show recent projects; while one is prepared (the foot tells it), none is begun."""
        if old.recent != new.recent:
            self._show_recent(new.recent)
        for way in self._ways:
            way.setEnabled(not new.busy)

    def _show_recent(self, recent: tuple[Path, ...]) -> None:
        clear(self._recent)
        if not recent:
            self._recent.addWidget(caption("Projects you open appear here.", role="muted"))
        for folder in recent[:_SHOWN_RECENT]:
            self._recent.addWidget(self._recent_entry(folder))
        self._recent.addStretch(1)

    def _recent_entry(self, folder: Path) -> QWidget:
        entry = QFrame()
        name = button(folder.stem, tip=f"Open {folder}", role="link")
        where = ElidedLabel(role="muted", mode=Qt.TextElideMode.ElideMiddle)
        where.tell(str(folder.parent))
        name.setStyleSheet("text-align: left; font-weight: 600; padding: 2px 0;")
        name.clicked.connect(lambda: self.recent_picked.emit(folder))
        column = QVBoxLayout(entry)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(name)
        column.addWidget(where)
        return entry

    def _lay_out(self) -> None:
        title = caption("SmartHDR Studio", role="headline")
        sense = caption(
            "See where an HDR pseudo-label can be trusted, choose the few scenes that deserve a "
            "label, and train.",
            role="muted",
        )
        sense.setWordWrap(True)
        begin, begin_column = card(name="Begin", margin=16)
        begin_column.addWidget(caption("Begin", role="title"))
        for way in self._ways:
            begin_column.addWidget(way)
        begin_column.addStretch(1)
        recent, recent_column = card(name="Recent projects", margin=16)
        recent_column.addWidget(caption("Recent", role="title"))
        recent_column.addLayout(self._recent, 1)
        cards = QHBoxLayout()
        cards.setSpacing(14)
        cards.addWidget(begin, 1)
        cards.addWidget(recent, 1)
        column = QVBoxLayout()
        column.setSpacing(12)
        for part in (title, sense):
            column.addWidget(part)
        column.addLayout(cards)
        column.addWidget(
            caption("A dataset folder or a project can also be dropped here.", role="muted")
        )
        middle = QWidget()
        middle.setLayout(column)
        middle.setMaximumWidth(880)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(middle, 20, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)


def _entry(icon: str, title: str, sense: str) -> QPushButton:
    """A large button with a picture, a title and a sentence."""
    entry = button("", tip=sense)
    entry.setAccessibleName(title)
    picture = QLabel()
    picture.setPixmap(QIcon(str(resource("icons", f"{icon}.svg"))).pixmap(QSize(34, 34)))
    words = QVBoxLayout()
    words.setSpacing(1)
    for part in (caption(title, role="title"), caption(sense, role="muted")):
        words.addWidget(part)
    row = QHBoxLayout(entry)
    row.setContentsMargins(14, 9, 14, 9)
    row.setSpacing(14)
    row.addWidget(picture)
    row.addLayout(words, 1)
    for label in entry.findChildren(QLabel):
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    entry.setMinimumHeight(row.sizeHint().height())
    return entry


def ask_for_parent(line: QLineEdit, *, title: str) -> None:
    """Choose the folder around what the line names; its last part, the new folder's name, stays."""
    dialog = QFileDialog(line.window(), title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setDirectory(str(Path(line.text()).parent))
    dialog.fileSelected.connect(partial(_take_parent, line))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def _take_parent(line: QLineEdit, folder: str) -> None:
    line.setText(str(Path(folder) / Path(line.text()).name))


class NewProjectDialog(QDialog):
    """Tells what was found and asks for a place, which is never inside the dataset."""

    chosen = Signal(object, object)
    look_asked = Signal(object)

    def __init__(self, catalogue: Catalogue, *, place: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("New project")
        self._catalogue = catalogue
        self._path = QLineEdit(str(place))
        describe(self._path, name="Project folder", tip="Where the project is made")
        self._why_not = caption("", role="bad")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._create = self._buttons.addButton(
            "Create project", QDialogButtonBox.ButtonRole.AcceptRole
        )
        self._create.setProperty("role", "primary")
        self._create.setToolTip("Make the project folder and open it (Enter)")
        self._look = self._buttons.addButton(
            "Look at the brackets…", QDialogButtonBox.ButtonRole.ActionRole
        )
        self._look.setToolTip("See which pictures form which scene first, and correct it")
        self._look.clicked.connect(self._look_first)
        self._lay_out()
        self._buttons.accepted.connect(self._accept)
        self._buttons.rejected.connect(self.reject)
        self._path.textChanged.connect(self._check)
        self._check()

    def _lay_out(self) -> None:
        browse = button("Browse…", tip="Choose the folder the project is made in")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self._path, 1)
        row.addWidget(browse)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(caption(_found(self._catalogue), role="title"))
        column.addWidget(caption(str(self._catalogue.root), role="muted"))
        column.addWidget(caption("The project keeps labels, pseudo-labels and runs. Make it here:"))
        column.addLayout(row)
        column.addWidget(self._why_not)
        column.addWidget(self._buttons)
        self.resize(620, self.sizeHint().height())

    @Slot()
    def _check(self) -> None:
        reason = why_not(Path(self._path.text().strip()), self._catalogue.root)
        self._why_not.setText(reason)
        self._create.setEnabled(not reason)

    @Slot()
    def _accept(self) -> None:
        self.chosen.emit(self._catalogue, Path(self._path.text().strip()))
        self.accept()

    @Slot()
    def _look_first(self) -> None:
        self.look_asked.emit(self._catalogue.root)
        self.reject()

    @Slot()
    def _browse(self) -> None:
        ask_for_parent(self._path, title="Make the project in")


def why_not(place: Path, dataset: Path) -> str:
    """Why a project cannot lie there, in words; empty where it can."""
    if not place.name.endswith(".shdr") or place.name == ".shdr":
        return "Give the folder a name that ends in .shdr."
    if not place.is_absolute():
        return "Give the whole path."
    if dataset.resolve() in (place.resolve(), *place.resolve().parents):
        return "Nothing is ever written into a dataset folder; choose a place outside it."
    if place.exists():
        return "There is such a folder already; choose another name."
    return ""


def _found(catalogue: Catalogue) -> str:
    test = sum(scene.split == "test" for scene in catalogue.scenes)
    words = f"{counted(len(catalogue.scenes), 'scene')} found"
    words += f", {test} of them for testing" if test else ""
    left = _counted(catalogue)
    words += f"; {left} left out" if left else ""
    odd = len(catalogue.odd)
    return f"{words}; something is odd about {odd}" if odd else words


def scan_dataset(report: Report, *, folder: Path) -> Catalogue:
    """Every scene of a dataset folder. Raises BadDataset."""
    report(f"looking for scenes in {folder.name}", 0, 0)
    return find_scenes(folder)


def create_project(
    report: Report, *, catalogue: Catalogue, place: Path, reading: FrameReading | None = None
) -> Path:
    """A new project over a dataset, with the labels it names or five of them.

    `reading` says how its frames are read where it is not with gamma 2.2 as they were shot.
    """
    report(f"making {place.name}", 0, 0)
    refuse_inside(catalogue.root, place)
    with Project.create(place, catalogue, labelled=labelled_by_default(catalogue)) as project:
        Decisions(project).read_frames(reading or FrameReading())
        return project.folder


def make_sample(report: Report, *, folder: Path, settings: SampleSettings) -> Path:
    """The sample dataset and its project in `folder`; what is there already is kept."""
    dataset, place = folder / "sample", folder / "sample.shdr"
    if (place / "project.sqlite").is_file():
        return place
    if not dataset.is_dir():
        from smarthdr_studio.synthetic.dataset import write_sample  # only where it is needed

        draft = folder / "sample.part"
        shutil.rmtree(draft, ignore_errors=True)
        report("generating the sample", 0, settings.scenes)
        for written in write_sample(draft, settings):
            words = f"generating the sample: scene {written.index} of {written.total}"
            report(words, written.index, written.total)
        draft.replace(dataset)
    return create_project(report, catalogue=find_scenes(dataset), place=place)


_DATABASE: Final = "project.sqlite"


class ProjectController(QObject):
    """Answers with an open project, or with a catalogue that waits for a place."""

    opened = Signal(object)
    catalogue_found = Signal(object)
    noticed = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._making = LatestTask(tasks, how=How(shown=True), outlives_project=True)

    def take(self, folder: Path) -> None:
        """Open a dropped or named folder, whatever it is."""
        if (folder / _DATABASE).is_file() or folder.suffix == ".shdr":
            self.open(folder)
        else:
            self.scan(folder)

    def open(self, folder: Path) -> None:
        """Open a project; quick, so it is done at once."""
        try:
            project = Project.open(folder)
        except StudioError as error:
            self.noticed.emit(Notice(text=str(error), tone="bad"))
            return
        self.opened.emit(project)

    def scan(self, folder: Path) -> None:
        """Look for scenes in a dataset folder."""
        self._begin(partial(scan_dataset, folder=folder), self.catalogue_found.emit)

    def create(self, catalogue: Catalogue, place: Path) -> None:
        """Make a project over what was found."""
        job = partial(create_project, catalogue=catalogue, place=place)
        self._begin(job, partial(self.show_made, catalogue))

    def try_sample(self, folder: Path, settings: SampleSettings) -> None:
        """Generate the sample dataset and its project, unless they are there."""
        self._begin(
            partial(make_sample, folder=folder, settings=settings), partial(self.show_made, None)
        )

    def cancel(self) -> None:
        """Give up what is being prepared; a half-made sample is left out of the way."""
        self._making.cancel()

    def _begin(self, job: Job[Any], answered: Callable[[Any], object]) -> None:
        if not self._making.at_work:
            self._making.start(job, answered)

    def show_made(self, catalogue: Catalogue | None, folder: Path) -> None:
        """Open a project that was just made, and tell what of its dataset was left out."""
        self.open(folder)
        if catalogue is not None and (catalogue.skipped or catalogue.notes):
            self.noticed.emit(left_out(catalogue))


def left_out(catalogue: Catalogue) -> Notice:
    """Which folders or ground truths of a dataset could not be used, what is odd, and why."""
    left = _counted(catalogue)
    sentences = []
    if left:
        verb = "was" if len(catalogue.skipped) + len(catalogue.truths_left_out) == 1 else "were"
        rest = "; the other scenes are here" if catalogue.skipped else ""
        sentences.append(f"{left} {verb} left out{rest}.")
    if odd := len(catalogue.odd):
        sentences.append(f"Something is odd about {'1 scene' if odd == 1 else f'{odd} scenes'}.")
    reasons = tuple(skipped.reason for skipped in catalogue.skipped)
    return Notice(
        text=" ".join(sentences), tone="warn", details=(*reasons, *in_few_lines(catalogue.notes))
    )


def _counted(catalogue: Catalogue) -> str:
    """What was left out, "" where nothing was: "1 folder and 2 ground truths"."""
    pictures = sum(each.picture for each in catalogue.skipped)
    counts = (
        (len(catalogue.skipped) - pictures, "folder"),
        (pictures, "picture"),
        (len(catalogue.truths_left_out), "ground truth"),
    )
    return " and ".join(f"{n} {what}{'s' * (n > 1)}" for n, what in counts if n)
