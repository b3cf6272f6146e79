"""The one object that remembers: intents come up, frozen state goes down."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.files import is_file
from smarthdr_studio.core.imaging.bracket import (
    Catalogue,
    FrameReading,
    Three,
    curve_in_words,
)
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.places import folder_meant, is_model
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.studio.dataset.import_brackets import ImportController
from smarthdr_studio.studio.dataset.start_page import ProjectController
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Panel, Store
from smarthdr_studio.studio.session.controllers import (
    FilmAndDiary,
    ProjectFiles,
    Recommendations,
    Running,
)
from smarthdr_studio.studio.session.inspection import DiskWatch, Inspection
from smarthdr_studio.studio.settings import LateWriter, Layout, Places, Preferences
from smarthdr_studio.studio.state import Centre, Comparison, Notice, StudioState, Workspace, refused
from smarthdr_studio.studio.tasks import How, Priority, TaskQueue, TaskRunner, plain
from smarthdr_studio.studio.viewer.figure_export import ExportController
from smarthdr_studio.studio.widgets.file_dialogs import offer
from smarthdr_studio.synthetic.settings import SampleSettings

_ALIGNED: Final = (
    "Hand-held frames are laid onto their references from now on, in views, labels and training; "
    "what was labelled before stays as it is."
)
_MENDING: Final = "A project is being mended; wait until that is done."
_OFFERED: Final = (
    "{name} is at hand: with a project open, Training ▸ Models ▸ Use a model file… lets it make "
    "pseudo-labels, Look through a model file… shows what it predicts."
)
_UNHEARD: Final = How(priority=Priority.WATCHING, lasting=True)  # nobody waits for it
_AS_SHOT: Final = "Frames are read as they were shot again."


class Session(QObject):
    """Keeps the state and hands work to its controllers.

    `inspection`, `curating`, `running` and `exports` take a person's intents.
    """

    changed = Signal(object, object)
    catalogue_found = Signal(object)
    rested = Signal()
    left = Signal()  # the project is closed, or gives way to another one
    leaving = Signal()  # another project or none may follow: what is still typed is to be kept

    def __init__(self, parent: QObject, *, places: Places, sample: SampleSettings) -> None:
        super().__init__(parent)
        self._places, self._sample = places, sample
        self._person, self._layout = LateWriter(), LateWriter()
        self.preferences = Preferences.opened(places.preferences)
        first = StudioState(recent=self.preferences.folders(), cache_budget=self.preferences.budget)
        self._store = Store(first, self)
        self._tasks = TaskRunner(self)
        decisions = TaskQueue(self._tasks)
        self._projects = ProjectController(self._tasks, self)
        self.bringing = ImportController(self._store, self._tasks)
        self.inspection = Inspection(
            self._store, self._tasks, decisions, thumbnails=places.thumbnails
        )
        self.screen = self.inspection.screen
        self.curating = CurationController(self._store, decisions, self.screen)
        self.running = Running(self._store, self._tasks, self.curating, presets=places.presets)
        self.training = self.running.training
        self.film_and_diary = FilmAndDiary(
            self._store, self._tasks, training=self.training, inspection=self.inspection
        )
        self.screen.scenes.set_budget(self.preferences.budget)
        self.files = ProjectFiles(self._store, self._tasks, self.curating, logs=places.logs)
        self.recommendations = Recommendations(
            self._store, self._tasks, self.inspection, self.curating
        )
        self.exports = ExportController(self._store, self._tasks, self.screen)
        self.panes: dict[str, Any] = {}  # sizes and tabs of the page, in its own words
        self._remembered = Layout()  # what is kept of them with the open project
        self._reading = FrameReading()  # as the pictures on the screen were read
        self._chosen: Mapping[str, Three] = {}  # which frames of them a person chose
        self._watch = DiskWatch(self._store, self.screen)
        self._connect()
        self._unread: tuple[Notice, ...] = ()  # of the start
        self._store.switched.connect(self._tell_unread)
        if self.preferences.told:  # they were set aside
            self.tell_until_read(Notice(text=self.preferences.told, tone="bad"))

    @property
    def state(self) -> StudioState:
        """The window, whole."""
        return self._store.state

    @property
    def project(self) -> Project | None:
        """The open project, of the window's own thread."""
        return self._store.project

    @property
    def at_rest(self) -> bool:
        """Whether no thread is at work and nothing decided waits, so that the window may go."""
        return self._tasks.at_rest and self.running.at_rest and self.curating.at_rest

    def show_in(self, *panels: Panel) -> None:
        """Each of them shows the part of the state that it declares, from now on."""
        for panel in panels:
            self.watch(panel.SHOWS, panel.show_state)

    def watch(
        self, parts: Iterable[str], call: Callable[[StudioState, StudioState], object]
    ) -> None:
        """Call with the state before and now whenever one of these fields has changed."""
        self._store.watch(parts, call)

    def show_all(self) -> None:
        """Every panel shows the state of now, as if it had changed to it."""
        self._store.show_all()

    @Slot(object)
    def take(self, place: Path) -> None:
        """Open a project, by its folder or its database, a dataset folder, or offer a model."""
        if is_model(place):
            offer("model", place)
            self._store.notice(Notice(text=_OFFERED.format(name=place.name)))
        elif self._may_switch():
            self._projects.take(folder_meant(place))

    def mend(self, folder: Path) -> None:
        """Look a project over, closed meanwhile, and open it where no other is open."""
        project = self._store.project
        if not self._may_switch():
            return
        if project is not None and project.folder.resolve() == folder.resolve():
            self.curating.afterwards(self._close)
        self.curating.afterwards(partial(self.files.mending.mend, folder))

    @Slot(object)
    def _mended(self, folder: Path) -> None:
        if self._store.project is None:
            self._projects.open(folder)

    @Slot(object, object)
    def create_project(self, catalogue: Catalogue, place: Path) -> None:
        """Make and open a project over what was found."""
        if self._may_switch():
            self._projects.create(catalogue, place)

    @Slot(object, object)
    def _imported(self, catalogue: Catalogue, folder: Path) -> None:
        """Open what was made of imported brackets, and say what was left out."""
        if self._may_switch():
            self._projects.show_made(catalogue, folder)

    @Slot()
    def try_sample(self) -> None:
        """Generate and open the sample project."""
        if self._may_switch():
            self._projects.try_sample(self._places.sample, self._sample)

    @Slot()
    def align_frames(self) -> None:
        """Lay hand-held frames onto their references as they are read, or stop doing so."""
        if self._store.project is not None:
            now = self._reading
            words = _AS_SHOT if now.aligned else _ALIGNED
            self._read_frames(replace(now, aligned=not now.aligned), words=words)

    @Slot(object)
    def _read_under(self, response: ResponseCurve | None) -> None:
        """Read frames under this curve from now on, None for gamma 2.2."""
        reading = replace(self._reading, response=response)
        words = f"Frames are read {curve_in_words(reading.curve)} from now on."
        self._read_frames(reading, words=words)

    def _read_frames(self, reading: FrameReading, *, words: str) -> None:
        """Decide it, and read everything on the screen anew."""
        project = self._store.project
        if project is None or not self._may_switch():
            return
        try:
            project.refuse_read_only()
            Decisions(project).read_frames(reading)
        except StudioError as error:
            self._store.complain(str(error))
            return
        self._opened(project)
        self.curating.afterwards(partial(self._store.notice, Notice(text=words)))

    @Slot()
    def cancel(self) -> None:
        """Give up what is being prepared: a project, files, or an answer of a network."""
        self._projects.cancel()
        self.bringing.cancel()
        self.files.give_up()
        self.inspection.predictions.give_up()

    @Slot()
    def close_project(self) -> None:
        """Back to the start page, once all that was decided is in the journal."""
        if self._may_switch():
            self.curating.afterwards(self._close)

    def _close(self) -> None:
        self._let_go()
        self._store.become(recent=self.preferences.folders())

    def tell(self, notice: Notice) -> None:
        """Tell something without stopping anyone."""
        self._store.notice(notice)

    def tell_until_read(self, notice: Notice) -> None:
        """Tell something of the start, and again when a project is opened meanwhile."""
        self._unread = (*self._unread, notice)
        self._store.notice(notice)

    @Slot()
    def dismiss(self) -> None:
        """The notice was read."""
        self._unread = ()
        self._store.notice(None)

    @Slot()
    def _tell_unread(self) -> None:
        """A project that opens begins without older notices."""
        for notice in self._unread:
            self._store.notice(notice)

    def prefer(self, *, soon: bool = False, **wishes: Any) -> None:  # noqa: ANN401 - its fields
        """Remember a look, keys or how much memory may be kept; `soon` on a thread."""
        self._keep_preferences(replace(self.preferences, **wishes), soon=soon)

    def _keep_preferences(self, preferences: Preferences, *, soon: bool = False) -> None:
        self.preferences = preferences
        self._person.take(partial(preferences.write, self._places.preferences))
        self._write(self._person, soon=soon)

    def _write(self, writer: LateWriter, *, soon: bool) -> None:
        if soon:
            self._tasks.start(plain(writer.finish), how=_UNHEARD)
        else:
            writer.finish()

    @Slot(str)
    def work_in(self, workspace: str) -> None:
        """Turn to another workspace; scene, thresholds and zoom stay, curating has its own views.

        What the workspace before had in the middle gives way to what this one has at first; so does
        what fills the middle of this one, where it is asked for once more.
        """
        state, wanted = self.state, Workspace(workspace)
        if wanted is state.workspace:
            self.inspection.table.show(str(Centre.PICTURES))
            return
        changes: dict[str, Any] = {"workspace": wanted}
        if Workspace.CURATE in (wanted, state.workspace):
            changes |= {
                "views": state.aside,
                "columns": state.aside_columns,
                "active": 0,
                "aside": state.views,
                "aside_columns": state.columns,
                "compare": Comparison(gain=state.compare.gain),
            }
        self._store.become(**changes)
        self.inspection.table.show(str(Centre.PICTURES))
        self.screen.repaint()

    @Slot(object)
    def take_panes(self, panes: dict[str, Any]) -> None:
        """Sizes and tabs of the page, to be remembered with the project."""
        self.panes = panes

    def look_as(self, layout: Layout) -> None:
        """Views, display, snapshots and scene as they were once; `panes` as well."""
        self.panes = dict(layout.panes)
        kept = ("views", "columns", "aside", "aside_columns", "display", "snapshots", "workspace")
        self._store.become(**{name: layout.remembered()[name] for name in kept}, active=0)
        self.screen.repaint()
        if self.state.row(layout.scene) is not None:
            self.screen.pick(layout.scene)

    @Slot(object)
    def set_budget(self, budget: int) -> None:
        """Keep at most so many bytes of pictures in memory, from now on and ever after."""
        self.prefer(budget=budget)
        self.screen.scenes.set_budget(budget)
        self._store.become(cache_budget=budget)
        self.screen.repaint()

    def shut_down(self) -> None:
        """Stop everything; `rested` tells when it has stopped."""
        self.running.shut_down()
        self._tasks.shut_down()

    def release(self) -> None:
        """Let go of the project's file; nothing is asked afterwards."""
        self._watch.rest()
        self.inspection.rest()
        self.running.rest()
        self._tasks.close()
        self._person.finish()
        self.remember_layout()
        if self._store.project is not None:
            self._store.project.close()
            self._store.project = None

    @Slot(object)
    def _opened(self, project: Project) -> None:
        self.curating.afterwards(partial(self._adopt, project))

    def _adopt(self, project: Project) -> None:
        self._let_go(but=project)
        self._keep_preferences(self.preferences.with_project(project.folder))
        self._remembered = layout = Layout.read(project.folder)
        self.panes = dict(layout.panes)
        self._store.become(
            project=project.name,
            folder=project.folder,
            **layout.remembered(),
        )
        self._store.switch_to(project)
        self._reading, self._chosen = project.reading, _chosen_in(project)
        self._read_journal()
        self._pick_first(layout.scene)

    def _pick_first(self, wanted: str) -> None:
        """The scene that was looked at last, or else the first with a pseudo-label."""
        ids = [row.id for row in self.state.scenes]
        if wanted not in ids and self._store.project is not None:
            labelled = (scene for scene in ids if is_file(self._store.project.pseudo_path(scene)))
            wanted = next(labelled, ids[0] if ids else "")
        if wanted:
            self.screen.pick(wanted)

    def _let_go(self, *, but: Project | None = None) -> None:
        self._tasks.forget()
        self.remember_layout()
        left = self._store.project
        self._store.switch_to(None)
        read_anew = left is not None and left is but
        if left is not None and not read_anew:
            left.close()
            self.left.emit()
        self._store.forget_project(read_anew=read_anew)

    def remember_layout(self, *, soon: bool = False) -> None:
        """Keep with the open project what is looked at, and how, unless that is known.

        `soon` is on a thread; otherwise it is on its disk when this returns.
        """
        project = self._store.project
        layout = Layout.of(self.state, self.panes)
        if project is not None and layout != self._remembered:
            self._layout.take(partial(layout.write, project.folder))
            self._remembered = layout
            self._write(self._layout, soon=soon)
        elif not soon:
            self._layout.finish()

    def _may_switch(self) -> bool:
        if self.files.mending.at_work:
            self._store.notice(refused(_MENDING))
            return False
        if self.running.may_leave():
            self.leaving.emit()
            return True
        return False

    @Slot(bool)
    def _decided(self, done: object) -> None:
        if done:
            self.training.changes_wait()
            self.inspection.history.masks_settled()
        self._read_journal()

    @Slot()
    def _read_journal(self) -> None:
        """Read the journal once, and show what it adds up to now as one change."""
        if self._store.project is None:
            return
        try:
            with self._store.one_change():
                self._watch.has_read()
                self._take_journal(self._store.project.read_journal())
            self._read_anew(self._store.project)
        except StudioError as error:
            self._store.complain(str(error))

    def _read_anew(self, project: Project) -> None:
        """Open the project again where frames are read otherwise now; a run keeps what it began."""
        training = self.training.state
        at_work = training.busy and not training.in_other_process
        same = project.reading == self._reading and _chosen_in(project) == self._chosen
        if not same and not at_work and self._may_switch():
            self._opened(project)

    def _take_journal(self, journal: JournalReading) -> None:
        self.curating.take_journal(journal)
        self.inspection.facts.take_journal(journal)
        self.screen.take_journal(journal)
        self.files.take_journal(journal)
        self.running.runs.back.take_journal(journal)
        self.recommendations.take_journal(journal)
        self.files.story.take_journal(journal)

    @Slot()
    def _tell_story(self) -> None:
        """What was decided about the current scene."""
        if self._store.project is None:
            return
        try:
            self.files.story.take_journal(self._store.project.read_journal())
        except StudioError as error:
            self._store.complain(str(error))

    @Slot()
    def _tell_alignment(self) -> None:
        """Once the frames are decoded it is known how they lay against the reference."""
        if self._reading.aligned:
            self._tell_story()

    @Slot()
    def _dataset_moved(self) -> None:
        """Everything is read again from where it lies now, as if the project were opened."""
        if self._store.project is not None and self._may_switch():
            self._opened(self._store.project)

    @Slot()
    def _run_ended(self) -> None:
        self.inspection.round_came()
        self._read_journal()  # frames may be read otherwise since it began
        self._rest()

    @Slot()
    def _rest(self) -> None:
        if self.at_rest:
            self.rested.emit()

    def _connect(self) -> None:
        self._store.shown.connect(self.changed)
        self._projects.opened.connect(self._opened)
        self._projects.catalogue_found.connect(self.catalogue_found)
        self._projects.noticed.connect(self._store.notice)
        self.bringing.made.connect(self._imported)
        self._tasks.busy.connect(self._store.busy)
        self._tasks.idle.connect(self._store.not_busy)
        self._tasks.refused.connect(self._store.complain)
        self._tasks.rested.connect(self._rest)
        self.training.round_finished.connect(self.inspection.round_came)
        self.training.checked.connect(self.inspection.history.refresh)  # for its alarm
        self.training.round_finished.connect(self.recommendations.proposals.round_came)
        self.running.run_ended.connect(self._run_ended)
        self.curating.decided.connect(self._decided)
        self.inspection.painting.decided.connect(self._decided)
        self.inspection.thresholds.settled.connect(self.curating.settle_masks)
        self.inspection.proposals.settled.connect(self.curating.settle_masks)
        self.screen.picked.connect(self._tell_story)
        self.screen.scene_shown.connect(self._tell_alignment)
        self._watch.noticed.connect(self._read_journal)
        self._watch.written.connect(self.files.care.look_again)
        self.files.care.moved.connect(self._dataset_moved)
        self.files.curve.chosen.connect(self._read_under)
        self.files.mending.mended.connect(self._mended)
        self.files.labelling.labelled.connect(self.inspection.round_came)
        self.training.round_finished.connect(self.files.labelling.look)


def _chosen_in(project: Project) -> dict[str, Three]:
    """Which frames a person chose, by scene."""
    states = project.ledger().scenes
    return {name: state.three for name, state in states.items() if state.three is not None}
