"""The right side of the page: how much to believe, why not, and whether σ is any good."""

from typing import Final

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from smarthdr_studio.studio.main_window.charts import Charts
from smarthdr_studio.studio.main_window.scrolled import Scrolled
from smarthdr_studio.studio.main_window.tabs import Tabs
from smarthdr_studio.studio.panels.evidence import EvidencePanel
from smarthdr_studio.studio.panels.inspector import Inspector, WhyLine
from smarthdr_studio.studio.panels.pool_map import PoolMap
from smarthdr_studio.studio.panels.region_table import RegionTable
from smarthdr_studio.studio.panels.reliability import ReliabilityPanel
from smarthdr_studio.studio.panels.scene_card import SceneCard
from smarthdr_studio.studio.panels.snapshots import Snapshots
from smarthdr_studio.studio.panels.what_if import WhatIfPanel
from smarthdr_studio.studio.session import Session

_NARROWEST: Final = 318


class JudgingSide(QWidget):
    """Four tabs; the sentence that says why stays in sight under those that do not tell it."""

    def __init__(self, charts: Charts) -> None:
        super().__init__()
        self.reliability, self.pool_map = ReliabilityPanel(), PoolMap()
        self.snapshots, self.what_if = Snapshots(), WhatIfPanel()
        self.inspector, self.region, self.why = Inspector(), RegionTable(), WhyLine()
        self.evidence, self.scene = EvidencePanel(), SceneCard()
        self.tabs = Tabs("How much to believe")
        self._charts = charts
        self._place_charts()
        self._lay_out()

    def listen_to(self, session: Session) -> None:
        """State comes down."""
        for panel in (
            self.reliability,
            self.pool_map,
            self.snapshots,
            self.what_if,
            self.inspector,
            self.region,
            self.why,
            self.evidence,
            self.scene,
        ):
            session.changed.connect(panel.show_state)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        inspection, curating = session.inspection, session.curating
        session.leaving.connect(self.scene.save)
        for panel in (self.reliability, self.pool_map):
            panel.masks_moved.connect(inspection.screen.move_masks)
            panel.masks_settled.connect(curating.settle_masks)
        self.reliability.scope_picked.connect(inspection.set_scope)
        self.pool_map.keep_asked.connect(self._charts.map.keep)
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
        self.tabs.turned.connect(inspection.turned)
        self.scene.note_written.connect(curating.write_note)
        self.scene.tags_changed.connect(curating.change_tags)

    @Slot(str)
    def _turned(self, tab: str) -> None:
        self.why.setVisible(tab != "why")

    def _place_charts(self) -> None:
        charts = self._charts
        self.reliability.patches.place_histogram(charts.patches)
        self.reliability.pixels.place_histogram(charts.pixels)
        self.reliability.patches.listen_to(charts.patches.tau_dragged, charts.patches.tau_released)
        self.reliability.pixels.listen_to(charts.pixels.tau_dragged, charts.pixels.tau_released)
        self.pool_map.place(charts.map, picked=charts.map.picked, released=charts.map.released)
        self.evidence.place_charts(charts.sparsification, charts.calibration)

    def _lay_out(self) -> None:
        scores, pairs = (self.reliability, self.pool_map), (self.snapshots, self.what_if)
        thresholds = _column(growing=scores, fixed=pairs)
        why = _column(growing=(self.inspector,), fixed=(self.region,))
        self.tabs.add("thresholds", "Thresholds", Scrolled(thresholds), tip="Which pixels (F2)")
        self.tabs.add("why", "Why?", Scrolled(why), tip="Why a pixel is not trusted (F3)")
        self.tabs.add("evidence", "Evidence", Scrolled(self.evidence), tip="Is σ any good? (F4)")
        self.tabs.add("scene", "Scene", Scrolled(self.scene), tip="Note, tags, history (F9)")
        self.tabs.turned.connect(self._turned)
        self.setMinimumWidth(_NARROWEST)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.why)


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
