"""A student, the teacher that follows it, and one step of learning."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.losses import by_name, half_loss, total_loss
from smarthdr_studio.learning.mean_teacher import decay, distance, follow, teacher_of
from smarthdr_studio.learning.networks import Prediction, build_network, load_weights
from smarthdr_studio.learning.perceptual import PerceptualLoss


class Step(NamedTuple):
    """What one step said of itself; `wrong` says why it taught nothing, if it did not."""

    losses: dict[str, float]
    gradient_norm: float
    distance: float
    """‖s − t‖ / ‖t‖ over all weights, after the step."""
    wrong: str = ""


class Learner:
    """Everything that changes when a step is taken, and nothing else.

    The weights depend on torch's global seed at the time of making.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        device: torch.device,
        precision: torch.dtype,
        perceptual: PerceptualLoss | None,
        start_from: Path | None = None,
    ) -> None:
        self._plan, self._device, self._precision = plan, device, precision
        self._perceptual = perceptual
        student = build_network(plan.network.name)
        if start_from is not None:
            load_weights(student, start_from)
        self.student = student.to(device)
        self.teacher = teacher_of(self.student)
        self.is_changing = False  # from the first changed weight until the caller says done
        self.optimiser = torch.optim.Adam(
            self.student.parameters(), betas=(0.9, 0.999), fused=device.type in ("cpu", "cuda")
        )

    def step(
        self, labelled: CropBatch, unlabelled: CropBatch | None, *, rate: float, step: int
    ) -> Step:
        """Teaches the student one batch, then lets the teacher follow; says every loss term.

        `unlabelled` is None in the warm-up. Where the loss or a gradient is no number, the weights
        stay untouched and `wrong` says so.
        """
        self.student.train()
        halves = [labelled] if unlabelled is None else [labelled, unlabelled]
        total, terms = self._graded(halves)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = self._gradient_norm()
        *values, gradient_norm = torch.stack([*terms.values(), norm]).tolist()
        losses = dict(zip(terms, values, strict=True))
        if wrong := _wrong(losses["total"], gradient_norm):
            return Step(losses, gradient_norm, distance(self.student, self.teacher), wrong)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.is_changing = True
        self.optimiser.step()
        follow(self.teacher, self.student, decay=decay(self._plan.teacher, step=step))
        return Step(losses, gradient_norm, distance(self.student, self.teacher))

    def _gradient_norm(self) -> Tensor:
        """Of the whole gradient; clipped afterwards where the plan says so."""
        gradients = [p.grad for p in self.student.parameters() if p.grad is not None]
        norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if (largest := self._plan.compute.clip_gradient) is not None:
            torch._foreach_mul_(gradients, (largest / norm.clamp(min=largest)).item())
        return norm

    def _graded(self, halves: Sequence[CropBatch]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of one forward pass over both halves, and its terms."""
        plan = self._plan.loss
        under, reference, over = (torch.cat([half.frames[i] for half in halves]) for i in range(3))
        with self._autocast():
            prediction = self.student(under, reference, over)
        graded = [
            half_loss(
                Prediction(*answer),
                half.target,
                plan=plan,
                perceptual=self._perceptual,
                with_nll=position == 0 or plan.unlabelled_nll == "masked",
            )
            for position, (half, answer) in enumerate(
                zip(halves, _split(prediction, halves), strict=True)
            )
        ]
        first, second = graded[0], graded[1] if len(graded) > 1 else None
        total = total_loss(first, second, plan=plan)
        return total, dict(by_name(total, first, second))

    def _autocast(self) -> AbstractContextManager[Any]:
        if self._precision == torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._precision)


def _wrong(loss: float, gradient_norm: float) -> str:
    if not math.isfinite(loss):
        return "the loss is no number"
    return "" if math.isfinite(gradient_norm) else "a gradient is no number"


def _split(prediction: Prediction, halves: Sequence[CropBatch]) -> Sequence[tuple[Tensor, Tensor]]:
    sizes = [len(half.sigma) for half in halves]
    hdr, sigma = torch.split(prediction.hdr, sizes), torch.split(prediction.sigma, sizes)
    return list(zip(hdr, sigma, strict=True))
