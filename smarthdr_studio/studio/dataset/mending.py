"""Looks a project over and mends what can be mended, off the GUI thread."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.repair import repair
from smarthdr_studio.core.training.run_start import run_findings
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.tasks import How, LatestTask, Report, TaskRunner


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was done for a project, and what is still wrong with it, in sentences."""

    folder: Path
    done: tuple[str, ...]
    wrong: tuple[str, ...]


def mend_project(report: Report, *, folder: Path) -> Mended:
    """As the verb `doctor --repair`: nothing is deleted. Raises StudioError."""
    report(f"looking over {folder.name}", 0, 2)
    done = repair(folder)
    report(f"looking over {folder.name}", 1, 2)
    found = check_up(folder, also=run_findings).findings
    wrong = tuple(f"{each.sentence}; {each.remedy}" for each in found)
    return Mended(folder=folder, done=tuple(done), wrong=wrong)


class MendController(QObject):
    """One project at a time."""

    mended = Signal(object)  # the folder of a project that was looked over

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._mending = LatestTask(tasks, how=How(shown=True, lasting=True), outlives_project=True)

    @property
    def at_work(self) -> bool:
        """Whether a project is being mended, and may not be opened meanwhile."""
        return self._mending.at_work

    def mend(self, folder: Path) -> None:
        """Look this project over and mend it; nothing of this process may have it open."""
        if not self._mending.at_work:
            self._mending.start(partial(mend_project, folder=folder), self._done)

    def _done(self, found: Mended) -> None:
        self.mended.emit(found.folder)  # opening a project forgets what was told
        self._store.notice(
            Notice(
                text=f"{found.folder}: {_outcome(found)}.",
                tone="warn" if found.wrong else "plain",
                details=(*found.done, *found.wrong),
            )
        )


def _outcome(found: Mended) -> str:
    done, wrong = len(found.done), len(found.wrong)
    if not done and not wrong:
        return "nothing is wrong with it"
    mended = f"{counted(done, 'thing')} mended" if done else "nothing could be mended"
    rest = f"{counted(wrong, 'thing')} still wrong" if wrong else "all is well now"
    return f"{mended}, {rest}"
