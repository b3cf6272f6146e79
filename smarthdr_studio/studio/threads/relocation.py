"""Looking for a dataset folder that has moved; disks and networks answer when they like."""

from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.project import Project
from smarthdr_studio.core.safekeeping.moved_dataset import Missing, guess, missing_dataset, relocate
from smarthdr_studio.studio.tasks import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What is missing of a project's dataset, None for nothing, and where it may be now."""

    folder: Path
    missing: Missing | None
    guess: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAgain:
    """Where the dataset of a project lies, and how many of its scenes."""

    folder: Path
    root: Path
    found: int
    scenes: int


def look_for_dataset(report: Report, *, folder: Path) -> Whereabouts:
    """Whether the dataset of a project is where it was, and if not where it may be."""
    report("", 0, 0)
    with Project.open(folder) as project:
        missing = missing_dataset(project)
        if missing is None:
            return Whereabouts(folder=folder, missing=None)
        report("", 0, 0)
        return Whereabouts(folder=folder, missing=missing, guess=guess(project))


def move_dataset(report: Report, *, folder: Path, root: Path, even_partly: bool) -> FoundAgain:
    """Verify that the dataset lies there and remember it. Raises BadDataset and ProjectError."""
    report(f"looking for scenes in {root.name}", 0, 0)
    with Project.open(folder) as project:
        moved = relocate(project, root, even_partly=even_partly)
    return FoundAgain(folder=folder, root=moved.root, found=moved.found, scenes=moved.scenes)
