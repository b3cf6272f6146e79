"""Fractal noise, and the albedos made from it: wood, stone, brick, plaster, grass, cloth."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import Floats


def resized(picture: Floats, size: tuple[int, int], *, kind: int = cv2.INTER_LINEAR) -> Floats:
    """The picture at (width, height)."""
    return np.asarray(cv2.resize(picture, size, interpolation=kind), np.float32)


def looked_up(
    picture: Floats, column: Floats, row: Floats, *, border: int = cv2.BORDER_REPLICATE
) -> Floats:
    """The picture's values between pixels at the given columns and rows, both H×W."""
    where = column.astype(np.float32), row.astype(np.float32)
    found = cv2.remap(picture, where[0], where[1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(found, np.float32)


def warped(
    picture: Floats,
    matrix: Floats,
    size: tuple[int, int],
    *,
    border: int = cv2.BORDER_CONSTANT,
) -> Floats:
    """The picture moved by a 2×3 matrix (pixels to pixels) onto (width, height)."""
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=border), np.float32)


def blurred(picture: Floats, sigma: float) -> Floats:
    """A Gaussian blur, `sigma` in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def smeared(picture: Floats, size: tuple[int, int]) -> Floats:
    """A box blur over (width, height) pixels."""
    return np.asarray(cv2.blur(picture, size), np.float32)


Colour = Sequence[float] | npt.NDArray[np.floating]
Size = tuple[int, int]


def colour(values: Colour) -> Floats:
    """Linear RGB as a float32 triple."""
    return np.asarray(values, np.float32)


def fractal(
    rng: np.random.Generator,
    *,
    size: Size,
    cell: float | tuple[float, float],
    octaves: int = 5,
    gain: float = 0.5,
) -> Floats:
    """Noise of unit variance, H×W; `cell` = pixels of the largest feature, or (rows, columns)."""
    height, width = size
    rows, columns = cell if isinstance(cell, tuple) else (cell, cell)
    total = np.zeros(size, np.float32)
    energy = 0.0
    for octave in range(octaves):
        grid_size = (
            min(height, int(height / max(rows, 1)) + 2),
            min(width, int(width / max(columns, 1)) + 2),
        )
        grid = rng.standard_normal(grid_size, dtype=np.float32)
        total += resized(grid, (width, height), kind=cv2.INTER_CUBIC) * np.float32(gain**octave)
        energy += gain ** (2 * octave)
        rows, columns = rows / 2, columns / 2
        if max(rows, columns) < 1:
            break
    return total * np.float32(1.3 / np.sqrt(energy))


def ramp(values: npt.NDArray[np.floating], low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, smooth between (cubic Hermite)."""
    t = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def mixed(first: npt.ArrayLike, second: npt.ArrayLike, *, share: Floats) -> Floats:
    """`first` where the H×W `share` is 0, `second` where it is 1; colours or H×W×3."""
    first, second = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return np.asarray(first + (second - first) * share[..., None], np.float32)


def mottled(
    rng: np.random.Generator, *, size: Size, base: Colour, cell: float, depth: float = 0.25
) -> Floats:
    """A base colour, lighter and darker at every scale: plaster, earth, asphalt."""
    noise = fractal(rng, size=size, cell=cell, octaves=7, gain=0.68)
    tint = fractal(rng, size=size, cell=cell * 2, octaves=3)
    albedo = colour(base) * np.exp(depth * noise)[..., None]
    albedo *= 1 + 0.06 * tint[..., None] * colour((1, 0, -1))
    return np.asarray(np.clip(albedo, 0.004, 0.95), np.float32)


def paved(
    rng: np.random.Generator, *, size: Size, tile: Size, base: Colour, stagger: bool
) -> Floats:
    """Tiles or bricks: each its own shade, a dark joint, a worn surface; `tile` in texels."""
    rows = np.arange(size[0])[:, None] // tile[0] + np.zeros((1, size[1]), np.int64)
    shift = (rows % 2) * (tile[1] // 2) if stagger else 0
    across = np.arange(size[1])[None, :] + shift
    columns = across // tile[1]
    shades = rng.normal(1.0, 0.13, (rows.max() + 1, columns.max() + 1, 1))
    tints = rng.normal(0.0, 0.04, (rows.max() + 1, columns.max() + 1, 1)) * colour((1, 0.1, -0.8))
    edge_y = np.minimum(np.arange(size[0]) % tile[0], tile[0] - 1 - np.arange(size[0]) % tile[0])
    edge_x = np.minimum(across % tile[1], tile[1] - 1 - across % tile[1])
    edge = np.minimum(edge_y[:, None], edge_x).astype(np.float32)
    joint = ramp(edge, 0.0, max(1.5, 0.05 * min(tile)))
    albedo = mottled(rng, size=size, base=base, cell=max(tile) * 1.7, depth=0.16)
    albedo *= (shades + tints)[rows, columns].astype(np.float32)
    return np.asarray(np.clip(albedo * (0.35 + 0.65 * joint)[..., None], 0.004, 0.95), np.float32)


def planks(rng: np.random.Generator, *, size: Size, width: int, base: Colour) -> Floats:
    """Floorboards along the rows' direction: grain, knots' rings, a dark gap between boards."""
    board = np.arange(size[1]) // width
    count = int(board[-1]) + 1
    grain = fractal(rng, size=size, cell=(size[0] / 3, width / 3), octaves=6, gain=0.7)
    rings = np.sin(7 * fractal(rng, size=size, cell=(size[0] / 4, width), octaves=2) + 2 * grain)
    shade = rng.normal(1.0, 0.16, count)[board][None, :]
    along = (np.arange(size[0])[:, None] + rng.integers(0, 4000, count)[board][None, :]) % (
        width * 11
    )
    across = np.arange(size[1]) % width
    gap = ramp(np.minimum(across, width - 1 - across).astype(np.float32), 0.0, 2.0)[None, :]
    gap = gap * ramp(along.astype(np.float32), 0.0, 2.5)
    tone = shade * np.exp(0.16 * grain + 0.10 * rings) * (0.3 + 0.7 * gap)
    return np.asarray(np.clip(colour(base) * tone[..., None], 0.004, 0.9), np.float32)


def bark(rng: np.random.Generator, *, size: Size, base: Colour) -> Floats:
    """Vertical ridges and cracks, with lichen."""
    ridges = fractal(rng, size=size, cell=(size[1] * 0.9, size[1] / 6), octaves=5, gain=0.75)
    lichen = ramp(fractal(rng, size=size, cell=size[1] / 1.5, octaves=6, gain=0.7), 0.5, 1.6)
    albedo = colour(base) * np.exp(0.55 * ridges)[..., None]
    return np.clip(mixed(albedo, (0.10, 0.13, 0.06), share=0.6 * lichen), 0.004, 0.8)


def cloth(rng: np.random.Generator, *, size: Size, base: Colour) -> Floats:
    """A woven or printed fabric: plain, striped, checked or flecked, with folds."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    folds = fractal(rng, size=size, cell=(size[0] / 3, size[1] / 6), octaves=4)
    period = max(6.0, size[1] * rng.uniform(0.05, 0.14))
    other = np.clip(colour(base) * rng.uniform(0.15, 2.5) + 0.05, 0.02, 0.85)
    stripes_x, stripes_y = np.sin(x * 6.283 / period), np.sin(y * 6.283 / period)
    fleck = fractal(rng, size=size, cell=period, octaves=3)
    plain = np.full(size, -1.0, np.float32)
    choice = (plain, stripes_x, stripes_y, np.maximum(stripes_x, stripes_y), fleck)
    pattern = ramp(choice[int(rng.integers(len(choice)))], 0.1, 0.5)
    weave = 1 + 0.10 * rng.standard_normal(size, dtype=np.float32)
    albedo = mixed(base, other, share=pattern) * (weave * np.exp(0.16 * folds))[..., None]
    return np.asarray(np.clip(albedo, 0.01, 0.9), np.float32)


def grass(rng: np.random.Generator, *, size: Size, base: Colour) -> Floats:
    """A lawn seen from above: patches, tufts and blades."""
    patches = fractal(rng, size=size, cell=min(size) / 2, octaves=4)
    blades = fractal(rng, size=size, cell=(10, 5), octaves=4, gain=0.9)
    dry = ramp(patches + 0.3 * blades, 0.3, 1.8)
    albedo = mixed(base, (0.22, 0.19, 0.08), share=0.65 * dry)
    return np.clip(albedo * np.exp(0.42 * blades + 0.2 * patches)[..., None], 0.003, 0.8)
