"""Trees, trunks and blades of grass, drawn into a backdrop."""

from dataclasses import dataclass

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.resample import resized
from smarthdr_studio.core.sample.sheets import View
from smarthdr_studio.core.sample.textures import bark, colour, fractal, ramp


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree at (x, z), `tall` metres, under an even light."""

    x: float
    z: float
    tall: float
    leaf: Floats
    light: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A trunk at (x, z), `girth` metres wide, lit from one side; haze is (radiance, share)."""

    x: float
    z: float
    girth: float
    key: Floats
    ambient: Floats
    side: float
    haze: tuple[Floats, float]


def draw_tree(rng: np.random.Generator, picture: Floats, tree: Tree, *, view: View) -> None:
    """A broad-leaved tree or a fir; in place."""
    column, row = view.project((tree.x, -view.eye, tree.z))
    height = int(tree.tall * view.focal / tree.z)
    width = int(height * rng.uniform(0.55, 0.95))
    fir = rng.random() < 0.5
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - width / 2) / (width / 2), y / height
    noise = fractal(rng, size=(height, width), cell=height / 5, octaves=7, gain=0.72)
    if fir:
        tiers = 0.16 * ((y * 9) % 1.0)
        shape = 0.08 + 0.62 * y + tiers - np.abs(x) * 1.25 + 0.10 * noise
        shape -= ramp(y, 0.86, 0.92) * 2
    else:
        shape = 0.95 - np.hypot(x, (y - 0.42) / 0.42) + 0.22 * noise
    shape -= 3 * ramp(np.abs(x), 0.8, 1.0) + 2 * ramp(-y, -0.06, 0.0)
    crown = ramp(shape, 0.0, 0.10) * ramp(noise + 3.0 * shape, -0.6, 0.2)
    stem = ramp(0.028 + 0.03 * y - np.abs(x + 0.05 * np.sin(y * 5)), 0, 0.02) * (y > 0.3)
    tone = tree.leaf * np.exp(0.55 * noise + 0.5 * (0.5 - y))[..., None] * tree.light
    wood = colour((0.05, 0.035, 0.025)) * tree.light
    alpha = np.maximum(crown, stem)[..., None]
    body = np.where(crown[..., None] > stem[..., None] * 0.5, tone, wood)
    _lay(picture, body * alpha, alpha, left=int(column - width / 2), top=int(row - height))


def draw_trunk(rng: np.random.Generator, picture: Floats, trunk: Trunk, *, view: View) -> None:
    """A trunk from the ground to above the picture; in place."""
    column, row = view.project((trunk.x, -view.eye, trunk.z))
    width, height = max(6, int(trunk.girth * view.focal / trunk.z)), int(row + 0.02 * view.height)
    if height < 20:
        return
    skin = bark(
        rng,
        size=(min(height, 700), max(6, width)),
        base=rng.uniform(0.06, 0.15) * colour((1.1, 0.9, 0.7)),
    )
    skin = resized(skin, (width * 2, height))
    y, x = np.mgrid[0:height, 0 : width * 2].astype(np.float32)
    along = y / height
    lean = float(rng.normal(0, 0.35)) * width * (1 - along)
    lean = lean + 0.2 * width * np.sin(along * rng.uniform(2, 5))
    flare = 0.42 + 0.10 * along + 0.5 * np.exp(-(1 - along) * 22)
    across = (x - width - lean) / (width * flare)
    alpha = ramp(1 - np.abs(across), 0, 2.2 / width)
    lit = np.clip(across * trunk.side, 0, 1) ** 1.3 * (
        0.5 + 0.5 * np.sin(along * 19 + rng.uniform(0, 6)) ** 2
    )
    rounded = np.sqrt(np.maximum(1 - 0.85 * np.minimum(across**2, 1), 0))
    body = skin * (trunk.ambient * rounded[..., None] + trunk.key * lit[..., None])
    body += trunk.haze[1] * (trunk.haze[0] - body)
    _lay(
        picture,
        body * alpha[..., None],
        alpha[..., None],
        left=int(column - width),
        top=int(row - height),
    )


def brush(
    rng: np.random.Generator, picture: Floats, *, view: View, tone: Floats, count: int,
    tall: float = 0.22,
) -> None:  # fmt: skip
    """Blades of grass near the camera, far ones first; in place."""
    depth = np.sort(1 / rng.uniform(1 / 9.0, 1 / 2.6, count))[::-1]
    half = view.width / 2
    for z in depth:
        column = rng.uniform(0, view.width)
        row = view.horizon + view.focal * view.eye / z
        height = tall * rng.uniform(0.3, 1.0) * view.focal / z
        bend = rng.normal(0, 0.35) * height + 0.1 * (column - half) / half * height
        curve = np.array(
            [
                [column, row],
                [column + 0.3 * bend, row - 0.6 * height],
                [column + bend, row - height],
            ]
        )
        shade = tone * np.float32(rng.lognormal(0, 0.45)) * rng.uniform(0.8, 1.25, 3)
        cv2.polylines(picture, [np.round(curve * 16).astype(np.int32)], isClosed=False,
                      color=shade.tolist(), thickness=max(1, int(6 / z)), shift=4)  # fmt: skip


def _lay(picture: Floats, body: Floats, alpha: Floats, *, left: int, top: int) -> None:
    height, width = body.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + width), min(picture.shape[0], top + height)
    if x1 <= x0 or y1 <= y0:
        return
    part = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    target = picture[y0:y1, x0:x1]
    target *= 1 - alpha[part]
    target += body[part]
