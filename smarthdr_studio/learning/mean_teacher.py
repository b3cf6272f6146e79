"""A teacher that follows the student at a distance and is never taught."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from smarthdr_studio.core.plan import TeacherPlan

Network = TypeVar("Network", bound=nn.Module)


def teacher_of(student: Network) -> Network:
    """A copy of the student that takes no gradient and never drops branches."""
    teacher = copy.deepcopy(student)
    return teacher.requires_grad_(requires_grad=False).eval()


def decay(plan: TeacherPlan, *, step: int) -> float:
    """The share of itself the teacher keeps after step `step` (counted from 0).

    With early warm-up min(α, (1 + t) / (10 + t)): at first it follows closely (METHOD §2).
    """
    return min(plan.ema, (1 + step) / (10 + step)) if plan.early_warmup else plan.ema


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, *, decay: float) -> None:
    """Moves every weight of the teacher by 1 − decay towards the student's; buffers are copied."""
    torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - decay)
    for ours, theirs in zip(teacher.buffers(), student.buffers(), strict=True):
        ours.copy_(theirs)


@torch.no_grad()
def distance(student: nn.Module, teacher: nn.Module) -> float:
    """‖s − t‖ / ‖t‖ over all weights: how far the teacher is behind."""
    theirs: list[Tensor] = list(student.parameters())
    ours: list[Tensor] = list(teacher.parameters())
    apart = torch.stack(torch._foreach_norm(list(torch._foreach_sub(theirs, ours)))).norm()
    return float(apart / torch.stack(torch._foreach_norm(ours)).norm())
