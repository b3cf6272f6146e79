"""A scene of 8000×6000 is panned and zoomed in four views; offscreen."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtWidgets import QApplication
from table import Row, row, show, timed

from smarthdr_studio.core.display import DisplaySettings, Layer, Material, Painter
from smarthdr_studio.core.trust.masking import MaskSettings, patch_means, trust
from smarthdr_studio.studio.viewer.view_grid import ViewGrid

HEIGHT, WIDTH = 6000, 8000
PANELS = (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.PIXEL_MASK)


class LargeScene:
    """Four views of about 600×400 on one very large scene."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        coarse = rng.random((60, 80, 3), np.float32)
        self.hdr = cv2.resize(coarse, (WIDTH, HEIGHT)).astype(np.float16)
        self.sigma = np.exp(cv2.resize(rng.normal(-4, 1, (60, 80)), (WIDTH, HEIGHT))).astype(
            np.float32
        )
        self.means = patch_means(self.sigma)
        self.painter, self.grid = Painter(), ViewGrid()
        self.grid.resize(1250, 880)
        self.grid.set_scene_size(WIDTH, HEIGHT)
        self.grid.show()
        self.repaint(0)

    def repaint(self, k: int) -> None:
        """Another threshold, and all four pictures anew."""
        masks = MaskSettings(tau_patch=0.3 + (k % 10) * 0.02)
        material = Material(
            hdr=self.hdr,
            sigma=self.sigma,
            trust=trust(self.sigma, masks, means=self.means),
            masks=masks,
        )
        for index, layer in enumerate(PANELS):
            self.grid.show_painted(index, self.painter.paint(layer, material, DisplaySettings()))
        QApplication.processEvents()

    def pan(self, k: int) -> None:
        """All four pictures move by a few pixels."""
        self.grid.nudge(0.02 if k % 40 < 20 else -0.02, 0.01 if k % 20 < 10 else -0.01)
        QApplication.processEvents()

    def zoom(self, k: int) -> None:
        """All four pictures come closer, or go away again."""
        if k % 24 < 12:
            self.grid.zoom_in()
        else:
            self.grid.zoom_out()
        QApplication.processEvents()


def main() -> list[Row]:
    """Milliseconds per movement; 33 are 30 movements a second."""
    application = QApplication.instance() or QApplication([])
    scene, size = LargeScene(), f"{WIDTH}×{HEIGHT}"
    rows = [
        row(f"pan {size}, fitted", timed(scene.pan, times=60), unit="ms", reach="33", stretch="–"),
        row(f"zoom {size}", timed(scene.zoom, times=72), unit="ms", reach="33", stretch="–"),
    ]
    scene.grid.one_to_one()
    rows += [
        row(f"pan {size}, 1:1", timed(scene.pan, times=60), unit="ms", reach="33", stretch="–"),
        row(
            f"threshold moved → four panels of {size}",
            timed(scene.repaint, times=5),
            unit="ms",
            reach="–",
            stretch="–",
        ),
    ]
    scene.grid.close()
    application.processEvents()
    return rows


if __name__ == "__main__":
    show(main())
