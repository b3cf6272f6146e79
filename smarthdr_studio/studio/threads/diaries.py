"""What a run has said beside its steps, read from its log, which may be long."""

from pathlib import Path

from smarthdr_studio.core.running.log import TimedEvent, rare_events
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.threads.task import Tell


def read_rare_events(tell: Tell, *, run: RunFolder) -> tuple[Path, tuple[TimedEvent, ...]]:
    """The run's folder, and everything in its log but steps and phases."""
    tell("reading the diary of the run", 0, 0)
    return run.path, rare_events(run)
