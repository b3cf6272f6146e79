"""A network that predicts whole scenes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.learning.arithmetic import Arithmetic
from smarthdr_studio.learning.networks import FusionNetwork
from smarthdr_studio.learning.ranks import Ranks
from smarthdr_studio.learning.tiling import predict_tiled
from smarthdr_studio.learning.wire import Bytes

Said = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """A network on its device, the frames it reads, how large its tiles are, and who helps."""

    network: FusionNetwork
    frames: FrameStore
    device: torch.device
    precision: torch.dtype
    tile: int = 256
    ranks: Ranks = field(default_factory=Ranks)
    arithmetic: Arithmetic = field(default_factory=Arithmetic)

    def predict(self, scene: Scene, *, said: Said | None = None) -> tuple[Half, Floats]:
        """H×W×3 linear radiance and H×W σ in μ-law values.

        `said` hears after each tile how many of how many are done; it may raise to give up.
        """
        bracket = self.frames.bracket(scene)
        with self.arithmetic.on(self.device):
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

    def predict_group(self, scenes: Sequence[Scene]) -> list[tuple[Half, Floats]]:
        """One of `Ranks.groups`, a scene for each process; the first gets all that is predicted.

        The others get nothing. Raises Dismissed where the run has ended instead.
        """
        ranks = self.ranks
        ranks.told(None)
        own = ranks.mine(scenes)
        predicted = None if own is None else self.predict(own)
        if ranks.size == 1:
            return [] if predicted is None else [predicted]
        packed = np.zeros(max(_packed_size(scene) for scene in scenes), np.uint8)
        if predicted is not None:
            _pack(predicted, packed)
        return [
            _unpacked(flat, scene)
            for flat, scene in zip(ranks.gathered(packed), scenes, strict=False)
        ]


def _packed_size(scene: Scene) -> int:
    """Bytes of radiance in half floats and of σ in single ones."""
    return scene.height * scene.width * (3 * 2 + 4)


def _pack(predicted: tuple[Half, Floats], into: Bytes) -> None:
    hdr, sigma = (np.ascontiguousarray(part).reshape(-1).view(np.uint8) for part in predicted)
    into[: hdr.size] = hdr
    into[hdr.size : hdr.size + sigma.size] = sigma


def _unpacked(flat: Bytes, scene: Scene) -> tuple[Half, Floats]:
    pixels = scene.height * scene.width
    hdr = flat[: 6 * pixels].view(np.float16).reshape(scene.height, scene.width, 3)
    sigma = flat[6 * pixels : 10 * pixels].view(np.float32).reshape(scene.height, scene.width)
    return hdr, sigma
