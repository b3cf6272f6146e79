"""What a person paints with, and the mask it leaves."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Brush = npt.NDArray[np.int8]

_SIGNS = {"trust": 1, "distrust": -1, "erase": 0}


class Ink(StrEnum):
    """What a stroke does to the pixels it covers."""

    TRUST = "trust"
    DISTRUST = "distrust"
    ERASE = "erase"

    @property
    def sign(self) -> int:
        """What a covered pixel becomes: 1 forced trust, −1 forced distrust, 0 neither."""
        return _SIGNS[self.value]
