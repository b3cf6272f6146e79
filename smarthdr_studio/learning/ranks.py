"""The processes that train one run together: one alone, or as many as torchrun has started."""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import torch
from torch import Tensor

from smarthdr_studio.core.errors import DeviceError, StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.processes import ALONE, Place, place_of_process
from smarthdr_studio.learning.runtime import pick_device
from smarthdr_studio.learning.wire import Bytes, Wire

Item = TypeVar("Item")
Said = TypeVar("Said")

_SEEN_WITHIN_S: Final = 60.0  # a shared folder may show a new file to other machines this late


class Ranks:
    """Who this process is among its fellows, and what they do together.

    Only the first, `is_first`, writes files and is driven by a person; the others do as it does.
    Whatever all do together is called by all, in the same order. What follows a yield begins with
    `told`, because whoever drives the first may end the run at a yield.
    """

    def __init__(self, place: Place = ALONE, *, wire: Wire | None = None) -> None:
        self.place, self._wire = place, wire

    @classmethod
    def of_environment(cls, device: str) -> "Ranks":
        """The processes torchrun has started, connected; without it, one alone at no cost.

        Raises DeviceError where one of them has no such device or cannot reach the others.
        """
        place = place_of_process()
        if place.size == 1:
            return cls()
        return cls(place, wire=Wire(place, pick_device(device, place=place)))

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

        Raises Dismissed in the others where the first has ended the run.
        """
        return value if self._wire is None else self._wire.told(value)

    def shared(self, value: Said) -> list[Said]:
        """What each says, plain values in the order of their ranks."""
        return [value] if self._wire is None else self._wire.shared(value)

    def summed(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        return values if self._wire is None else self._wire.summed(values)

    def gathered(self, flat: Bytes) -> list[Bytes]:
        """The bytes of each, as many from each, in the order of their ranks; for the first only."""
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
