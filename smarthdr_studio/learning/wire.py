"""Messages and sums between the processes of one run, over `torch.distributed`."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed

from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.processes import Place

_FOR_EVER: Final = timedelta(days=30)  # a run may be paused over the holidays
_STOPPED: Final = -1
_LAST_WORD_S: Final = 5.0
# What torch says of a process that is gone depends on who says it.
_LOST_WORDS: Final = ("Connection closed by peer", "Connection reset by peer", "gloo", "NCCL")
_SPINS, _LONGEST_NAP_S = 50, 0.02

Bytes = npt.NDArray[np.uint8]
Found = TypeVar("Found")
Said = TypeVar("Said")


class Dismissed(DeviceError):
    """The first process has ended the run; the others end as well."""

    def __init__(self) -> None:
        super().__init__("The first process has ended the run; see what it said")


class FellowLost(DeviceError):
    """Another process of the run has ended without a word."""

    def __init__(self) -> None:
        super().__init__(
            "Another process of this run has ended or cannot be reached any more; see what it said "
            "last, and resume the run with as many processes as you like"
        )


@contextmanager
def fellows_needed() -> Iterator[None]:
    """For what needs all processes. Raises FellowLost where one of them is gone."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or any(w in str(error) for w in _LOST_WORDS):
            raise FellowLost from error
        raise


class Wire:
    """What connects this process with its fellows; every call is made by all of them alike.

    Messages have a group of their own, on the CPU: whoever waits for one leaves the device alone,
    for as long as a pause takes.
    """

    def __init__(self, place: Place, device: torch.device) -> None:
        self._place, self.device = place, device
        self._owned = not distributed.is_initialized()
        if self._owned:
            backend = "gloo"
            if device.type == "cuda":
                torch.cuda.set_device(device)
                backend = "cpu:gloo,cuda:nccl"
            _reached(lambda: distributed.init_process_group(backend))
        self._messages = _reached(lambda: distributed.new_group(backend="gloo", timeout=_FOR_EVER))

    def told(self, value: Said) -> Said:
        """What the first process says, a plain value; its fellows wait for it.

        Raises Dismissed in the fellows where it ended the run instead.
        """
        said = b"" if self._place.rank else json.dumps(value).encode()
        length = torch.tensor([len(said)])
        self._wait(distributed.broadcast(length, 0, group=self._messages, async_op=True))
        if int(length) == _STOPPED:
            raise Dismissed
        text = _bytes(said) if said else torch.empty(int(length), dtype=torch.uint8)
        self._wait(distributed.broadcast(text, 0, group=self._messages, async_op=True))
        heard: Said = value if said else json.loads(text.numpy().tobytes())
        return heard

    def dismiss(self) -> None:
        """The first process tells its fellows that the run has ended; who is gone need not hear."""
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
        return [json.loads(text.numpy().tobytes()) for text in texts]

    def summed(self, values: Tensor) -> Tensor:
        """The sum over all processes, on the device of `values`."""
        total = values.clone()
        _reached(lambda: distributed.all_reduce(total))
        return total

    def gathered(self, flat: Bytes) -> list[Bytes]:
        """The bytes of each process for the first, as many from each; nothing for the others."""
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

        Raises FellowLost.
        """
        if work is None:
            raise FellowLost
        spins = 0
        while not work.is_completed():
            spins += 1
            time.sleep(0 if spins < _SPINS else min(_LONGEST_NAP_S, 1e-5 * spins))
        _reached(work.wait)


def _reached(call: Callable[[], Found]) -> Found:
    """The answer of a call that needs all processes. Raises FellowLost."""
    try:
        return call()
    except RuntimeError as error:
        raise FellowLost from error


def _bytes(text: bytes) -> Tensor:
    return torch.frombuffer(bytearray(text), dtype=torch.uint8)
