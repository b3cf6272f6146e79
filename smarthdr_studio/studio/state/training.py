"""How the run of this window stands."""

from dataclasses import dataclass
from enum import StrEnum


class Activity(StrEnum):
    """What the trainer of this window is up to; the words are for the screen."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


BUSY_ACTIVITIES = frozenset(
    {Activity.STARTING, Activity.RUNNING, Activity.PAUSED, Activity.STOPPING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """How the run of this window stands; `silent` when nothing was heard for a minute.

    `round` is the last one that was finished: 0 before the first, -1 where that is not known.
    """

    activity: Activity = Activity.IDLE
    run: str = ""
    phase: str = ""
    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    total_epochs: int = 0
    round: int = -1
    seconds_left: float | None = None
    images_per_second: float | None = None
    psnr_mu: float | None = None
    message: str = ""
    resumable: str = ""
    changes_wait: bool = False
    silent: bool = False

    @property
    def next_round(self) -> str:
        """In words, the round that uses what is decided now."""
        return f"round {self.round + 1}" if self.round >= 0 else "the next round"

    @property
    def busy(self) -> bool:
        """Whether a thread is at work."""
        return self.activity in BUSY_ACTIVITIES
