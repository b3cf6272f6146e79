"""Where the square crops that training draws from a scene begin."""

import numpy as np


def grid(length: int, *, crop: int, stride: int) -> list[int]:
    """Where crops begin along one side: evenly from border to border, about `stride` apart.

    As many as fit at that stride (22×14 = 308 in 1500×1000 at 128/64), and never so few that
    pixels between two crops are left out. `length` is at least one crop.
    """
    count = max((length - crop) // stride + 1, -(-length // crop))
    return [int(start) for start in np.linspace(0, length - crop, count).round()]
