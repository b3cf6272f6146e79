"""How fast the student learns at which moment of the run."""

import math

from smarthdr_studio.core.plan import SchedulePlan


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

    The last round shows what the finished teacher thinks.
    """
    if epoch < plan.warmup_epochs and epoch < plan.epochs:
        return False
    if last_round_at is None:
        return True
    behind = epoch - last_round_at
    return behind >= plan.refresh_every or (epoch == plan.epochs and behind > 0)
