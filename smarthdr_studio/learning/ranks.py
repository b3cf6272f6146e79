"""The processes that train one run together: one alone, or as many as torchrun has started."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Ranks:
    """Who this process is among its fellows.

    Only the first, `is_first`, writes files and is driven by a person; the others do as it does.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def share_of(self, items: Sequence[Item]) -> Sequence[Item]:
        """This process's part of some work; all parts together are the whole."""
        return items[self.rank :: self.size]
