"""The scene on the screen: its arrays, what is trusted of it, and its pictures."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display import DisplaySettings, Layer, Material, Painted, Painter
from smarthdr_studio.core.masking import MaskSettings, patch_means, trust
from smarthdr_studio.core.retention import Retention
from smarthdr_studio.studio.session.reading import read_pixel
from smarthdr_studio.studio.state import Readout
from smarthdr_studio.studio.threads.scenes import LoadedScene


class Stage:
    """Keeps what the next threshold or exposure can use again."""

    def __init__(self) -> None:
        self.loaded: LoadedScene | None = None
        self._material = Material()
        self._painter = Painter()
        self._means: npt.NDArray[np.float32] | None = None

    @property
    def scene(self) -> str | None:
        """The id of the scene on the screen."""
        return self.loaded.id if self.loaded else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the scene in pixels."""
        return self._material.size

    def show(self, loaded: LoadedScene, *, masks: MaskSettings, pool: Retention | None) -> None:
        """Put a scene on the screen."""
        if self.loaded is None or self.loaded.id != loaded.id:
            self._painter.forget()
        self.loaded, self._means = loaded, None
        label = loaded.label
        self._material = Material(
            bracket=loaded.bracket,
            hdr=label.hdr if label else None,
            sigma=label.sigma if label else None,
            ground_truth=loaded.ground_truth,
            origin=f"round {label.provenance.round}" if label else "",
        )
        self.judge(masks=masks, pool=pool)

    def clear(self) -> None:
        """Nothing is on the screen."""
        self.loaded, self._means, self._material = None, None, Material()
        self._painter.forget()

    def judge(self, *, masks: MaskSettings, pool: Retention | None) -> float | None:
        """Apply thresholds; the share of pixels trusted, if there is a pseudo-label."""
        label = self.loaded.label if self.loaded else None
        if label is None:
            return None
        if self._means is None or self._material.masks.patch_size != masks.patch_size:
            self._means = patch_means(label.sigma, size=masks.patch_size)
        patch_range = pool.patch_range if pool else None
        if pool is None and masks.patches.scope == "pool":
            # Every scene is labelled by now: the range the pseudo-label was made with still holds.
            patch_range = label.provenance.patch_range
        found = trust(
            label.sigma,
            masks,
            patch_range=patch_range,
            pixel_range=pool.pixel_range if pool else None,
            person=label.person,
            means=self._means,
        )
        self._material = replace(self._material, trust=found, masks=masks)
        return float(found.trusted.mean())

    def paint(self, layer: Layer, display: DisplaySettings) -> Painted:
        """The picture of a layer; the very same one as last time if nothing changed."""
        return self._painter.paint(layer, self._material, display)

    def read(self, at: tuple[int, int]) -> Readout:
        """What is known of the pixel at (x, y)."""
        return read_pixel(self._material, self._means, at)
