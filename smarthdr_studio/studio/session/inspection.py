"""The scene on the screen, and the controllers that answer what a person asks of it."""

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.rounds import RoundRecord
from smarthdr_studio.core.training.threshold_proposals import Wish
from smarthdr_studio.core.trust.thresholds import PatchLocation
from smarthdr_studio.studio.curation.brush import PaintingController
from smarthdr_studio.studio.curation.pair import PairController
from smarthdr_studio.studio.curation.scene_facts import SceneFactsController
from smarthdr_studio.studio.curation.scene_listing import TableController
from smarthdr_studio.studio.project.pool import PoolController
from smarthdr_studio.studio.project.predictions import PredictionController, Replay, ScenePrediction
from smarthdr_studio.studio.project.scene_loader import SceneController
from smarthdr_studio.studio.project.screen import Screen
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import SCOPES, Centre, CompareMode, Scope
from smarthdr_studio.studio.tasks import TaskQueue, TaskRunner
from smarthdr_studio.studio.trust.evidence import EvidenceController, GroundTruthController
from smarthdr_studio.studio.trust.history import HistoryController
from smarthdr_studio.studio.trust.inspector import InspectorController, patch_as_region
from smarthdr_studio.studio.trust.threshold_proposals import ThresholdProposalController
from smarthdr_studio.studio.trust.what_if import ThresholdController

_SCOPES: Final[dict[str, Scope]] = {scope: scope for scope in SCOPES}
_LOOK_CLOSER_AFTER_MS: Final = 200  # whoever walks through scenes need not wait for clues


class Inspection(QObject):
    """Connects the controllers: what one finds out, the others show."""

    look_wanted = Signal(object)  # Region to bring into view

    def __init__(
        self, store: Store, tasks: TaskRunner, decisions: TaskQueue, *, thumbnails: Path
    ) -> None:
        super().__init__(store)
        self._store = store
        scenes, pool = (
            SceneController(store, tasks, thumbnails=thumbnails),
            PoolController(store, tasks),
        )
        self.facts = SceneFactsController(store, tasks, pool)
        self.screen = Screen(
            store, pool, scenes, rows_of=self.facts.rows, bytes_beside=self._bytes_beside
        )
        stage = self.screen.stage
        self.viewing = self.screen.viewing
        self.inspector = InspectorController(store, tasks, stage)
        self.evidence = EvidenceController(store, tasks, stage)
        self.truth = GroundTruthController(store, tasks, stage)
        self.history = HistoryController(store, tasks)
        self.predictions = PredictionController(store, tasks)
        self.thresholds = ThresholdController(store, pool, stage)
        self.proposals = ThresholdProposalController(store, tasks)
        self.painting = PaintingController(store, self.screen, decisions)
        self.table = TableController(store)
        self.pair = PairController(store, tasks, self.screen)
        self._goal: PatchLocation | None = None
        self._scene, self._overview = "", False
        self._closer = QTimer(self, singleShot=True, interval=_LOOK_CLOSER_AFTER_MS)
        self._connect()
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._goal, self._scene = None, ""
        self.table.forget()
        self.thresholds.forget()
        self.inspector.forget()

    def rest(self) -> None:
        """Do nothing of one's own any more."""
        self._closer.stop()
        self.painting.rest()
        self.facts.rest()
        self.pair.rest()
        self.screen.rest()

    def round_came(self) -> None:
        """A round is on disk: labels, records and networks are newer."""
        self.screen.reload()
        self.history.refresh()
        self.predictions.forget()
        self.facts.read()
        self.thresholds.forget()

    @Slot(str)
    def set_scope(self, scope: str) -> None:
        """Whose scores both histograms count."""
        self._store.become(scope=_SCOPES.get(scope, "pool"))
        self.screen.update_trust()

    def look_at_evidence(self, *, seen: bool) -> None:
        """Evidence is measured only while somebody looks at it."""
        self.evidence.watch(seen=seen)

    def look_at_overview(self, *, seen: bool) -> None:
        """Whether table or gallery are in sight beside the pictures."""
        self._overview = seen
        self._centred(str(self._store.state.centre))

    @Slot()
    def measure(self) -> None:
        """Measure how good σ is."""
        self.evidence.measure(self.screen.scenes.frames)

    @Slot(object)
    def propose_thresholds(self, wish: Wish) -> None:
        """Thresholds by a method, to be taken or left."""
        self.proposals.propose(wish, self.screen.scenes.frames)

    def _bytes_beside(self) -> int:
        looked = self.inspector.held_bytes + self.truth.held_bytes
        return self.predictions.held_bytes + self.pair.nbytes + looked

    @Slot(str)
    def _scene_shown(self, scene: str) -> None:
        if scene != self._scene:
            self._scene = scene
            self.inspector.forget()
        self.screen.stage.take_flips(self.history.records)
        if self._store.state.replay is not None:
            self.history.follow(scene)
        self._closer.start()
        self._go_to_goal()

    @Slot()
    def _look_closer(self) -> None:
        with self._store.one_change():
            self.inspector.look_for_clues()
            self.evidence.refresh()
            self.thresholds.recount()
            self._ask_what_is_shown()

    @Slot()
    def _ask_what_is_shown(self) -> None:
        """A view that shows the student makes it be asked."""
        state, stage = self._store.state, self.screen.stage
        shown = {view.layer for view in state.views}
        if state.compare.mode is not CompareMode.OFF:
            shown.add(state.compare.partner)
        if Layer.ERROR in shown:
            shown.add(state.display.error_against)
        if Layer.STUDENT in shown and stage.material.student is None and stage.scene is not None:
            self.predictions.ask(stage.scene, "student", frames=self.screen.scenes.frames)

    @Slot()
    def _ask_teacher(self) -> None:
        scene = self.screen.stage.scene
        if scene is not None:
            self.predictions.ask(scene, "teacher", frames=self.screen.scenes.frames)

    @Slot(object)
    def _prediction_came(self, prediction: ScenePrediction) -> None:
        if prediction.scene == self.screen.stage.scene:
            self.screen.stage.take_prediction(prediction)
            self.screen.update_trust()
            self.evidence.refresh()
        self._ask_what_is_shown()

    @Slot()
    def _other_network(self) -> None:
        """What the student said is no more; the view keys act upon shows what the next one says."""
        self.screen.stage.forget_predictions()
        self.viewing.set_layer(self._store.state.active, Layer.STUDENT)
        self.screen.update_trust()
        self._ask_what_is_shown()

    @Slot(str)
    def _centred(self, centre: str) -> None:
        """Figures are found while somebody looks at them."""
        filled = centre not in (Centre.PICTURES, Centre.RUNS)
        self.facts.watch(seen=filled or self._overview)
        self.pair.refresh()

    @Slot()
    def _charted(self) -> None:
        self.table.refresh()
        self.truth.refresh()
        self.inspector.refresh()
        self.evidence.thresholds_moved()

    @Slot()
    def _history_read(self) -> None:
        self.screen.stage.take_flips(self.history.records)
        self.facts.take_history(self._store.state.history)
        self.screen.repaint()

    @Slot()
    def _measured(self) -> None:
        self.inspector.refresh()
        self.evidence.refresh()

    @Slot()
    def _clues_found(self) -> None:
        self.evidence.refresh()
        self.screen.repaint()

    @Slot(object, object)
    def _replay(self, record: RoundRecord | None, maps: Replay | None) -> None:
        self.screen.past_masks = record.masks if record and self.history.as_used else None
        known = self._store.state.history
        self.screen.stage.replay(record, maps, run=known.run if known is not None else "")
        self.screen.update_trust()
        self.evidence.refresh()
        self.thresholds.recount()

    @Slot(object)
    def _go(self, place: PatchLocation) -> None:
        self._goal = place
        if self.screen.stage.scene == place.scene:
            self._go_to_goal()
        else:
            self.screen.pick(place.scene)

    def _go_to_goal(self) -> None:
        goal, size = self._goal, self.screen.stage.size
        if goal is None or size is None or goal.scene != self.screen.stage.scene:
            return
        self._goal = None
        side = self.screen.stage.fitted(self._store.state.masks).patch_size
        region = patch_as_region(goal.patch, size=size, side=side)
        self.inspector.mark(region)
        self.look_wanted.emit(region)

    def _connect(self) -> None:
        screen = self.screen
        screen.picked.connect(self._closer.stop)
        screen.scene_shown.connect(self._scene_shown)
        screen.charted.connect(self._charted)
        self.facts.became.connect(self.table.refresh)
        self.table.centred.connect(self._centred)
        screen.viewing.repaint_wanted.connect(self._ask_what_is_shown)
        self.inspector.clues_found.connect(self._clues_found)
        self.truth.measured.connect(self._measured)
        self._closer.timeout.connect(self._look_closer)
        self.predictions.came.connect(self._prediction_came)
        self.predictions.turned.connect(self._other_network)
        self.evidence.teacher_wanted.connect(self._ask_teacher)
        self.history.read.connect(self._history_read)
        self.history.replayed.connect(self._replay)
        self.thresholds.moved.connect(screen.follow_masks)
        screen.past_masks_left.connect(partial(self.history.set_kind, "now"))
        self.thresholds.place_wanted.connect(self._go)


_LOOK_EVERY_MS: Final = 500  # costs one question to the database and a few to the disk


class DiskWatch(QObject):
    """Looks twice a second; `noticed` tells that the journal was written by somebody else."""

    noticed = Signal()
    written = Signal()  # the same, or something that is nobody's decision

    def __init__(self, store: Store, screen: Screen) -> None:
        super().__init__(store)
        self._store, self._screen = store, screen
        self._version = 0
        self._known: tuple[int, int] = (0, 0)
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self._look)
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        if self._store.project is None:
            self._clock.stop()
        else:
            self._clock.start()

    def rest(self) -> None:
        """Look no more."""
        self._clock.stop()

    def has_read(self) -> None:
        """The journal is known as it is now; call this before it is read."""
        if self._store.project is not None:
            self._version = self._store.project.data_version()
            self._known = _decided(self._store.project)

    @Slot()
    def _look(self) -> None:
        if self._store.project is None:
            return
        try:
            version = self._store.project.data_version()
            if version != self._version:
                self._version = version  # figures that were kept are nobody's decision
                if _decided(self._store.project) != self._known:
                    self.noticed.emit()
                self.written.emit()
        except StudioError as error:
            self._store.complain(str(error))
        self._screen.look_again()


def _decided(project: Project) -> tuple[int, int]:
    """How many decisions there are, and how many scenes were looked at."""
    return len(project.entries()), len(project.reviewed())
