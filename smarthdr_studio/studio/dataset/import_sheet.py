"""The window in which brackets are imported: five steps, each of which can be gone back."""

from typing import ClassVar, Final, get_args

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.dataset.import_pages import BracketsPage, ExposuresPage, TruthsPage
from smarthdr_studio.studio.dataset.import_places import FolderPage, PlacePage
from smarthdr_studio.studio.state import IMPORT_STEPS, ImportState, ImportStep, StudioState
from smarthdr_studio.studio.widgets.controls import (
    ClampedLabel,
    ElidedLabel,
    button,
    caption,
    give_role,
    rename,
    size_within_screen,
)

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
