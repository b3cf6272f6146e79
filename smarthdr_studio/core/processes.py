"""Which process of a run this one is, as `torchrun` says it in the environment."""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

# What torchrun sets, all of it or nothing; a lone RANK is somebody else's.
_NEEDED: Final = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


class Place(NamedTuple):
    """Who a process is among those that train one run together."""

    rank: int = 0
    """Its number among all of them, from 0 on."""
    size: int = 1
    """How many there are on all machines."""
    local_rank: int = 0
    """Its number on this machine, from 0 on."""


ALONE: Final = Place()


def place_of_process(environment: Mapping[str, str] = os.environ) -> Place:
    """The place of this process; alone where it was not started by torchrun."""
    if not all(environment.get(name) for name in _NEEDED):
        return ALONE
    rank, size, local_rank = (environment[name] for name in _NEEDED[:3])
    if not (rank.isdecimal() and size.isdecimal() and local_rank.isdecimal()):
        return ALONE
    return Place(rank=int(rank), size=int(size), local_rank=int(local_rank))


def is_first_process() -> bool:
    """Whether this process is alone or the first: the one that talks to a person and writes."""
    return place_of_process().rank == 0
