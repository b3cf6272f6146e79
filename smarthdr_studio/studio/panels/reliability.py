"""How much to believe: both thresholds, and what they keep of the scene and of the pool."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.masking import Level, MaskSettings
from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.panels.level_choice import range_words, same_scores
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, card, percent
from smarthdr_studio.studio.panels.threshold import ThresholdControl
from smarthdr_studio.studio.state import StudioState

_PAPER = MaskSettings()
_SCOPES = {
    "pool": "Both histograms count the scores of all unlabelled scenes",
    "scene": "Both histograms count the scores of the scene on the screen",
    "region": "Both histograms count the scores inside the region",
}


class ReliabilityPanel(QWidget):
    """Two thresholds; says which ones the person picked."""

    masks_moved = Signal(object)
    masks_settled = Signal(object)
    scope_picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._masks = MaskSettings()
        self.patches = ThresholdControl(
            symbol="τ_pa",
            what="patches",
            score="S_pa",
            tip="Patches of 64×64 whose score S_pa is above this are not trusted",
        )
        self.pixels = ThresholdControl(
            symbol="τ_pi",
            what="pixels",
            score="S_pi",
            tip="Pixels inside kept patches whose score S_pi is above this are not trusted",
        )
        self._title = ElidedLabel(role="title")
        self._title.tell("Scores")
        self._scope = Choice(_SCOPES, name="Scores of")
        self._reset = button("Reset", tip=f"Back to the paper's: {in_words(_PAPER)}", role="link")
        self._reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
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
        self.patches.show_level(new.masks.patches)
        self.pixels.show_level(new.masks.pixels)
        self._reset.setEnabled(not _like_paper(new.masks))
        self._show_scope(new)
        self._scene.setText(percent(new.retained))
        if old.pool is not new.pool:
            self._show_pool(new)

    def _show_scope(self, new: StudioState) -> None:
        self._scope.show_word(new.scope)
        self._scope.offer(
            "region", refusal="" if new.region else "Mark a region in a picture first"
        )
        counted = new.charts.scope if new.charts else new.scope
        self.patches.show_scope(counted)
        self.pixels.show_scope(counted)

    def _show_pool(self, new: StudioState) -> None:
        pool = new.pool
        self._pool.setText(percent(pool.retained if pool else None))
        self._pool_patches.setText(percent(pool.patches_retained if pool else None))
        self._pool_name.setText(f"pool of {pool.scenes}" if pool else "pool")

    def _lay_out(self) -> None:
        frame, column = card(name="Reliability", margin=8)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title, 1)
        head.addWidget(self._scope)
        head.addWidget(self._reset)
        column.addLayout(head)
        column.addWidget(self.patches, 1)
        column.addWidget(self.pixels, 1)
        column.addLayout(self._tiles())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def _tiles(self) -> QGridLayout:
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
        return tiles

    def _connect(self) -> None:
        self.patches.moved.connect(self._move_patches)
        self.patches.settled.connect(self._settle_patches)
        self.pixels.moved.connect(self._move_pixels)
        self.pixels.settled.connect(self._settle_pixels)
        self.patches.level_picked.connect(self._make_patches)
        self.pixels.level_picked.connect(self._make_pixels)
        self._scope.picked.connect(self.scope_picked)
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

    @Slot(object)
    def _make_patches(self, level: Level) -> None:
        self.masks_settled.emit(replace(self._masks, patches=level))

    @Slot(object)
    def _make_pixels(self, level: Level) -> None:
        self.masks_settled.emit(replace(self._masks, pixels=level))

    @Slot()
    def _back_to_paper(self) -> None:
        self.masks_settled.emit(replace(_PAPER, patch_size=self._masks.patch_size))


def in_words(masks: MaskSettings) -> str:
    """Both thresholds and how their scores are made."""
    return (
        f"τ_pa {masks.tau_patch:.2f}, {range_words(masks.patches)} over the {masks.patches.scope};"
        f" τ_pi {masks.tau_pixel:.2f}, {range_words(masks.pixels)} over the {masks.pixels.scope}"
    )


def _like_paper(masks: MaskSettings) -> bool:
    return (
        (masks.tau_patch, masks.tau_pixel) == (_PAPER.tau_patch, _PAPER.tau_pixel)
        and same_scores(masks.patches, _PAPER.patches)
        and same_scores(masks.pixels, _PAPER.pixels)
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
