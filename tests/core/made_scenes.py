"""Scenes of noise with all that a view can show, for tests of the painter."""

import numpy as np

from smarthdr_studio.core.display import DisplaySettings, Material
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.trust.masking import MaskSettings, trust

SETTINGS = DisplaySettings()
SIZE = 140, 200  # rows of patches 64, 64, 12 and columns 64, 64, 64, 8


def light(seed, shape=SIZE):
    rng = np.random.default_rng(seed)
    return np.exp(rng.uniform(-8, 0, (*shape, 3))).astype(np.float16)


def a_scene(shape=SIZE, masks=None, **changes):
    rng = np.random.default_rng(1)
    sigma = changes.pop("sigma", rng.gamma(1.5, 0.02, shape).astype(np.float32))
    masks = masks or MaskSettings(tau_patch=0.5, tau_pixel=0.3)
    person = changes.get("person")
    frames = [rng.integers(0, 65536, (*shape, 3)).astype(np.uint16) for _ in range(3)]
    return Material(
        bracket=Bracket(*frames, (0.0, 2.0, 4.0)),
        hdr=light(1, shape),
        sigma=sigma,
        trust=trust(sigma, masks, person=person),
        masks=masks,
        ground_truth=light(2, shape),
        origin="round 3",
        **changes,
    )
