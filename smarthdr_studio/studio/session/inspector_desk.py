"""Answers why: of the pixel under the cursor, or of the region a person marked out."""

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.explanation import explain_pixel
from smarthdr_studio.core.reasons import Clues
from smarthdr_studio.core.region_report import RegionReport
from smarthdr_studio.core.regions import Region
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.stage import Stage
from smarthdr_studio.studio.tasks import Job, LatestTask, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.threads.clues import find_clues
from smarthdr_studio.studio.threads.regions import report_on


class InspectorDesk(QObject):
    """Reads pixels at once; clues and regions are worked out on a thread, the latest wish only."""

    clues_found = Signal()

    def __init__(self, keeper: Keeper, tasks: TaskRunner, stage: Stage) -> None:
        super().__init__(keeper)
        self._keeper, self._stage = keeper, stage
        self._looking = LatestTask(tasks)
        self._clues_of: str | None = None  # the scene whose clues were looked for last
        self._at: tuple[int, int] | None = None
        self._reports = RepeatedTask(tasks, self._question, self._reported)

    def forget(self) -> None:
        """Another scene is on the screen."""
        self._at = None
        self._keeper.become(readout=None, region=None, report=None, explanation=None)

    @Slot(object)
    def hover(self, at: tuple[int, int] | None) -> None:
        """Read the pixel under the cursor; the last one stays when the mouse leaves."""
        size = self._stage.size
        if at is None or size is None or not (at[0] < size[0] and at[1] < size[1]):
            return
        self._at = at
        self._tell()

    @Slot(object)
    def mark(self, region: Region | None) -> None:
        """Look at a region, or at single pixels again."""
        self._keeper.become(region=region, report=None)
        self.refresh()

    @Slot()
    def unmark(self) -> None:
        """Look at single pixels again."""
        self.mark(None)

    def refresh(self) -> None:
        """Thresholds or arrays have changed."""
        self._tell()
        if self._keeper.state.region is not None:
            self._reports.ask()

    def look_for_clues(self) -> None:
        """Work out what the frames of this scene say, once."""
        bracket, scene = self._stage.material.bracket, self._stage.scene
        if bracket is None or self._stage.clues is not None:
            return
        if not self._looking.at_work or self._clues_of != scene:
            self._clues_of = scene
            self._looking.start(plain(find_clues, bracket=bracket), self._found_clues)

    def _found_clues(self, clues: Clues) -> None:
        if self._clues_of != self._stage.scene:
            self.look_for_clues()
            return
        self._stage.take_clues(clues)
        self.refresh()
        self._keeper.become(clues_known=True)
        self.clues_found.emit()

    def _tell(self) -> None:
        subject = self._stage.subject()
        readout = self._stage.read(self._at) if self._at is not None else None
        report = self._keeper.state.report
        explanation = report.explanation if report is not None else None
        if explanation is None and subject is not None and self._at is not None:
            explanation = explain_pixel(subject, self._at)
        self._keeper.become(readout=readout, explanation=explanation)

    def _question(self) -> Job[RegionReport] | None:
        region, subject = self._keeper.state.region, self._stage.subject()
        if region is None or subject is None:
            return None
        of = self._stage.material
        return plain(
            report_on,
            region=region,
            subject=subject,
            material=of,
            reasons=self._stage.reasons(),
        )

    def _reported(self, report: RegionReport) -> None:
        if report.region == self._keeper.state.region:
            self._keeper.become(report=report, explanation=report.explanation)


def patch_as_region(patch: int, *, size: tuple[int, int], side: int) -> Region:
    """The patch of that number, row by row, in a scene of this width and height."""
    width, height = size
    row, column = divmod(patch, int(np.ceil(width / side)))
    left, top = column * side, row * side
    return Region.rectangle(
        (float(left), float(top)), (float(min(left + side, width)), float(min(top + side, height)))
    )
