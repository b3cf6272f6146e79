"""The processes that train one run together, over `torch.distributed`: one alone, or torchrun's."""

import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed

from smarthdr_studio.core.environment import SINGLE_PROCESS, ProcessRank, process_rank
from smarthdr_studio.core.errors import DeviceError, StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.records import parse_lines
from smarthdr_studio.learning.compute import pick_device

_NO_TIMEOUT: Final = timedelta(days=30)  # a run may be paused over the holidays
_STOPPED: Final = -1
_LAST_WORD_S: Final = 5.0
# What torch says of a process that is gone depends on who says it.
_LOST_WORDS: Final = ("Connection closed by peer", "Connection reset by peer", "gloo", "NCCL")
_SPINS, _LONGEST_NAP_S = 50, 0.02

Bytes = npt.NDArray[np.uint8]
Found = TypeVar("Found")
Said = TypeVar("Said")


class RunEnded(DeviceError):
    """The first process has ended the run; the others end as well."""

    def __init__(self) -> None:
        super().__init__("The first process has ended the run; see what it said")


class ProcessLost(DeviceError):
    """Another process of the run has ended without a word."""

    def __init__(self) -> None:
        super().__init__(
            "Another process of this run has ended or cannot be reached any more; see what it said "
            "last, and resume the run with as many processes as you like"
        )


@contextmanager
def needs_all_processes() -> Iterator[None]:
    """For what needs all processes. Raises ProcessLost where one of them is gone."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or any(w in str(error) for w in _LOST_WORDS):
            raise ProcessLost from error
        raise


class ProcessGroup:
    """What connects this process with its peers; every call is made by all of them alike.

    Messages have a group of their own, on the CPU: whoever waits for one leaves the device alone,
    for as long as a pause takes.
    """

    def __init__(self, place: ProcessRank, device: torch.device) -> None:
        self._place, self.device = place, device
        self._owned = not distributed.is_initialized()
        if self._owned:
            backend = "gloo"
            if device.type == "cuda":
                torch.cuda.set_device(device)
                backend = "cpu:gloo,cuda:nccl"
            _with_all_processes(lambda: distributed.init_process_group(backend))
        self._messages: distributed.ProcessGroup = _with_all_processes(
            lambda: cast("Any", distributed.new_group)(backend="gloo", timeout=_NO_TIMEOUT)
        )

    def told(self, value: Said) -> Said:
        """What the first process says, a plain value; its peers wait for it.

        Raises RunEnded in the peers where it ended the run instead.
        """
        said = b"" if self._place.rank else json.dumps(value).encode()
        length = torch.tensor([len(said)])
        self._wait(distributed.broadcast(length, 0, group=self._messages, async_op=True))
        if int(length) == _STOPPED:
            raise RunEnded
        text = _bytes(said) if said else torch.empty(int(length), dtype=torch.uint8)
        self._wait(distributed.broadcast(text, 0, group=self._messages, async_op=True))
        heard: Said = value if said else parse_lines(text.numpy().tobytes())
        return heard

    def dismiss(self) -> None:
        """The first process tells its peers that the run has ended; who is gone need not hear."""
        with suppress(RuntimeError):
            last = torch.tensor([_STOPPED])
            work = distributed.broadcast(last, 0, group=self._messages, async_op=True)
            until = time.monotonic() + _LAST_WORD_S
            while work is not None and not work.is_completed() and time.monotonic() < until:
                time.sleep(_LONGEST_NAP_S)

    def shared(self, value: Said) -> list[Said]:
        """What each process says, plain values in the order of their ranks; all hear all."""
        said, size = json.dumps(value).encode(), self._place.size
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(size)]
        own = torch.tensor([len(said)])
        self._wait(distributed.all_gather(lengths, own, group=self._messages, async_op=True))
        longest = max(int(length) for length in lengths)
        texts = [torch.empty(longest, dtype=torch.uint8) for _ in range(size)]
        padded = _bytes(said.ljust(longest))
        self._wait(distributed.all_gather(texts, padded, group=self._messages, async_op=True))
        return [parse_lines(text.numpy().tobytes()) for text in texts]

    def summed(self, values: Tensor) -> Tensor:
        """The sum over all processes, of the same shape and on the device of `values`."""
        total = values.clone()
        _with_all_processes(lambda: distributed.all_reduce(total))
        return total

    def gathered(self, flat: Bytes) -> list[Bytes]:
        """The flat bytes of each process for the first, as many from each; none for the others."""
        own = torch.from_numpy(flat)
        first = not self._place.rank
        all_of_them = [torch.empty_like(own) for _ in range(self._place.size)] if first else None
        self._wait(distributed.gather(own, all_of_them, 0, group=self._messages, async_op=True))
        return [flat.numpy() for flat in all_of_them or ()]

    def close(self) -> None:
        """Lets go of the others."""
        if self._owned and distributed.is_initialized():
            with suppress(RuntimeError, ValueError):
                distributed.destroy_process_group()

    def _wait(self, work: distributed.Work | None) -> None:
        """Until it is done, awake enough to hear a signal and too sleepy to take time from others.

        Raises ProcessLost.
        """
        if work is None:
            raise ProcessLost
        spins = 0
        while not work.is_completed():
            spins += 1
            time.sleep(0 if spins < _SPINS else min(_LONGEST_NAP_S, 1e-5 * spins))
        _with_all_processes(work.wait)


def _with_all_processes(call: Callable[[], Found]) -> Found:
    """The answer of a call that needs all processes. Raises ProcessLost."""
    try:
        return call()
    except RuntimeError as error:
        raise ProcessLost from error


def _bytes(text: bytes) -> Tensor:
    return torch.frombuffer(bytearray(text), dtype=torch.uint8)


Item = TypeVar("Item")

_SEEN_WITHIN_S: Final = 60.0  # a shared folder may show a new file to other machines this late


class Ranks:
    """Who this process is among its peers, and what they do together.

    Only the first, `is_first`, writes files and is driven by a person; the others do as it does.
    Whatever all do together is called by all, in the same order. What follows a yield begins with
    `told`, because whoever drives the first may end the run at a yield.
    """

    def __init__(
        self, place: ProcessRank = SINGLE_PROCESS, *, wire: ProcessGroup | None = None
    ) -> None:
        self.place, self._wire = place, wire

    @classmethod
    def of_environment(cls, device: str) -> "Ranks":
        """The processes torchrun has started, connected; without it, one alone at no cost.

        Raises DeviceError where one of them has no such device or cannot reach the others.
        """
        place = process_rank()
        if place.size == 1:
            return cls()
        return cls(place, wire=ProcessGroup(place, pick_device(device, place=place)))

    @property
    def rank(self) -> int:
        """The number of this process, from 0 on."""
        return self.place.rank

    @property
    def size(self) -> int:
        """How many processes there are."""
        return self.place.size

    @property
    def is_first(self) -> bool:
        """Whether this process writes."""
        return self.place.rank == 0

    def groups(self, items: Sequence[Item]) -> Iterator[tuple[int, Sequence[Item]]]:
        """Work cut into groups of one item for each process, with how many items came before."""
        for done in range(0, len(items), self.size):
            yield done, items[done : done + self.size]

    def mine(self, group: Sequence[Item]) -> Item | None:
        """What of a group is this process's; None where the last group has nothing for it."""
        return group[self.rank] if self.rank < len(group) else None

    def told(self, value: Said) -> Said:
        """What the first says, a plain value: its own is given back, the others hear it.

        Raises RunEnded in the others where the first has ended the run.
        """
        return value if self._wire is None else self._wire.told(value)

    def shared(self, value: Said) -> list[Said]:
        """What each says, plain values in the order of their ranks."""
        return [value] if self._wire is None else self._wire.shared(value)

    def summed(self, values: Tensor) -> Tensor:
        """The sum over all processes, of the same shape."""
        return values if self._wire is None else self._wire.summed(values)

    def gathered(self, flat: Bytes) -> list[Bytes]:
        """The flat bytes of each, as many from each, by rank; for the first only."""
        return [flat] if self._wire is None else self._wire.gathered(flat)

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        """What every process must be able to do; where one is refused, all are.

        Raises DeviceError in the others; nothing inside the block may need all processes.
        """
        try:
            yield
        except StudioError as error:
            self.shared(str(error))
            raise
        for refused in filter(None, self.shared("")):
            raise DeviceError(refused)

    def wait_for(self, path: AnyPath) -> None:
        """Until a file that the first has written can be seen here."""
        path = Path(path)
        until = time.monotonic() + (0 if self.is_first else _SEEN_WITHIN_S)
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.1)

    def close(self) -> None:
        """The end of the run; the first sends home whoever still waits to be told something."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        if self.is_first:
            wire.dismiss()
        wire.close()

    def connected(self, network: torch.nn.Module, *, all_learn: bool) -> torch.nn.Module:
        """The network with gradients averaged over all processes; alone, the network itself.

        `all_learn` says that every weight gets a gradient in every step.
        """
        if self._wire is None:
            return network
        device = self._wire.device
        with warnings.catch_warnings():
            # Buffers are constants; newer versions of torch have another word for leaving them be.
            warnings.simplefilter("ignore", FutureWarning)
            return torch.nn.parallel.DistributedDataParallel(
                network,
                device_ids=[device] if device.type == "cuda" else None,
                broadcast_buffers=False,
                gradient_as_bucket_view=True,
                find_unused_parameters=not all_learn,
            )
