"""The desks around a project's files: its past, what is brought, handed over, or has moved."""

from PySide6.QtCore import QObject

from smarthdr_studio.studio.session.care_desk import CareDesk
from smarthdr_studio.studio.session.curating import Curating
from smarthdr_studio.studio.session.evaluation_desk import EvaluationDesk
from smarthdr_studio.studio.session.export_model_desk import ExportModelDesk
from smarthdr_studio.studio.session.handover_desk import HandoverDesk
from smarthdr_studio.studio.session.journal_desk import JournalDesk
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.truth_desk import TruthDesk
from smarthdr_studio.studio.tasks import TaskRunner


class Papers(QObject):
    """Desks that know nothing of each other."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, curating: Curating) -> None:
        super().__init__(keeper)
        self.journal = JournalDesk(keeper, tasks)
        self.truths = TruthDesk(keeper, tasks, curating)
        self.handover = HandoverDesk(keeper, tasks, curating)
        self.care = CareDesk(keeper, tasks)
        self.models = ExportModelDesk(keeper, tasks)
        self.evaluations = EvaluationDesk(keeper, tasks)

    def give_up(self) -> None:
        """Whatever is being read or written is not wanted any more."""
        if self.truths.at_work:
            self.truths.give_up()
        self.handover.cancel()
        self.models.cancel()
        self.evaluations.cancel()
