"""A network that predicts whole scenes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.learning.networks import FusionNetwork
from smarthdr_studio.learning.tiling import predict_tiled

Said = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """A network on its device, the frames it reads, and how large its tiles are."""

    network: FusionNetwork
    frames: FrameStore
    device: torch.device
    precision: torch.dtype
    tile: int = 256

    def predict(self, scene: Scene, *, said: Said | None = None) -> tuple[Half, Floats]:
        """H×W×3 linear radiance and H×W σ in μ-law values.

        `said` hears after each tile how many of how many are done; it may raise to give up.
        """
        bracket = self.frames.bracket(scene)
        return predict_tiled(
            self.network,
            bracket.frames,
            stops=bracket.stops,
            device=self.device,
            tile=self.tile,
            # Small tiles cannot overlap by the usual 32 pixels.
            overlap=min(32, self.tile // 3 // 8 * 8),
            precision=self.precision,
            on_tile=said,
        )
