"""Scenes cut from radiance maps: a window for the backdrop, cut-outs from elsewhere that move."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.images import read_radiance
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.resample import looked_up, resized
from smarthdr_studio.core.sample.sheets import View
from smarthdr_studio.core.sample.sprites import Actor, Light, Sprite
from smarthdr_studio.core.sample.stage import MARGIN, OVERSAMPLING, Stage
from smarthdr_studio.core.sample.textures import fractal, ramp

_SUFFIXES = (".hdr", ".exr")


@dataclass(frozen=True, slots=True, eq=False)
class MapShelf:
    """The radiance maps of a folder, decoded, each of middle radiance 1."""

    maps: tuple[Floats, ...]

    @classmethod
    def found(cls, folder: AnyPath) -> "MapShelf":
        """Every .hdr and .exr below a folder.

        Raises:
            BadDataset: there is none.
            UnreadableImage: one is damaged.
        """
        folder = Path(folder)
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
        if not paths:
            raise BadDataset(f"{folder} holds no radiance map: put .hdr or .exr files into it.")
        return cls(tuple(_levelled(read_radiance(path)) for path in paths))


def staged(rng: np.random.Generator, *, shelf: MapShelf, height: int, width: int) -> Stage:
    """A stage of a random window with four to seven moving cut-outs."""
    size = (OVERSAMPLING * (height + 2 * MARGIN), OVERSAMPLING * (width + 2 * MARGIN))
    view = View(height=size[0], width=size[1], focal=float(size[1]), horizon=size[0] / 2, eye=0.6)
    backdrop = _window(rng, shelf, size=size, share=(0.7, 1.0))
    actors = tuple(_cut_out(rng, shelf, view) for _ in range(int(rng.integers(4, 8))))
    return Stage(backdrop=backdrop, view=view, actors=actors)


class _CutOut:
    """A piece of a map with a soft irregular outline that swells and bends with the time."""

    def __init__(self, rng: np.random.Generator, piece: Floats) -> None:
        self._piece = piece
        size = piece.shape[0]
        axis = np.linspace(-1, 1, size, dtype=np.float32)
        x, y = axis[None, :], axis[:, None]
        bumps = fractal(rng, size=(size, size), cell=size / 2, octaves=4)
        self._alpha = ramp(
            0.80 + 0.12 * bumps - np.hypot(x, y * float(rng.uniform(1, 1.5))), 0, 0.03
        )
        self._phase, self._bend = float(rng.uniform(0, 6.28)), float(rng.uniform(0.01, 0.05))

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The cut-out, `pixels` square, at a time in frames."""
        y, x = np.mgrid[0:pixels, 0:pixels].astype(np.float32)
        sway = self._bend * pixels * np.sin(self._phase + 0.9 * time + y * (5.0 / pixels))
        scale = np.float32(self._piece.shape[0] / pixels)
        maps = (((x + sway) * scale).astype(np.float32), y * scale)
        radiance = looked_up(self._piece, *maps)
        alpha = looked_up(self._alpha, *maps, border=cv2.BORDER_CONSTANT)
        nothing = np.zeros_like(radiance)
        return Sprite(nothing, alpha, nothing, radiance)


def _cut_out(rng: np.random.Generator, shelf: MapShelf, view: View) -> Actor:
    depth = float(rng.uniform(1.5, 5))
    tall = float(rng.uniform(0.45, 0.9))
    pixels = max(16, int(tall * view.focal / depth))
    piece = _window(rng, shelf, size=(pixels, pixels), share=(0.12, 0.4))
    place = rng.uniform(-0.42, 0.42, 2) * depth
    step = rng.uniform(3, 36) * OVERSAMPLING * depth / view.focal
    way = float(rng.uniform(0, 6.28))
    return Actor(
        draw=_CutOut(rng, piece),
        height=tall,
        place=(float(place[0]), float(place[1] * view.height / view.width), depth),
        velocity=(step * np.cos(way), 0.5 * step * np.sin(way), 0.0),
        roll=float(rng.normal(0, 0.12)),
        light=Light(towards=(0, 0, 1), key=(0, 0, 0), ambient=(0, 0, 0)),
        shadow=0.0,
    )


def _window(
    rng: np.random.Generator,
    shelf: MapShelf,
    *,
    size: tuple[int, int],
    share: tuple[float, float],
) -> Floats:
    """A random part of a random map, as large as `share` of what fits, resampled to `size`."""
    source = shelf.maps[int(rng.integers(len(shelf.maps)))]
    rows, columns = source.shape[:2]
    fit = min(rows / size[0], columns / size[1]) * float(rng.uniform(*share))
    tall, wide = max(2, int(size[0] * fit)), max(2, int(size[1] * fit))
    # Panoramas hold little but sky and floor at their poles: keep near the middle.
    middle = float(np.clip(rng.normal(0.5, 0.15), 0, 1))
    top, left = int(middle * (rows - tall)), int(rng.integers(0, columns - wide + 1))
    part = source[top : top + tall, left : left + wide]
    kind = cv2.INTER_AREA if fit > 1 else cv2.INTER_LINEAR
    return resized(part, (size[1], size[0]), kind=kind)


def _levelled(radiance: Floats) -> Floats:
    clean = np.maximum(np.nan_to_num(radiance, nan=0.0, posinf=6e4, neginf=0.0), 0)
    key = float(np.exp(np.log(clean.max(axis=2) + 1e-6).mean()))
    return np.asarray(clean / max(key, 1e-6), np.float32)
