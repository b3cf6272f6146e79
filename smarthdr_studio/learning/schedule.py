"""Learning rate, rounds and epochs of a run: how far it is, what is left, and its best check."""

import math
import statistics
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from smarthdr_studio.core.training.plan_sections import SchedulePlan
from smarthdr_studio.core.training.run_folder import is_better


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChanges:
    """What a person changed of the schedule while the run went on, by setting.

    `now` is in force, `next` will be from the next epoch on; both are plain values.
    """

    now: dict[str, Any] = field(default_factory=dict)
    next: dict[str, Any] = field(default_factory=dict)

    def asking(self, setting: str, value: object) -> "ScheduleChanges":
        """The same with one more change that waits for the next epoch."""
        return ScheduleChanges(now=self.now, next={**self.next, setting: value})

    def in_force(self) -> "ScheduleChanges":
        """An epoch has ended: nothing waits any more."""
        return ScheduleChanges(now={**self.now, **self.next}) if self.next else self

    def unless(self, settings: Collection[str]) -> "ScheduleChanges":
        """The same without these settings, which a new plan has decided anew."""
        now, following = (
            {name: value for name, value in changes.items() if name not in settings}
            for changes in (self.now, self.next)
        )
        return ScheduleChanges(now=now, next=following)

    def applied_to(self, plan: SchedulePlan) -> SchedulePlan:
        """The schedule as it is in force."""
        return plan.model_copy(update=self.now) if self.now else plan


def learning_rate(plan: SchedulePlan, *, epoch: float, stage_begun: int = 0) -> float:
    """The rate at a moment counted in epochs with their fraction, 0 at the start (METHOD §6).

    Halved from `halve_at_epoch` on, decayed every so many epochs since the stage has begun. The
    cosine falls from the end of the warm-up to 0 at the end of the run; a run that is all warm-up
    falls from its start.
    """
    rate = plan.learning_rate * math.pow(plan.decay, (epoch - stage_begun) // plan.decay_every)
    if plan.halve_at_epoch is not None and epoch >= plan.halve_at_epoch:
        rate /= 2
    if plan.final_decay == "cosine":
        start = plan.warmup_epochs if plan.warmup_epochs < plan.epochs else 0
        gone = max(0.0, epoch - start) / (plan.epochs - start)
        rate *= (1 + math.cos(math.pi * min(1.0, gone))) / 2
    return rate


def ramp_up(epochs: int, *, since: float) -> float:
    """What λ_u has risen to, so many epochs since pseudo-labels began: exp(−5(1 − t)²), then 1.

    Of Laine and Aila (ICLR 2017), as mean teachers do (METHOD §11). Over 0 epochs it is 1 at once.
    """
    gone = min(1.0, max(0.0, since) / epochs) if epochs else 1.0
    return math.exp(-5 * (1 - gone) ** 2)


def round_falls_due(plan: SchedulePlan, *, step: int, last_round_step: int | None) -> bool:
    """Whether so many steps have gone since the last round that another is due, epoch or not."""
    if plan.refresh_steps is None or last_round_step is None:
        return False
    return step - last_round_step >= plan.refresh_steps


def round_is_planned(plan: SchedulePlan, *, epoch: int, last_round_at: int | None) -> bool:
    """Whether new pseudo-labels are made before this epoch; `epoch` == epochs is after the last.

    The last round shows what the finished teacher thinks. After a round that a person asked for in
    the warm-up, the next comes when its time has come, warm-up or not.
    """
    if last_round_at is None:
        return epoch >= min(plan.warmup_epochs, plan.epochs)
    behind = epoch - last_round_at
    by_epochs = plan.refresh_steps is None and behind >= plan.refresh_every
    return by_epochs or (epoch == plan.epochs and behind > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Epochs and steps are counted from 0, rounds from 1."""

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    round: int = 0
    last_round_at: int | None = None  # the epoch before which it was made
    last_round_step: int | None = None  # the step before which it was made
    first_round_at: float | None = None  # when pseudo-labels began, in epochs and their fraction
    round_wanted: bool = False  # a person asked for one: the epoch is over, and one is due
    stage: int = 0  # of a method with stages, counted from 1
    stage_made: int = 0  # the epoch before which what it learns from was made


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLengths:
    """Steps of an epoch on labels only, and of one with pseudo-labels (as far as is known)."""

    labels_only: int
    with_pseudo_labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What a run still has before it; of `rounds`, steps follow after so many as `learned_from`."""

    steps: int
    rounds: int
    learned_from: int
    validations: int


def remaining(
    at: Progress, *, schedule: SchedulePlan, lengths: EpochLengths, makes_rounds: bool
) -> Remaining:
    """Counts the steps, rounds and validations from here to the end of the run.

    A run without rounds stands beside one that has them: after the warm-up its epochs are as long.
    """
    validations = schedule.epochs // schedule.validate_every - at.epoch // schedule.validate_every
    if at.round_wanted and at.step_in_epoch:  # which ends the epoch
        at = replace(at, epoch=at.epoch + 1, step_in_epoch=0)
    steps, rounds, shown, last_round = -at.step_in_epoch, 0, 0, at.last_round_at
    since_round = 0 if at.last_round_step is None else at.step - at.last_round_step
    for epoch in range(at.epoch, schedule.epochs + 1):
        begun = epoch == at.epoch and at.step_in_epoch > 0
        due = round_is_planned(schedule, epoch=epoch, last_round_at=last_round)
        due |= at.round_wanted and epoch == at.epoch
        if makes_rounds and due and not begun:
            rounds, last_round = rounds + 1, epoch
            shown += epoch == schedule.epochs
        if epoch < schedule.epochs:
            learning = last_round is not None if makes_rounds else epoch >= schedule.warmup_epochs
            length = lengths.with_pseudo_labels if learning else lengths.labels_only
            steps += length
            if makes_rounds and learning and schedule.refresh_steps is not None:
                since_round += length - (at.step_in_epoch if epoch == at.epoch else 0)
                # The one that falls due with the last step is that of the finished teacher.
                full = since_round - (epoch == schedule.epochs - 1)
                rounds += full // schedule.refresh_steps
                since_round %= schedule.refresh_steps
    return Remaining(
        steps=max(steps, 0), rounds=rounds, learned_from=rounds - shown, validations=validations
    )


def is_last_or_every(count: int, *, every: int, last: int) -> bool:
    """Whether what is done each `every` epochs, and after the last, is due after `count` epochs."""
    return count % every == 0 or count == last


class StepTimer:
    """Times of the latest steps, rounds and validations; medians, so that one hiccup passes.

    From the first round on steps are others, which learn from pseudo-labels as well.
    """

    def __init__(self) -> None:
        self._steps_are_others = False
        self._steps: deque[float] = deque(maxlen=50)
        self._rounds: deque[float] = deque(maxlen=3)
        self._validations: deque[float] = deque(maxlen=3)

    def step_took(self, seconds: float) -> None:
        """Notes one gradient step."""
        if self._steps_are_others:
            self._steps.clear()
            self._steps_are_others = False
        self._steps.append(seconds)

    def round_took(self, seconds: float) -> None:
        """Notes one labelling of the whole pool."""
        self._steps_are_others = not self._rounds
        self._rounds.append(seconds)

    def validation_took(self, seconds: float) -> None:
        """Notes one validation."""
        self._validations.append(seconds)

    @property
    def step_seconds(self) -> float:
        """The median of the latest steps; 0 before the first."""
        return statistics.median(self._steps) if self._steps else 0.0

    def seconds_left(self, left: Remaining) -> float:
        """What is left at this pace; parts that were not seen yet count nothing."""
        return (
            left.steps * self.step_seconds
            + left.rounds * (statistics.median(self._rounds) if self._rounds else 0.0)
            + left.validations * (statistics.median(self._validations) if self._validations else 0)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BestValidation:
    """`psnr_mu` in dB, None before the first check; `behind` counts the checks since.

    `checked` is the step of the latest check: a resumed run may make it again.
    """

    psnr_mu: float | None = None
    step: int = 0
    epoch: int = 0
    behind: int = 0
    checked: int | None = None

    def after(self, psnr_mu: float, *, step: int, epoch: int, counts: bool) -> "BestValidation":
        """What is best after one more check; one that does not count leaves `behind` as it is."""
        if step == self.checked:
            return self
        if is_better(psnr_mu, than=self.psnr_mu):
            return BestValidation(psnr_mu=psnr_mu, step=step, epoch=epoch, checked=step)
        return replace(self, behind=self.behind + counts, checked=step)

    def is_stalled(self, patience: int | None) -> bool:
        """Whether so many checks in a row were no better; None has endless patience."""
        return patience is not None and self.behind >= patience
