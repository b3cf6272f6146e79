"""The page of an open project: scenes, pictures, reliability, training, side by side."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from smarthdr_studio.core.presets import presets
from smarthdr_studio.studio.canvas.grid import ViewGrid
from smarthdr_studio.studio.main_window.charts import Charts
from smarthdr_studio.studio.panels.display_strip import DisplayStrip
from smarthdr_studio.studio.panels.inspector import Inspector
from smarthdr_studio.studio.panels.pool_map import PoolMap
from smarthdr_studio.studio.panels.reliability import ReliabilityPanel
from smarthdr_studio.studio.panels.scene_list import SceneList
from smarthdr_studio.studio.panels.training import TrainingPanel
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.theme import Palette


class StudioPage(QWidget):
    """Pictures in the middle; everything else can be hidden to see nothing but them."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.scenes = SceneList(palette)
        self.display, self.views = DisplayStrip(), ViewGrid()
        self.reliability, self.pool_map, self.inspector = ReliabilityPanel(), PoolMap(), Inspector()
        self.training = TrainingPanel(presets())
        self.charts = Charts(self.reliability, self.training)
        self.pool_map.place(
            self.charts.map, picked=self.charts.map.picked, released=self.charts.map.released
        )
        self._right = self._right_side()
        self._lay_out()
        self.dress(palette)

    def listen_to(self, session: Session) -> None:
        """State and pictures come down."""
        for panel in (
            self.scenes,
            self.display,
            self.reliability,
            self.pool_map,
            self.inspector,
            self.training,
            self.charts,
        ):
            session.changed.connect(panel.show_state)
        session.screen.painted.connect(self.views.show_painted)
        session.screen.sized.connect(self.views.set_scene_size)
        session.screen.thumbnail_made.connect(self.scenes.take_thumbnail)
        session.training.points_came.connect(self.charts.take_points)
        session.training.curves_cleared.connect(self.charts.clear_curves)
        session.training.devices_found.connect(self.training.show_devices)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        self.scenes.scene_picked.connect(session.screen.pick)
        self.scenes.thumbnails_wanted.connect(session.screen.want_thumbnails)
        self.display.display_picked.connect(session.screen.set_display)
        self.display.fit_asked.connect(self.views.fit)
        self.display.one_to_one_asked.connect(self.views.one_to_one)
        self.views.hovered.connect(session.screen.hover)
        self.views.layer_picked.connect(session.screen.set_layer)
        for panel in (self.reliability, self.pool_map):
            panel.masks_moved.connect(session.screen.move_masks)
            panel.masks_settled.connect(session.settle_masks)
        self.training.pause_asked.connect(session.training.pause_or_go_on)
        self.training.stop_asked.connect(session.training.stop)
        self.training.devices_wanted.connect(session.training.want_devices)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self.scenes.dress(palette)
        self.views.set_palette_colours(palette)
        self.charts.dress(palette)

    def toggle_sides(self) -> None:
        """Hide everything but the pictures, or bring it back."""
        shown = not self.scenes.isVisible()
        for side in (self.scenes, self._right, self.training):
            side.setVisible(shown)

    def toggle_inspector(self) -> None:
        """Show or hide why a pixel is not trusted."""
        self.inspector.setVisible(not self.inspector.isVisible())

    def _right_side(self) -> QWidget:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.reliability, 3)
        column.addWidget(self.pool_map, 3)
        column.addWidget(self.inspector)
        return right

    def _lay_out(self) -> None:
        pictures = QWidget()
        upper = QVBoxLayout(pictures)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(6)
        upper.addWidget(self.display)
        upper.addWidget(self.views, 1)
        middle = _splitter(Qt.Orientation.Vertical, (pictures, self.training), (520, 216))
        sides = (self.scenes, middle, self._right)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 0)
        row.addWidget(_splitter(Qt.Orientation.Horizontal, sides, (244, 760, 320)))


def _splitter(
    orientation: Qt.Orientation, parts: tuple[QWidget, ...], sizes: tuple[int, ...]
) -> QSplitter:
    """Parts whose first and last keep their size while the pictures grow."""
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(8)
    for part in parts:
        splitter.addWidget(part)
    splitter.setSizes(sizes)
    pictures = 0 if orientation is Qt.Orientation.Vertical else 1
    for place in range(len(parts)):
        splitter.setStretchFactor(place, 1 if place == pictures else 0)
    return splitter
