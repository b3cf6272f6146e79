"""The frame around the map of both thresholds."""

from dataclasses import replace

from PySide6.QtCore import Signal, SignalInstance, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.studio.panels.parts import caption, card
from smarthdr_studio.studio.state import StudioState


class PoolMap(QWidget):
    """Says which pair of thresholds was picked on the map placed in it."""

    masks_moved = Signal(object)
    masks_settled = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._masks = MaskSettings()
        frame, self._column = card(name="Kept share of the pool")
        head = QHBoxLayout()
        head.addWidget(caption("Kept of the pool", role="title"))
        head.addStretch(1)
        head.addWidget(caption("τ_pa →  τ_pi ↑", role="muted"))
        self._column.addLayout(head)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def place(self, chart: QWidget, *, picked: SignalInstance, released: SignalInstance) -> None:
        """Put the map into the frame and listen to the hand on it."""
        self._column.addWidget(chart, 1)
        picked.connect(self._move)
        released.connect(self._settle)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Know the other settings of the masks."""
        self._masks = new.masks

    @Slot(float, float)
    def _move(self, patch: float, pixel: float) -> None:
        self.masks_moved.emit(replace(self._masks, tau_patch=patch, tau_pixel=pixel))

    @Slot(float, float)
    def _settle(self, patch: float, pixel: float) -> None:
        self.masks_settled.emit(replace(self._masks, tau_patch=patch, tau_pixel=pixel))
