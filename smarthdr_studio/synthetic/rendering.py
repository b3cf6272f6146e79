"""Lamps, skies and shadows, a scene at one instant, and the camera that exposes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import GAMMA, Floats, Frame
from smarthdr_studio.synthetic.geometry import Actor, Point, Sheet, View
from smarthdr_studio.synthetic.textures import (
    Colour,
    blurred,
    colour,
    fractal,
    looked_up,
    mixed,
    ramp,
    resized,
    smeared,
    warped,
)

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


OVERSAMPLING = 2
MARGIN = 12
INSTANTS = (-1, 0, 1)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stage:
    """Backdrop and actors; `cast` is where a shadow falls per height (right, down) in the picture.

    The backdrop is OVERSAMPLING times larger than the frames and has MARGIN frame pixels around;
    `gloss` is the share of an actor mirrored in the ground; `haze` is (radiance, per metre).
    """

    backdrop: Floats
    view: View
    actors: tuple[Actor, ...]
    cast: tuple[float, float] = (0.0, 0.0)
    gloss: float = 0.0
    haze: tuple[Floats, float] | None = None


def drift(rng: np.random.Generator) -> tuple[Floats, ...]:
    """A hand-held camera: 2×3 transforms of the backdrop's pixels at the three instants."""
    step = rng.normal(0, 1.2 * OVERSAMPLING, (3, 2)).clip(-5, 5)
    turn = rng.normal(0, 0.0012, 3).clip(-0.003, 0.003)
    step[1], turn[1] = 0, 0
    return tuple(
        np.array([[np.cos(a), np.sin(a), dx], [-np.sin(a), np.cos(a), dy]], np.float32)
        for (dx, dy), a in zip(step, turn, strict=True)
    )


def seen(stage: Stage, *, time: int, camera: Floats) -> Floats:
    """The radiance that falls on the sensor at an instant, H×W×3, not yet scaled."""
    picture = stage.backdrop.copy()
    for actor in sorted(stage.actors, key=lambda a: -(a.place[2] + time * a.velocity[2])):
        _draw(picture, actor, stage=stage, time=time)
    height, width = picture.shape[:2]
    border = MARGIN * OVERSAMPLING
    centre = np.array([width / 2, height / 2], np.float32)
    matrix = camera.copy()
    matrix[:, 2] += centre - camera[:, :2] @ centre - border
    size = (width - 2 * border, height - 2 * border)
    moved = warped(picture, matrix, size)
    small = (size[0] // OVERSAMPLING, size[1] // OVERSAMPLING)
    return resized(moved, small, kind=cv2.INTER_AREA)


def _draw(picture: Floats, actor: Actor, *, stage: Stage, time: int) -> None:
    x, y, z = (p + time * v for p, v in zip(actor.place, actor.velocity, strict=True))
    if z < 0.3:
        return
    pixels = int(np.clip(actor.height * stage.view.focal / actor.place[2], 6, 900))
    sprite = actor.draw(pixels, float(time))
    rgba = sprite.shaded(actor.light)
    if stage.haze is not None:
        share = np.float32(1 - np.exp(-z * stage.haze[1]))
        rgba[..., :3] += share * (stage.haze[0] * rgba[..., 3:] - rgba[..., :3])
    zoom = actor.height * stage.view.focal / z / pixels
    foot = stage.view.project((x, y, z))
    ground = stage.view.project((x, -stage.view.eye, z))
    lift = ground[1] - foot[1]
    tall = pixels * zoom
    if actor.shadow > 0:
        _shade(picture, rgba[..., 3], actor=actor, at=(ground, lift, zoom), cast=stage.cast)
    if stage.gloss > 0 and lift < tall:
        mirrored = smeared(rgba, (3, max(3, int(tall * 0.06)))) * np.float32(stage.gloss)
        below = _matrix(rgba, foot=(foot[0], ground[1] + lift), zoom=zoom, upright=-1.0)
        _over(picture, mirrored, below)
    turn = _matrix(rgba, foot=foot, zoom=zoom, roll=actor.roll * time)
    _over(picture, rgba, turn)


def _matrix(
    rgba: Floats,
    *,
    foot: tuple[float, float],
    zoom: float,
    roll: float = 0.0,
    upright: float = 1.0,
) -> Floats:
    """Sprite pixels to picture pixels: its foot on a point, turned about its middle."""
    height, width = rgba.shape[:2]
    c, s = zoom * np.cos(roll), zoom * np.sin(roll)
    turn = np.array([[c, -s * upright], [s, c * upright]])
    middle = np.array([foot[0], foot[1] - upright * zoom * (height - 1) / 2])
    offset = middle - turn @ np.array([(width - 1) / 2, (height - 1) / 2])
    return np.hstack([turn, offset[:, None]]).astype(np.float32)


def _over(picture: Floats, rgba: Floats, matrix: Floats) -> None:
    found = _warped(picture, rgba, matrix)
    if found is None:
        return
    area, layer = found
    target = picture[area]
    target *= 1 - layer[..., 3:]
    target += layer[..., :3]


def _warped(
    picture: Floats, layer: Floats, matrix: Floats
) -> tuple[tuple[slice, slice], Floats] | None:
    height, width = layer.shape[:2]
    corners = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float32)
    seen_at = matrix @ corners
    x0, y0 = np.maximum(np.floor(seen_at.min(1)).astype(int) - 2, 0)
    x1, y1 = np.minimum(np.ceil(seen_at.max(1)).astype(int) + 2, picture.shape[1::-1])
    if x1 <= x0 or y1 <= y0:
        return None
    local = matrix.copy()
    local[:, 2] -= (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    return (slice(y0, y1), slice(x0, x1)), warped(layer, local, size)


def _shade(
    picture: Floats,
    alpha: Floats,
    *,
    actor: Actor,
    at: tuple[tuple[float, float], float, float],
    cast: tuple[float, float],
) -> None:
    (column, row), lift, zoom = at
    wide, tall = alpha.shape[1] * zoom, alpha.shape[0] * zoom
    soft = 1 / (1 + 3 * lift / tall)
    foot_wide = 0.5 * min(wide, tall * 1.2) * (0.9 if wide > 2 * tall else 0.55)
    foot_wide = wide * 0.48 if wide > 2 * tall else foot_wide
    foot_tall = max(2.0, foot_wide * (0.10 if wide > 2 * tall else 0.22)) / soft**0.5
    if lift < 3 * tall:
        x0, x1 = max(0, int(column - 3 * foot_wide)), int(column + 3 * foot_wide)
        y0, y1 = max(0, int(row - 3 * foot_tall)), int(row + 3 * foot_tall)
        target = picture[y0 : max(y1, 0), x0 : max(x1, 0)]
        y, x = np.ogrid[y0 : y0 + target.shape[0], x0 : x0 + target.shape[1]]
        away = ((x - column) / foot_wide) ** 2 + ((y - row) / foot_tall) ** 2
        target *= (1 - actor.shadow * soft * np.exp(-away)).astype(np.float32)[..., None]
    if actor.light.cast > 0 and abs(cast[1]) > 0.02:
        shift = lift * np.array(cast)
        skew = np.array([[zoom, -cast[0] * zoom, 0], [0, -cast[1] * zoom, 0]])
        foot = np.array([column, row]) + shift
        skew[:, 2] = foot - skew[:, :2] @ np.array([alpha.shape[1] / 2, alpha.shape[0] - 1])
        found = _warped(picture, alpha, skew.astype(np.float32))
        if found is not None:
            soft_edge = blurred(found[1], 1.5 + 0.012 * tall)
            picture[found[0]] *= (1 - actor.light.cast * soft_edge)[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """Noise of a sensor whose white is 1: electrons at white, and read noise in electrons."""

    full_well: float = 9000.0
    read_noise: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """Radiance to sensor: a scale, and a contrast about the radiance that clips the over frame."""

    scale: float
    contrast: float
    pivot: float

    def applied(self, radiance: Floats) -> Floats:
        """Scaled radiance, H×W×3; hues stay, as the contrast acts on the brightest channel."""
        scaled = radiance * np.float32(self.scale)
        if self.contrast == 1:
            return scaled
        bright = np.maximum(scaled.max(axis=2, keepdims=True), np.float32(1e-7))
        gain = np.power(bright / np.float32(self.pivot), np.float32(self.contrast - 1))
        return np.asarray(scaled * gain, np.float32)


def tone_of(
    reference: Floats, *, stops: Sequence[float], bend: Literal["contrast", "none"]
) -> Tone:
    """The tone that clips about a fifth of the over frame and a twentieth of the reference.

    With `bend="none"` the scale alone has to serve both: the geometric middle of the two wishes.
    """
    bright = reference.max(axis=2)
    dark, at_over, at_reference, top = (
        max(float(q), 1e-9) for q in np.quantile(bright, (1e-4, 0.80, 0.955, 0.9999))
    )
    clip_over, clip_reference = 2.0 ** -stops[2], 2.0 ** -stops[1]
    contrast = 1.0
    if bend == "contrast":
        span = max(float(np.log2(at_reference / at_over)), 0.3)
        range_ = max(float(np.log2(top / dark)), 4.0)
        contrast = float(np.clip(max((stops[2] - stops[1]) / span, 13.8 / range_), 0.85, 1.6))
    wishes = (
        clip_over ** (1 / contrast) / at_over,
        clip_reference ** (1 / contrast) / at_reference,
    )
    # s·q raised to the contrast about the pivot: s = pivot^(1 − 1/c) · clip^(1/c) / q.
    scale = clip_over ** (1 - 1 / contrast) * float(np.sqrt(wishes[0] * wishes[1]))
    return Tone(scale=scale, contrast=contrast, pivot=clip_over)


def through_lens(radiance: Floats) -> Floats:
    """Scaled radiance (1 clips the under frame) with the glare of bright spots, still linear."""
    height, width = radiance.shape[:2]
    quarter = (max(1, width // 4), max(1, height // 4))
    small = resized(np.minimum(radiance, 4), quarter, kind=cv2.INTER_AREA)
    veil = smeared(smeared(small, (61, 61)), (61, 61))
    glare = 0.009 * blurred(small, 2.5) + 0.005 * blurred(small, 9) + 0.001 * veil
    spread = resized(glare, (width, height), kind=cv2.INTER_CUBIC)
    return np.asarray(np.maximum(radiance * np.float32(0.985) + spread, 0), np.float32)


def exposed(radiance: Floats, *, stops: float, sensor: Sensor, rng: np.random.Generator) -> Frame:
    """One frame: clip(X·2^stops + noise, 0, 1)^(1/2.2) in 16 bits (METHOD §1), H×W×3 RGB.

    Shot noise is the Gaussian limit of Poisson: variance signal / full well (white = 1).
    """
    signal = radiance * np.float32(2.0**stops)
    variance = np.minimum(signal, 1) / np.float32(sensor.full_well)
    variance += np.float32((sensor.read_noise / sensor.full_well) ** 2)
    signal += np.sqrt(variance) * rng.standard_normal(signal.shape, dtype=np.float32)
    coded = np.power(np.clip(signal, 0, 1), np.float32(1 / GAMMA))
    return np.asarray(np.round(coded * np.float32(65535)), np.uint16)
