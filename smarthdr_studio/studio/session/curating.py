"""What a person decides about scenes and thresholds, done at once and said in words."""

from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.decision_desk import DecisionDesk, not_promotable
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.screen import Screen
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.threads.decisions import promote_many

_PROMOTED_AT_ONCE: Final = 2  # about half a second each at 1500×1000; more go to a thread


class Curating(QObject):
    """Takes decisions; `decided` tells whether one was taken, or refused."""

    decided = Signal(bool)
    worked = Signal()  # something long is over

    def __init__(self, keeper: Keeper, crew: Crew, screen: Screen) -> None:
        super().__init__(keeper)
        self._keeper, self._crew, self._screen = keeper, crew, screen
        self._project: Project | None = None
        self._desk: DecisionDesk | None = None

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self._project = project
        self._desk = DecisionDesk(project) if project is not None else None

    def read_journal(self) -> dict[str, Status]:
        """Show what the journal adds up to now; every scene's status."""
        if self._project is None or self._desk is None:
            return {}
        self._keeper.become(
            masks=self._desk.masks, undo=self._desk.can_undo, redo=self._desk.can_redo
        )
        return self._project.statuses()

    @Slot(object)
    def settle_masks(self, masks: MaskSettings) -> None:
        """Keep thresholds; a run uses them from its next round on."""
        self._screen.move_masks(masks)
        if self._desk is not None and masks != self._desk.masks:
            self._tell(self._desk.set_masks(masks))

    def promote(self, scenes: tuple[str, ...]) -> None:
        """Use the pseudo-labels of these scenes as labels, masked as they are on the screen."""
        if self._project is None or self._desk is None or not scenes:
            return
        ready = self._desk.promotable(scenes)
        ranges = self._screen.ranges(ready)
        if not ready:
            self._tell(not_promotable(scenes))
        elif len(ready) <= _PROMOTED_AT_ONCE:
            self._tell(self._desk.promote(ready, ranges))
        else:
            folder = self._project.folder
            job = partial(promote_many, folder=folder, scenes=ready, ranges=ranges)
            refused = self._promoting_failed
            self._crew.start(job, answered=self._promoted_many, refused=refused, told=True)

    @Slot(object)
    def _promoted_many(self, _nothing: object) -> None:
        self.worked.emit()
        self._tell(None)

    @Slot(str)
    def _promoting_failed(self, message: str) -> None:
        self.worked.emit()
        self._keeper.complain(message)

    def demote(self, scenes: tuple[str, ...]) -> None:
        """Take promoted labels back."""
        if self._desk is not None and scenes:
            self._tell(self._desk.demote(scenes))

    def exclude(self, scenes: tuple[str, ...]) -> None:
        """Keep these scenes out of training, or take them back in."""
        if self._desk is not None and scenes:
            self._tell(self._desk.exclude(scenes))

    @Slot()
    def undo(self) -> None:
        """Take the last decision back."""
        if self._desk is not None:
            self._tell(self._desk.undo())

    @Slot()
    def redo(self) -> None:
        """Decide it again."""
        if self._desk is not None:
            self._tell(self._desk.redo())

    def _tell(self, refusal: Notice | None) -> None:
        self._keeper.notice(refusal)
        self.decided.emit(refusal is None)
