"""What is due at a moment of a run: rounds, checks, checkpoints, and its end."""

from smarthdr_studio.learning.progress import is_last_or_every
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.schedule import round_is_due as round_is_planned


def run_is_over(run: TrainingRun) -> bool:
    """Whether no epoch follows: all are done, or the checks have not been better for long."""
    schedule = run.schedule
    return run.progress.epoch >= schedule.epochs or run.best.is_stalled(schedule.early_stop)


def epoch_is_over(run: TrainingRun) -> bool:
    """Whether the next step belongs to the next epoch."""
    at = run.progress
    return at.round_wanted or at.step_in_epoch >= run.steps_in_epoch


def round_is_due(run: TrainingRun) -> bool:
    """Whether new pseudo-labels are made before the next step."""
    at = run.progress
    if not run.learns_from_pseudo_labels or at.step_in_epoch:
        return False
    planned = round_is_planned(run.schedule, epoch=at.epoch, last_round_at=at.last_round_at)
    return at.round_wanted or planned


def last_round_is_due(run: TrainingRun) -> bool:
    """Asked at the end of the run: whether the finished teacher has yet to say what it thinks."""
    at = run.progress
    return run.learns_from_pseudo_labels and at.epoch > (at.last_round_at or 0)


def validation_is_due(run: TrainingRun) -> bool:
    """Asked at the end of an epoch."""
    schedule = run.schedule
    return bool(run.validated()) and is_last_or_every(
        run.progress.epoch + 1, every=schedule.validate_every, last=schedule.epochs
    )


def checkpoint_is_due(run: TrainingRun) -> bool:
    """Asked when an epoch has ended; the best so far is always kept."""
    schedule = run.schedule
    return is_last_or_every(
        run.progress.epoch, every=schedule.checkpoint_every, last=schedule.epochs
    )
