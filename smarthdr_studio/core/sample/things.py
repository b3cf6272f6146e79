"""Balls, cars, leaves, flags and balloons: things that roll, drive, tumble and flap."""

from collections.abc import Callable

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.resample import looked_up, resized
from smarthdr_studio.core.sample.sprites import Sculpture, Sprite
from smarthdr_studio.core.sample.textures import cloth, colour, fractal, mottled, ramp

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
