"""Label files that no scene uses any more, and the trash: how much there is, and away with it."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.journal import JournalEntry, Ledger
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.safekeeping.file_checks import files_ever, files_in_use
from smarthdr_studio.core.trash import TRASH, contents, put_away


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """Files, and the bytes they take."""

    files: tuple[Path, ...]
    nbytes: int

    @classmethod
    def of(cls, files: Iterable[AnyPath]) -> "Heap":
        """These files as they are on disk now."""
        paths = tuple(Path(each) for each in files)
        return cls(files=paths, nbytes=sum(path.stat().st_size for path in paths))


def older_versions(project: Project) -> Heap:
    """Labels and ground truths that only undo and redo could need."""
    in_use = files_in_use(project)
    older = (path for path in files_ever(project.entries()) if path not in in_use)
    return Heap.of(p for p in (project.folder / path for path in older) if p.is_file())


def in_trash(project: Project) -> Heap:
    """All that lies in the trash of the project."""
    return Heap.of(contents(project.folder))


def put_older_away(project: Project) -> Heap:
    """Move older versions to the trash; undo and redo bring back what they need.

    Answers what was moved. Raises ProjectError: the project cannot be written.
    """
    moved: list[Heap] = []

    def move(_: Ledger) -> Sequence[JournalEntry]:
        moved.append(older_versions(project))
        for path in moved[0].files:
            put_away(project.folder, path)
        return ()

    _alone(project, move)
    return moved[0]


def empty_trash(project: Project) -> Heap:
    """Delete the trash for good; an undo that needs a file of it is refused from then on.

    Answers what was deleted. Raises ProjectError: the project cannot be written.
    """
    deleted: list[Heap] = []

    def delete(_: Ledger) -> Sequence[JournalEntry]:
        deleted.append(in_trash(project))
        if deleted[0].files:
            shutil.rmtree(project.folder / TRASH)
        return ()

    _alone(project, delete)
    return deleted[0]


def _alone(project: Project, work: Callable[[Ledger], Sequence[JournalEntry]]) -> None:
    """Nobody decides, undoes or redoes meanwhile."""
    try:
        project.record(work)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{project.folder}: cannot be tidied ({reason}); allow writing there"
        ) from None
