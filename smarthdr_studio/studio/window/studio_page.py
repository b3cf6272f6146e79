"""The page of an open project: scenes, pictures, reliability, training, side by side."""

from typing import Any, ClassVar

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from smarthdr_studio.core.display import Painted
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.training.presets import presets
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.curation.brush import BrushBar
from smarthdr_studio.studio.curation.journal_panel import JournalPanel
from smarthdr_studio.studio.curation.scene_list import SceneList
from smarthdr_studio.studio.curation.scene_model import SceneShelf
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Centre, StudioState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.training.training_panel import TrainingPanel
from smarthdr_studio.studio.trust.history import HistoryPanel
from smarthdr_studio.studio.viewer.display_strip import DisplayStrip
from smarthdr_studio.studio.viewer.view_grid import ViewGrid
from smarthdr_studio.studio.widgets.controls import button
from smarthdr_studio.studio.widgets.tabs import Tabs
from smarthdr_studio.studio.window.run_pages import Watching
from smarthdr_studio.studio.window.scene_pages import CentrePages
from smarthdr_studio.studio.window.trust_side import Charts, TrustSide

_ACROSS, _DOWN = (254, 750, 320), (476, 274)
_LOW, _DOWN_IF_LOW = 800, (486, 230)  # pictures come first where there is little height


class StudioPage(QWidget):
    """Pictures in the middle; everything else can be hidden to see nothing but them."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"centre", "columns", "views", "active", "tool", "brush", "region"}
    )

    export_asked = Signal(str)
    rearranged = Signal(object)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.shelf = SceneShelf(self)
        self.scenes = SceneList(palette, self.shelf)
        self.display, self.brush, self.views = DisplayStrip(), BrushBar(), ViewGrid()
        self.charts = Charts()
        self.trust_side = TrustSide(self.charts)
        self.training, self.history = TrainingPanel(presets()), HistoryPanel()
        self.journal = JournalPanel()
        self.bottom = Tabs("Training, history and journal")
        self.watching = Watching(palette)
        self.training.place_board(self.watching)
        heat = self.charts.heat
        self.history.place(heat, rounds=heat.round_picked, scenes=heat.scene_picked)
        self._lay_out(palette)
        self.dress(palette)

    def listen_to(self, session: Session) -> None:
        """State and pictures come down."""
        session.show_in(self.shelf, self.scenes, self.display, self.display.sheet, self.brush)
        session.show_in(self.training, self.history, self.journal, self.charts, self)
        self.trust_side.listen_to(session)
        session.screen.painted.connect(self.views.show_painted)
        session.screen.refused.connect(self.views.refuse_layers)
        session.screen.partnered.connect(self._show_partner)
        session.screen.sized.connect(self.views.set_scene_size)
        session.screen.thumbnail_made.connect(self.shelf.take_thumbnail)
        self.browsing.listen_to(session)
        session.inspection.look_wanted.connect(self._look_at)
        self.watching.listen_to(session)
        session.training.devices_found.connect(self.training.show_devices)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        self._tell_of_scenes(session)
        self.rearranged.connect(session.take_panes)
        self._tell_of_display(session)
        self._tell_of_views(session)
        self._tell_of_brush(session)
        self.trust_side.tell(session)
        self.watching.tell(session)
        self.history.round_picked.connect(session.inspection.history.pick)
        self.history.scene_picked.connect(session.screen.pick)
        self.history.kind_picked.connect(session.inspection.history.set_kind)
        self.journal.chosen.connect(session.files.journal.choose)
        self.journal.moment_asked.connect(session.files.journal.go_back_to)
        self.journal.seen.connect(session.files.journal.watch)
        self.journal.scene_picked.connect(session.screen.pick)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Arrange the views, and make room for many scenes where there is little height."""
        if old.centre is not new.centre and self.scenes.isVisible():
            roomy = self.window().height() >= _LOW or new.centre is Centre.PICTURES
            self.bottom.setVisible(roomy)
            self.trust_side.setVisible(new.centre is not Centre.RUNS)
        if (old.columns, len(old.views)) != (new.columns, len(new.views)):
            self.views.set_grid(columns=new.columns, count=len(new.views))
        self.views.set_active(new.active)
        self.views.set_tool(str(new.tool), new.brush)
        self.views.set_region(new.region)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self.scenes.dress(palette)
        self.browsing.dress(palette)
        self.views.set_palette_colours(palette)
        self.charts.dress(palette)
        self.watching.dress(palette)

    def save_notes(self) -> None:
        """Keep what is being written about scenes and runs."""
        self.trust_side.scene.save()
        self.browsing.save_notes()

    def toggle_sides(self) -> None:
        """Hide everything but the pictures, or bring it back."""
        shown = not self.scenes.isVisible()
        for side in (self.scenes, self.trust_side, self.bottom):
            side.setVisible(shown)

    def toggle_inspector(self) -> None:
        """Show why a pixel is not trusted, or the thresholds again."""
        tabs = self.trust_side.tabs
        tabs.go("thresholds" if tabs.current == "why" else "why")

    def go_to_tab(self, name: str) -> None:
        """Bring a panel to the front, on whichever side it is."""
        if self.bottom.has(name):
            self.bottom.show()
        for tabs in (self.trust_side.tabs, self.bottom):
            tabs.go(name)

    @property
    def panes(self) -> dict[str, Any]:
        """Sizes and tabs, as plain values."""
        return {
            "across": self._across.sizes(),
            "down": self._down.sizes(),
            "tabs": [self.trust_side.tabs.current, self.bottom.current],
            "hidden columns": self.browsing.table.hidden_columns,
            "watching": self.watching.arrangement,
        }

    def arrange(self, panes: dict[str, Any]) -> None:
        """Sizes and tabs as they were; what is missing stays as a new project has it."""
        down = _DOWN if self.window().height() >= _LOW else _DOWN_IF_LOW
        for splitter, name, first in (
            (self._across, "across", _ACROSS),
            (self._down, "down", down),
        ):
            sizes = [int(size) for size in panes.get(name, first)]
            splitter.setSizes(sizes if len(sizes) == len(first) and all(sizes) else list(first))
        for name in panes.get("tabs", ("thresholds", "training")):
            self.go_to_tab(str(name))
        self.browsing.table.hide_columns(map(str, panes.get("hidden columns", ())))
        self.watching.arrange(panes.get("watching", {}))

    def _tell_of_scenes(self, session: Session) -> None:
        table = session.inspection.table
        self.shelf.scene_picked.connect(session.screen.pick)
        self.shelf.thumbnails_wanted.connect(session.screen.want_thumbnails)
        self.shelf.selection_changed.connect(self.trust_side.scene.show_selection)
        self.scenes.query_typed.connect(table.ask)
        self.scenes.centre_picked.connect(table.show)
        self.scenes.worst_wanted.connect(session.inspection.thresholds.least_trusted)
        self.browsing.tell(session)

    def _tell_of_display(self, session: Session) -> None:
        viewing, strip = session.inspection.viewing, self.display
        strip.display_picked.connect(viewing.set_display)
        strip.exposure_picked.connect(viewing.set_exposure)
        strip.link_asked.connect(viewing.link_exposure)
        strip.tool_picked.connect(viewing.set_tool)
        strip.grid_picked.connect(viewing.set_grid)
        strip.compare_picked.connect(viewing.set_compare)
        strip.gain_picked.connect(viewing.set_gain)
        strip.zebra_picked.connect(viewing.set_active_zebra)
        strip.budget_picked.connect(session.set_budget)
        strip.export_asked.connect(self.export_asked)
        strip.fit_asked.connect(self.views.fit)
        strip.one_to_one_asked.connect(self.views.one_to_one)

    def _tell_of_views(self, session: Session) -> None:
        inspection, views = session.inspection, self.views
        views.hovered.connect(inspection.inspector.hover)
        views.layer_picked.connect(inspection.viewing.set_layer)
        views.activated.connect(inspection.viewing.activate)
        views.partner_picked.connect(inspection.viewing.set_partner)
        views.flicker_held.connect(inspection.viewing.flicker)
        views.zebra_asked.connect(inspection.viewing.toggle_zebra)
        views.region_drawn.connect(inspection.inspector.mark)

    def _tell_of_brush(self, session: Session) -> None:
        painting, brushing, bar = session.inspection.painting, self.views.brushing, self.brush
        brushing.stroke_moved.connect(painting.stroke_moved)
        brushing.stroke_ended.connect(painting.stroke_ended)
        brushing.stroke_cancelled.connect(painting.stroke_cancelled)
        brushing.radius_nudged.connect(painting.nudge_radius)
        bar.ink_picked.connect(painting.set_ink)
        bar.shape_picked.connect(painting.set_shape)
        bar.radius_picked.connect(painting.set_radius)
        bar.hardness_picked.connect(painting.set_hardness)
        bar.region_asked.connect(painting.paint_region)
        bar.clear_asked.connect(painting.clear)

    @Slot()
    def _rearrange(self) -> None:
        self.rearranged.emit(self.panes)

    @Slot(int, object, str)
    def _show_partner(self, view: int, painted: Painted | None, mode: str) -> None:
        self.views.show_partner(view, painted, mode=mode)

    @Slot(object)
    def _look_at(self, region: Region) -> None:
        self.views.look_at(region)

    def _lay_out(self, palette: Palette) -> None:
        pictures = QWidget()
        upper = QVBoxLayout(pictures)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(6)
        upper.addWidget(self.display)
        upper.addWidget(self.brush)
        upper.addWidget(self.views, 1)
        self.bottom.add("training", "Training", self.training, tip="The run and its curves (F5)")
        self.bottom.add("history", "History", self.history, tip="Every round of the run (F6)")
        self.bottom.add("journal", "Journal", self.journal, tip="Every decision (F10)")
        self.all_runs = button("All runs", tip=by_id("show_runs").tip_with_key, role="link")
        self.all_runs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.bottom.add_corner(self.all_runs)
        self.browsing = CentrePages(pictures, self.shelf, palette)
        self._down = _splitter(Qt.Orientation.Vertical, (self.browsing, self.bottom), _DOWN)
        sides = (self.scenes, self._down, self.trust_side)
        self._across = _splitter(Qt.Orientation.Horizontal, sides, _ACROSS)
        for moved in (
            self._down.splitterMoved,
            self._across.splitterMoved,
            self.trust_side.tabs.turned,
            self.bottom.turned,
            self.browsing.rearranged,
            self.watching.rearranged,
        ):
            moved.connect(self._rearrange)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 0)
        row.addWidget(self._across)


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
