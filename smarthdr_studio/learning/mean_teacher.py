"""A student, the EMA teacher that follows it, and one gradient step in micro-batches."""

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.plan_sections import TeacherPlan
from smarthdr_studio.learning.compute import Arithmetic, Shape
from smarthdr_studio.learning.crops import CropBatch, WeakView
from smarthdr_studio.learning.distributed import Ranks, needs_all_processes
from smarthdr_studio.learning.losses import (
    Target,
    Terms,
    as_part,
    by_name,
    half_loss,
    total_loss,
)
from smarthdr_studio.learning.networks import (
    FusionNetwork,
    Prediction,
    build_network,
    load_weights,
    use_gradient_checkpointing,
)
from smarthdr_studio.learning.perceptual import PerceptualLoss

Halves = Sequence[CropBatch | None]
"""The labelled crops of a batch, then the unlabelled ones; None where there are none."""

HalfLoss = Callable[[Prediction, CropBatch, PerceptualLoss | None], Terms]
"""What the crops of a half teach: the terms of a method with stages, in float32."""

HalfLosses = tuple[HalfLoss | None, HalfLoss | None]
"""Of labelled crops, then of the others; None where a stage does not learn from them."""

Network = TypeVar("Network", bound=nn.Module)


class StepResult(NamedTuple):
    """What one step said of itself; `wrong` says why it taught nothing, if it did not."""

    losses: dict[str, float]
    gradient_norm: float
    distance: float
    """‖s − t‖ / ‖t‖ over all weights, after the step."""
    wrong: str = ""


class MeanTeacher:
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
        student.judge_teaches_backbone = plan.loss.nll_gradient != "judge"
        self.student = student.to(device)
        self.teacher = make_teacher(self.student)
        self.ranks = ranks or Ranks()
        self.computation = ForwardPass(
            self.student, plan, device=device, precision=precision, ranks=self.ranks
        )
        self.stage_losses: HalfLosses | None = None  # of a method with stages; None is the plan's
        self.is_changing = False  # from the first changed weight until the caller says done
        self.optimiser = self._new_optimiser()

    def begin_anew(self, *, seed: int) -> None:
        """Weights as of a new network, drawn from a seed; nothing is left of what was learned."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = build_network(self._plan.network.name)
        if self._plan.network.start_from is not None:
            load_weights(fresh, self._plan.network.start_from)
        for network in (self.student, self.teacher):
            network.load_state_dict(fresh.state_dict())
        self.optimiser = self._new_optimiser()

    def _new_optimiser(self) -> torch.optim.Adam:
        device = next(self.student.parameters()).device
        return torch.optim.Adam(
            self.student.parameters(), betas=(0.9, 0.999), fused=device.type in ("cpu", "cuda")
        )

    def step(
        self,
        labelled: CropBatch | None,
        unlabelled: CropBatch | None,
        *,
        rate: float,
        step: int,
        ramp: float = 1.0,
    ) -> StepResult:
        """Teaches the student one batch, then lets the teacher follow; says every loss term.

        Of several processes each brings its own part of the batch, and all take the same step.
        `unlabelled` is None in the warm-up, `labelled` where a method has no labels; `ramp` is how
        many times its weight the former counts now. Where the loss or a gradient is no number, the
        weights stay untouched and `wrong` says so.
        """
        self.student.train()
        self.optimiser.zero_grad(set_to_none=True)
        with needs_all_processes(), self.computation.exactly():
            if unlabelled is not None and unlabelled.weak is not None:
                unlabelled = self._labelled_by_teacher(unlabelled, unlabelled.weak)
            terms = self._taught((labelled, unlabelled), ramp=ramp)
        norm = self._gradient_norm()
        *values, gradient_norm = torch.stack([*terms.values(), norm]).tolist()
        losses = dict(zip(terms, values, strict=True))
        if wrong := _not_finite(losses["total"], gradient_norm):
            return StepResult(
                losses, gradient_norm, teacher_distance(self.student, self.teacher), wrong
            )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.is_changing = True
        self.optimiser.step()
        update_teacher(self.teacher, self.student, decay=ema_decay(self._plan.teacher, step=step))
        return StepResult(losses, gradient_norm, teacher_distance(self.student, self.teacher))

    @torch.no_grad()
    def _labelled_by_teacher(self, crops: CropBatch, weak: WeakView) -> CropBatch:
        """The crops with the answer of the teacher of this moment to their weak view.

        What is trusted stays what the round has masked and the window shows.
        """
        hdr = self.computation.other(self.teacher, weak.frames).hdr.float()
        order = weak.channels[:, :, None, None].expand_as(hdr)
        label = (hdr.gather(1, order) * weak.gains).clamp(max=1)
        return replace(crops, target=crops.target._replace(hdr=label), weak=None)

    def _gradient_norm(self) -> Tensor:
        """Of the whole gradient; clipped afterwards where the plan says so."""
        gradients = [p.grad for p in self.student.parameters() if p.grad is not None]
        norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if (largest := self._plan.compute.clip_gradient) is not None:
            torch._foreach_mul_(gradients, (largest / norm.clamp(min=largest)).item())
        return norm

    def _taught(self, halves: Halves, *, ramp: float) -> dict[str, Tensor]:
        """Leaves the gradient of the whole batch in the student; every term of its loss."""
        size = self.ranks.size
        parts = micro_batches(halves, count=self._plan.compute.accumulate)
        in_pieces = len(parts) > 1 or size > 1
        trusted = self.ranks.summed(count_trusted_pixels(halves)) if in_pieces else None
        said: dict[str, Tensor] = {}
        for number, part in enumerate(parts, start=1):
            counted = None if trusted is None else loss_shares(part, trusted=trusted)
            with self.computation.before_more(more=number < len(parts)):
                total, terms = self._graded(part, counted, ramp=ramp)
                # Gradients are averaged over processes, and must be added up.
                (total * size if size > 1 else total).backward()  # type: ignore[no-untyped-call]
            said = {**said, **{name: said.get(name, 0) + terms[name] for name in terms}}
        if size == 1:
            return said
        return dict(zip(said, self.ranks.summed(torch.stack([*said.values()])), strict=True))

    def _graded(
        self, part: Halves, counted: Sequence[Tensor] | None, *, ramp: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of one forward pass over both halves, and its terms; `counted` as parts are."""
        there = [half for half in part if half is not None]
        frames = [torch.cat([half.frames[i] for half in there]) for i in range(3)]
        answers = iter(_split_prediction(self.computation(frames), there))
        graded = [
            None if half is None else self._terms(next(answers), half, place=place, counted=counted)
            for place, half in enumerate(part)
        ]
        total = total_loss(*graded, plan=self._plan.loss, ramp=ramp)
        return total, dict(by_name(total, *graded))

    def _terms(
        self,
        answer: Prediction,
        half: CropBatch,
        *,
        place: int,
        counted: Sequence[Tensor] | None,
    ) -> Terms:
        plan = self._plan.loss
        if self.stage_losses is not None:
            loss = self.stage_losses[place]
            assert loss is not None
            with torch.autocast(answer.hdr.device.type, enabled=False):
                terms = loss(answer, half, self._perceptual)
        else:
            terms = half_loss(
                answer,
                half.target,
                plan=plan,
                perceptual=self._perceptual,
                with_nll=place == 0 or plan.unlabelled_nll == "masked",
            )
        return terms if counted is None else as_part(terms, counted[place])


def make_teacher(student: Network) -> Network:
    """A copy of the student that takes no gradient and never drops branches."""
    teacher = copy.deepcopy(student)
    return teacher.requires_grad_(requires_grad=False).eval()


def ema_decay(plan: TeacherPlan, *, step: int) -> float:
    """The share of itself the teacher keeps after step `step` (counted from 0).

    With early warm-up min(α, (1 + t) / (10 + t)): at first it follows closely (METHOD §2).
    """
    return min(plan.ema, (1 + step) / (10 + step)) if plan.early_warmup else plan.ema


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, *, decay: float) -> None:
    """Moves every weight of the teacher by 1 − decay towards the student's; buffers are copied."""
    torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - decay)
    for ours, theirs in zip(teacher.buffers(), student.buffers(), strict=True):
        ours.copy_(theirs)


@torch.no_grad()
def teacher_distance(student: nn.Module, teacher: nn.Module) -> float:
    """‖s − t‖ / ‖t‖ over all weights: how far the teacher is behind."""
    theirs: list[Tensor] = list(student.parameters())
    ours: list[Tensor] = list(teacher.parameters())
    apart = torch.stack(torch._foreach_norm(list(torch._foreach_sub(theirs, ours)))).norm()
    return float(apart / torch.stack(torch._foreach_norm(ours)).norm())


class ForwardPass:
    """A network on its device as a plan wants it computed; the network itself keeps its weights.

    What "auto" means rests on what was measured: decisions/0011. `precision` may be changed before
    the first step.
    """

    def __init__(
        self,
        network: FusionNetwork,
        plan: TrainingPlan,
        *,
        device: torch.device,
        precision: torch.dtype,
        ranks: Ranks,
    ) -> None:
        self._network, self._plan, self.ranks = network, plan, ranks
        self._device, self.precision = device, precision
        self.arithmetic = Arithmetic(
            exact=plan.precision == "float32", deterministic=plan.compute.deterministic
        )
        self._channels_last = plan.compute.channels_last == "on"
        if self._channels_last:
            cast("Any", network).to(memory_format=torch.channels_last)  # torch does not tell types
        if plan.compute.checkpointing:
            use_gradient_checkpointing(network)
        self._answer: nn.Module = network
        self._connected: nn.Module | None = None

    @property
    def compiles(self) -> bool:
        """Whether `compiled` has something to do; "auto" never does."""
        return self._plan.compute.compile == "on"

    def compiled(self) -> str:
        """Compiles the network; in words why it goes on without, where any process cannot.

        One forward and one backward pass on made-up crops show whether it works.
        """
        # It would look for garbage on this thread, and there may be a window's among it.
        torch._dynamo.config.run_gc_after_compile = False
        compiled: Any = torch.compile(self._network)
        why, batch = "", self._plan.batch
        try:
            self._rehearse(compiled, (batch.labelled, batch.crop), self.precision)
        except Exception as error:  # noqa: BLE001 - a compiler can fail anywhere inside
            why = str(error).strip().partition("\n")[0] or type(error).__name__
        complaints = [said for said in self.ranks.shared(why) if said]
        if not complaints:
            self._answer = compiled
            return ""
        return f"computes without a compiler, which does not work here ({complaints[0]})"

    def time_pass(self, precision: torch.dtype, shape: Shape) -> float:
        """Takes a pass forward and backward on made-up crops; a `compute.PassTimer`.

        Weights and torch's own random numbers are afterwards as they were before.
        """
        return self._rehearse(self._network, shape, precision)

    def __call__(self, frames: Sequence[Tensor]) -> Prediction:
        """The answer for under, reference, over, each B×6×H×W."""
        return self._computed(self._together(), frames, self.precision)

    def other(self, network: FusionNetwork, frames: Sequence[Tensor]) -> Prediction:
        """The answer of another network of the same kind, computed alike by this process alone.

        Under, reference, over are B×6×H×W each.
        """
        return self._computed(network, frames, self.precision)

    def exactly(self) -> AbstractContextManager[None]:
        """For a whole step: as exact, and as much the same each time, as the plan asks."""
        return self.arithmetic.on(self._device)

    def before_more(self, *, more: bool) -> AbstractContextManager[Any]:
        """For a forward and a backward pass; where more follow, gradients are not averaged yet."""
        network = self._together()
        if more and isinstance(network, nn.parallel.DistributedDataParallel):
            return network.no_sync()
        return nullcontext()

    def _together(self) -> nn.Module:
        """The network, connected with those of the other processes at the first step."""
        if self._connected is None:
            self._connected = self.ranks.connected(
                self._answer, all_learn=_all_weights_learn(self._plan)
            )
        return self._connected

    def _computed(
        self, answer: Callable[..., Any], frames: Sequence[Tensor], precision: torch.dtype
    ) -> Prediction:
        if self._channels_last:
            frames = [frame.contiguous(memory_format=torch.channels_last) for frame in frames]
        with self._autocast(precision):
            return Prediction(*answer(*frames))

    def _autocast(self, precision: torch.dtype) -> AbstractContextManager[Any]:
        if precision == torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=precision)

    def _rehearse(self, answer: Callable[..., Any], shape: Shape, precision: torch.dtype) -> float:
        """What this thread computes in a pass that leaves no trace, in seconds."""
        crops, side = shape
        with self._leaving_no_trace():
            frames = [torch.rand(crops, 6, side, side, device=self._device) for _ in range(3)]
            begun = time.thread_time()
            hdr, sigma = self._computed(answer, frames, precision)
            (hdr.mean() + sigma.mean()).backward()  # type: ignore[no-untyped-call]
            return time.thread_time() - begun

    @contextmanager
    def _leaving_no_trace(self) -> Iterator[None]:
        """No gradient stays, and torch's own generator stands where it stood."""
        chance = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=chance):
            try:
                yield
            finally:
                self._network.zero_grad(set_to_none=True)


def micro_batches(halves: Halves, *, count: int) -> list[Halves]:
    """Both halves cut into `count` parts of nearly equal size, fewer where crops are fewer."""
    if count == 1:
        return [halves]
    count = min(count, max(_crop_count(half) for half in halves))
    cuts = [_cut_half(half, count=count) for half in halves]
    return list(zip(*cuts, strict=True))


def count_trusted_pixels(halves: Halves) -> Tensor:
    """How many pixels of each half count, by weight: flat; 0 for a half that is not there.

    int64, or float32 where pixels of any half are weighed.
    """
    there = [half for half in halves if half is not None]
    none = there[0].target.trusted.new_zeros((), dtype=torch.int64)
    counts = [none if half is None else half.target.counted for half in halves]
    return torch.stack([count.float() for count in counts] if _weighed(there) else counts)


def _weighed(halves: Sequence[CropBatch]) -> bool:
    return any(half.target.weight is not None for half in halves)


def loss_shares(part: Halves, *, trusted: Tensor) -> list[Tensor]:
    """How much each half of a part counts in the batch of all processes, a scalar each.

    `trusted`, flat, is how many pixels count of each half of that batch.
    """
    return [*(count_trusted_pixels(part).clamp(min=1) / trusted.clamp(min=1))]


def _cut_half(half: CropBatch | None, *, count: int) -> list[CropBatch | None]:
    if half is None:
        return [None] * count
    places = torch.arange(len(half.sigma)).tensor_split(count)
    return [_slice_batch(half, int(at[0]), int(at[-1]) + 1) if len(at) else None for at in places]


def _slice_batch(half: CropBatch, start: int, stop: int) -> CropBatch:
    under, reference, over = (frame[start:stop] for frame in half.frames)
    of = half.target
    weight = None if of.weight is None else of.weight[start:stop]
    return CropBatch(
        frames=(under, reference, over),
        target=Target(of.hdr[start:stop], of.trusted[start:stop], weight),
        sigma=half.sigma[start:stop],
        weak=None,
        structure=None if half.structure is None else half.structure[start:stop],
        stops=None if half.stops is None else half.stops[start:stop],
    )


def _crop_count(half: CropBatch | None) -> int:
    return 0 if half is None else len(half.sigma)


def _all_weights_learn(plan: TrainingPlan) -> bool:
    """Whether every weight gets a gradient in every pass that gradients are averaged after.

    Without a likelihood the uncertainty head learns nothing; nor does it from a part of unlabelled
    crops.
    """
    loss = plan.loss
    in_each_part = loss.unlabelled_nll == "masked" or plan.compute.accumulate == 1
    return loss.nll_weight > 0 and in_each_part and not plan.has_stages


def _not_finite(loss: float, gradient_norm: float) -> str:
    if not math.isfinite(loss):
        return "the loss is no number"
    return "" if math.isfinite(gradient_norm) else "a gradient is no number"


def _split_prediction(prediction: Prediction, halves: Sequence[CropBatch]) -> list[Prediction]:
    sizes = [len(half.sigma) for half in halves]
    hdr, sigma = torch.split(prediction.hdr, sizes), torch.split(prediction.sigma, sizes)
    return [Prediction(*both) for both in zip(hdr, sigma, strict=True)]
