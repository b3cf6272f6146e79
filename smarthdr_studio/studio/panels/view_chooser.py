"""How many views there are and how they stand, picked by little pictures."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.widgets.icons import IconButton, grid_icon


@dataclass(frozen=True, slots=True)
class Layout:
    """A grid of views; `action` is its line in the table of actions."""

    columns: int
    count: int
    action: str


LAYOUTS: Final = (
    Layout(1, 1, "grid_1"),
    Layout(2, 2, "grid_2"),
    Layout(1, 2, "grid_stacked"),
    Layout(3, 3, "grid_3"),
    Layout(2, 4, "grid_4"),
    Layout(3, 5, "grid_5"),
    Layout(3, 6, "grid_6"),
)


class ViewChooser(IconButton):
    """Shows the grid in use; opens the others and says which was picked, columns and views."""

    grid_picked = Signal(int, int)

    def __init__(self) -> None:
        tip = "How many views, and how they stand (Ctrl+1 to Ctrl+6)"
        super().__init__(grid_icon(2, 4), name="Grid of views", tip=tip, opens=True)
        self._shown = (2, 4)
        self._menu, self._group = QMenu(self), QActionGroup(self)
        for layout in LAYOUTS:
            line = by_id(layout.action)
            key = f"\t{line.keys[0]}" if line.keys else ""
            action = QAction(line.title + key, self._group)
            action.setData(layout)
            action.setCheckable(True)
            action.setToolTip(line.tip)
            self._menu.addAction(action)
        self._menu.setToolTipsVisible(True)
        self._menu.setAccessibleName("Grids of views")
        self.clicked.connect(self.open)
        self._group.triggered.connect(self._picked)

    def show_grid(self, columns: int, count: int) -> None:
        """Show the grid in use."""
        if (columns, count) != self._shown:
            self._shown = (columns, count)
            self.show_icon(grid_icon(columns, count))

    @Slot()
    def open(self) -> None:
        """Offer the grids, drawn in the colours of now."""
        for action in self._group.actions():
            layout: Layout = action.data()
            shown = (layout.columns, layout.count) == self._shown
            little = grid_icon(layout.columns, layout.count, filled=shown)
            action.setIcon(little.for_menu(self))
            action.setChecked(shown)
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _picked(self, action: QAction) -> None:
        layout: Layout = action.data()
        self.grid_picked.emit(layout.columns, layout.count)
