"""Keeping what a person wrote about a run."""

from pathlib import Path

from smarthdr_studio.core.running.notes import write_note
from smarthdr_studio.core.runs import RunFolder


def keep_note(*, runs: Path, run: str, text: str) -> None:
    """The note is in the folder of the run. Raises ProjectError."""
    write_note(RunFolder(runs / run), text)
