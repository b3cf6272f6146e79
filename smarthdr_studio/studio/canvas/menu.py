"""The menu of a view: every layer in groups, what to compare it with, and the zebra."""

from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from smarthdr_studio.core.display import Layer
from smarthdr_studio.studio.theme import Palette

GROUPS: Final[tuple[tuple[str, tuple[Layer, ...]], ...]] = (
    (
        "Pictures",
        (
            Layer.PSEUDO_LABEL,
            Layer.STUDENT,
            Layer.PROMOTED,
            Layer.GROUND_TRUTH,
            Layer.MERGE,
        ),
    ),
    ("Frames", (Layer.UNDER, Layer.REFERENCE, Layer.OVER)),
    ("Uncertainty", (Layer.UNCERTAINTY, Layer.PATCH_SCORE, Layer.PIXEL_SCORE)),
    (
        "Masks",
        (
            Layer.PATCH_MASK,
            Layer.PIXEL_MASK,
            Layer.TRUSTED,
            Layer.PERSON_MASK,
            Layer.COMBINED_MASK,
        ),
    ),
    ("Judging", (Layer.ERROR, Layer.REASONS)),
    ("Rounds", (Layer.FLIPS, Layer.OTHER_ROUND, Layer.OTHER_SIGMA)),
)
_KEYS: Final = 9
_NUMBERS = {layer: number for number, layer in enumerate(Layer, 1) if number <= _KEYS}
# Denser than other menus: with all its layers it has to fit a screen of 720 lines.
_DENSE: Final = """
QMenu::item { padding: 1px 24px 1px 12px; }
QMenu::separator { margin: 2px 8px; }
QMenu::item:disabled { font-weight: 600; color: %s; }
"""


class LayerMenu(QMenu):
    """Says which layer was picked, which one to compare with, or that the zebra is wanted."""

    layer_picked = Signal(str)
    partner_picked = Signal(str)
    zebra_asked = Signal()

    def __init__(self, parent: QWidget, *, number: int) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Layers of view {number}")
        self._layers = _fill(self, keys=True)
        self._partners = QMenu("Compare with", self)
        self._partners.setToolTip("Hold this view against another layer: wipe, or hold Shift")
        self._partners.setAccessibleName(f"Layers to compare view {number} with")
        _fill(self._partners, keys=False).triggered.connect(self._pick_partner)
        self._layers.triggered.connect(self._pick_layer)
        self.addSeparator()
        self.addMenu(self._partners)
        zebra = self.addAction("Zebra\tZ")
        zebra.setToolTip("Stripe highlights and shadows that are clipped, in this view")
        zebra.triggered.connect(self._ask_zebra)
        for menu in (self, self._partners):
            menu.setToolTipsVisible(True)

    def set_palette_colours(self, palette: Palette) -> None:
        """Names of groups are quiet."""
        for menu in (self, self._partners):
            menu.setStyleSheet(_DENSE % palette.muted)

    def check(self, title: str) -> None:
        """Tick the layer that is shown; none when it is no layer of its own."""
        for action in self._layers.actions():
            action.setChecked(action.data() == title)

    @Slot(QAction)
    def _pick_layer(self, action: QAction) -> None:
        self.layer_picked.emit(action.data())

    @Slot(QAction)
    def _pick_partner(self, action: QAction) -> None:
        self.partner_picked.emit(action.data())

    @Slot()
    def _ask_zebra(self) -> None:
        self.zebra_asked.emit()


def _fill(menu: QMenu, *, keys: bool) -> QActionGroup:
    """Every layer under the name of its group."""
    group = QActionGroup(menu)
    group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
    for name, layers in GROUPS:
        menu.addAction(name).setEnabled(False)
        for layer in layers:
            action = QAction(layer.value, group)
            if keys and layer in _NUMBERS:
                action.setText(f"{layer.value}\t{_NUMBERS[layer]}")
            action.setData(layer.value)
            action.setCheckable(keys)
            action.setToolTip(layer.tip)
            menu.addAction(action)
    return group
