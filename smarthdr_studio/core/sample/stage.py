"""A scene at one instant: actors over a backdrop, their shadows, seen by a camera that drifts."""

from dataclasses import dataclass

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.resample import blurred, resized, smeared, warped
from smarthdr_studio.core.sample.sheets import View
from smarthdr_studio.core.sample.sprites import Actor

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
