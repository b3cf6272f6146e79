"""The page of an open project: scenes, pictures, reliability, training, side by side."""

from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Any, ClassVar, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.display import Painted
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.training.presets import presets
from smarthdr_studio.studio.curation.brush import BrushBar
from smarthdr_studio.studio.curation.journal_panel import JournalPanel
from smarthdr_studio.studio.curation.scene_card import SceneCard
from smarthdr_studio.studio.curation.scene_list import SceneList
from smarthdr_studio.studio.curation.scene_model import SceneShelf
from smarthdr_studio.studio.project.store import Panel, WhileSeen
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.session.inspection import Inspection
from smarthdr_studio.studio.state import Centre, StudioState, Workspace
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.training.training_panel import TrainingPanel
from smarthdr_studio.studio.trust.evidence_panel import EvidencePanel
from smarthdr_studio.studio.trust.history import HistoryPanel
from smarthdr_studio.studio.trust.inspector import Inspector, RegionTable, WhyLine
from smarthdr_studio.studio.trust.threshold_proposals import ThresholdProposals
from smarthdr_studio.studio.trust.thresholds_panel import ThresholdsPanel
from smarthdr_studio.studio.trust.what_if import PoolMap, Snapshots, WhatIfPanel
from smarthdr_studio.studio.viewer.display_strip import DisplayStrip
from smarthdr_studio.studio.viewer.view_grid import ViewGrid
from smarthdr_studio.studio.widgets.controls import Scrolled
from smarthdr_studio.studio.window.charts import ChartExport, Charts
from smarthdr_studio.studio.window.desk import Desk
from smarthdr_studio.studio.window.run_pages import RunPages
from smarthdr_studio.studio.window.scene_pages import CentrePages

_GUESTS = {"overview": (Centre.TABLE, Centre.GALLERY), "runs": (Centre.RUNS,)}
_WATCHED = {"film": "Film", "diary": "Diary"}
_NARROWEST: Final = 318


class StudioPage(QWidget):
    """Pictures in the middle; everything else can be hidden to see nothing but them."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {
            *("centre", "workspace", "folder", "columns", "views", "active"),
            *("tool", "brush", "region"),
        }
    )

    export_asked = Signal(str)
    rearranged = Signal(object)
    panel_seen = Signal(str, bool)
    home_asked = Signal()  # what the workspace has in the middle at first

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.shelf = SceneShelf(self)
        self.scenes = SceneList(palette, self.shelf)
        self.display, self.brush, self.views = DisplayStrip(), BrushBar(), ViewGrid()
        self.charts = Charts()
        self.trust_side = TrustSide(self.charts, self)
        self.training, self.history = TrainingPanel(presets()), HistoryPanel()
        self.journal = JournalPanel()
        self.run_pages = RunPages(palette)
        self.training.place_board(self.run_pages)
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
        self.run_pages.listen_to(session)
        session.training.devices_found.connect(self.training.show_devices)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        self._tell_of_scenes(session)
        self.rearranged.connect(session.take_panes)
        self._tell_of_display(session)
        self._tell_of_views(session)
        self._tell_of_brush(session)
        self.trust_side.tell(session)
        self.run_pages.tell(session)
        self.history.round_picked.connect(session.inspection.history.pick)
        self.history.scene_picked.connect(session.screen.pick)
        self.history.kind_picked.connect(session.inspection.history.set_kind)
        self.journal.chosen.connect(session.files.journal.choose)
        self.journal.moment_asked.connect(session.files.journal.go_back_to)
        self.journal.seen.connect(session.files.journal.watch)
        self.journal.scene_picked.connect(session.screen.pick)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Arrange panels and views; runs that fill the middle have all the room there is."""
        if old.workspace is not new.workspace and new.folder is not None:
            self.turn_to(new.workspace)
        if Centre.RUNS in (old.centre, new.centre) and not self.desk.has("runs"):
            self.desk.clear("runs", cleared=new.centre is Centre.RUNS)
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
        self.run_pages.dress(palette)

    def save_notes(self) -> None:
        """Keep what is being written about scenes and runs."""
        self.trust_side.scene.save()
        self.browsing.save_notes()

    def turn_to(self, workspace: Workspace) -> None:
        """Panels as they stand in this workspace, and in the middle what it is about."""
        train = workspace is Workspace.TRAIN
        if train:
            self.desk.dock("training").hide()
        self.browsing.set_home(self.training if train else self.browsing.pictures)
        if not train:
            self.desk.dock("training").hold(self.training)
        self.desk.dock("training").toggleViewAction().setVisible(not train)
        self.desk.turn_to(workspace)
        if train:
            self.desk.put_away("training")
        self.take_keyboard()

    @Slot()
    def take_keyboard(self) -> None:
        """Keys go where none of them presses anything: to the list, or to the middle."""
        if self.scenes.isVisible():
            self.scenes.take_keyboard()
        else:
            self.browsing.setFocus(Qt.FocusReason.OtherFocusReason)

    def toggle_sides(self) -> None:
        """Hide everything but the pictures, or bring it back."""
        self.desk.toggle()

    def focus(self, *, alone: bool) -> None:
        """Show the pictures alone, or everything again."""
        self.display.setVisible(not alone)
        self.desk.clear("alone", cleared=alone)

    def toggle_inspector(self) -> None:
        """Show why a pixel is not trusted, or no longer."""
        if self.desk.in_front("why"):
            self.desk.put_away("why")
        else:
            self.desk.bring("why")

    def go_to_tab(self, name: str) -> None:
        """Bring a panel to the front, wherever it is."""
        if self.training_in_middle and name == "training":
            self.home_asked.emit()
        else:
            self.desk.bring(name)

    @property
    def training_in_middle(self) -> bool:
        """Whether the run fills the middle, where pictures are otherwise."""
        return self.browsing.home is self.training

    @property
    def panes(self) -> dict[str, Any]:
        """Choices that belong to the project, as plain values."""
        return {
            "hidden columns": self.browsing.table.hidden_columns,
            "watching": self.run_pages.arrangement,
        }

    def arrange(self, panes: Mapping[str, Any]) -> None:
        """As it was; what is missing or odd is as a new project has it."""
        try:
            self._arrange(panes)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            self._arrange({})

    def _arrange(self, panes: Mapping[str, Any]) -> None:
        self.browsing.table.hide_columns(map(str, panes.get("hidden columns", ())))
        self.run_pages.arrange(panes.get("watching", {}))

    @Slot()
    def _settle(self) -> None:
        """A panel that is shown holds what is else at home in another one."""
        desk, browsing = self.desk, self.browsing
        for name, centres in _GUESTS.items():
            if desk.has(name):
                browsing.lend(centres)
        if desk.has("overview"):
            desk.dock("overview").hold(browsing.scenes)
        else:
            browsing.take_home(browsing.scenes, _GUESTS["overview"])
        if not desk.has("runs"):
            browsing.take_home(browsing.runs, _GUESTS["runs"])
        for name, view in _WATCHED.items():
            if desk.has(name):
                desk.dock(name).hold(self.run_pages.pages[view])
            else:
                self.run_pages.take_home(view)
        self.run_pages.show_rail(visible=not all(map(desk.has, _WATCHED)))

    @Slot(str, bool)
    def _seen(self, name: str, seen: object) -> None:
        self.trust_side.see(name, seen=bool(seen))
        if name == "why":
            self.trust_side.why.setVisible(not seen)
        elif name == "runs" and seen:
            self.desk.dock("runs").hold(self.browsing.runs_page())
        self.panel_seen.emit(name, bool(seen))

    @Slot(str)
    def _bring_view(self, view: str) -> None:
        self.desk.bring(next(name for name, word in _WATCHED.items() if word == view))

    def _tell_of_scenes(self, session: Session) -> None:
        table = session.inspection.table
        self.shelf.scene_picked.connect(session.screen.pick)
        self.shelf.thumbnails_wanted.connect(session.screen.want_thumbnails)
        self.shelf.selection_changed.connect(self.trust_side.scene.show_selection)
        self.scenes.query_typed.connect(table.ask)
        self.scenes.centre_picked.connect(table.show)
        self.scenes.worst_wanted.connect(session.inspection.thresholds.least_trusted)
        self.browsing.tell(session)
        self.home_asked.connect(partial(table.show, str(Centre.PICTURES)))
        self.panel_seen.connect(partial(_look, session.inspection))

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
        self.browsing = CentrePages(pictures, self.shelf, palette)
        self.desk = Desk(self.browsing)
        for name, title, panel in (
            ("scenes", "Scenes", self.scenes),
            ("thresholds", "Thresholds", self.trust_side.panels["thresholds"]),
            ("why", "Why?", self.trust_side.panels["why"]),
            ("evidence", "Evidence", self.trust_side.panels["evidence"]),
            ("scene", "Scene", self.trust_side.panels["scene"]),
            ("training", "Training", self.training),
            ("history", "History", self.history),
            ("journal", "Journal", self.journal),
            ("film", "Film strip", None),
            ("diary", "Diary", None),
            ("overview", "Table and gallery", None),
            ("runs", "Runs", None),
        ):
            self.desk.add(name, title, panel)
        self.desk.changed.connect(self._settle)
        self.desk.seen.connect(self._seen)
        self.desk.reset_asked.connect(self.desk.reset)
        self.browsing.panel_wanted.connect(self.desk.bring)
        self.run_pages.view_elsewhere_asked.connect(self._bring_view)
        for moved in (self.browsing.rearranged, self.run_pages.rearranged):
            moved.connect(self._rearrange)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 0)
        row.addWidget(self.desk)


def _look(inspection: Inspection, name: str, seen: object) -> None:
    """What costs something is found out only while somebody looks."""
    if name == "evidence":
        inspection.look_at_evidence(seen=bool(seen))
    elif name == "overview":
        inspection.look_at_overview(seen=bool(seen))


class TrustSide(QObject):
    """Four panels; the sentence that says why stands under the thresholds while no other tells."""

    def __init__(self, charts: Charts, parent: QObject) -> None:
        super().__init__(parent)
        self.reliability, self.pool_map = ThresholdsPanel(), PoolMap()
        self.snapshots, self.what_if = Snapshots(), WhatIfPanel()
        self.proposals = ThresholdProposals()
        self.inspector, self.region, self.why = Inspector(), RegionTable(), WhyLine()
        self.evidence, self.scene = EvidencePanel(), SceneCard()
        self._charts = charts
        self._place_charts()
        shares: tuple[Panel, ...] = self.reliability, self.pool_map, self.snapshots
        self._seen = {
            "thresholds": tuple(map(WhileSeen, (*shares, self.what_if, self.proposals))),
            "evidence": (WhileSeen(self.evidence),),
        }
        scores, pairs = (
            (self.reliability, self.pool_map),
            (self.snapshots, self.what_if),
        )
        thresholds = _wide(Scrolled(_column(growing=scores, fixed=pairs)), below=self.why)
        why = _wide(Scrolled(_column(growing=(self.inspector,), fixed=(self.region,))))
        self.panels: Mapping[str, QWidget] = {
            "thresholds": thresholds,
            "why": why,
            "evidence": _wide(Scrolled(self.evidence)),
            "scene": _wide(Scrolled(self.scene)),
        }

    def listen_to(self, session: Session) -> None:
        """State comes down."""
        for panel in chain(*self._seen.values()):
            session.watch(panel.parts, panel.show_state)
        session.show_in(self.inspector, self.region, self.why, self.scene)

    def see(self, name: str, *, seen: bool) -> None:
        """Whether somebody can see the dock of this name; what changes often is shown only then."""
        for panel in self._seen.get(name, ()):
            panel.see(seen=seen)
        if seen and name == "scene":
            self.scene.come_out()

    def tell(self, session: Session) -> None:
        """Intents go up."""
        inspection, curating = session.inspection, session.curating
        self.exporting = ChartExport(session, self._charts.all, self)
        session.leaving.connect(self.scene.save)
        for panel in (self.reliability, self.pool_map):
            panel.masks_moved.connect(inspection.screen.follow_masks)
            panel.masks_settled.connect(curating.settle_masks)
        self.reliability.scope_picked.connect(inspection.set_scope)
        self.pool_map.keep_asked.connect(self._charts.map.keep)
        self.proposals.asked.connect(inspection.propose_thresholds)
        self.proposals.applied.connect(inspection.proposals.apply)
        self.proposals.dismissed.connect(inspection.proposals.dismiss)
        self.snapshots.snapshot_asked.connect(inspection.thresholds.keep_snapshot)
        self.snapshots.snapshot_picked.connect(curating.settle_masks)
        self.snapshots.snapshot_dropped.connect(inspection.thresholds.drop_snapshot)
        self.region.region_cleared.connect(inspection.inspector.unmark)
        self.evidence.scope_picked.connect(inspection.evidence.set_scope)
        self.evidence.part_picked.connect(inspection.evidence.set_part)
        self.evidence.measure_asked.connect(inspection.measure)
        self.evidence.cancel_asked.connect(inspection.evidence.cancel)
        self._charts.sparsification.drop_dragged.connect(inspection.thresholds.drop_moved)
        self._charts.sparsification.drop_released.connect(inspection.thresholds.drop_settled)
        self._charts.sparsification.drop_taken_back.connect(inspection.thresholds.drop_taken_back)
        self.scene.note_written.connect(curating.write_note)
        self.scene.tags_changed.connect(curating.change_tags)

    def _place_charts(self) -> None:
        charts = self._charts
        self.reliability.patches.place_histogram(charts.patches)
        self.reliability.pixels.place_histogram(charts.pixels)
        self.reliability.patches.listen_to(charts.patches.tau_dragged, charts.patches.tau_released)
        self.reliability.pixels.listen_to(charts.pixels.tau_dragged, charts.pixels.tau_released)
        self.pool_map.place(charts.map, picked=charts.map.picked, released=charts.map.released)
        self.reliability.place_below(self.proposals)
        self.evidence.place_charts(charts.sparsification, charts.calibration)


def _wide(panel: QWidget, *, below: QWidget | None = None) -> QWidget:
    """A panel that is never too narrow for its words, and what stays in sight under it."""
    whole = QWidget()
    whole.setMinimumWidth(_NARROWEST)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    column.addWidget(panel, 1)
    if below is not None:
        column.addWidget(below)
    return whole


def _column(*, growing: tuple[QWidget, ...], fixed: tuple[QWidget, ...]) -> QWidget:
    """Parts one under the other; free height goes to the first ones."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for part in growing:
        column.addWidget(part, 1)
    for part in fixed:
        column.addWidget(part)
    return whole
