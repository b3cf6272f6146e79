"""Two scenes side by side: two views each, one zoom for all, and both rows of figures below."""

from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.display import Painted
from smarthdr_studio.studio.canvas.grid import ViewGrid
from smarthdr_studio.studio.panels.pair_head import PairHead
from smarthdr_studio.studio.panels.pair_table import PairTable
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import Palette

_VIEWS: Final = 2


class PairPage(QWidget):
    """The current scene on the left, the other one on the right."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.grids = (ViewGrid(count=_VIEWS), ViewGrid(count=_VIEWS))
        self.heads = (PairHead(other=False), PairHead(other=True))
        self.table = PairTable()
        self._sizes = [(1, 1), (1, 1)]
        self._following = False
        row = QHBoxLayout()
        row.setSpacing(8)
        for side, (head, grid) in enumerate(zip(self.heads, self.grids, strict=True)):
            grid.set_grid(columns=1, count=_VIEWS)
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(head)
            column.addWidget(grid, 1)
            row.addLayout(column, 1)
            self._link(side, grid)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(row, 1)
        whole.addWidget(self.table)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.dress(palette)

    def listen_to(self, session: Session) -> None:
        """State and pictures come down."""
        session.changed.connect(self.show_state)
        session.inspection.pair.painted.connect(self._show_painted)
        session.inspection.pair.sized.connect(self._set_size)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        pair = session.inspection.pair
        for side, (head, grid) in enumerate(zip(self.heads, self.grids, strict=True)):
            head.scene_picked.connect(pair.pick if side else session.screen.pick)
            head.swap_asked.connect(pair.swap)
            grid.layer_picked.connect(pair.set_layer)
            for place in range(_VIEWS):
                grid.view(place).pointed.connect(partial(pair.activate, side))
                grid.view(place).picture.pointed.connect(partial(pair.activate, side))
        pair.refresh()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show which scenes these are, and how they compare."""
        if not self.isVisible() and old.centre is new.centre:
            return
        rows = new.row(new.current), new.row(new.pair)
        for side, (head, row) in enumerate(zip(self.heads, rows, strict=True)):
            head.show_scene(row, new.scenes, active=new.beside.side == side)
        for side, grid in enumerate(self.grids):
            grid.set_active(0 if new.beside.side == side else _VIEWS)
        self.table.show_pair(*rows)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for grid in self.grids:
            grid.set_palette_colours(palette)

    def fit(self) -> None:
        """Both scenes whole."""
        for grid in self.grids:
            grid.fit()

    def one_to_one(self) -> None:
        """One screen pixel per image pixel."""
        self.grids[0].one_to_one()

    def zoom_in(self) -> None:
        """Closer, both."""
        self.grids[0].zoom_in()

    def zoom_out(self) -> None:
        """Further away, both."""
        self.grids[0].zoom_out()

    def _link(self, side: int, grid: ViewGrid) -> None:
        grid.zoomed.connect(partial(self._follow, side))

    def _follow(self, side: int, _scale: float) -> None:
        """The other scene is shown at the same place of its own size."""
        if self._following:
            return
        lens, mine, other = self.grids[side].lens, self._sizes[side], self._sizes[1 - side]
        across, down = other[0] / mine[0], other[1] / mine[1]
        self._following = True
        scale = lens.scale / max(across, down)
        self.grids[1 - side].take_lens(
            replace(lens, x=lens.x * across, y=lens.y * down, scale=scale)
        )
        self._following = False

    @Slot(int, int, object)
    def _show_painted(self, side: int, place: int, painted: Painted) -> None:
        self.grids[side].show_painted(place, painted)

    @Slot(int, int, int)
    def _set_size(self, side: int, width: int, height: int) -> None:
        self._sizes[side] = (width, height)
        self.grids[side].set_scene_size(width, height)
