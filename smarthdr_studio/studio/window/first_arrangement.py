"""What a workspace looks like at first, in a window of each size."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QSize, Qt

from smarthdr_studio.studio.state import Workspace

_LEFT: Final = Qt.DockWidgetArea.LeftDockWidgetArea
_RIGHT: Final = Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM: Final = Qt.DockWidgetArea.BottomDockWidgetArea
_ROOMY: Final = 1600  # pixels across from which the list of scenes stands beside the pictures
_VAST: Final = 2200  # from which a side has room for longer lines and larger charts
_LOW: Final = 800
_LOWEST: Final = 680
_MIDDLING: Final = 840  # from which a column has room for both histograms and the map
_WELL: Final = 960
_HIGH: Final = 1100


@dataclass(frozen=True, slots=True)
class Side:
    """Groups of panels along one side; the panels of a group are tabs, the first in front.

    `extent` is the width of a column or the height of a row, `shares` how its length is divided.
    """

    area: Qt.DockWidgetArea
    extent: int
    groups: tuple[tuple[str, ...], ...]
    shares: tuple[int, ...] = (1,)


def first_arrangement(workspace: Workspace, size: QSize) -> tuple[Side, ...]:
    """What a workspace looks like that nobody has changed, in a window of this size.

    Panels named in no side come when they are asked for: where there is a column at the right
    those that need height there, others at the bottom.
    """
    roomy, low = size.width() >= _ROOMY, size.height() < _LOW
    left, right_column = (300, 420) if size.width() >= _VAST else (262, 322)
    if workspace is Workspace.CURATE:
        wide = size.width() >= 1400
        bottom = Side(_BOTTOM, 236 if low else 300, (("overview", *(() if wide else ("scene",))),))
        right = (Side(_RIGHT, right_column, (("scene", "thresholds", "journal"),)),) if wide else ()
        return (Side(_LEFT, left, (("scenes",),)), *right, bottom)
    if workspace is Workspace.TRAIN:
        wide, high = size.width() >= 1200, size.height() >= _HIGH
        # A list of runs and their charts one under the other need more than a low row has: where
        # there is none, they are asked for and fill the middle.
        below = ("film", *(() if wide else ("diary",)), *(("runs",) if high else ()), "history")
        right = (Side(_RIGHT, right_column + 8, (("diary",),)),) if wide else ()
        return (*right, Side(_BOTTOM, 220 if low else 480 if high else 280, (below,)))
    above = ("thresholds", "evidence", *(() if roomy else ("scenes",)))
    # In a low window the shares below τ are seen, in others the whole map below them.
    tall = size.height()
    shares = (3, 2) if _LOWEST <= tall < _MIDDLING else (3, 1) if _LOWEST < tall < _WELL else (2, 1)
    right_side = Side(_RIGHT, right_column, (above, ("why", "scene")), shares)
    return (Side(_LEFT, left, (("scenes",),)), right_side) if roomy else (right_side,)


def low_row(height: int) -> int:
    """How high a row below is at first that is asked for in a desk of this height."""
    return 230 if height < _LOW else 280
