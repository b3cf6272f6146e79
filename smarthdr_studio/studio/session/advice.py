"""What helps to choose scenes: the queues and the rule, connected to what they rest on."""

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.curating import Curating
from smarthdr_studio.studio.session.inspection import Inspection
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.proposal_desk import ProposalDesk
from smarthdr_studio.studio.session.queue_desk import QueueDesk
from smarthdr_studio.studio.tasks import TaskRunner


class Advice(QObject):
    """Says and ranks; what is decided goes through `curating`."""

    def __init__(
        self, keeper: Keeper, tasks: TaskRunner, inspection: Inspection, curating: Curating
    ) -> None:
        super().__init__(keeper)
        self._keeper, self._inspection = keeper, inspection
        pool, facts = inspection.screen.pool, inspection.facts
        self.queue = QueueDesk(keeper, tasks, pool=pool, facts=facts)
        self.proposals = ProposalDesk(keeper, tasks, pool=pool, curating=curating)
        self.queue.scene_wanted.connect(inspection.screen.pick)
        self.queue.reviewed.connect(self._reviewed)

    def take_journal(self, project: Project) -> None:
        """The journal has been read."""
        self.queue.take_journal(project)
        self.proposals.take_journal(project)

    @Slot()
    def _reviewed(self) -> None:
        if self._keeper.project is not None:
            self._inspection.facts.take_journal(self._keeper.project)
