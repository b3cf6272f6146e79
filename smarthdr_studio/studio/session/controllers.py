"""The controllers of an open project, by what they are about: runs, files, watching, advice."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.project.project import JournalReading
from smarthdr_studio.studio.curation.journal import JournalController, StoryController
from smarthdr_studio.studio.curation.proposals import ProposalController
from smarthdr_studio.studio.curation.queue import QueueController
from smarthdr_studio.studio.dataset.camera_curve import CurveController
from smarthdr_studio.studio.dataset.chosen_frames import FramesController
from smarthdr_studio.studio.dataset.ground_truth import TruthController
from smarthdr_studio.studio.dataset.import_export import HandoverController
from smarthdr_studio.studio.dataset.mending import MendController
from smarthdr_studio.studio.dataset.model_labels import ModelLabelController
from smarthdr_studio.studio.dataset.problem_report import ProblemController
from smarthdr_studio.studio.dataset.relocate import RelocationController
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.runs.benchmark import BenchmarkController
from smarthdr_studio.studio.runs.controller import RunListController
from smarthdr_studio.studio.runs.evaluation import EvaluationController
from smarthdr_studio.studio.runs.model_export import ExportModelController
from smarthdr_studio.studio.runs.trash import DiscardController
from smarthdr_studio.studio.session.inspection import Inspection
from smarthdr_studio.studio.state import Offer, refused
from smarthdr_studio.studio.tasks import TaskRunner
from smarthdr_studio.studio.training.controller import TrainingController
from smarthdr_studio.studio.training.diary import DiaryController
from smarthdr_studio.studio.training.film_strip import FilmController
from smarthdr_studio.studio.training.other_process import OtherProcess
from smarthdr_studio.studio.training.plan import ContinueController, PlanController
from smarthdr_studio.studio.training.steering import RunSteering


class Running(QObject):
    """The runs of the open project, and what a person asks of them."""

    run_ended = Signal()
    next_asked = Signal(str, str)  # what an offer asks, and the run it is about

    def __init__(
        self, store: Store, tasks: TaskRunner, curating: CurationController, *, presets: Path
    ) -> None:
        """`presets` is the folder of a person's own."""
        super().__init__(store)
        self._store = store
        self.plans = PlanController(store, tasks, own=presets, parent=self)
        self.training = TrainingController(store, tasks, self.plans)
        self.other_process = OtherProcess(store, tasks, self.training)
        self.steering = RunSteering(store, tasks, self.training)
        self.discarding = DiscardController(store, tasks)
        self.runs = RunListController(store, tasks, curating)
        self.benchmark = BenchmarkController(store, tasks)
        self.continuing = ContinueController(store, tasks, self.plans)
        self.discarding.changed.connect(self.other_process.look)
        self.discarding.changed.connect(self.runs.look)
        self.runs.trash.changed.connect(self.other_process.look)
        self.training.rested.connect(self._run_ended)

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it is at work."""
        return self.training.at_rest

    def shut_down(self) -> None:
        """Stop the run of this window, and look for no other."""
        self.other_process.rest()
        self.benchmark.rest()
        self.runs.rest()
        self.training.stop()

    def rest(self) -> None:
        """Nothing is to be watched any more."""
        self.other_process.rest()
        self.benchmark.rest()
        self.runs.rest()

    def may_leave(self) -> bool:
        """Whether the project may be left; says why not while a run of this window goes on."""
        state = self.training.state
        if state.in_other_process or not state.busy:
            return True
        words = "A run is going on; stop it before leaving this project."
        self._store.notice(refused(words))
        return False

    @Slot()
    def discard(self) -> None:
        """Stop the run on the screen, if it is at work, and move it to the trash."""
        state = self.training.state
        if state.busy:
            self.discarding.discard_once_stopped(state.run)
            self.steering.stop()
        elif state.run:
            self.discarding.discard(state.run)

    @Slot(object)
    def take_offer(self, offer: Offer) -> None:
        """What a person picked on a notice."""
        self._store.notice(None)
        if offer.asks == "resume":
            self.training.resume(offer.about, changes=offer.changes)
        elif offer.asks == "try_again":
            self.training.try_again(changes=offer.changes)
        elif offer.asks == "restore_run":
            self.discarding.restore(offer.about)
        else:
            self.next_asked.emit(offer.asks, offer.about)

    @Slot()
    def _run_ended(self) -> None:
        self.discarding.has_stopped(self.training.state.run)
        self.run_ended.emit()


class ProjectFiles(QObject):
    """Desks that know nothing of each other."""

    def __init__(
        self, store: Store, tasks: TaskRunner, curating: CurationController, *, logs: Path
    ) -> None:
        super().__init__(store)
        self.journal, self.story = JournalController(store, tasks), StoryController(store, tasks)
        self.truths = TruthController(store, tasks, curating)
        self.handover = HandoverController(store, tasks, curating)
        self.care = RelocationController(store, tasks)
        self.curve = CurveController(store, tasks)
        self.frames = FramesController(store, curating)
        self.models = ExportModelController(store, tasks)
        self.evaluations = EvaluationController(store, tasks)
        self.labelling = ModelLabelController(store, tasks)
        self.problems = ProblemController(store, tasks, logs=logs)
        self.mending = MendController(store, tasks)

    def take_journal(self, journal: JournalReading) -> None:
        """What is asked of a person follows what somebody has decided."""
        self.journal.take_journal(journal)
        self.labelling.take_journal(journal)
        self.truths.take_journal(journal)
        self.handover.take_journal(journal)
        self.curve.take_journal(journal)
        self.frames.take_journal(journal)

    def give_up(self) -> None:
        """Whatever is being read or written is not wanted any more."""
        if self.truths.at_work:
            self.truths.give_up()
        self.handover.cancel()
        self.models.cancel()
        self.evaluations.cancel()
        self.labelling.cancel()
        self.problems.cancel()


class FilmAndDiary(QObject):
    """Connects both with the run at work and with the scene on the screen."""

    def __init__(
        self,
        store: Store,
        tasks: TaskRunner,
        *,
        training: TrainingController,
        inspection: Inspection,
    ) -> None:
        super().__init__(store)
        self.film, self.diary = FilmController(store, tasks), DiaryController(store, tasks)
        inspection.history.read.connect(self.film.refresh)
        inspection.screen.picked.connect(self.film.refresh)
        training.became.connect(self.diary.follow)
        training.heard.connect(self.diary.hear)
        training.rested.connect(self.diary.catch_up)


class Recommendations(QObject):
    """Says and ranks; what is decided goes through `curating`."""

    def __init__(
        self, store: Store, tasks: TaskRunner, inspection: Inspection, curating: CurationController
    ) -> None:
        super().__init__(store)
        self._store, self._inspection = store, inspection
        pool, facts = inspection.screen.pool, inspection.facts
        self.queue = QueueController(store, tasks, pool=pool, facts=facts)
        self.proposals = ProposalController(store, tasks, pool=pool, curating=curating)
        self.queue.scene_wanted.connect(inspection.screen.pick)
        self.queue.reviewed.connect(self._reviewed)

    def take_journal(self, journal: JournalReading) -> None:
        """The journal has been read."""
        self.queue.take_journal(journal)
        self.proposals.take_journal(journal)

    @Slot()
    def _reviewed(self) -> None:
        if self._store.project is not None:
            self._inspection.facts.take_journal(self._store.project.read_journal())
