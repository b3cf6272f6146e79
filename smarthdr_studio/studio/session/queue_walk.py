"""Which scene comes next in a queue, and which of its scenes are still listed."""

from collections.abc import Collection, Sequence


def listed(
    order: Sequence[str], *, waiting: Collection[str], current: str | None
) -> tuple[str, ...]:
    """The order without scenes that are decided; the one on the screen keeps its place."""
    return tuple(name for name in order if name in waiting or name == current)


def neighbour(
    order: Sequence[str], *, waiting: Collection[str], current: str | None, by: int
) -> str | None:
    """The nearest waiting scene before (`by` < 0) or after the current one; None at the end.

    A current scene that is not in the order stands before its first.
    """
    place = order.index(current) if current in order else -1
    rest = reversed(order[: max(place, 0)]) if by < 0 else order[place + 1 :]
    return next((name for name in rest if name in waiting), None)


def first_unseen(
    order: Sequence[str], *, waiting: Collection[str], reviewed: Collection[str]
) -> str | None:
    """Where a walk starts: the first waiting scene that nobody has reviewed."""
    return next((name for name in order if name in waiting and name not in reviewed), None)
