"""Promoting scenes: each label is a file of many megapixels."""

from collections.abc import Mapping
from pathlib import Path

from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.masking import Range
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.tasks import Report

Ranges = Mapping[str, tuple[Range, Range | None]]


def promote_many(
    report: Report, *, folder: Path, scenes: tuple[str, ...], ranges: Ranges, whole: bool, note: str
) -> None:
    """Promote all of them in one step that is undone in one, or none of them."""
    about = scenes[0] if len(scenes) == 1 else f"{len(scenes)} scenes"
    report(f"promoting {about}", 0, 0)
    with Project.open(folder) as project:
        Decisions(project).promote(scenes, ranges=ranges, whole=whole, note=note)
