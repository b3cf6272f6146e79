"""The way back to how a project stood when a run was started: what it changes, and going it."""

from collections.abc import Iterable
from pathlib import Path

from smarthdr_studio.core.curation.moments import Change, Matter
from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.stand import changes_since, go_back, layout_of
from smarthdr_studio.core.runs import RunFolder, find_run
from smarthdr_studio.studio.state import WayBack
from smarthdr_studio.studio.tasks import Report


def find_way_back(*, folder: Path, run: str) -> WayBack:
    """What would be decided. Raises ProjectError."""
    with Project.open(folder) as project:
        found = find_run(project, run)
        changes = changes_since(project, found)
    return WayBack(
        run=run,
        thresholds=_thresholds(changes),
        changes=_grouped(changes),
        layout=layout_of(found) is not None,
    )


def go_way_back(report: Report, *, folder: Path, run: str) -> None:
    """Decide it, as one decision. Raises StudioError."""
    report("going back to the start of the run", 0, 0)
    with Project.open(folder) as project:
        go_back(Decisions(project), RunFolder(project.runs_folder / run))


def _thresholds(changes: Iterable[Change]) -> str:
    """The thresholds now and then; of a change, `before` is then."""
    told = [change for change in changes if change.matter is Matter.THRESHOLDS]
    return "; ".join(f"{change.after} → {change.before}" for change in told)


def _grouped(changes: Iterable[Change]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Scenes by the status they get; those whose status stays by what of them changes."""
    groups: dict[str, list[str]] = {}
    told = [change for change in changes if change.scene is not None]
    moved = {change.scene for change in told if change.matter is Matter.STATUS}
    for change in told:
        if change.matter is Matter.STATUS:
            line = f"{change.scene} (is {change.after})"
            groups.setdefault(f"becomes {change.before}", []).append(line)
        elif change.scene not in moved:
            line = f"{change.scene} ({change.after or 'none'} → {change.before or 'none'})"
            groups.setdefault(f"gets back its {change.matter}", []).append(line)
    return tuple((heading, tuple(lines)) for heading, lines in groups.items())
