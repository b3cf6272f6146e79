"""Where light comes from: lamps and windows with soft shadows, skies with sun and clouds."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.resample import blurred, looked_up, resized, warped
from smarthdr_studio.core.sample.sheets import Point, Sheet, View
from smarthdr_studio.core.sample.textures import Colour, colour, fractal, mixed, ramp

Box = tuple[Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lamp:
    """A small emitter: where it is, its strength (linear RGB × m²), its way."""

    place: Point
    strength: Floats
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
    return resized(image, (size[1], size[0]))


def _blocked(points: Floats, ray: Floats, box: Box) -> npt.NDArray[np.bool_]:
    safe = np.where(np.abs(ray) < 1e-6, np.float32(1e-6), ray)
    low, high = (colour(box[0]) - points) / safe, (colour(box[1]) - points) / safe
    enter, leave = np.minimum(low, high).max(1), np.maximum(low, high).min(1)
    return np.asarray((enter < leave) & (leave > 0.01) & (enter < 0.98), np.bool_)


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
    # All of it is soft: half the resolution shows no difference and takes a quarter of the time.
    right, up = (slope[::2, ::2] for slope in view.slopes())
    away = np.asarray(np.hypot(right - sky.sun[0], up - sky.sun[1]), np.float32)
    height = np.clip(up / np.sqrt(1 + up * up), 0, 1)
    picture = mixed(sky.zenith, sky.horizon, share=np.exp(-height * 4.5) + 0 * right)
    sun = colour(sky.sun_colour)
    glow = 0.12 * np.exp(-away * 24) + 0.045 * np.exp(-away * 9) + 0.0025 * np.exp(-away * 2.6)
    picture += glow[..., None] * sun
    disc = ramp(-away, -sky.disc * 1.9, -sky.disc * 0.3) ** 2
    if sky.cloud > 0:
        cover, relief = _clouds(rng, right, up, sky=sky)
        lining = 0.035 * np.exp(-away * 3.5) * (1 - 0.75 * cover)
        tone = colour(sky.cloud_colour) * (0.60 + 0.48 * relief)[..., None]
        tone += sun * lining[..., None]
        picture = mixed(picture, tone, share=cover)
        disc *= (1 - 0.9 * cover) ** 2
    return resized(picture + sun * disc[..., None], (view.width, view.height))


def _clouds(
    rng: np.random.Generator, right: Floats, up: Floats, *, sky: Sky
) -> tuple[Floats, Floats]:
    """Cover in [0, 1] and relief in [−1, 1] of a cloud layer seen in perspective."""
    field = fractal(rng, size=(700, 900), cell=190, octaves=8, gain=0.56)
    lifted = np.maximum(up, 0.004) + 0.16
    column = 450 + 95 * right / lifted
    row = np.broadcast_to(650 - 95 / lifted, column.shape)
    slope_x, slope_y = sky.sun[0], sky.sun[1]
    length = max(1e-3, float(np.hypot(slope_x, slope_y)))
    maps = (np.mod(column, 899).astype(np.float32), np.mod(row, 699).astype(np.float32))
    here = looked_up(field, *maps)
    soft = blurred(here, 5)
    shift = np.array([[1, 0, -10 * slope_x / length], [0, 1, 10 * slope_y / length]], np.float32)
    sunward = warped(soft, shift, (here.shape[1], here.shape[0]), border=cv2.BORDER_REPLICATE)
    cover = ramp(here, 0.9 - 1.5 * sky.cloud, 2.3 - 1.5 * sky.cloud)
    cover *= ramp(np.broadcast_to(up, here.shape), -0.01, 0.10)
    relief = np.tanh(1.3 * (soft - sunward) + 0.25 * here - 0.5 * cover)
    return cover, relief


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
