"""People who walk, dogs that trot, birds that fly: living things that bend between frames."""

from collections.abc import Callable

import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.sprites import Sculpture, Sprite
from smarthdr_studio.core.sample.textures import cloth, colour, mottled

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
