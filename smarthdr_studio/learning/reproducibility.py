"""Seeds, generators and deterministic arithmetic, so that a resumed run computes the same again."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

_LENT: Final = threading.Lock()
_PATIENCE_S: Final = 60.0


@contextmanager
def global_generator_lent() -> Iterator[None]:
    """For whoever measures a run: torch's own generator is used, and no run begins meanwhile."""
    ours = _LENT.acquire(timeout=_PATIENCE_S)
    try:
        yield
    finally:
        if ours:
            _LENT.release()


def wait_for_global_generator() -> None:
    """Until nobody measures any more, before a run seeds the generator that all threads share."""
    with global_generator_lent():
        pass


class RandomState:
    """One generator each for labelled order, unlabelled order and augmentation, and torch's own.

    Making it seeds torch's global generator: weights at the start and stochastic depth use it.
    """

    def __init__(self, seed: int, *, device: torch.device) -> None:
        torch.manual_seed(seed)
        self._seed, self._device = seed, device
        self.labelled, self.unlabelled, self.moves = (
            torch.Generator().manual_seed(4 * seed + number) for number in (1, 2, 3)
        )

    def part_ways(self, *, rank: int, step: int) -> None:
        """Gives torch's generator of this process numbers of its own for one step.

        Orders and moves are drawn alike by all. The first goes on with the numbers it has, as one
        process alone does; those of the others follow from rank and step, so that nothing of theirs
        needs to be saved, and a run may go on with more or fewer processes.
        """
        if rank:
            torch.manual_seed((self._seed * 1_000_003 + step) * 1_009 + rank)

    def state(self) -> dict[str, Tensor]:
        """All states, as flat byte tensors that nothing changes later."""
        found = {
            "torch": torch.get_rng_state(),
            "labelled": self.labelled.get_state(),
            "unlabelled": self.unlabelled.get_state(),
            "moves": self.moves.get_state(),
        }
        if self._device.type == "cuda":
            found["device"] = torch.cuda.get_rng_state(self._device)
        return found

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continues where `state`, flat byte tensors, was taken, also on another kind of device."""
        torch.set_rng_state(state["torch"])
        self.labelled.set_state(state["labelled"])
        self.unlabelled.set_state(state["unlabelled"])
        self.moves.set_state(state["moves"])
        if self._device.type == "cuda" and "device" in state:
            torch.cuda.set_rng_state(state["device"], self._device)


# Without it cuBLAS may sum in another order each time.
_WORKSPACE: Final = "CUBLAS_WORKSPACE_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """What a plan asks of a GPU; a CPU always computes so."""

    exact: bool = False
    """float32 means float32: no product is rounded to TF32 on its way."""
    deterministic: bool = False
    """The same sums in the same order each time, which is slower."""

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """In force while the block lasts; what was in force before is so again afterwards."""
        if device.type != "cuda" or self == _DEFAULT_ARITHMETIC:
            yield
            return
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = (matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark)
        strict = torch.are_deterministic_algorithms_enabled()
        workspace = os.environ.get(_WORKSPACE)
        try:
            if self.exact:
                matmul.allow_tf32 = cudnn.allow_tf32 = False
            if self.deterministic:
                os.environ.setdefault(_WORKSPACE, ":4096:8")
                cudnn.deterministic, cudnn.benchmark = True, False
                torch.use_deterministic_algorithms(mode=True)
            yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before
            torch.use_deterministic_algorithms(mode=strict)
            if workspace is None:
                os.environ.pop(_WORKSPACE, None)


_DEFAULT_ARITHMETIC: Final = Arithmetic()
