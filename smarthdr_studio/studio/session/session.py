"""The one object that remembers: intents come up, frozen state goes down."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.bracket import Catalogue
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.runs import list_runs
from smarthdr_studio.core.sample.settings import SampleSettings
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.decision_desk import DecisionDesk, not_promotable
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.preferences import Places, Preferences
from smarthdr_studio.studio.session.project_desk import ProjectDesk
from smarthdr_studio.studio.session.scene_desk import FRAME_BUDGET
from smarthdr_studio.studio.session.screen import Screen
from smarthdr_studio.studio.session.training_desk import TrainingDesk
from smarthdr_studio.studio.state import Activity, Notice, StudioState, TrainingState
from smarthdr_studio.studio.theme import Wish
from smarthdr_studio.studio.threads.decisions import promote_many

_LOOK_EVERY_MS: Final = 1000
_PROMOTED_AT_ONCE: Final = 2  # about half a second each at 1500×1000; more go to a thread


class Session(QObject):
    """Keeps the state and hands slow work to its desks; `screen` and `training` take intents."""

    changed = Signal(object, object)
    catalogue_found = Signal(object)
    rested = Signal()

    def __init__(self, parent: QObject, *, places: Places, sample: SampleSettings) -> None:
        super().__init__(parent)
        self._places, self._sample = places, sample
        self.preferences = Preferences.read(places.preferences)
        first = StudioState(recent=self.preferences.folders(), cache_budget=FRAME_BUDGET)
        self._keeper = Keeper(first, self)
        self._project: Project | None = None
        self._desk: DecisionDesk | None = None
        self._version = 0
        self._crew = Crew(self)
        self._projects = ProjectDesk(self._crew, self)
        self.training = TrainingDesk(self._crew, self)
        self.screen = Screen(self._keeper, self._crew, thumbnails=places.thumbnails)
        self._watch = QTimer(self, interval=_LOOK_EVERY_MS)
        self._connect()

    @property
    def state(self) -> StudioState:
        """The window, whole."""
        return self._keeper.state

    @property
    def at_rest(self) -> bool:
        """Whether no thread is at work, so that the window may go."""
        return self._crew.at_rest and self.training.at_rest

    @Slot(object)
    def take(self, folder: Path) -> None:
        """Open a folder, be it a project or a dataset."""
        if self._may_switch():
            self._projects.take(folder)

    @Slot(object, object)
    def create_project(self, catalogue: Catalogue, place: Path) -> None:
        """Make and open a project over what was found."""
        if self._may_switch():
            self._projects.create(catalogue, place)

    @Slot()
    def try_sample(self) -> None:
        """Generate and open the sample project."""
        if self._may_switch():
            self._projects.try_sample(self._places.sample, self._sample)

    @Slot()
    def cancel(self) -> None:
        """Give up reading a dataset or making a project."""
        self._projects.cancel()

    @Slot()
    def close_project(self) -> None:
        """Back to the start page."""
        if self._may_switch():
            self._let_go()
            self._keeper.become(recent=self.preferences.folders())

    @Slot(object)
    def settle_masks(self, masks: MaskSettings) -> None:
        """Keep thresholds; a run uses them from its next round on."""
        self.screen.move_masks(masks)
        if self._desk is not None and masks != self._desk.masks:
            self._decided(self._desk.set_masks(masks))

    def promote(self, scenes: tuple[str, ...]) -> None:
        """Use the pseudo-labels of these scenes as labels, masked as they are on the screen."""
        if self._project is None or self._desk is None or not scenes:
            return
        ready = self._desk.promotable(scenes)
        ranges = self.screen.ranges(ready)
        if not ready:
            self._decided(not_promotable(scenes))
        elif len(ready) <= _PROMOTED_AT_ONCE:
            self._decided(self._desk.promote(ready, ranges))
        else:
            folder = self._project.folder
            job = partial(promote_many, folder=folder, scenes=ready, ranges=ranges)
            refused = self._promoting_failed
            self._crew.start(job, answered=self._promoted_many, refused=refused, told=True)

    @Slot(object)
    def _promoted_many(self, _nothing: object) -> None:
        self._not_busy()
        self._decided(None)

    @Slot(str)
    def _promoting_failed(self, message: str) -> None:
        self._not_busy()
        self._keeper.complain(message)

    def demote(self, scenes: tuple[str, ...]) -> None:
        """Take promoted labels back."""
        if self._desk is not None and scenes:
            self._decided(self._desk.demote(scenes))

    def exclude(self, scenes: tuple[str, ...]) -> None:
        """Keep these scenes out of training, or take them back in."""
        if self._desk is not None and scenes:
            self._decided(self._desk.exclude(scenes))

    @Slot()
    def undo(self) -> None:
        """Take the last decision back."""
        if self._desk is not None:
            self._decided(self._desk.undo())

    @Slot()
    def redo(self) -> None:
        """Decide it again."""
        if self._desk is not None:
            self._decided(self._desk.redo())

    def train(self, *, preset: str, device: str) -> None:
        """Start a run."""
        if self._project is not None:
            self.training.start(self._project.folder, preset=preset, device=device)

    def resume(self, *, device: str) -> None:
        """Go on with the last run."""
        if self._project is not None:
            self.training.resume(self._project.folder, device=device)

    @Slot()
    def dismiss(self) -> None:
        """The notice was read."""
        self._keeper.notice(None)

    def set_look(self, look: Wish) -> None:
        """Remember dark, light or the system's look."""
        self.preferences = replace(self.preferences, look=look)
        self.preferences.write(self._places.preferences)

    def shut_down(self) -> None:
        """Stop everything; `rested` tells when it has stopped."""
        self.training.stop()
        self._crew.cancel()

    def release(self) -> None:
        """Let go of the project's file; nothing is asked afterwards."""
        self._watch.stop()
        self.screen.rest()
        if self._project is not None:
            self._project.close()
            self._project = self._desk = None

    @Slot(object)
    def _adopt(self, project: Project) -> None:
        self._let_go()
        self._project, self._desk = project, DecisionDesk(project)
        self.preferences = self.preferences.with_project(project.folder)
        self.preferences.write(self._places.preferences)
        self._keeper.become(project=project.name, folder=project.folder)
        self._read_journal()
        self.screen.serve(project)
        self._find_resumable()
        self._watch.start()
        if self.state.scenes:
            self.screen.pick(self.state.scenes[0].id)

    def _let_go(self) -> None:
        self._watch.stop()
        self.screen.serve(None)
        self.training.forget()
        if self._project is not None:
            self._project.close()
        self._project = self._desk = None
        old = self.state
        self._keeper.start_over(
            StudioState(
                display=old.display,
                views=old.views,
                columns=old.columns,
                recent=old.recent,
                cache_budget=old.cache_budget,
                generation=old.generation + 1,
            )
        )

    def _may_switch(self) -> bool:
        if not self.training.state.busy:
            return True
        words = "A run is going on; stop it before leaving this project."
        self._keeper.notice(Notice(text=words, tone="warn"))
        return False

    def _decided(self, refusal: Notice | None) -> None:
        self._keeper.notice(refusal)
        if refusal is None:
            self.training.changes_wait()
        self._read_journal()

    def _read_journal(self) -> None:
        """Show what the journal adds up to now."""
        if self._project is None or self._desk is None:
            return
        self._version = self._project.data_version()
        self._keeper.become(
            masks=self._desk.masks, undo=self._desk.can_undo, redo=self._desk.can_redo
        )
        self.screen.take_statuses(self._project.statuses())

    @Slot()
    def _look(self) -> None:
        """Another process may have decided something."""
        try:
            if self._project is not None and self._project.data_version() != self._version:
                self._read_journal()
        except StudioError as error:
            self._keeper.complain(str(error))

    @Slot(object)
    def _training_became(self, training: TrainingState) -> None:
        failed = training.activity is Activity.FAILED
        if failed and self.state.training.activity is not Activity.FAILED:
            # One line of the panel may be too short for the reason and the remedy.
            self._keeper.complain(training.message)
        self._keeper.become(training=training)

    @Slot()
    def _round_came(self) -> None:
        self.screen.reload()

    @Slot()
    def _run_ended(self) -> None:
        self.screen.reload()
        self._find_resumable()
        self._rest()

    def _find_resumable(self) -> None:
        if self._project is not None:
            left = [run.id for run in list_runs(self._project)[:1] if run.outcome != "done"]
            self.training.remember(resumable=left[0] if left else "")

    @Slot()
    def _rest(self) -> None:
        if self.at_rest:
            self.rested.emit()

    @Slot(str, int, int)
    def _busy_told(self, text: str, done: int, total: int) -> None:
        self._keeper.become(busy=text, progress=done / total if total else None)

    @Slot()
    def _not_busy(self) -> None:
        self._keeper.become(busy="", progress=None)

    def _connect(self) -> None:
        self._keeper.changed.connect(self.changed)
        self._projects.opened.connect(self._adopt)
        self._projects.catalogue_found.connect(self.catalogue_found)
        self._projects.noticed.connect(self._keeper.notice)
        self._projects.ended.connect(self._not_busy)
        self._crew.busy_told.connect(self._busy_told)
        self._crew.rested.connect(self._rest)
        self.training.became.connect(self._training_became)
        self.training.round_finished.connect(self._round_came)
        self.training.rested.connect(self._run_ended)
        self._watch.timeout.connect(self._look)
