"""What a run has said beside its steps, read from its log, which may be long."""

from smarthdr_studio.core.running.log import TimedEvent, rare_events
from smarthdr_studio.core.runs import RunFolder


def read_rare_events(*, run: RunFolder) -> tuple[TimedEvent, ...]:
    """Everything in the log of a run but steps and phases."""
    return rare_events(run)
