"""The charts of the window, placed where the panels keep room for them."""

from collections.abc import Iterable

import numpy as np

from smarthdr_studio.studio.panels.reliability import ReliabilityPanel
from smarthdr_studio.studio.panels.training import TrainingPanel
from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.session.progress import Point
from smarthdr_studio.studio.state import PoolCharts, StudioState
from smarthdr_studio.studio.theme import Palette


class Charts:
    """Histograms and map of the pool, curves of the run."""

    def __init__(self, reliability: ReliabilityPanel, training: TrainingPanel) -> None:
        self.patches = ThresholdHistogram("S_pa of the pool's patches", dropped="bad")
        self.pixels = ThresholdHistogram("S_pi of the pool's pixels", dropped="warn")
        self.map = RetentionMap()
        self.curves = {
            "fit": Curve("Fit", tip="Lʳ and Lᵛ of labels (s) and pseudo-labels (u), each step"),
            "likelihood": Curve(
                "Likelihood", tip="Lᵏ of both halves and the whole loss, each step"
            ),
            "psnr": Curve("PSNR-μ", "dB", tip="PSNR-μ of the teacher on labels held back"),
            "kept": Curve("Kept", tip="Trusted share of the pool, of pixels and of patches"),
            "sigma": Curve("Mean σ", tip="Mean uncertainty of the pool, each round"),
        }
        reliability.patches.place_histogram(self.patches)
        reliability.pixels.place_histogram(self.pixels)
        reliability.patches.listen_to(self.patches.tau_dragged, self.patches.tau_released)
        reliability.pixels.listen_to(self.pixels.tau_dragged, self.pixels.tau_released)
        for curve in self.curves.values():
            several_lines = curve in (self.curves["likelihood"], self.curves["kept"])
            training.place_curve(curve, width=4 if several_lines else 3)

    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show thresholds and the pool."""
        self.patches.set_tau(new.masks.tau_patch)
        self.pixels.set_tau(new.masks.tau_pixel)
        self.map.set_taus(new.masks.tau_patch, new.masks.tau_pixel)
        if old.charts is not new.charts:
            self._show_pool(new.charts)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for histogram in (self.patches, self.pixels):
            histogram.set_palette_colours(palette)
        self.map.set_palette_colours(palette)
        for curve in self.curves.values():
            curve.set_palette_colours(palette)

    def take_points(self, points: Iterable[Point]) -> None:
        """Append to the curves."""
        for point in points:
            self.curves[point.chart].add(point.line, point.x, point.y)

    def clear_curves(self) -> None:
        """Another run begins."""
        for curve in self.curves.values():
            curve.clear()

    def _show_pool(self, pool: PoolCharts | None) -> None:
        nothing = np.zeros(1, np.int64)
        for chart, counts in (
            (self.patches, pool.patches if pool else nothing),
            (self.pixels, pool.pixels if pool else nothing),
        ):
            chart.set_counts(np.linspace(0, 1, len(counts) + 1), counts)
        # The pool tells τ_pa down and τ_pi across; the map wants τ_pa across.
        self.map.set_shares(pool.map.T if pool else None)
