"""How the student computes its answers: in which format and precision, compiled, by how many."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from smarthdr_studio.core.plan import BatchPlan, TrainingPlan
from smarthdr_studio.learning.arithmetic import Arithmetic
from smarthdr_studio.learning.networks import FusionNetwork, Prediction, recompute
from smarthdr_studio.learning.ranks import Ranks


class Computation:
    """A network on its device as a plan wants it computed; the network itself keeps its weights.

    What "auto" means rests on what was measured: decisions/0011.
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
        self._device, self._precision = device, precision
        self.arithmetic = Arithmetic(
            exact=plan.precision == "float32", deterministic=plan.compute.deterministic
        )
        self._channels_last = plan.compute.channels_last == "on"
        if self._channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if plan.compute.checkpointing:
            recompute(network)
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
        compiled: Any = torch.compile(self._network)
        why = ""
        chance = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=chance):
            try:
                self._rehearse(compiled)
            except Exception as error:  # noqa: BLE001 - a compiler can fail anywhere inside
                why = str(error).strip().partition("\n")[0] or type(error).__name__
        self._network.zero_grad(set_to_none=True)
        complaints = [said for said in self.ranks.shared(why) if said]
        if not complaints:
            self._answer = compiled
            return ""
        return f"computes without a compiler, which does not work here ({complaints[0]})"

    def __call__(self, frames: Sequence[Tensor]) -> Prediction:
        """The answer for under, reference, over, each B×6×H×W."""
        return self._computed(self._together(), frames)

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
            self._connected = self.ranks.connected(self._answer, all_learn=_all_learn(self._plan))
        return self._connected

    def _computed(self, answer: Callable[..., Any], frames: Sequence[Tensor]) -> Prediction:
        if self._channels_last:
            frames = [frame.contiguous(memory_format=torch.channels_last) for frame in frames]
        with self._autocast():
            return Prediction(*answer(*frames))

    def _autocast(self) -> AbstractContextManager[Any]:
        if self._precision == torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._precision)

    def _rehearse(self, answer: Callable[..., Any]) -> None:
        batch = self._plan.batch
        frames = [torch.rand(_shape(batch), device=self._device) for _ in range(3)]
        hdr, sigma = self._computed(answer, frames)
        (hdr.mean() + sigma.mean()).backward()  # type: ignore[no-untyped-call]


def _shape(batch: BatchPlan) -> tuple[int, int, int, int]:
    return batch.labelled, 6, batch.crop, batch.crop


def _all_learn(plan: TrainingPlan) -> bool:
    """Whether every weight gets a gradient in every pass that gradients are averaged after.

    Without a likelihood the judge learns nothing; nor does it from a part of unlabelled crops.
    """
    loss = plan.loss
    in_each_part = loss.unlabelled_nll == "masked" or plan.compute.accumulate == 1
    return loss.nll_weight > 0 and in_each_part
