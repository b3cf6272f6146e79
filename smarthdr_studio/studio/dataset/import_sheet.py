"""The window in which brackets are imported: its steps, and the first and the last of its pages."""

from pathlib import Path
from typing import ClassVar, Final, get_args

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.dataset.import_pages import BracketsPage, ExposuresPage, TruthsPage
from smarthdr_studio.studio.dataset.start_page import ask_for_parent, why_not
from smarthdr_studio.studio.state import IMPORT_STEPS, ImportState, ImportStep, StudioState
from smarthdr_studio.studio.widgets.controls import (
    ClampedLabel,
    ElidedLabel,
    button,
    caption,
    describe,
    give_role,
    rename,
    size_within_screen,
)
from smarthdr_studio.studio.widgets.file_dialogs import begin


class FolderPage(QWidget):
    """Where the pictures are."""

    given = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.path = QLineEdit()
        self._shown: Path | None = None
        describe(self.path, name="Folder of brackets", tip="It is looked at, never written into")
        self.path.setPlaceholderText("A folder straight off a camera, or a published dataset")
        browse = button("Browse…", tip="Choose the folder")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(caption("Which folder holds the pictures?", role="title"))
        column.addLayout(row)
        for words in _SENSE:
            sentence = caption(words, role="muted")
            sentence.setWordWrap(True)
            column.addWidget(sentence)
        column.addStretch(1)

    def show_state(self, state: ImportState) -> None:
        """Show the folder that is looked at."""
        if state.folder is not None and state.folder != self._shown:
            self.path.setText(str(state.folder))
        self._shown = state.folder

    @property
    def folder(self) -> Path | None:
        """What is typed, None where nothing is."""
        text = self.path.text().strip()
        return Path(text).expanduser() if text else None

    @Slot()
    def _browse(self) -> None:
        dialog = QFileDialog(self.window(), "Folder of brackets")
        begin(dialog, "import brackets")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._take)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _take(self, folder: str) -> None:
        self.path.setText(folder)
        self.given.emit(Path(folder))


_SENSE: Final = (
    "A bracket is two or more exposures of one view. Pictures of several brackets may lie side by "
    "side: they are told apart by time, exposure and names, and you see how before anything is "
    "made.",
    "JPEG, TIFF, PNG, RAW and HEIC in folders of any depth. Nothing is copied or changed; the "
    "project only remembers which files form which scene.",
)


class PlacePage(QWidget):
    """Where the project lies, which is never inside the dataset."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.path, self._why_not = QLineEdit(), caption("", role="bad")
        self._found = caption("", role="title")
        self._folder: Path | None = None
        describe(self.path, name="Project folder", tip="Where the project is made")
        browse = button("Browse…", tip="Choose the folder the project is made in")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(browse)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._found)
        column.addWidget(caption("The project keeps labels, pseudo-labels and runs. Make it here:"))
        column.addLayout(row)
        column.addWidget(self._why_not)
        column.addStretch(1)
        self.path.textChanged.connect(self._weigh)

    @property
    def place(self) -> Path | None:
        """Where the project may be made, None where it may not."""
        text = self.path.text().strip()
        if self._folder is None or why_not(Path(text), self._folder):
            return None
        return Path(text)

    def show_state(self, state: ImportState) -> None:
        """Offer a place beside the folder."""
        if state.folder is not None and state.folder != self._folder:
            self._folder = state.folder
            root = state.folder.resolve()
            self.path.setText(str(root.with_name(f"{root.name}.shdr")))
        if state.catalogue is not None:
            scenes = counted(len(state.catalogue.scenes), "scene")
            labels = counted(len(state.labelled), "label") if state.labelled else "no label"
            self._found.setText(f"{scenes}, {labels} to begin with.")
        if state.step == "project":
            self._weigh()  # what was free when it was proposed may be taken by now

    @Slot()
    def _weigh(self) -> None:
        text = Path(self.path.text().strip())
        self._why_not.setText(why_not(text, self._folder) if self._folder else "")
        self.changed.emit()

    @Slot()
    def _browse(self) -> None:
        ask_for_parent(self.path, title="Make the project in")


_SIZE: Final = (980, 600)
_TITLES: Final[dict[ImportStep, str]] = dict(
    zip(
        get_args(ImportStep),
        ("Folder", "Brackets", "Exposures", "Ground truths", "Project"),
        strict=True,
    )
)


class ImportSheet(QDialog):
    """Not modal; nothing is made before Create project."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"bringing"})

    folder_given = Signal(object)
    step_wanted = Signal(str)
    place_given = Signal(object)
    cancelled = Signal()
    given_up = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import brackets")
        self._state: ImportState | None = None
        self.folder, self.brackets = FolderPage(), BracketsPage()
        self.exposures, self.truths, self.place = ExposuresPage(), TruthsPage(), PlacePage()
        self._pages = QStackedWidget()
        self._steps = {step: caption(f"{n}  {_TITLES[step]}") for n, step in _numbered()}
        self._doing, self._bar = ElidedLabel(role="muted"), QProgressBar(textVisible=False)
        self.cancel = button("Cancel", tip="Stop what is under way; the step stays")
        self._fault = ClampedLabel(lines=2, role="bad")
        self.close_it = button("Close", tip="Nothing is made (Esc)")
        self.back = button("Back", tip="The step before")
        self.next = button("Next", tip="The next step (Enter)", role="primary")
        self._lay_out()
        self._connect()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the step, or go."""
        before, self._state = self._state, new.bringing
        if new.bringing is None:
            self.hide()
            return
        if before is None:
            self.folder.path.clear()
        for page in (self.folder, self.brackets, self.exposures, self.truths, self.place):
            page.show_state(new.bringing)
        self._show(new.bringing)
        if not self.isVisible():
            self.show()
            self.folder.path.setFocus()

    def reject(self) -> None:
        """Escape gives it up."""
        self.given_up.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._state is not None:
            self.given_up.emit()

    def _show(self, state: ImportState) -> None:
        self._pages.setCurrentIndex(IMPORT_STEPS.index(state.step))
        for step, title in self._steps.items():
            give_role(title, role="title" if step == state.step else "muted")
        self._fault.tell(state.fault)
        self._doing.tell(state.doing)
        self._bar.setMaximum(0 if state.progress is None else 1000)
        self._bar.setValue(0 if state.progress is None else round(state.progress * 1000))
        for part in (self._doing, self._bar, self.cancel):
            part.setVisible(bool(state.doing))
        self._weigh()

    @Slot()
    def _weigh(self) -> None:
        state = self._state
        if state is None:
            return
        last = state.step == IMPORT_STEPS[-1]
        rename(self.next, "Create project" if last else "Next")
        self.back.setEnabled(state.step != IMPORT_STEPS[0])
        self.next.setEnabled(not state.doing and self._may_go_on(state))

    def _may_go_on(self, state: ImportState) -> bool:
        match state.step:
            case "folder":
                return self.folder.folder is not None
            case "brackets":
                return state.proposal is not None and bool(state.proposal.scenes)
            case "exposures" | "truths":
                return state.catalogue is not None
            case "project":
                return state.catalogue is not None and self.place.place is not None

    @Slot()
    def _go_on(self) -> None:
        state = self._state
        if state is None or not self.next.isEnabled():
            return
        if state.step == "folder":
            if state.folder == self.folder.folder and state.proposal is not None:
                self.step_wanted.emit("brackets")
            else:
                self.folder_given.emit(self.folder.folder)
        elif state.step == "project":
            self.place_given.emit(self.place.place)
        else:
            self.step_wanted.emit(IMPORT_STEPS[IMPORT_STEPS.index(state.step) + 1])

    @Slot()
    def _go_back(self) -> None:
        if self._state is not None and self._state.step != IMPORT_STEPS[0]:
            self.step_wanted.emit(IMPORT_STEPS[IMPORT_STEPS.index(self._state.step) - 1])

    def _connect(self) -> None:
        self.folder.given.connect(self.folder_given)
        self.folder.path.textChanged.connect(self._weigh)
        self.place.changed.connect(self._weigh)
        self.next.clicked.connect(self._go_on)
        self.back.clicked.connect(self._go_back)
        self.close_it.clicked.connect(self.reject)
        self.cancel.clicked.connect(self.cancelled)

    def _lay_out(self) -> None:
        head, last, work = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.setSpacing(8)
        for number, step in _numbered():
            if number > 1:
                head.addWidget(QLabel("›"))
            head.addWidget(self._steps[step])
        head.addStretch(1)
        for page in (self.folder, self.brackets, self.exposures, self.truths, self.place):
            self._pages.addWidget(page)
        for other in (self.close_it, self.back, self.cancel):
            other.setAutoDefault(False)
        self.next.setDefault(True)
        self._bar.setAccessibleName("Progress")
        self._bar.setFixedWidth(180)
        work.addWidget(self._doing, 1)
        work.addWidget(self._bar)
        work.addWidget(self.cancel)
        last.addWidget(self.close_it)
        last.addStretch(1)
        last.addWidget(self.back)
        last.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._pages, 1)
        column.addWidget(self._fault)
        column.addLayout(work)
        column.addLayout(last)
        size_within_screen(self, *_SIZE)


def _numbered() -> list[tuple[int, ImportStep]]:
    return list(enumerate(IMPORT_STEPS, start=1))
