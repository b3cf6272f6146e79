"""Writing splits, journals, datasets and reports, and reading a split; all take their time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from smarthdr_studio.core.display import DisplaySettings
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.state import SplitState
from smarthdr_studio.studio.tasks import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written, in a sentence, and where it lies."""

    words: str
    path: Path
    details: tuple[str, ...] = ()


def put_split(report: Report, *, folder: Path, path: Path) -> Written:
    """What every scene is now. Raises ExportError."""
    from smarthdr_studio.core.handover.split_files import export_split

    report(f"writing {path.name}", 0, 0)
    with Project.open(folder) as project:
        count = export_split(project, path)
    return Written(words=f"The split of {_scenes(count)} is in {path}", path=path)


def put_journal(report: Report, *, folder: Path, path: Path) -> Written:
    """Every decision. Raises ExportError."""
    from smarthdr_studio.core.handover.decision_files import export_journal

    report(f"writing {path.name}", 0, 0)
    with Project.open(folder) as project:
        count = export_journal(project, path)
    return Written(words=f"The journal, {count} entries, is in {path}", path=path)


def put_dataset(
    report: Report,
    *,
    folder: Path,
    target: Path,
    frames: Literal["link", "copy"],
    labels: Literal["hdr", "exr"],
    unlabelled: bool,
) -> Written:
    """The curated scenes as a folder that appears whole or not at all. Raises StudioError."""
    from smarthdr_studio.core.handover.dataset_folder import CURATED, export_dataset

    include = CURATED | {Status.UNLABELLED} if unlabelled else CURATED
    with Project.open(folder) as project:
        made = export_dataset(
            project, target, frames=frames, labels=labels, include=include, tell=report
        )
    return Written(words=f"Dataset written to {made.words}", path=made.folder)


def put_report(report: Report, *, folder: Path, path: Path, settings: DisplaySettings) -> Written:
    """A page about every scene. Raises ExportError."""
    from smarthdr_studio.core.handover.report import write_report

    with Project.open(folder) as project:
        count = write_report(project, path, settings=settings, tell=report)
    return Written(words=f"The report on {_scenes(count)} is in {path}", path=path)


def take_split(report: Report, *, folder: Path, path: Path) -> tuple[SplitState, dict[str, Status]]:
    """What a split would change, and what it asks for. Raises ProjectError."""
    from smarthdr_studio.core.handover.split_reading import read_split

    report(f"reading {path.name}", 0, 0)
    with Project.open(folder) as project:
        wanted, now = read_split(path, project), project.statuses()
    changed = {name: status for name, status in wanted.items() if now[name] is not status}
    by_status = (
        (status, tuple((name, now[name]) for name, to in changed.items() if to is status))
        for status in Status
    )
    return SplitState(file=path, changes=tuple(each for each in by_status if each[1])), wanted


def _scenes(count: int) -> str:
    return "1 scene" if count == 1 else f"{count} scenes"
