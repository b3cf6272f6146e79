"""Which kind of place a scene shows."""

from collections.abc import Callable
from typing import Final

import numpy as np

from smarthdr_studio.core.sample.arcade import arcade
from smarthdr_studio.core.sample.forest import forest
from smarthdr_studio.core.sample.room import room
from smarthdr_studio.core.sample.sheets import View
from smarthdr_studio.core.sample.stage import MARGIN, OVERSAMPLING, Stage
from smarthdr_studio.core.sample.street import street
from smarthdr_studio.core.sample.valley import valley

_Build = Callable[..., Stage]

# Scene k is of family k mod 5: every five neighbours, and the labelled ones, show all of them.
_FAMILIES: Final[tuple[_Build, ...]] = (valley, street, room, forest, arcade)


def built(rng: np.random.Generator, *, index: int, height: int, width: int) -> Stage:
    """The stage of the scene at a position, for frames of that size in pixels."""
    tall = OVERSAMPLING * (height + 2 * MARGIN)
    wide = OVERSAMPLING * (width + 2 * MARGIN)
    view = View(
        height=tall,
        width=wide,
        focal=max(wide, 1.2 * tall) * float(rng.uniform(0.80, 0.95)),
        horizon=tall * float(rng.uniform(0.44, 0.54)),
    )
    turn, family = divmod(index, len(_FAMILIES))
    return _FAMILIES[family](rng, view=view, turn=turn)
