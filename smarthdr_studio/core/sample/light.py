"""Where light comes from: lamps and windows with soft shadows, skies with sun and clouds."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.sheets import Point, Sheet, View
from smarthdr_studio.core.sample.textures import Colour, colour, fractal, mixed, ramp

Box = tuple[Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A small emitter: where it is, its strength (linear RGB × m²), which way it shines if not all."""

    place: Point
    strength: tuple[float, float, float]
    towards: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Colours of a sky and its sun (linear RGB); `sun` is (x/z, y/z) in the picture's slopes."""

    zenith: Colour
    horizon: Colour
    sun: tuple[float, float]
    sun_colour: Colour
    cloud: float = 0.5
    cloud_colour: Colour = (1.0, 1.0, 1.0)
    disc: float = 0.02


def lit(
    sheet: Sheet,
    *,
    lamps: Sequence[Lamp],
    ambient: Colour,
    size: tuple[int, int],
    boxes: Sequence[Box] = (),
    per_metre: float = 5.0,
) -> Floats:
    """Irradiance over a sheet, H×W×3 at `size`: inverse squares, cosines, soft shadows."""
    coarse = sheet.texels(per_metre)
    points = sheet.points(coarse).reshape(-1, 3)
    total = np.zeros_like(points) + colour(ambient)
    normal = sheet.normal
    for lamp in lamps:
        ray = colour(lamp.place) - points
        square = (ray * ray).sum(1) + 0.02
        gain = np.maximum(ray @ normal, 0) / square**1.5
        if lamp.towards is not None:
            gain *= np.maximum(-(ray @ colour(lamp.towards)), 0) / np.sqrt(square)
        for box in boxes:
            gain *= ~_blocked(points + 0.02 * normal, ray, box)
        total += gain[:, None] * colour(lamp.strength)
    image = total.reshape(*coarse, 3)
    return cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)


def _blocked(points: Floats, ray: Floats, box: Box) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        low = (colour(box[0]) - points) / ray
        high = (colour(box[1]) - points) / ray
    enter = np.nan_to_num(np.minimum(low, high), nan=-np.inf).max(1)
    leave = np.nan_to_num(np.maximum(low, high), nan=np.inf).min(1)
    return (enter < leave) & (leave > 0.01) & (enter < 0.98)


def corners_darkened(
    sheet: Sheet, *, size: tuple[int, int], reach: float = 0.5, depth: float = 0.55
) -> Floats:
    """Ambient occlusion towards the four edges of a sheet, H×W in [1 − depth, 1]."""
    across, along = sheet.grid(size)
    near_x = np.minimum(across - sheet.across[0], sheet.across[1] - across)
    near_y = np.minimum(along - sheet.along[0], sheet.along[1] - along)
    shade = (1 - depth * np.exp(-near_x / reach)) * (1 - depth * np.exp(-near_y / reach))
    return np.asarray(shade, np.float32)


def draw_sky(rng: np.random.Generator, *, view: View, sky: Sky) -> Floats:
    """The dome behind everything, H×W×3 linear radiance, with sun, glow and clouds."""
    right, up = view.slopes()
    height = np.clip(up / np.sqrt(1 + up * up), 0, 1)
    haze = np.exp(-height * 4.5) + 0 * right
    picture = mixed(sky.zenith, sky.horizon, share=haze)
    away = np.sqrt((right - sky.sun[0]) ** 2 + (up - sky.sun[1]) ** 2).astype(np.float32)
    sun = colour(sky.sun_colour)
    glow = 0.010 * np.exp(-away * 9) + 0.0035 * np.exp(-away * 2.6)
    picture += glow[..., None] * sun
    disc = ramp(-away, -sky.disc * 1.25, -sky.disc * 0.8)
    if sky.cloud > 0:
        cover, relief = _clouds(rng, view=view, sky=sky)
        lining = np.exp(-away * 3.5)
        tone = colour(sky.cloud_colour) * (0.62 + 0.38 * relief)[..., None]
        tone += sun * (0.016 * lining * (1 - 0.75 * cover))[..., None]
        picture = mixed(picture, tone, share=cover)
        disc *= (1 - 0.9 * cover) ** 2
    return np.asarray(picture + sun * disc[..., None], np.float32)


def _clouds(rng: np.random.Generator, *, view: View, sky: Sky) -> tuple[Floats, Floats]:
    """Cover in [0, 1] and relief in [−1, 1] of a cloud layer seen in perspective."""
    size = (view.height // 2, view.width // 2)
    right, up = (s[::2, ::2] for s in view.slopes())
    field = fractal(rng, size=(700, 900), cell=190, octaves=8, gain=0.56)
    lifted = np.maximum(up[: size[0]], 0.004) + 0.16
    column = 450 + 95 * right[:, : size[1]] / lifted
    row = np.broadcast_to(650 - 95 / lifted, column.shape)
    slope_x, slope_y = sky.sun[0], sky.sun[1]
    length = max(1e-3, float(np.hypot(slope_x, slope_y)))
    maps = (np.mod(column, 899).astype(np.float32), np.mod(row, 699).astype(np.float32))
    here = cv2.remap(field, *maps, cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(here, (0, 0), 5)
    shift = np.float32([[1, 0, -10 * slope_x / length], [0, 1, 10 * slope_y / length]])
    sunward = cv2.warpAffine(soft, shift, here.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    cover = ramp(here, 0.9 - 1.5 * sky.cloud, 2.3 - 1.5 * sky.cloud)
    cover *= ramp(np.broadcast_to(up[: here.shape[0]], here.shape), -0.01, 0.10)
    relief = np.tanh(1.3 * (soft - sunward) + 0.25 * here - 0.5 * cover)
    full = (view.width, view.height)
    return cv2.resize(cover, full), cv2.resize(relief, full)


def add_glow(picture: Floats, *, at: tuple[float, float], radius: float, strength: Colour) -> None:
    """A lamp's core and halo, added in place; `radius` of the core in pixels."""
    column, row = at
    reach = int(radius * 9) + 2
    x0, x1 = max(0, int(column) - reach), min(picture.shape[1], int(column) + reach)
    y0, y1 = max(0, int(row) - reach), min(picture.shape[0], int(row) + reach)
    if x1 <= x0 or y1 <= y0:
        return
    y, x = np.ogrid[y0:y1, x0:x1]
    away = np.sqrt((x - column) ** 2 + (y - row) ** 2).astype(np.float32) / np.float32(radius)
    halo = ramp(-away, -1.15, -0.75) + 0.02 / (1 + away * away) * ramp(-away, -9.0, -3.0)
    picture[y0:y1, x0:x1] += halo[..., None] * colour(strength)
