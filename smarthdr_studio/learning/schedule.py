"""How fast the student learns at which moment of the run."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from smarthdr_studio.core.plan import SchedulePlan


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


def learning_rate(plan: SchedulePlan, *, epoch: float) -> float:
    """The rate at a moment counted in epochs with their fraction, 0 at the start (METHOD §6).

    Halved from `halve_at_epoch` on. The cosine falls from the end of the warm-up to 0 at the end of
    the run; a run that is all warm-up falls from its start.
    """
    rate = plan.learning_rate
    if plan.halve_at_epoch is not None and epoch >= plan.halve_at_epoch:
        rate /= 2
    if plan.final_decay == "cosine":
        start = plan.warmup_epochs if plan.warmup_epochs < plan.epochs else 0
        gone = max(0.0, epoch - start) / (plan.epochs - start)
        rate *= (1 + math.cos(math.pi * min(1.0, gone))) / 2
    return rate


def round_is_due(plan: SchedulePlan, *, epoch: int, last_round_at: int | None) -> bool:
    """Whether new pseudo-labels are made before this epoch; `epoch` == epochs is after the last.

    The last round shows what the finished teacher thinks. After a round that a person asked for in
    the warm-up, the next comes when its time has come, warm-up or not.
    """
    if last_round_at is None:
        return epoch >= min(plan.warmup_epochs, plan.epochs)
    behind = epoch - last_round_at
    return behind >= plan.refresh_every or (epoch == plan.epochs and behind > 0)
