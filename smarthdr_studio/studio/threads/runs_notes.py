"""Keeping what a person wrote about a run."""

from pathlib import Path

from smarthdr_studio.core.running.notes import write_note
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.threads.task import Tell


def keep_note(tell: Tell, *, runs: Path, run: str, text: str) -> None:
    """The note is in the folder of the run. Raises ProjectError."""
    tell("", 0, 0)
    write_note(RunFolder(runs / run), text)
