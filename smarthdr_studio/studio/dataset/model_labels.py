"""Pseudo-labels by a model that is at hand, and what else a project without labels can do."""

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.files import place_in
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import JournalReading
from smarthdr_studio.core.training.events import PhaseChanged, RoundFinished
from smarthdr_studio.core.training.starter import STARTER
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import LabelWays, Notice, Offer, StudioState, Tone, refused
from smarthdr_studio.studio.tasks import How, LatestTask, Repeating, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import ElidedLabel, button, percent


def label_by_model(report: Report, *, project: Path, model: str) -> RoundFinished:
    """Labels the pool; gives up between two tiles, and then nothing has changed.

    A scene that cannot be labelled is left out; why stands among the changes.

    Raises StudioError.
    """
    report("loading the model", 0, 0)
    from smarthdr_studio.learning.model_labelling import label_scenes

    say, left_out = Repeating(report), dict[str, str]()
    events = label_scenes(project, model=model, said=say.again, left_out=left_out)
    with closing(events):
        for event in events:
            if isinstance(event, PhaseChanged):
                say(event.text, event.done, event.total)
            else:
                return replace(event, changes=(*left_out.values(), *event.changes))
    raise LabelError(f"{model}: nothing was labelled; try again")


@dataclass(frozen=True, slots=True)
class _Model:
    """What is asked, and what it is called in a sentence."""

    path: str
    name: str


_SHIPPED: Final = _Model(STARTER, "the starter model")
_MEANT = (Status.GROUND_TRUTH, Status.PROMOTED)


class ModelLabelController(QObject):
    """One model at a time; a run that is at work is never disturbed."""

    labelled = Signal()  # new pseudo-labels are on disk

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._labelling = LatestTask(tasks, how=How(shown=True))
        self._journal: JournalReading | None = None
        self._closed: Path | None = None  # the project whose line was closed
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._journal = None

    def take_journal(self, journal: JournalReading) -> None:
        """The journal has been read: there may be labels now."""
        self._journal = journal
        self.look()

    @Slot()
    def look(self) -> None:
        """Say what can be done, where the project has no pseudo-label."""
        project, journal = self._store.project, self._journal
        ways = None
        if project is not None and journal is not None and self._closed != project.folder:
            labels = any(status in _MEANT for status in journal.statuses.values())
            pool = any(status is Status.UNLABELLED for status in journal.statuses.values())
            if pool and not _has_pseudo_labels(project.folder):
                ways = LabelWays(labelled=labels)
        self._store.become(ways=ways)

    @Slot()
    def close_line(self) -> None:
        """The line was read; it stays away as long as this project is open."""
        self._closed = None if self._store.project is None else self._store.project.folder
        self.look()

    @Slot()
    def use_starter(self) -> None:
        """Let the model that ships label the pool."""
        self._use(_SHIPPED)

    def use_file(self, model: Path) -> None:
        """Let a model file label the pool."""
        self._use(_Model(str(model), model.name))

    @Slot()
    def cancel(self) -> None:
        """The old pseudo-labels stay."""
        self._labelling.cancel()

    def _use(self, model: _Model) -> None:
        if self._store.project is None:
            return
        if self._store.state.training.busy:
            words = "A run is at work and makes pseudo-labels itself; stop it first."
            self._store.notice(refused(words))
            return
        job = partial(label_by_model, project=self._store.project.folder, model=model.path)
        self._labelling.start(job, partial(self._done, model))

    def _done(self, model: _Model, finished: RoundFinished) -> None:
        made = counted(len(finished.scenes), "pseudo-label")
        words = f"{made} by {model.name}, {percent(finished.retained)} retained."
        tone: Tone = "warn" if finished.changes else "plain"
        shown = self._store.state.shown in {each.id for each in finished.scenes}
        offers = () if shown or not finished.scenes else (self._go_to_one(),)
        self._store.notice(Notice(text=words, tone=tone, details=finished.changes, offers=offers))
        self.look()
        self.labelled.emit()

    def _go_to_one(self) -> Offer:
        """For whoever looks at a scene that has a label and got no pseudo-label."""
        key = by_id("least_trusted")
        about = self._store.state.project
        return Offer(text=key.title, tip=key.tip_with_key, asks="least_trusted", about=about)


def _has_pseudo_labels(folder: Path) -> bool:
    try:
        return any(place_in(folder, "pseudo").glob("[!.]*.exr"))
    except (OSError, ProjectError):
        return False


class LabelWaysBar(QFrame):
    """A line over the pictures of a project without pseudo-labels: what can be done, as buttons."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"ways", "busy", "training"})

    starter_asked = Signal()
    file_asked = Signal()
    train_asked = Signal()
    truth_asked = Signal()
    bracket_asked = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._text = ElidedLabel()
        self._starter = button(
            by_id("label_by_starter").title, tip=by_id("label_by_starter").tip, role="primary"
        )
        self._file = button(by_id("label_by_file").title, tip=by_id("label_by_file").tip)
        self._train = button(
            by_id("train_without_labels").title, tip=by_id("train_without_labels").tip
        )
        self._truth = button("Import a ground truth…", tip=by_id("bring_truth").tip_with_key)
        self._bracket = button(
            "Make one from a static bracket…", tip="Merge frames in which nothing moves"
        )
        self._close = button("Close", tip="Close this line", role="link")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 6, 5)
        row.setSpacing(6)
        row.addWidget(self._text, 1)
        for part in (*self._actions(), self._close):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(part)
        self._starter.clicked.connect(self.starter_asked)
        self._file.clicked.connect(self.file_asked)
        self._train.clicked.connect(self.train_asked)
        self._truth.clicked.connect(self.truth_asked)
        self._bracket.clicked.connect(self.bracket_asked)
        self._close.clicked.connect(self.closed)
        self.hide()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the line while there is something to offer."""
        self.setVisible(new.ways is not None)
        if new.ways is None:
            return
        self._text.tell(_WORDS[new.ways.labelled])
        for part in (self._train, self._truth, self._bracket):
            part.setVisible(not new.ways.labelled)
        self._train.setEnabled(not new.training.busy)
        for part in (self._starter, self._file):
            part.setEnabled(not new.busy)

    def _actions(self) -> tuple[QWidget, ...]:
        return self._starter, self._file, self._train, self._truth, self._bracket


_WORDS: Final = {
    False: "No label yet.",
    True: "No pseudo-labels yet: a run makes them, and so does a model, without training.",
}
