"""Who is in a scene: people, dogs, balls, cars, leaves and birds, with a way to go."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from smarthdr_studio.core.sample.figures import Bird, Dog, Person
from smarthdr_studio.core.sample.sheets import View
from smarthdr_studio.core.sample.sprites import Actor, Light
from smarthdr_studio.core.sample.stage import MARGIN, OVERSAMPLING
from smarthdr_studio.core.sample.things import Ball, Car, Flag, Leaf

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
