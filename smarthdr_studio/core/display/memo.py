"""Values kept with what they were made from, made again only when that changed."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Made = TypeVar("Made")


class Memo:
    """The last value under each name; arrays are the same when they are the same object."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[object, ...], Any]] = {}

    def once(self, name: str, causes: tuple[object, ...], make: Callable[[], Made]) -> Made:
        """What was made last time from the very same causes, or else made now and kept."""
        kept = self._kept.get(name)
        if kept is not None and all(map(_same, kept[0], causes)):
            found: Made = kept[1]
            return found
        made = make()
        self._kept[name] = (causes, made)
        return made

    def last(self, name: str) -> object:
        """What was made last under this name, whatever it was made from; None at first."""
        kept = self._kept.get(name)
        return None if kept is None else kept[1]

    def forget(self) -> None:
        """Give everything back."""
        self._kept.clear()


def _same(before: object, now: object) -> bool:
    if before is now:
        return True
    return not isinstance(before, np.ndarray) and not isinstance(now, np.ndarray) and before == now
