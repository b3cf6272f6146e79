"""How far a run has come, and what is left of it."""

from dataclasses import dataclass

from smarthdr_studio.core.plan import SchedulePlan
from smarthdr_studio.learning.schedule import round_is_due


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Epochs and steps are counted from 0, rounds from 1."""

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    round: int = 0
    last_round_at: int | None = None  # the epoch before which it was made
    round_wanted: bool = False  # a person asked for one: the epoch is over, and one is due


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLengths:
    """Steps of an epoch on labels only, and of one with pseudo-labels (as far as is known)."""

    labels_only: int
    with_pseudo_labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What a run still has before it."""

    steps: int
    rounds: int
    validations: int


def remaining(
    at: Progress, *, schedule: SchedulePlan, lengths: EpochLengths, makes_rounds: bool
) -> Remaining:
    """Counts the steps, rounds and validations from here to the end of the run."""
    steps, rounds, last_round = -at.step_in_epoch, 0, at.last_round_at
    for epoch in range(at.epoch, schedule.epochs + 1):
        begun = epoch == at.epoch and at.step_in_epoch > 0
        due = round_is_due(schedule, epoch=epoch, last_round_at=last_round)
        if makes_rounds and due and not begun:
            rounds, last_round = rounds + 1, epoch
        if epoch < schedule.epochs:
            learning = makes_rounds and last_round is not None
            steps += lengths.with_pseudo_labels if learning else lengths.labels_only
    validations = schedule.epochs // schedule.validate_every - at.epoch // schedule.validate_every
    return Remaining(steps=max(steps, 0), rounds=rounds, validations=validations)


def is_last_or_every(count: int, *, every: int, last: int) -> bool:
    """Whether what is done each `every` epochs, and after the last, is due after `count` epochs."""
    return count % every == 0 or count == last
