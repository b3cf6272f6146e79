"""A hand moves a threshold, or the exposure, over four panels of 1500×1000; offscreen."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtWidgets import QApplication
from table import Row, row, show, timed

from smarthdr_studio.core.display import DisplaySettings, Layer, Material, Painter
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.trust.masking import MaskSettings, patch_means, trust
from smarthdr_studio.studio.viewer.view_grid import ViewGrid

HEIGHT, WIDTH = 1000, 1500
PANELS = (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.PIXEL_MASK)
FRAMES = (Layer.UNDER, Layer.REFERENCE, Layer.OVER, Layer.PSEUDO_LABEL)


class Bench:
    """A scene, a painter, and four views of about 600×400 each."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        noise = rng.random((HEIGHT, WIDTH, 3), np.float32)
        self.hdr = cv2.GaussianBlur(noise, (0, 0), 4).astype(np.float16)
        blobs = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)).astype(np.float32), (0, 0), 20)
        self.sigma = np.exp(blobs * 25 - 4).astype(np.float32)
        self.means = patch_means(self.sigma)
        frame = (noise * 65535).astype(np.uint16)
        self.bracket = Bracket(frame, frame.copy(), frame.copy(), (0.0, 2.0, 4.0))
        self.masks, self.trust = MaskSettings(), trust(self.sigma, MaskSettings(), means=self.means)
        self.painter, self.grid = Painter(), ViewGrid()
        self.grid.resize(1250, 880)
        self.grid.set_scene_size(WIDTH, HEIGHT)
        self.grid.show()
        QApplication.processEvents()

    def paint(self, masks: MaskSettings, settings: DisplaySettings, panels=PANELS) -> None:
        """What happens between the hand and the screen, until Qt has painted."""
        if masks != self.masks:
            self.masks, self.trust = masks, trust(self.sigma, masks, means=self.means)
        material = Material(
            bracket=self.bracket,
            hdr=self.hdr,
            sigma=self.sigma,
            trust=self.trust,
            masks=masks,
        )
        for index, layer in enumerate(panels):
            self.grid.show_painted(index, self.painter.paint(layer, material, settings))
        QApplication.processEvents()

    def move_threshold(self, k: int) -> None:
        """Another τ_pa each time."""
        self.paint(MaskSettings(tau_patch=0.1 + (k % 80) * 0.01), DisplaySettings())

    def move_exposure(self, k: int) -> None:
        """Another exposure each time."""
        self.paint(MaskSettings(), DisplaySettings(exposure_ev=-4 + (k % 80) * 0.1))

    def expose_frames(self, k: int) -> None:
        """Three frames and the pseudo-label, none of which can be kept."""
        self.paint(MaskSettings(), DisplaySettings(exposure_ev=-4 + (k % 80) * 0.1), FRAMES)

    def next_scene(self, _k: int) -> None:
        """A cached scene comes up: nothing of the last one can be kept."""
        self.painter.forget()
        self.sigma, self.hdr = self.sigma.copy(), self.hdr.copy()
        self.paint(MaskSettings(), DisplaySettings())

    def pan(self, k: int) -> None:
        """All four pictures move and are scaled again."""
        self.grid.fit()
        for _ in range(k % 7):
            self.grid.nudge(0.005, 0.003)
        QApplication.processEvents()


def main() -> list[Row]:
    """One row per movement of the hand."""
    application = QApplication.instance() or QApplication([])
    bench = Bench()
    size = f"{WIDTH}×{HEIGHT}"
    work = (
        (f"threshold moved → four panels of {size}", bench.move_threshold, "12 / 20 ms", "9 / 12"),
        ("exposure moved → four panels", bench.move_exposure, "12 ms", "8 ms"),
        ("exposure moved → frames and label", bench.expose_frames, "12 ms", "8 ms"),
        ("next scene, cached → four panels", bench.next_scene, "30 ms", "15 ms"),
        ("pan → four panels", bench.pan, "–", "–"),
    )
    rows = [
        row(what, timed(move, times=100, warm_up=5), unit="ms", reach=reach, stretch=stretch)
        for what, move, reach, stretch in work
    ]
    bench.grid.close()
    application.processEvents()
    return rows


if __name__ == "__main__":
    show(main())
