"""Everything about runs: the one of this window, those on disk, and the plan of the next."""

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.project import Project
from smarthdr_studio.core.runs import list_runs
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.training_desk import TrainingDesk
from smarthdr_studio.studio.state import Activity, Notice, TrainingState


class Running(QObject):
    """Starts and resumes runs of the open project, and says how they stand."""

    run_ended = Signal()

    def __init__(self, keeper: Keeper, crew: Crew) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._project: Project | None = None
        self.training = TrainingDesk(crew, self)
        self.training.became.connect(self._training_became)
        self.training.rested.connect(self._run_ended)

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it is at work."""
        return self.training.at_rest

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        if project is None:
            self.training.forget()
        self._project = project
        self._find_resumable()

    def may_leave(self) -> bool:
        """Whether the project may be left; says why not while a run goes on."""
        if not self.training.state.busy:
            return True
        words = "A run is going on; stop it before leaving this project."
        self._keeper.notice(Notice(text=words, tone="warn"))
        return False

    def train(self, *, preset: str, device: str) -> None:
        """Start a run."""
        if self._project is not None:
            self.training.start(self._project.folder, preset=preset, device=device)

    def resume(self, *, device: str) -> None:
        """Go on with the last run."""
        if self._project is not None:
            self.training.resume(self._project.folder, device=device)

    @Slot(object)
    def _training_became(self, training: TrainingState) -> None:
        failed = training.activity is Activity.FAILED
        if failed and self._keeper.state.training.activity is not Activity.FAILED:
            # One line of the panel may be too short for the reason and the remedy.
            self._keeper.complain(training.message)
        self._keeper.become(training=training)

    @Slot()
    def _run_ended(self) -> None:
        self._find_resumable()
        self.run_ended.emit()

    def _find_resumable(self) -> None:
        if self._project is not None:
            left = [run.id for run in list_runs(self._project)[:1] if run.outcome != "done"]
            self.training.remember(resumable=left[0] if left else "")
