"""Who moves in a scene: people, dogs, birds, balls, cars, leaves and flags, with a way to go."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.synthetic.geometry import Actor, Light, Sculpture, Sprite, View
from smarthdr_studio.synthetic.rendering import MARGIN, OVERSAMPLING
from smarthdr_studio.synthetic.textures import (
    cloth,
    colour,
    fractal,
    looked_up,
    mottled,
    ramp,
    resized,
)

_At = Callable[[float, float], tuple[float, float]]
_SKINS = ((0.52, 0.30, 0.21), (0.36, 0.19, 0.12), (0.62, 0.40, 0.30), (0.16, 0.08, 0.05))
_HAIR = ((0.015, 0.012, 0.010), (0.07, 0.035, 0.018), (0.30, 0.19, 0.08), (0.35, 0.34, 0.33))
_CLOTHES = (
    (0.45, 0.04, 0.03), (0.03, 0.08, 0.28), (0.55, 0.52, 0.46), (0.04, 0.16, 0.10),
    (0.60, 0.36, 0.05), (0.05, 0.05, 0.06), (0.20, 0.06, 0.18), (0.10, 0.28, 0.36),
)  # fmt: skip
_SWATCH = (420, 300)


class Person:
    """A walker seen from the side or at three quarters; limbs swing with the time."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._skin = colour(_SKINS[int(rng.integers(len(_SKINS)))])
        self._hair = colour(_HAIR[int(rng.integers(len(_HAIR)))])
        top, bottom = rng.choice(len(_CLOTHES), 2, replace=False)
        self._top = cloth(rng, size=_SWATCH, base=_CLOTHES[top])
        self._bottom = cloth(rng, size=_SWATCH, base=colour(_CLOTHES[bottom]) * 0.6)
        self._phase = float(rng.uniform(0, 6.28))
        self._pace = float(rng.uniform(0.5, 0.9))
        self._heading = 1.0 if rng.random() < 0.5 else -1.0
        self._girth = float(rng.uniform(0.88, 1.15))
        self._hem = float(rng.choice([0.49, 0.46, 0.40]))
        self._bag = bool(rng.random() < 0.5)
        self._hat = bool(rng.random() < 0.3)

    @property
    def heading(self) -> float:
        """1 walking to the right, −1 to the left."""
        return self._heading

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The walker, `pixels` high, at a time in frames."""
        width = int(pixels * 0.62)
        model = Sculpture((pixels, width))
        swing = 0.38 * np.sin(self._phase + self._pace * time)
        unit = pixels * 0.97

        def at(x: float, up: float) -> tuple[float, float]:
            return width / 2 + self._heading * x * unit, pixels - up * unit - 1

        cloths = [_fit(self._top, model_size=(pixels, width))]
        cloths.append(_fit(self._bottom, model_size=(pixels, width)))
        self._leg(model, at, unit, -swing, cloths[1] * 0.75)
        self._arm(model, at, unit, swing, cloths[0] * 0.75)
        self._leg(model, at, unit, swing, cloths[1])
        self._trunk(model, at, unit, cloths[0])
        self._head(model, at, unit)
        self._arm(model, at, unit, -swing, cloths[0])
        return model.finished()

    def _leg(self, model: Sculpture, at: _At, unit: float, swing: float, cloth_: Floats) -> None:
        hip, bend = (0.0, 0.50), 0.28 * max(0.0, -swing) + 0.05
        knee = (hip[0] + 0.245 * np.sin(swing), hip[1] - 0.245 * np.cos(swing))
        shin = swing - bend * 2
        foot = (knee[0] + 0.225 * np.sin(shin), max(knee[1] - 0.225 * np.cos(shin), 0.022))
        g = self._girth * unit
        model.limb((at(foot[0] - 0.01, foot[1]), at(foot[0] + 0.065, foot[1] - 0.006)),
                   (0.020 * unit, 0.013 * unit), (0.035, 0.028, 0.025))  # fmt: skip
        model.limb((at(*knee), at(*foot)), (0.043 * g, 0.028 * g), cloth_)
        model.limb((at(*hip), at(*knee)), (0.066 * g, 0.045 * g), cloth_)

    def _arm(self, model: Sculpture, at: _At, unit: float, swing: float, cloth_: Floats) -> None:
        elbow = (0.165 * np.sin(swing) - 0.005, 0.79 - 0.165 * np.cos(swing))
        fore = swing + 0.35
        hand = (elbow[0] + 0.15 * np.sin(fore), elbow[1] - 0.15 * np.cos(fore))
        model.ellipse(at(hand[0], hand[1] - 0.01), (0.021 * unit, 0.025 * unit), self._skin)
        model.limb((at(*elbow), at(*hand)), (0.031 * unit, 0.022 * unit), cloth_)
        model.limb((at(-0.005, 0.79), at(*elbow)), (0.040 * unit, 0.032 * unit), cloth_)

    def _trunk(self, model: Sculpture, at: _At, unit: float, cloth_: Floats) -> None:
        g = self._girth
        if self._bag:
            model.ellipse(at(-0.10, 0.68), (0.055 * unit, 0.10 * unit), (0.10, 0.05, 0.02))
        model.limb((at(0.006, 0.84), at(0.012, 0.90)), (0.032 * unit, 0.028 * unit), self._skin)
        flare = 0.095 if self._hem < 0.4 else 0.078
        outline = [(-0.055, 0.845), (-0.09, 0.80), (-0.085, 0.66), (-0.075, 0.57),
                   (-flare, self._hem), (flare, self._hem), (0.08, 0.57), (0.088, 0.70),
                   (0.08, 0.80), (0.05, 0.845)]  # fmt: skip
        points = np.array([at(x * g, y) for x, y in outline])
        model.polygon(_rounded(points), cloth_)

    def _head(self, model: Sculpture, at: _At, unit: float) -> None:
        model.ellipse(at(0.0, 0.938), (0.051 * unit, 0.064 * unit), self._hair)
        model.ellipse(at(0.020, 0.925), (0.040 * unit, 0.053 * unit), self._skin, angle=8)
        model.ellipse(at(0.060, 0.920), (0.010 * unit, 0.012 * unit), self._skin)
        model.ellipse(at(-0.004, 0.966), (0.050 * unit, 0.034 * unit), self._hair)
        if self._hat:
            model.ellipse(at(0.012, 0.965), (0.082 * unit, 0.013 * unit), self._hair * 2 + 0.02)


class Dog:
    """A dog at a trot."""

    def __init__(self, rng: np.random.Generator) -> None:
        base = ((0.30, 0.16, 0.06), (0.04, 0.03, 0.03), (0.50, 0.44, 0.34))[int(rng.integers(3))]
        self._fur = mottled(rng, size=(200, 300), base=base, cell=26, depth=0.5)
        self._phase = float(rng.uniform(0, 6.28))
        self.heading = 1.0 if rng.random() < 0.5 else -1.0

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The dog, `pixels` high, at a time in frames."""
        size = (pixels, int(pixels * 1.55))
        model, unit = Sculpture(size), float(pixels)
        fur = _fit(self._fur, model_size=size)

        def at(x: float, up: float) -> tuple[float, float]:
            return size[1] / 2 + self.heading * x * unit, size[0] - up * unit - 1

        for k, x in enumerate((-0.36, 0.24, -0.42, 0.30)):
            swing = 0.5 * np.sin(self._phase + 1.3 * time + (0, np.pi, np.pi, 0)[k])
            foot = (x + 0.36 * np.sin(swing), 0.40 - 0.38 * np.cos(swing))
            shade = 0.65 if k < 2 else 1.0
            model.limb((at(x, 0.46), at(*foot)), (0.085 * unit, 0.036 * unit), fur * shade)
        wag = 0.12 * np.sin(self._phase + 2 * time)
        model.limb((at(-0.46, 0.62), at(-0.68 + wag, 0.84)), (0.045 * unit, 0.02 * unit), fur)
        model.limb((at(-0.34, 0.56), at(0.28, 0.55)), (0.16 * unit, 0.18 * unit), fur)
        model.limb((at(0.32, 0.62), at(0.47, 0.80)), (0.13 * unit, 0.10 * unit), fur)
        model.ellipse(at(0.50, 0.83), (0.125 * unit, 0.11 * unit), fur)
        model.limb((at(0.56, 0.80), at(0.68, 0.76)), (0.07 * unit, 0.045 * unit), fur)
        model.ellipse(at(0.725, 0.775), (0.025 * unit, 0.02 * unit), (0.01, 0.01, 0.01))
        model.ellipse(at(0.43, 0.82), (0.05 * unit, 0.10 * unit), fur * 0.6, angle=14)
        return model.finished()


class Bird:
    """A gull or a crow on the wing."""

    def __init__(self, rng: np.random.Generator) -> None:
        white = rng.random() < 0.5
        self._body = colour((0.6, 0.6, 0.6)) if white else colour((0.02, 0.02, 0.025))
        self._tip = self._body * 0.3
        self._phase = float(rng.uniform(0, 6.28))

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The bird, `pixels` high, wings beating with the time in frames."""
        size = (pixels, int(pixels * 1.9))
        model, unit = Sculpture(size), float(pixels)
        beat = 0.75 * np.sin(self._phase + 1.4 * time)
        cx, cy = size[1] / 2, size[0] * 0.55
        for side in (-1, 1):
            lift = beat * 0.38
            wing = np.array([
                (0.0, -0.06), (side * 0.34, -lift - 0.10), (side * 0.62, -lift * 0.9 - 0.02),
                (side * 0.86, -lift * 0.5 + 0.03), (side * 0.55, -lift * 0.7 + 0.08),
                (side * 0.28, -lift * 0.5 + 0.10), (0.0, 0.12),
            ])  # fmt: skip
            points = wing * unit + np.array([cx, cy])
            model.polygon(_rounded(points), self._body if side > 0 else self._tip * 2, bulge=0.3)
        model.limb(((cx - 0.14 * unit, cy + 0.05 * unit), (cx + 0.16 * unit, cy)),
                   (0.03 * unit, 0.085 * unit), self._body)  # fmt: skip
        model.ellipse((cx + 0.25 * unit, cy - 0.01 * unit), (0.07 * unit, 0.055 * unit), self._body)
        return model.finished()


def _fit(texture: Floats, *, model_size: tuple[int, int]) -> Floats:
    """A texture's own texels where it is large enough, else enlarged."""
    scale = max(model_size[0] / texture.shape[0], model_size[1] / texture.shape[1])
    rows = np.linspace(0, texture.shape[0] - 1, model_size[0]).astype(np.intp)
    span = min(1.0, model_size[1] / texture.shape[1] / scale)
    columns = np.linspace(0, (texture.shape[1] - 1) * span, model_size[1]).astype(np.intp)
    return np.ascontiguousarray(texture[rows[:, None], columns[None, :]])


def _rounded(points: Floats) -> Floats:
    """Chaikin's corner cutting, twice: an outline without corners."""
    for _ in range(2):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1)
        points = points.reshape(-1, 2)
    return points


_Outline = Callable[[list[tuple[float, float]]], Floats]
_PAINTS = (
    (0.45, 0.02, 0.02), (0.02, 0.07, 0.28), (0.55, 0.55, 0.56), (0.03, 0.03, 0.035),
    (0.50, 0.30, 0.02), (0.04, 0.20, 0.12), (0.25, 0.26, 0.28),
)  # fmt: skip


class Ball:
    """A sphere with coloured panels or marbled, turning about a tilted axis."""

    def __init__(self, rng: np.random.Generator) -> None:
        first, second = rng.choice(len(_PAINTS), 2, replace=False)
        self._colours = colour(_PAINTS[first]), np.clip(colour(_PAINTS[second]) + 0.25, 0, 0.85)
        self._axis = rng.normal(size=3)
        self._axis /= np.linalg.norm(self._axis)
        self._panels = int(rng.integers(3, 7))
        self._rate = float(rng.uniform(0.2, 0.6) * rng.choice([-1, 1]))
        self._marble = fractal(rng, size=(128, 256), cell=60, octaves=6, gain=0.65)
        self._marbled = bool(rng.random() < 0.35)

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The ball, `pixels` across, at a time in frames."""
        radius = (pixels - 1) / 2
        y, x = np.mgrid[0:pixels, 0:pixels].astype(np.float32)
        x, y = (x - radius) / (radius - 0.5), (radius - y) / (radius - 0.5)
        square = x * x + y * y
        z = np.sqrt(np.maximum(1 - square, 0))
        normal = np.dstack([x, y, z])
        spin, _ = cv2.Rodrigues(self._axis * (self._rate * time + 0.7))
        turned = normal @ spin.T.astype(np.float32)
        longitude = np.arctan2(turned[..., 0], turned[..., 2])
        latitude = np.clip(turned[..., 1], -1, 1)
        map_x = ((longitude / 6.2832 + 0.5) * 255).astype(np.float32)
        marble = looked_up(self._marble, map_x, (latitude + 1) * 63)
        panels = np.sin(longitude * self._panels) * np.sqrt(1 - latitude**2)
        share = ramp(marble if self._marbled else panels, -0.06, 0.06)[..., None]
        albedo = self._colours[0] + (self._colours[1] - self._colours[0]) * share
        albedo = albedo * (1 + 0.10 * marble[..., None])
        gloss = 0.10 * np.exp(-((x + 0.35) ** 2 + (y - 0.45) ** 2) * 18)
        alpha = ramp(-np.sqrt(square), -1.0 - 0.6 / radius, -1.0 + 0.6 / radius)
        clean = np.clip(albedo + gloss[..., None], 0.005, 0.9).astype(np.float32)
        return Sprite(clean, alpha, normal.astype(np.float32), np.zeros_like(clean))


class Car:
    """A car seen from its side, wheels turning, lamps lit if it is dark."""

    def __init__(self, rng: np.random.Generator, *, lamps: float) -> None:
        self._paint = colour(_PAINTS[int(rng.integers(len(_PAINTS)))])
        self._grain = mottled(rng, size=(160, 420), base=(0.5, 0.5, 0.5), cell=90, depth=0.05)
        self._lamps = lamps
        self.heading = 1.0 if rng.random() < 0.5 else -1.0
        self._roof = float(rng.uniform(0.94, 1.0))
        self._tail = float(rng.uniform(-0.98, -0.72))

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The car, `pixels` high, at a time in frames."""
        size = (pixels, int(pixels * 3.0))
        model, unit = Sculpture(size), float(pixels)

        def at(points: list[tuple[float, float]]) -> Floats:
            bent = [(size[1] / 2 + self.heading * x * unit, size[0] - u * unit) for x, u in points]
            return np.array(bent, np.float32)

        paint = resized(self._grain, (size[1], size[0])) * 2 * self._paint
        cabin = [
            (-0.86, 0.60),
            (-0.62, 0.90),
            (-0.3, self._roof),
            (0.18, self._roof - 0.01),
            (0.62, 0.62),
        ]
        body = [(-1.40, 0.22), (-1.43, 0.45), (-1.36, 0.60), (self._tail, 0.64), (0.62, 0.63),
                (1.16, 0.55), (1.38, 0.44), (1.43, 0.28), (1.40, 0.18), (-1.36, 0.18)]  # fmt: skip
        model.polygon(at(cabin), paint, bulge=0.7)
        model.polygon(at(body), paint, bulge=0.9)
        self._glass(model, at)
        trim = at([(-1.38, 0.18), (-1.38, 0.25), (1.40, 0.25), (1.40, 0.18)])
        model.polygon(trim, (0.02, 0.02, 0.02), bulge=0.3)
        for x in (-0.90, 0.92):
            self._wheel(model, at([(x, 0.19)])[0], unit, time)
        for x, tint in ((1.37, (1.0, 0.92, 0.75)), (-1.38, (0.6, 0.02, 0.01))):
            centre = at([(x, 0.47)])[0]
            model.ellipse((centre[0], centre[1]), (0.05 * unit, 0.045 * unit), colour(tint) * 0.8)
            if self._lamps:
                model.emit((centre[0], centre[1]), 0.045 * unit, colour(tint) * self._lamps)
        return model.finished()

    def _glass(self, model: Sculpture, at: _Outline) -> None:
        dark = (0.035, 0.045, 0.055)
        model.polygon(
            at([(-0.74, 0.64), (-0.56, 0.86), (-0.28, self._roof - 0.06), (-0.22, 0.64)]),
            dark,
            bulge=0.25,
        )
        model.polygon(
            at(
                [(-0.15, 0.64), (-0.20, self._roof - 0.06), (0.15, self._roof - 0.07), (0.47, 0.65)]
            ),
            dark,
            bulge=0.25,
        )
        for x in (-0.18, 0.50):
            seam = at([(x, 0.24), (x, 0.62), (x + 0.012, 0.62), (x + 0.012, 0.24)])
            model.polygon(seam, self._paint * 0.25, bulge=0.0)

    def _wheel(self, model: Sculpture, centre: Floats, unit: float, time: float) -> None:
        at = (float(centre[0]), float(centre[1]))
        model.ellipse(at, (0.215 * unit, 0.215 * unit), (0.01, 0.01, 0.01), bulge=0.0)
        model.ellipse(at, (0.19 * unit, 0.19 * unit), (0.022, 0.022, 0.023), bulge=0.4)
        model.ellipse(at, (0.125 * unit, 0.125 * unit), (0.30, 0.30, 0.31), bulge=0.4)
        for spoke in np.arange(5) * 1.2566 + 0.9 * time * self.heading:
            tip = (at[0] + 0.085 * unit * np.cos(spoke), at[1] + 0.085 * unit * np.sin(spoke))
            model.ellipse(tip, (0.032 * unit, 0.022 * unit), (0.02, 0.02, 0.02), bulge=0.0)


class Leaf:
    """An autumn leaf: tumbling, so its width changes and it turns."""

    def __init__(self, rng: np.random.Generator) -> None:
        base = ((0.45, 0.13, 0.02), (0.50, 0.32, 0.04), (0.20, 0.24, 0.04), (0.30, 0.05, 0.02))
        self._skin = mottled(
            rng, size=(96, 96), base=base[int(rng.integers(4))], cell=30, depth=0.3
        )
        self._phase, self._rate = float(rng.uniform(0, 6.28)), float(rng.uniform(0.2, 0.5))
        self._lobes = int(rng.integers(0, 4)) * 2 + 1

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The leaf, within `pixels` square, at a time in frames."""
        size = (pixels, pixels)
        model, half = Sculpture(size), pixels / 2
        turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        radius = 0.62 + 0.20 * np.cos(turn) + 0.16 * np.abs(np.cos(turn * self._lobes / 2))
        squash = 0.35 + 0.6 * abs(np.cos(self._phase + self._rate * time))
        x, y = radius * np.cos(turn) * 0.95, radius * np.sin(turn) * 0.62 * squash
        angle = self._phase * 2 + self._rate * time
        outline = np.stack(
            [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], 1
        )
        model.polygon(half + outline * half * 0.95, resized(self._skin, size), bulge=0.35)
        tip = np.array([np.cos(angle), np.sin(angle)]) * half * 0.8
        stem = ((half - tip[0], half - tip[1]), (half + tip[0], half + tip[1]))
        model.limb(stem, (0.02 * pixels, 0.008 * pixels), (0.12, 0.07, 0.02))
        return model.finished()


class Flag:
    """Striped cloth on a pole, waves running along it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._cloth = _striped(rng)
        self._phase = float(rng.uniform(0, 6.28))
        self._rate = float(rng.uniform(0.35, 0.8))

    def __call__(self, pixels: int, time: float) -> Sprite:
        """Pole and cloth, `pixels` high, at a time in frames."""
        height, width = pixels, int(pixels * 0.62)
        cloth_height, cloth_width = int(pixels * 0.30), int(width * 0.92)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        along = np.clip((x - 0.04 * width) / cloth_width, 0, 1.2)
        wave = self._phase - self._rate * time * 2 + along * 8 + y / height * 3
        lift = 0.09 * cloth_height * along * np.sin(wave)
        row = (y - 0.06 * height - lift - 0.10 * cloth_height * along**2) / cloth_height
        maps = ((along * 255).astype(np.float32), (row * 127).astype(np.float32))
        albedo = looked_up(self._cloth, *maps)
        soft = 1.5 / cloth_height
        alpha = ramp(np.minimum(row, 1 - row), -soft, soft) * ramp(1 - along, 0, 0.02)
        alpha *= ramp(x, 0.03 * width, 0.05 * width)
        tilt = 0.75 * along**0.5 * np.cos(wave)
        normal = np.dstack([-tilt, 0.15 * tilt, np.ones_like(tilt)])
        normal /= np.linalg.norm(normal, axis=2, keepdims=True)
        pole = ramp(-np.abs(x - 0.03 * width), -0.018 * width - 1, -0.018 * width)
        pole_albedo = np.broadcast_to(colour((0.28, 0.28, 0.27)), albedo.shape)
        mix = pole[..., None]
        flat = albedo * (1 - mix) + pole_albedo * mix
        return Sprite(flat, np.maximum(alpha, pole), normal.astype(np.float32), np.zeros_like(flat))


def _striped(rng: np.random.Generator) -> Floats:
    picks = rng.choice(len(_PAINTS), 3, replace=False)
    bands = np.stack([np.clip(colour(_PAINTS[p]) * 1.3 + 0.02, 0, 0.8) for p in picks])
    upright = rng.random() < 0.5
    index = np.arange(256 if upright else 128) * 3 // (256 if upright else 128)
    flag = np.broadcast_to(bands[index][None] if upright else bands[index][:, None], (128, 256, 3))
    weave = cloth(rng, size=(128, 256), base=(0.5, 0.5, 0.5)).mean(axis=2, keepdims=True)
    return np.asarray(flag * (0.75 + 0.5 * weave), np.float32)


LightAt = Callable[[float, float], Light]


def _shift(rng: np.random.Generator, view: View, z: float, *, pixels: tuple[float, float]) -> float:
    """Metres per frame that move a thing at depth z by so many frame pixels."""
    return float(rng.uniform(*pixels)) * OVERSAMPLING * z / view.focal


def _column(rng: np.random.Generator, view: View, z: float) -> float:
    """A place across at which a thing at depth z is in the picture."""
    half = (view.width / 2 - MARGIN * OVERSAMPLING) * z / view.focal
    return float(rng.uniform(-0.82, 0.82) * half)


def people(
    rng: np.random.Generator, *, view: View, light: LightAt, count: int, depth: tuple[float, float]
) -> list[Actor]:
    """Walkers on the ground between two depths."""
    found = []
    for z in _depths(rng, count, depth):
        draw, x = Person(rng), _column(rng, view, z)
        step = _shift(rng, view, z, pixels=(4, 26)) * draw.heading
        found.append(
            Actor(draw=draw, height=float(rng.uniform(1.6, 1.85)), place=(x, -view.eye, z),
                  velocity=(step, 0, float(rng.normal(0, 0.03))), light=light(x, z))
        )  # fmt: skip
    return found


def dogs(
    rng: np.random.Generator, *, view: View, light: LightAt, count: int, depth: tuple[float, float]
) -> list[Actor]:
    """Dogs at a trot."""
    found = []
    for z in _depths(rng, count, depth):
        draw, x = Dog(rng), _column(rng, view, z)
        step = _shift(rng, view, z, pixels=(8, 30)) * draw.heading
        found.append(
            Actor(draw=draw, height=0.72, place=(x, -view.eye, z), velocity=(step, 0, 0),
                  light=light(x, z))
        )  # fmt: skip
    return found


def cars(
    rng: np.random.Generator, *, view: View, light: LightAt, depths: Sequence[float], lamps: float
) -> list[Actor]:
    """Cars that cross."""
    found = []
    for z in depths:
        draw, x = Car(rng, lamps=lamps), _column(rng, view, z)
        step = _shift(rng, view, z, pixels=(10, 38)) * draw.heading
        found.append(
            Actor(draw=draw, height=1.45, place=(x, -view.eye, z), velocity=(step, 0, 0),
                  light=replace(light(x, z), rim=0.25), shadow=0.85)
        )  # fmt: skip
    return found


def balls(
    rng: np.random.Generator, *, view: View, light: LightAt, count: int, depth: tuple[float, float],
) -> list[Actor]:  # fmt: skip
    """Balls that roll or bounce."""
    found = []
    for z in _depths(rng, count, depth):
        x, way = _column(rng, view, z), float(rng.choice([-1, 1]))
        lift = max(0.0, float(rng.normal(0.1, 0.35)))
        step = _shift(rng, view, z, pixels=(6, 34)) * way
        fall = float(rng.normal(0, 0.08)) if lift > 0.2 else 0.0
        found.append(
            Actor(draw=Ball(rng), height=float(rng.uniform(0.25, 0.5)),
                  place=(x, lift - view.eye, z),
                  velocity=(step, fall, float(rng.normal(0, 0.04))), light=light(x, z))
        )  # fmt: skip
    return found


def leaves(
    rng: np.random.Generator, *, view: View, light: LightAt, count: int, depth: tuple[float, float]
) -> list[Actor]:
    """Leaves on the wind."""
    found = []
    for z in _depths(rng, count, depth):
        x = _column(rng, view, z)
        y = float(rng.uniform(-0.9, 0.9)) * z * 0.35
        way = _shift(rng, view, z, pixels=(3, 30)) * float(rng.choice([-1, 1]))
        fall = -_shift(rng, view, z, pixels=(2, 18))
        found.append(
            Actor(draw=Leaf(rng), height=float(rng.uniform(0.12, 0.2)), place=(x, y, z),
                  velocity=(way, fall, 0), light=light(x, z), shadow=0.0)
        )  # fmt: skip
    return found


def birds(rng: np.random.Generator, *, view: View, light: LightAt, count: int) -> list[Actor]:
    """Birds above the horizon."""
    found = []
    for z in _depths(rng, count, (9.0, 22.0)):
        x, y = _column(rng, view, z), float(rng.uniform(0.06, 0.30)) * z
        way = _shift(rng, view, z, pixels=(5, 30)) * float(rng.choice([-1, 1]))
        found.append(
            Actor(draw=Bird(rng), height=0.8, place=(x, y, z), roll=float(rng.normal(0, 0.08)),
                  velocity=(way, float(rng.normal(0, 0.1)), 0), light=light(x, z), shadow=0.0)
        )  # fmt: skip
    return found


def flags(
    rng: np.random.Generator, *, view: View, light: LightAt, places: Sequence[tuple[float, float]]
) -> list[Actor]:
    """Flags on poles that stand still while their cloth flaps."""
    return [
        Actor(draw=Flag(rng), height=3.6, place=(x, -view.eye, z), light=light(x, z), shadow=0.3)
        for x, z in places
    ]


def even(light: Light) -> LightAt:
    """The same light wherever one stands."""

    def light_at(x: float, z: float) -> Light:
        del x, z
        return light

    return light_at


def _depths(rng: np.random.Generator, count: int, depth: tuple[float, float]) -> list[float]:
    """Depths spread evenly in 1/z, so that sizes in the picture are spread."""
    near, far = 1 / depth[0], 1 / depth[1]
    places = (np.arange(count) + rng.uniform(0, 1, count)) / max(count, 1)
    return [float(1 / (near + (far - near) * p)) for p in places]
