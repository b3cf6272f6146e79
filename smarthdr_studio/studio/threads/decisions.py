"""Promoting many scenes at once: each label is a file of many megapixels."""

from collections.abc import Mapping
from pathlib import Path

from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.masking import Range
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.threads.task import Tell

Ranges = Mapping[str, tuple[Range, Range | None]]


def promote_many(tell: Tell, *, folder: Path, scenes: tuple[str, ...], ranges: Ranges) -> None:
    """Promote all of them in one step that is undone in one, or none of them."""
    tell(f"promoting {len(scenes)} scenes", 0, 0)
    with Project.open(folder) as project:
        Decisions(project).promote(scenes, ranges=ranges)
