"""Cut-out figures modelled from rounded parts, and how light falls on them."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.sheets import Point
from smarthdr_studio.core.sample.textures import Colour, Size, colour, ramp

Outline = npt.NDArray[np.floating]
_SHIFT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How an object is lit: a direction (right, up, towards us), its colour, and the ambient."""

    towards: Point
    key: Colour
    ambient: Colour
    rim: float = 0.0
    cast: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """Albedo H×W×3, alpha H×W, normals H×W×3 (right, up, towards us), own light H×W×3."""

    albedo: Floats
    alpha: Floats
    normal: Floats
    own_light: Floats

    @property
    def edge(self) -> Floats:
        """1 along the upper and outer silhouette, 0 within, H×W."""
        inside = (self.alpha > 0.5).astype(np.uint8)
        away = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 3), np.float32)
        wide = max(1.5, 0.014 * self.alpha.shape[0])
        upward = np.clip(0.5 + 0.5 * self.normal[..., 1], 0, 1)
        return np.asarray(ramp(-away, -2 * wide, -0.3 * wide) * upward, np.float32)

    def shaded(self, light: Light) -> Floats:
        """Premultiplied RGBA under a light."""
        away = colour(light.towards) / np.linalg.norm(light.towards)
        facing = np.maximum(self.normal @ away.astype(np.float32), 0)
        up = 0.62 + 0.38 * self.normal[..., 1]
        edge = light.rim * self.edge if light.rim else np.zeros_like(self.alpha)
        shade = facing[..., None] * colour(light.key) + up[..., None] * colour(light.ambient)
        shade += (3 * edge)[..., None] * colour(light.key)
        radiance = self.albedo * shade + self.own_light
        return np.dstack([radiance * self.alpha[..., None], self.alpha]).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Something that moves: `draw(pixels, time)` gives it `pixels` high at −1, 0 or 1.

    `place` is where its foot is at the reference's instant, `velocity` and `roll` (radians) are
    per frame; `height` is the drawn picture's height in metres.
    """

    draw: Callable[[int, float], Sprite]
    height: float
    place: Point
    velocity: Point = (0.0, 0.0, 0.0)
    roll: float = 0.0
    light: Light
    shadow: float = 0.6


class Sculpture:
    """A sprite under construction: parts are laid one over another, each rounded by itself."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._albedo = np.zeros((*size, 3), np.float32)
        self._normal = np.zeros((*size, 3), np.float32)
        self._normal[..., 2] = 1
        self._alpha = np.zeros(size, np.float32)
        self._own = np.zeros((*size, 3), np.float32)

    def polygon(self, points: Outline, albedo: Floats | Colour, *, bulge: float = 1.0) -> None:
        """A filled outline; `points` are N×2 (column, row) pixels."""
        mask = np.zeros(self._size, np.uint8)
        fixed = np.round(np.asarray(points, np.float64) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        self.part(mask, albedo, bulge=bulge)

    def ellipse(
        self,
        centre: tuple[float, float],
        axes: tuple[float, float],
        albedo: Floats | Colour,
        *,
        angle: float = 0.0,
        bulge: float = 1.0,
    ) -> None:
        """A filled ellipse, half-axes in pixels, angle in degrees."""
        turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        x, y = axes[0] * np.cos(turn), axes[1] * np.sin(turn)
        a = np.deg2rad(angle)
        points = np.stack(
            [centre[0] + x * np.cos(a) - y * np.sin(a), centre[1] + x * np.sin(a) + y * np.cos(a)],
            axis=1,
        )
        self.polygon(points, albedo, bulge=bulge)

    def limb(
        self,
        ends: tuple[tuple[float, float], tuple[float, float]],
        radii: tuple[float, float],
        albedo: Floats | Colour,
        *,
        bulge: float = 1.0,
    ) -> None:
        """A tapered capsule between two points."""
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        cloud = np.concatenate(
            [np.asarray(end) + radius * ring for end, radius in zip(ends, radii, strict=True)]
        )
        hull = np.asarray(cv2.convexHull(cloud.astype(np.float32))[:, 0], np.float32)
        self.polygon(hull, albedo, bulge=bulge)

    def part(self, mask: np.ndarray, albedo: Floats | Colour, *, bulge: float = 1.0) -> None:
        """Any 8-bit mask; `bulge` 0 is flat, 1 round."""
        left, top, width, height = cv2.boundingRect(mask)
        if not width:
            return
        area = slice(top, top + height), slice(left, left + width)
        alpha = (mask[area].astype(np.float32) / 255)[..., None]
        paint = colour(albedo)
        paint = paint[area] if paint.ndim == 3 else paint
        normal = relief(mask[area], bulge=bulge)
        for layer, value in ((self._albedo, paint), (self._normal, normal), (self._own, 0.0)):
            layer[area] += alpha * (value - layer[area])
        self._alpha[area] = np.maximum(self._alpha[area], alpha[..., 0])

    def emit(self, centre: tuple[float, float], radius: float, strength: Colour) -> None:
        """A lamp on the figure: its own light, in linear radiance."""
        y, x = np.ogrid[: self._size[0], : self._size[1]]
        away = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2).astype(np.float32)
        self._own += ramp(-away, -radius - 0.7, -radius + 0.7)[..., None] * colour(strength)

    def finished(self) -> Sprite:
        """The sprite as built so far."""
        return Sprite(self._albedo, self._alpha, self._normal, self._own)


def relief(mask: np.ndarray, *, bulge: float) -> Floats:
    """Normals of a shape blown up like a cushion, H×W×3 (right, up, towards us)."""
    inside = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    away = cv2.distanceTransform((inside > 127).astype(np.uint8), cv2.DIST_L2, 5)
    radius = max(float(away.max()), 1.0)
    t = np.minimum(away / radius, 1)
    height = radius * np.sqrt(np.maximum(1 - (1 - t) ** 2, 0)) * np.float32(bulge)
    height = cv2.GaussianBlur(height, (0, 0), max(0.8, radius * 0.13))
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125)[1:-1, 1:-1]
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)[1:-1, 1:-1]
    normal = np.dstack([-slope_x, slope_y, np.ones_like(slope_x)])
    return np.asarray(normal / np.linalg.norm(normal, axis=2, keepdims=True), np.float32)
