"""The charts of the window, placed where the panels keep room for them."""

import numpy as np
import numpy.typing as npt

from smarthdr_studio.studio.plots.calibration import Calibration
from smarthdr_studio.studio.plots.heat_strip import HeatStrip
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.plots.sparsification import Sparsification
from smarthdr_studio.studio.state import PoolCharts, StudioState
from smarthdr_studio.studio.theme import Palette


class Charts:
    """Histograms and map of the pool, evidence and rounds."""

    def __init__(self) -> None:
        self.patches = ThresholdHistogram("S_pa of the pool's patches", dropped="bad")
        self.pixels = ThresholdHistogram("S_pi of the pool's pixels", dropped="warn")
        self.map = RetentionMap()
        self.sparsification, self.calibration = Sparsification(), Calibration()
        self.heat = HeatStrip()

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
        self.patches.set_palette_colours(palette)
        self.pixels.set_palette_colours(palette)
        self.map.set_palette_colours(palette)
        self.sparsification.set_palette_colours(palette)
        self.calibration.set_palette_colours(palette)
        self.heat.set_palette_colours(palette)

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
