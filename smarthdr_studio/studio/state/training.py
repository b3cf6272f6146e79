"""How a run stands: the one at work in this window or elsewhere, or else the last one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# What is asked of a run, as it follows the words "asked to".
PAUSE: Final = "pause"
GO_ON: Final = "go on"
STOP: Final = "stop"
SNAPSHOT: Final = "save a snapshot"


class Activity(StrEnum):
    """What the trainer is up to; the words are for the screen."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"
    INTERRUPTED = "interrupted"  # its process died without a last word


BUSY_ACTIVITIES = frozenset(
    {Activity.STARTING, Activity.RUNNING, Activity.PAUSED, Activity.STOPPING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A change of a run, in words, that counts from an epoch on, which is counted from 0."""

    text: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """How a run stands; `silent` when nothing was heard for a minute.

    `round` is the last one that was finished: 0 before the first, -1 where that is not known.
    `elsewhere` says that another process trains it, `past` that nobody does and it was read from
    its files. `making_round` says that a round has read what was decided and is not finished, and
    `late` that something was decided after that. `asked` is what was asked of a run and not
    answered yet, `told` its last answer.
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
    learning_rate: float | None = None
    psnr_mu: float | None = None
    message: str = ""
    resumable: str = ""
    changes_wait: bool = False
    making_round: bool = False
    late: bool = False
    silent: bool = False
    elsewhere: bool = False
    past: bool = False
    asked: str = ""
    told: str = ""
    waiting: tuple[Waiting, ...] = ()
    skipped: int = 0
    skipped_why: str = ""

    @property
    def next_round(self) -> str:
        """In words, the round that uses what is decided now."""
        return self._round_in_words(later=self.making_round)

    @property
    def changes_in(self) -> str:
        """In words, the round that uses what was decided and waits."""
        return self._round_in_words(later=self.late)

    def _round_in_words(self, *, later: bool) -> str:
        """The first round that is not finished, or the one after it."""
        if self.round >= 0:
            return f"round {self.round + 1 + later}"
        return "the round after this one" if later else "the next round"

    @property
    def busy(self) -> bool:
        """Whether a thread or another process is at work."""
        return self.activity in BUSY_ACTIVITIES
