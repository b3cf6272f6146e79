"""The right side of the page: what is trusted, why not, and whether σ is any good."""

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget

from smarthdr_studio.studio.curation.scene_card import SceneCard
from smarthdr_studio.studio.plots.chart import Chart
from smarthdr_studio.studio.plots.heat_strip import HeatStripChart
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.plots.uncertainty import Calibration, Sparsification
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import PoolCharts, StudioState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.trust.evidence_panel import EvidencePanel
from smarthdr_studio.studio.trust.inspector import Inspector, RegionTable, WhyLine
from smarthdr_studio.studio.trust.reliability_panel import ReliabilityPanel
from smarthdr_studio.studio.trust.threshold_proposals import ThresholdProposals
from smarthdr_studio.studio.trust.thresholds import PoolMap, Snapshots, WhatIfPanel
from smarthdr_studio.studio.widgets.controls import Scrolled
from smarthdr_studio.studio.window.chart_export import ChartExport


class Charts:
    """Histograms and map of the pool, evidence and rounds."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"masks", "charts", "pool", "snapshots", "evidence", "heat", "history", "replay", "current"}
    )

    def __init__(self) -> None:
        self.patches = ThresholdHistogram("S_pa of the pool's patches", dropped="bad")
        self.pixels = ThresholdHistogram("S_pi of the pool's pixels", dropped="warn")
        self.map = RetentionMap()
        self.sparsification, self.calibration = Sparsification(), Calibration()
        self.heat = HeatStripChart()

    @property
    def all(self) -> tuple[Chart, ...]:
        """Every one of them."""
        evidence = self.sparsification, self.calibration
        return self.patches, self.pixels, self.map, *evidence, self.heat

    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show thresholds, the pool, the evidence and the rounds."""
        self.patches.set_tau(new.masks.tau_patch)
        self.pixels.set_tau(new.masks.tau_pixel)
        self.map.set_taus(new.masks.tau_patch, new.masks.tau_pixel, kept=_kept(new))
        if old.charts is not new.charts:
            self._show_pool(new.charts)
        if _map(old) is not _map(new):
            # The pool tells τ_pa down and τ_pi across; the map wants τ_pa across.
            shares = _map(new)
            self.map.set_shares(None if shares is None else shares.T)
        if old.snapshots != new.snapshots:
            self.map.set_marks(
                tuple((s.name, s.masks.tau_patch, s.masks.tau_pixel) for s in new.snapshots)
            )
        self.sparsification.set_evidence(new.evidence.shown)
        self.sparsification.set_point(new.evidence.point)
        self.calibration.set_evidence(new.evidence.shown)
        self.heat.show_state(old, new)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for chart in self.all:
            chart.set_palette_colours(palette)

    def _show_pool(self, pool: PoolCharts | None) -> None:
        nothing = np.zeros(1, np.int64)
        whose = pool.scope if pool else "pool"
        for chart, counts, name in (
            (self.patches, pool.patches if pool else nothing, f"S_pa of the {whose}'s patches"),
            (self.pixels, pool.pixels if pool else nothing, f"S_pi of the {whose}'s pixels"),
        ):
            chart.set_counts(np.linspace(0, 1, len(counts) + 1), counts)
            chart.set_name(name)


def _map(state: StudioState) -> npt.NDArray[np.float64] | None:
    return state.charts.map if state.charts is not None else None


def _kept(state: StudioState) -> float | None:
    return state.pool.retained if state.pool is not None else None


_NARROWEST: Final = 318


class TrustSide(QObject):
    """Four panels; the sentence that says why stands under the thresholds while no other tells."""

    def __init__(self, charts: Charts, parent: QObject) -> None:
        super().__init__(parent)
        self.reliability, self.pool_map = ReliabilityPanel(), PoolMap()
        self.snapshots, self.what_if = Snapshots(), WhatIfPanel()
        self.proposals = ThresholdProposals()
        self.inspector, self.region, self.why = Inspector(), RegionTable(), WhyLine()
        self.evidence, self.scene = EvidencePanel(), SceneCard()
        self._charts = charts
        self._place_charts()
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
        session.show_in(self.reliability, self.pool_map, self.snapshots, self.what_if)
        session.show_in(self.proposals)
        session.show_in(self.inspector, self.region, self.why, self.evidence, self.scene)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        inspection, curating = session.inspection, session.curating
        self.exporting = ChartExport(session, self._charts.all, self)
        session.leaving.connect(self.scene.save)
        for panel in (self.reliability, self.pool_map):
            panel.masks_moved.connect(inspection.screen.move_masks)
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
