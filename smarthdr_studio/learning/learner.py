"""A student, the teacher that follows it, and one step of learning."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.learning.computing import Computation
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.losses import Share, Terms, as_part, by_name, half_loss, total_loss
from smarthdr_studio.learning.mean_teacher import decay, distance, follow, teacher_of
from smarthdr_studio.learning.networks import Prediction, build_network, load_weights
from smarthdr_studio.learning.parts import Halves, in_parts, shares, trusted_pixels
from smarthdr_studio.learning.perceptual import PerceptualLoss
from smarthdr_studio.learning.ranks import Ranks
from smarthdr_studio.learning.wire import fellows_needed


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
        start_from: AnyPath | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        start_from = None if start_from is None else Path(start_from)
        self._plan, self._perceptual = plan, perceptual
        student = build_network(plan.network.name)
        if start_from is not None:
            load_weights(student, start_from)
        self.student = student.to(device)
        self.teacher = teacher_of(self.student)
        self.ranks = ranks or Ranks()
        self.computation = Computation(
            self.student, plan, device=device, precision=precision, ranks=self.ranks
        )
        self.is_changing = False  # from the first changed weight until the caller says done
        self.optimiser = torch.optim.Adam(
            self.student.parameters(), betas=(0.9, 0.999), fused=device.type in ("cpu", "cuda")
        )

    def step(
        self, labelled: CropBatch, unlabelled: CropBatch | None, *, rate: float, step: int
    ) -> Step:
        """Teaches the student one batch, then lets the teacher follow; says every loss term.

        Of several processes each brings its own part of the batch, and all take the same step.
        `unlabelled` is None in the warm-up. Where the loss or a gradient is no number, the weights
        stay untouched and `wrong` says so.
        """
        self.student.train()
        self.optimiser.zero_grad(set_to_none=True)
        with fellows_needed(), self.computation.exactly():
            terms = self._taught((labelled, unlabelled))
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

    def _taught(self, halves: Halves) -> dict[str, Tensor]:
        """Leaves the gradient of the whole batch in the student; every term of its loss."""
        size = self.ranks.size
        parts = in_parts(halves, count=self._plan.compute.accumulate)
        in_pieces = len(parts) > 1 or size > 1
        trusted = self.ranks.summed(trusted_pixels(halves)) if in_pieces else None
        said: dict[str, Tensor] = {}
        for number, part in enumerate(parts, start=1):
            counted = (
                None if trusted is None else shares(part, halves, trusted=trusted, processes=size)
            )
            with self.computation.before_more(more=number < len(parts)):
                total, terms = self._graded(part, counted)
                # Gradients are averaged over processes, and must be added up.
                (total * size if size > 1 else total).backward()  # type: ignore[no-untyped-call]
            said = {**said, **{name: said.get(name, 0) + terms[name] for name in terms}}
        if size == 1:
            return said
        return dict(zip(said, self.ranks.summed(torch.stack([*said.values()])), strict=True))

    def _graded(
        self, part: Halves, counted: Sequence[Share] | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of one forward pass over both halves, and its terms; `counted` as parts are."""
        there = [half for half in part if half is not None]
        frames = [torch.cat([half.frames[i] for half in there]) for i in range(3)]
        answers = iter(_split(self.computation(frames), there))
        graded = [
            None if half is None else self._terms(next(answers), half, place=place, counted=counted)
            for place, half in enumerate(part)
        ]
        total = total_loss(*graded, plan=self._plan.loss)
        return total, dict(by_name(total, *graded))

    def _terms(
        self,
        answer: Prediction,
        half: CropBatch,
        *,
        place: int,
        counted: Sequence[Share] | None,
    ) -> Terms:
        plan = self._plan.loss
        terms = half_loss(
            answer,
            half.target,
            plan=plan,
            perceptual=self._perceptual,
            with_nll=place == 0 or plan.unlabelled_nll == "masked",
        )
        return terms if counted is None else as_part(terms, counted[place])


def _wrong(loss: float, gradient_norm: float) -> str:
    if not math.isfinite(loss):
        return "the loss is no number"
    return "" if math.isfinite(gradient_norm) else "a gradient is no number"


def _split(prediction: Prediction, halves: Sequence[CropBatch]) -> list[Prediction]:
    sizes = [len(half.sigma) for half in halves]
    hdr, sigma = torch.split(prediction.hdr, sizes), torch.split(prediction.sigma, sizes)
    return [Prediction(*both) for both in zip(hdr, sigma, strict=True)]
