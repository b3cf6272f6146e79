"""Predictions of scenes of any size: by tiles that overlap, blended so that no seam shows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
import numpy.typing as npt
import torch

from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.imaging.bracket import FrameStore, Half, Scene
from smarthdr_studio.core.imaging.radiometry import Floats, Frame, inverse_mu_law, unit_ldr
from smarthdr_studio.learning.compute import Arithmetic
from smarthdr_studio.learning.distributed import Bytes, Ranks
from smarthdr_studio.learning.networks import FusionNetwork, Prediction, SeveralViews, Uncertainty
from smarthdr_studio.learning.radiometry import mu_law, six_channels

TileProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """A network on its device, the frames it reads, how large its tiles are, and who helps.

    `said` hears between the tiles of every scene, unless that scene has a listener of its own.
    """

    network: FusionNetwork | SeveralViews
    frames: FrameStore
    device: torch.device
    precision: torch.dtype
    tile: int = 256
    said: TileProgress | None = None
    ranks: Ranks = field(default_factory=Ranks)
    arithmetic: Arithmetic = field(default_factory=Arithmetic)

    def asking(self, views: int = 1, uncertainty: Uncertainty | None = None) -> "Predictor":
        """The same, answering with what the network says of so many views of a scene.

        `uncertainty` says whose σ is answered; None leaves it as it is.
        """
        asked = self.network
        if isinstance(asked, SeveralViews):
            plain, uncertainty = asked.network, uncertainty or asked.uncertainty
        else:
            plain, uncertainty = asked, uncertainty or "judge"
        if views == 1 and uncertainty == "judge":
            return self if plain is asked else replace(self, network=plain)
        seen = SeveralViews(plain, views=views, uncertainty=uncertainty)
        return replace(self, network=seen)

    def predict(self, scene: Scene, *, said: TileProgress | None = None) -> tuple[Half, Floats]:
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
                on_tile=said or self.said,
            )

    def predict_group(self, scenes: Sequence[Scene]) -> list[tuple[Half, Floats]]:
        """One of `Ranks.groups`, a scene for each process; the first gets all that is predicted.

        H×W×3 linear radiance and H×W σ in μ-law values, as `predict`. The others get
        nothing. Raises RunEnded where the run has ended instead.
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
            _unpack(flat, scene)
            for flat, scene in zip(ranks.gathered(packed), scenes, strict=False)
        ]


def _packed_size(scene: Scene) -> int:
    """Bytes of radiance in half floats and of σ in single ones."""
    return scene.height * scene.width * (3 * 2 + 4)


def _pack(predicted: tuple[Half, Floats], into: Bytes) -> None:
    hdr, sigma = (np.ascontiguousarray(part).reshape(-1).view(np.uint8) for part in predicted)
    into[: hdr.size] = hdr
    into[hdr.size : hdr.size + sigma.size] = sigma


def _unpack(flat: Bytes, scene: Scene) -> tuple[Half, Floats]:
    pixels = scene.height * scene.width
    hdr = flat[: 6 * pixels].view(np.float16).reshape(scene.height, scene.width, 3)
    sigma = flat[6 * pixels : 10 * pixels].view(np.float32).reshape(scene.height, scene.width)
    return hdr, sigma


def run_predictor(
    predictor: Predictor, scene: Scene, *, said: TileProgress | None = None
) -> tuple[Half, Floats]:
    """H×W×3 linear radiance in [0, 1] as half floats and H×W σ in μ-law values of any scene.

    `said` hears between tiles how many of how many are done; it may raise to give up.

    Raises DeviceError, BadScene or UnreadableImage: one sentence with the remedy.
    """
    try:
        return predictor.predict(scene, said=said)
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"The device {predictor.device} has no memory left to look at {scene.id}; "
            "ask again when training has stopped"
        ) from error


GRID = 8
# The outermost pixels of a tile saw a made-up border: within an overlap they never count.
MARGIN = 4


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One tile along one axis, and how much each of its pixels counts; in [0, 1]."""

    start: int
    stop: int
    weights: Floats


def spans(length: int, *, tile: int, overlap: int, grid: int = GRID) -> tuple[Span, ...]:
    """Cut one axis into equal tiles that start on multiples of `grid`; weights add up to 1.

    No more tiles than needed, none larger than needed, spread evenly: neighbours share at least
    `overlap` pixels, in the middle of which the one fades into the other along a cosine. The last
    tile ends where the picture does. A network whose windows are `grid` pixels wide sees the same
    windows in every tile.

    Raises:
        ValueError: `tile` or `overlap` is no multiple of 8, or not 16 ≤ overlap ≤ tile / 3.
    """
    if tile % GRID or overlap % GRID or not 2 * GRID <= overlap <= tile / 3:
        raise ValueError(
            f"tile {tile} and overlap {overlap}: multiples of 8, 16 ≤ overlap ≤ tile/3"
        )
    starts, tile = _starts(length, tile=tile, overlap=overlap, grid=grid)
    ends = [min(start + tile, length) for start in starts]
    middles = [(start + end) / 2 for start, end in zip(starts[1:], ends, strict=False)]
    ramp = overlap - 2 * MARGIN
    weights = [np.ones(end - start, np.float32) for start, end in zip(starts, ends, strict=True)]
    for i, middle in enumerate(middles):
        weights[i] *= 1 - _rise(starts[i], ends[i], middle=middle, ramp=ramp)
        weights[i + 1] *= _rise(starts[i + 1], ends[i + 1], middle=middle, ramp=ramp)
    return tuple(map(Span, starts, ends, weights))


def _starts(length: int, *, tile: int, overlap: int, grid: int) -> tuple[list[int], int]:
    """Where tiles start, and their size: all multiples of `grid`."""
    overlap = grid * math.ceil(overlap / grid)
    tile = max(tile // grid * grid, overlap + 2 * grid)
    count = 1 + math.ceil(max(0, length - tile) / (tile - overlap))
    needed = (length + (count - 1) * overlap) / count
    tile = grid * math.ceil(needed / grid)
    last = math.ceil(max(0, length - tile) / grid)
    return [grid * (i * last // max(1, count - 1)) for i in range(count)], tile


class TiledPrediction:
    """A picture being predicted tile by tile: `add` each of `tiles`, then take `result`.

    Between two tiles the caller may pause, report or give up: no mode of torch is left on.
    Tiles are blended in μ-law values: in linear ones a fade from dark to bright would look like a
    step, because its first hundredth already is half of what the eye sees.
    """

    def __init__(
        self,
        network: FusionNetwork | SeveralViews,
        frames: Sequence[Frame],
        *,
        stops: Sequence[float],
        device: torch.device,
        precision: torch.dtype = torch.float32,
    ) -> None:
        self._network, self._device, self._precision = network, device, precision
        self._frames, self._stops = tuple(frames), tuple(stops)
        height, width, _ = self._frames[0].shape
        self._seen = np.zeros((height, width, 3), np.float32)
        self._sigma = np.zeros((height, width), np.float32)

    def tiles(self, *, tile: int = 256, overlap: int = 32) -> tuple[tuple[Span, Span], ...]:
        """What to `add`: pairs of a span of rows and one of columns; one of a `whole` network."""
        height, width = self._sigma.shape
        if self._network.whole:
            grid = math.lcm(GRID, self._network.multiple)
            tile, overlap = grid * math.ceil(max(height, width, 6 * GRID) / grid), 2 * GRID
        rows, columns = (
            spans(length, tile=tile, overlap=overlap, grid=self._network.multiple)
            for length in (height, width)
        )
        return tuple(product(rows, columns))

    def add(self, rows: Span, columns: Span) -> None:
        """Predict one tile and blend it in."""
        hdr, sigma = self._predict(rows, columns)
        weights = rows.weights[:, None] * columns.weights
        here = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        self._seen[here] += mu_law(hdr[0].permute(1, 2, 0)).cpu().numpy() * weights[..., None]
        self._sigma[here] += sigma[0, 0].cpu().numpy() * weights

    def result(self) -> tuple[Half, Floats]:
        """Linear radiance H×W×3 in [0, 1] as half floats, and σ H×W."""
        hdr = np.empty(self._seen.shape, np.float16)
        for row, seen in zip(hdr, self._seen, strict=True):  # never two whole pictures in float32
            row[:] = inverse_mu_law(seen)
        return hdr, self._sigma

    def _predict(self, rows: Span, columns: Span) -> Prediction:
        training = self._network.training
        self._network.eval()
        mixed = self._precision is not torch.float32
        try:
            with (
                torch.inference_mode(),
                torch.autocast(self._device.type, dtype=self._precision, enabled=mixed),
            ):
                under, reference, over = (
                    six_channels(self._cut(frame, rows, columns), stops=stops)
                    for frame, stops in zip(self._frames, self._stops, strict=True)
                )
                answer = self._network(under, reference, over)
                return Prediction(hdr=answer.hdr.float(), sigma=answer.sigma.float())
        finally:
            self._network.train(training)

    def _cut(self, frame: Frame, rows: Span, columns: Span) -> torch.Tensor:
        """One tile of a frame as 1×3×h×w camera values in [0, 1]."""
        piece = unit_ldr(frame[rows.start : rows.stop, columns.start : columns.stop])
        return torch.from_numpy(piece).to(self._device).permute(2, 0, 1)[None]


def predict_tiled(  # noqa: PLR0913 - one call for all who need no say between tiles
    network: FusionNetwork | SeveralViews,
    frames: Sequence[Frame],
    *,
    stops: Sequence[float],
    device: torch.device,
    tile: int = 256,
    overlap: int = 32,
    precision: torch.dtype = torch.float32,
    on_tile: Callable[[int, int], None] | None = None,
) -> tuple[Half, Floats]:
    """Predict a bracket of any size in memory bounded by the tile, unless the network is `whole`.

    Args:
        network: on `device`; it predicts in evaluation mode and is left in the mode it was in.
        frames: under, reference, over, each H×W×3 RGB uint16.
        stops: their exposures above the shortest.
        device: where to compute.
        tile: side of a tile, a multiple of 8.
        overlap: pixels that neighbouring tiles share at least, a multiple of 8.
        precision: what to compute in; see `compute.pick_precision`.
        on_tile: called with the number of tiles done and of all; it may raise to give up.

    Returns:
        Linear radiance H×W×3 in [0, 1] as half floats, and σ H×W in μ-law values.
    """
    picture = TiledPrediction(network, frames, stops=stops, device=device, precision=precision)
    tiles = picture.tiles(tile=tile, overlap=overlap)
    for done, (rows, columns) in enumerate(tiles, start=1):
        picture.add(rows, columns)
        if on_tile is not None:
            on_tile(done, len(tiles))
    return picture.result()


def _rise(start: int, stop: int, *, middle: float, ramp: int) -> Floats:
    """From 0 to 1 along a cosine of `ramp` pixels around `middle`, at the pixels of a tile."""
    along = (np.arange(start, stop) + 0.5 - middle) / ramp + 0.5
    risen: npt.NDArray[np.float64] = np.sin(0.5 * np.pi * np.clip(along, 0, 1)) ** 2
    return risen.astype(np.float32)
