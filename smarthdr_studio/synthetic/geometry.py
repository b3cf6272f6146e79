"""Flat textured rectangles in space and rounded cut-outs, seen through a pinhole and lit."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.synthetic.textures import Colour, Size, colour, looked_up, ramp, resized

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A level pinhole camera at the origin, x right, y up, z ahead, metres; picture in pixels."""

    height: int
    width: int
    focal: float
    horizon: float
    eye: float = 1.6

    def slopes(self) -> tuple[Floats, Floats]:
        """x/z of every column (1×W) and y/z of every row (H×1)."""
        right = (np.arange(self.width, dtype=np.float32) - (self.width - 1) / 2) / self.focal
        up = (self.horizon - np.arange(self.height, dtype=np.float32)) / self.focal
        return right[None, :], up[:, None]

    def project(self, point: Point) -> tuple[float, float]:
        """Column and row at which a point with z > 0 is seen."""
        x, y, z = point
        return (self.width - 1) / 2 + self.focal * x / z, self.horizon - self.focal * y / z


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A rectangle at right angles to one axis: 0 side wall, 1 floor or ceiling, 2 facing us.

    `across` are the texture's left and right edge (z for a side wall, else x), `along` its
    bottom and top edge (y, or z for a floor), in metres. `facing` is the sign of its normal.
    """

    axis: int
    at: float
    across: tuple[float, float]
    along: tuple[float, float]
    facing: float = 1.0

    def texels(self, per_metre: float) -> tuple[int, int]:
        """Rows and columns of a texture with that density."""
        spans = (self.along[1] - self.along[0], self.across[1] - self.across[0])
        return max(4, round(spans[0] * per_metre)), max(4, round(spans[1] * per_metre))

    def grid(self, size: tuple[int, int]) -> tuple[Floats, Floats]:
        """Metres across (1×W) and along (H×1) of every texel's centre; row 0 is the far edge."""
        rows, columns = size
        (left, right), (bottom, top) = self.across, self.along
        across = left + (np.arange(columns, dtype=np.float32) + 0.5) / columns * (right - left)
        along = top - (np.arange(rows, dtype=np.float32) + 0.5) / rows * (top - bottom)
        return across.astype(np.float32)[None, :], along.astype(np.float32)[:, None]

    def points(self, size: tuple[int, int]) -> Floats:
        """Where every texel is, H×W×3 metres."""
        across, along = np.broadcast_arrays(*self.grid(size))
        plane = np.full(size, self.at, np.float32)
        order = {0: (plane, along, across), 1: (across, plane, along), 2: (across, along, plane)}
        return np.stack(order[self.axis], axis=-1)

    @property
    def normal(self) -> Floats:
        """The unit vector away from the painted side."""
        return np.asarray(np.eye(3)[self.axis] * self.facing, np.float32)

    def corners(self) -> list[Point]:
        """The four corners, no nearer than a few centimetres ahead."""
        found = []
        for a in self.across:
            for b in self.along:
                x, y, z = {0: (self.at, b, a), 1: (a, self.at, b), 2: (a, b, self.at)}[self.axis]
                found.append((x, y, max(z, 0.05)))
        return found


def opaque(radiance: Floats) -> Floats:
    """H×W×3 as premultiplied RGBA that hides what is behind."""
    return np.dstack([radiance, np.ones(radiance.shape[:2], np.float32)])


def cut(radiance: Floats, *, alpha: Floats) -> Floats:
    """H×W×3 and an H×W alpha as premultiplied RGBA."""
    return np.dstack([radiance * alpha[..., None], alpha])


def paint(
    canvas: Floats, rgba: Floats, *, sheet: Sheet, view: View, eye_offset: float = 0.0
) -> None:
    """Lay a texture over the canvas (in place) where the sheet is seen.

    With `eye_offset` the camera stands that much higher and looks with y turned round: the view
    of the mirrored camera under a wet floor, drawn at the floor's own pixels.
    """
    box = _bounds(sheet, view=view, mirrored=eye_offset)
    if box is None:
        return
    rows, columns = box
    right, up = (s.astype(np.float32) for s in view.slopes())
    right, up = right[:, columns], up[rows]
    if eye_offset:
        up = -up
    across, along, texel_metres, inside = _trace(sheet, right, up, eye_offset, view.focal)
    height, width = rgba.shape[:2]
    (left, east), (bottom, top) = sheet.across, sheet.along
    column = (across - left) * np.float32(width / (east - left)) - 0.5
    row = (top - along) * np.float32(height / (top - bottom)) - 0.5
    inside &= (column >= -0.5) & (column <= width - 0.5) & (row >= -0.5) & (row <= height - 0.5)
    per_metre = np.sqrt(width / (east - left) * height / (top - bottom))
    level = np.log2(np.clip(texel_metres * np.float32(per_metre), 1, 64))
    sample = _lookup(rgba, column, row, np.broadcast_to(level, column.shape))
    sample *= inside[..., None]
    target = canvas[rows, columns]
    target *= 1 - sample[..., 3:]
    target += sample[..., :3]


def _bounds(sheet: Sheet, *, view: View, mirrored: float) -> tuple[slice, slice] | None:
    seen = [view.project(corner) for corner in sheet.corners()]
    if mirrored:
        seen = [view.project((x, -(y + mirrored), z)) for x, y, z in sheet.corners()]
    left, right = min(c for c, _ in seen), max(c for c, _ in seen)
    top, bottom = min(r for _, r in seen), max(r for _, r in seen)
    x0, x1 = max(0, int(left) - 1), min(view.width, int(right) + 3)
    y0, y1 = max(0, int(top) - 1), min(view.height, int(bottom) + 3)
    return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None


def _trace(
    sheet: Sheet, right: Floats, up: Floats, eye_y: float, focal: float
) -> tuple[Floats, Floats, Floats, np.ndarray]:
    size = (up.shape[0], right.shape[1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if sheet.axis == 2:
            depth = np.full(size, sheet.at, np.float32)
            across, along, stretch = right * depth, up * depth - eye_y, depth / focal
        elif sheet.axis == 0:
            depth = np.broadcast_to(sheet.at / right, size)
            across, along = depth, up * depth - eye_y
            stretch = depth / focal * np.sqrt(np.abs(depth / sheet.at))
        else:
            depth = np.broadcast_to((sheet.at + eye_y) / up, size)
            across, along = right * depth, depth
            stretch = depth / focal * np.sqrt(np.abs(depth / (sheet.at + eye_y)))
    inside = np.isfinite(depth) & (depth > 0) & (depth < 1e5)
    clean = [np.where(inside, values, 0).astype(np.float32) for values in (across, along, stretch)]
    return clean[0], clean[1], clean[2], inside


def _lookup(rgba: Floats, column: Floats, row: Floats, level: Floats) -> Floats:
    result = np.zeros((*column.shape, 4), np.float32)
    for k in range(7):
        weight = np.clip(1 - np.abs(level - k), 0, 1)
        if k and min(rgba.shape[:2]) > 1:
            half = (max(1, rgba.shape[1] // 2), max(1, rgba.shape[0] // 2))
            rgba = resized(rgba, half, kind=cv2.INTER_AREA)
        rows = np.flatnonzero(weight.any(1))
        columns = np.flatnonzero(weight.any(0))
        if not rows.size:
            continue
        area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        scale = np.float32(0.5**k)
        sample = looked_up(
            rgba, (column[area] + 0.5) * scale - 0.5, (row[area] + 0.5) * scale - 0.5
        )
        result[area] += sample * weight[area][..., None]
    return result


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
