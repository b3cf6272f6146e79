"""Which three frames of a scene's bracket networks and views use, as a person chooses them."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QObject, QSignalBlocker, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.imaging.bracket import Scene, Three, refuse_three
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import FramesState, StudioState
from smarthdr_studio.studio.widgets.controls import button, caption, describe

_PARTS = ("Under", "Reference", "Over")
_STAYS = (
    "No file changes, and Undo takes it back. Labels made of other frames stay as they are and are "
    "told; a pseudo-label of other frames is made anew before it is promoted."
)


class FramesController(QObject):
    """Shows the bracket of one scene, and decides in the project that it is of."""

    def __init__(self, store: Store, curating: CurationController) -> None:
        super().__init__(store)
        self._store, self._curating = store, curating

    @Slot()
    def ask(self) -> None:
        """Show the bracket of the current scene, in place of that of another one."""
        project, current = self._store.project, self._store.state.current
        if project is not None and current is not None:
            self._show(project, current)

    @Slot(object)
    def use(self, three: Three | None) -> None:
        """Use these three places of the whole bracket, None for those that were found."""
        state = self._store.state.frames
        self.give_up()
        if state is not None:
            name = state.scene.id
            self._curating.decide(lambda decisions: decisions.choose_frames(name, three))

    @Slot()
    def give_up(self) -> None:
        """The frames stay those they are."""
        self._store.become(frames=None)

    def take_journal(self, _journal: JournalReading) -> None:
        """Somebody may have chosen frames."""
        state, project = self._store.state.frames, self._store.project
        if (
            state is not None
            and project is not None
            and project.scene(state.scene.id) != state.scene
        ):
            self._show(project, state.scene.id)

    def _show(self, project: Project, name: str) -> None:
        scene, found = project.scene(name), project.scene_with(name, None)
        self._store.become(frames=FramesState(scene=scene, found=found))


class FramesSheet(QDialog):
    """Not modal; nothing changes before the frames are used."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"frames"})

    chosen = Signal(object)  # three places in the whole bracket, None as it was found
    given_up = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._state: FramesState | None = None
        self._names: list[str] = []
        self._now: Three = (0, 0, 0)
        self._found: Three = (0, 0, 0)
        self.in_use = caption("", role="muted")
        self.boxes = [_box(part) for part in _PARTS]
        self.fault = caption("", role="warn")
        self.auto = button("As found", tip="The three that the program chose by their pixels")
        self.close_it = button("Close", tip="Nothing changes (Esc)")
        self.use = button("Use these frames", tip="From now on (Enter)", role="primary")
        self._lay_out()
        for box in self.boxes:
            box.currentIndexChanged.connect(self._weigh)
        self.auto.clicked.connect(self._show_found)
        self.close_it.clicked.connect(self.reject)
        self.use.clicked.connect(self._use)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the frames that are used now, or go; what was picked here stays picked."""
        before, self._state = self._state, new.frames
        if new.frames is None:
            self.hide()
        elif new.frames is not before:
            self._show(new.frames)
            self.show()
            if before is None:
                self.activateWindow()

    def reject(self) -> None:
        """Escape changes nothing."""
        self.given_up.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._state is not None:
            self.given_up.emit()

    def _show(self, state: FramesState) -> None:
        title, names = f"Frames of {state.scene.id}", _names(state.scene)
        same = title == self.windowTitle() and names == self._names
        picked = self.three if same and self.three != self._now else None
        self.setWindowTitle(title)
        self._names = names
        paths = [frame.path for frame in state.scene.whole_bracket]
        self._now, self._found = _places(paths, state.scene), _places(paths, state.found)
        for box, place in zip(self.boxes, picked or self._now, strict=True):
            with QSignalBlocker(box):
                if not same:
                    box.clear()
                    box.addItems(names)
                box.setCurrentIndex(place)
        self.in_use.setText(f"Used now: {', '.join(path.name for path in state.scene.frames)}")
        self._weigh()

    @property
    def three(self) -> Three:
        """The places that are picked."""
        under, reference, over = (box.currentIndex() for box in self.boxes)
        return under, reference, over

    @Slot()
    def _weigh(self) -> None:
        if self._state is None:
            return
        try:
            refuse_three(self._state.found, self.three)
        except BadScene:
            self.fault.setText("Under may not be brighter than the reference, nor over darker.")
        else:
            self.fault.setText("")
        self.use.setEnabled(not self.fault.text() and self.three != self._now)
        self.auto.setEnabled(self.three != self._found)

    @Slot()
    def _show_found(self) -> None:
        for box, place in zip(self.boxes, self._found, strict=True):
            box.setCurrentIndex(place)

    @Slot()
    def _use(self) -> None:
        self.chosen.emit(None if self.three == self._found else self.three)

    def _lay_out(self) -> None:
        words = caption(_STAYS, role="muted")
        for label in (words, self.fault, self.in_use):
            label.setWordWrap(True)
        grid, last = QGridLayout(), QHBoxLayout()
        for row, (part, box) in enumerate(zip(_PARTS, self.boxes, strict=True)):
            grid.addWidget(caption(part), row, 0)
            grid.addWidget(box, row, 1)
        grid.setColumnStretch(1, 1)
        for other in (self.auto, self.close_it):
            other.setAutoDefault(False)
        self.use.setDefault(True)
        last.addWidget(self.auto)
        last.addStretch(1)
        last.addWidget(self.close_it)
        last.addWidget(self.use)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(caption("By rising exposure; networks and views use three", role="title"))
        column.addWidget(self.in_use)
        column.addLayout(grid)
        column.addWidget(self.fault)
        column.addWidget(words)
        column.addLayout(last)
        self.setMinimumWidth(480)


def _box(part: str) -> QComboBox:
    box = QComboBox()
    describe(box, name=part, tip=f"The {part.lower()} frame")
    return box


def _names(scene: Scene) -> list[str]:
    """Each frame of the whole bracket, numbered from the darkest."""
    bracket = scene.whole_bracket
    return [
        f"{number}  {frame.path.name}  ({frame.ev - bracket[0].ev:+.3g} stops)"
        for number, frame in enumerate(bracket, start=1)
    ]


def _places(paths: Sequence[Path], scene: Scene) -> Three:
    under, reference, over = (paths.index(path) for path in scene.frames)
    return under, reference, over
