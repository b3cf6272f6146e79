"""The frame around the map of both thresholds."""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Signal, SignalInstance, Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, card
from smarthdr_studio.studio.state import PoolCharts, StudioState

_SHARES: Final = (0.7, 0.8, 0.9)
_KEEP_TIP: Final = (
    "Move both thresholds to the nearest pair on the {share} line of the map. Between the pairs it"
    " was worked out for, the map is read evenly: the share may differ a little"
)


class PoolMap(QWidget):
    """Says which pair of thresholds was picked on the map placed in it."""

    masks_moved = Signal(object)
    masks_settled = Signal(object)
    keep_asked = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._masks = MaskSettings()
        frame, self._column = card(name="Kept share of the pool")
        self._title = ElidedLabel(role="title")
        self._title.tell("Kept of pool")
        self._group = QButtonGroup(self)
        self._keep = {share: button(f"{share:.0%}".replace("%", " %"), tip="") for share in _SHARES}
        self._column.addLayout(self._head())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def place(self, chart: QWidget, *, picked: SignalInstance, released: SignalInstance) -> None:
        """Put the map into the frame and listen to the hand on it."""
        self._column.addWidget(chart, 1)
        picked.connect(self._move)
        released.connect(self._settle)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Know the other settings of the masks, and which shares can be kept at all."""
        self._masks = new.masks
        if old.charts is not new.charts:
            self._offer(new.charts)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self._title, 1)
        for share, each in self._keep.items():
            each.setAccessibleName(f"Keep {each.text()}")
            each.setStyleSheet("QPushButton { padding: 1px 5px; }")
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(each, round(100 * share))
            row.addWidget(each)
        self._group.idClicked.connect(self._ask)
        self._offer(None)
        return row

    def _offer(self, charts: PoolCharts | None) -> None:
        for share, each in self._keep.items():
            words = each.text()
            reachable = charts is not None and _reaches(charts.map, share)
            if charts is None:
                each.setToolTip("Known once pseudo-labels exist")
            elif reachable:
                each.setToolTip(_KEEP_TIP.format(share=words))
            else:
                each.setToolTip(f"No pair of thresholds keeps {words} of this pool")
            each.setEnabled(reachable)

    @Slot(int)
    def _ask(self, percent: int) -> None:
        self.keep_asked.emit(percent / 100)

    @Slot(float, float)
    def _move(self, patch: float, pixel: float) -> None:
        self.masks_moved.emit(replace(self._masks, tau_patch=patch, tau_pixel=pixel))

    @Slot(float, float)
    def _settle(self, patch: float, pixel: float) -> None:
        self.masks_settled.emit(replace(self._masks, tau_patch=patch, tau_pixel=pixel))


def _reaches(shares: npt.NDArray[np.float64], level: float) -> bool:
    return bool(shares.size and shares.min() <= level <= shares.max())
