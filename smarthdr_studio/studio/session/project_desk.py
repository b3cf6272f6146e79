"""Finds, makes and opens projects; everything slow about it happens on a thread."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, Signal

from smarthdr_studio.core.bracket import Catalogue
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.sample.settings import SampleSettings
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.tasks import How, Job, LatestTask, TaskRunner
from smarthdr_studio.studio.threads.projects import create_project, make_sample, scan_dataset

_DATABASE: Final = "project.sqlite"


class ProjectDesk(QObject):
    """Answers with an open project, or with a catalogue that waits for a place."""

    opened = Signal(object)
    catalogue_found = Signal(object)
    noticed = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._making = LatestTask(tasks, how=How(shown=True), outlives_project=True)

    def take(self, folder: Path) -> None:
        """Open a dropped or named folder, whatever it is."""
        if (folder / _DATABASE).is_file() or folder.suffix == ".shdr":
            self.open(folder)
        else:
            self.scan(folder)

    def open(self, folder: Path) -> None:
        """Open a project; quick, so it is done at once."""
        try:
            project = Project.open(folder)
        except StudioError as error:
            self.noticed.emit(Notice(text=str(error), tone="bad"))
            return
        self.opened.emit(project)

    def scan(self, folder: Path) -> None:
        """Look for scenes in a dataset folder."""
        self._begin(partial(scan_dataset, folder=folder), self.catalogue_found.emit)

    def create(self, catalogue: Catalogue, place: Path) -> None:
        """Make a project over what was found."""
        job = partial(create_project, catalogue=catalogue, place=place)
        self._begin(job, partial(self._made, catalogue))

    def try_sample(self, folder: Path, settings: SampleSettings) -> None:
        """Generate the sample dataset and its project, unless they are there."""
        self._begin(
            partial(make_sample, folder=folder, settings=settings), partial(self._made, None)
        )

    def cancel(self) -> None:
        """Give up what is being prepared; a half-made sample is left out of the way."""
        self._making.cancel()

    def _begin(self, job: Job[Any], answered: Callable[[Any], object]) -> None:
        if not self._making.at_work:
            self._making.start(job, answered)

    def _made(self, catalogue: Catalogue | None, folder: Path) -> None:
        self.open(folder)
        if catalogue is not None and catalogue.skipped:
            self.noticed.emit(left_out(catalogue))


def left_out(catalogue: Catalogue) -> Notice:
    """Which folders of a dataset could not be used, and why."""
    count = len(catalogue.skipped)
    words = "1 folder was" if count == 1 else f"{count} folders were"
    return Notice(
        text=f"{words} left out; the other scenes are here.",
        tone="warn",
        details=tuple(skipped.reason for skipped in catalogue.skipped),
    )
