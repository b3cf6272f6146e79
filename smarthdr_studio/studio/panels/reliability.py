"""How much to believe: both thresholds, and what they keep of the scene and of the pool."""

from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.studio.panels.parts import button, caption, card, percent
from smarthdr_studio.studio.panels.threshold import ThresholdControl
from smarthdr_studio.studio.state import StudioState

_PAPER = MaskSettings()


class ReliabilityPanel(QWidget):
    """Two thresholds; says which ones the person picked."""

    masks_moved = Signal(object)
    masks_settled = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._masks = MaskSettings()
        self.patches = ThresholdControl(
            symbol="τ_pa",
            what="patches",
            tip="Patches of 64×64 whose score S_pa is above this are not trusted",
        )
        self.pixels = ThresholdControl(
            symbol="τ_pi",
            what="pixels",
            tip="Pixels inside kept patches whose score S_pi is above this are not trusted",
        )
        self._reset = button(
            "Reset", tip="Back to the paper's thresholds, 0.40 and 0.40", role="link"
        )
        self._scene, self._pool, self._pool_patches = (QLabel("–") for _ in range(3))
        self._pool_name = caption("pool", role="muted")
        self._lay_out()
        self._connect()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show thresholds and shares."""
        self._masks = new.masks
        self.patches.show_value(new.masks.tau_patch)
        self.pixels.show_value(new.masks.tau_pixel)
        at_paper = (new.masks.tau_patch, new.masks.tau_pixel) == (
            _PAPER.tau_patch,
            _PAPER.tau_pixel,
        )
        self._reset.setEnabled(not at_paper)
        self._scene.setText(percent(new.retained))
        if old.pool is not new.pool:
            self._show_pool(new)

    def _show_pool(self, new: StudioState) -> None:
        pool = new.pool
        self._pool.setText(percent(pool.retained if pool else None))
        self._pool_patches.setText(percent(pool.patches_retained if pool else None))
        self._pool_name.setText(f"pool of {pool.scenes}" if pool else "pool")

    def _lay_out(self) -> None:
        frame, column = card(name="Reliability")
        head = QHBoxLayout()
        head.addWidget(caption("Reliability", role="title"))
        head.addStretch(1)
        head.addWidget(self._reset)
        column.addLayout(head)
        column.addWidget(self.patches, 1)
        column.addWidget(self.pixels, 1)
        tiles = QGridLayout()
        tiles.setSpacing(6)
        names = (caption("scene", role="muted"), self._pool_name, caption("patches", role="muted"))
        figures = (self._scene, self._pool, self._pool_patches)
        tips = (
            "Share of this scene's pixels that are trusted",
            "Share of the pixels of all unlabelled scenes that are trusted",
            "Share of the patches of all unlabelled scenes that are kept",
        )
        for place, (name, figure, tip) in enumerate(zip(names, figures, tips, strict=True)):
            tiles.addWidget(_tile(name, figure, tip=tip), 0, place)
            tiles.setColumnStretch(place, 1)
        column.addLayout(tiles)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def _connect(self) -> None:
        self.patches.moved.connect(self._move_patches)
        self.patches.settled.connect(self._settle_patches)
        self.pixels.moved.connect(self._move_pixels)
        self.pixels.settled.connect(self._settle_pixels)
        self._reset.clicked.connect(self._back_to_paper)

    @Slot(float)
    def _move_patches(self, tau: float) -> None:
        self.masks_moved.emit(replace(self._masks, tau_patch=tau))

    @Slot(float)
    def _settle_patches(self, tau: float) -> None:
        self.masks_settled.emit(replace(self._masks, tau_patch=tau))

    @Slot(float)
    def _move_pixels(self, tau: float) -> None:
        self.masks_moved.emit(replace(self._masks, tau_pixel=tau))

    @Slot(float)
    def _settle_pixels(self, tau: float) -> None:
        self.masks_settled.emit(replace(self._masks, tau_pixel=tau))

    @Slot()
    def _back_to_paper(self) -> None:
        self.masks_settled.emit(
            replace(self._masks, tau_patch=_PAPER.tau_patch, tau_pixel=_PAPER.tau_pixel)
        )


def _tile(name: QLabel, figure: QLabel, *, tip: str) -> QFrame:
    tile = QFrame()
    tile.setObjectName("tile")
    tile.setToolTip(tip)
    figure.setProperty("role", "figure")
    figure.setAccessibleDescription(tip)
    column = QVBoxLayout(tile)
    column.setContentsMargins(8, 4, 8, 4)
    column.setSpacing(0)
    column.addWidget(name)
    column.addWidget(figure)
    return tile
