"""Open country: sky and clouds, ridges fading into haze, a lake or a meadow, trees, a path."""

from dataclasses import dataclass

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample import crowd
from smarthdr_studio.core.sample.light import Sky, draw_sky
from smarthdr_studio.core.sample.plants import Tree, brush, draw_tree
from smarthdr_studio.core.sample.resample import blurred, looked_up
from smarthdr_studio.core.sample.sheets import Sheet, View, cut, paint
from smarthdr_studio.core.sample.sprites import Actor, Light
from smarthdr_studio.core.sample.stage import Stage
from smarthdr_studio.core.sample.textures import colour, fractal, grass, mixed, ramp

_GREENS = ((0.055, 0.105, 0.022), (0.10, 0.10, 0.025), (0.035, 0.075, 0.025), (0.13, 0.085, 0.03))


def valley(rng: np.random.Generator, *, view: View, turn: int) -> Stage:
    """A landscape with the sun in the picture, at noon, in the golden hour or at dusk, by turns."""
    sky, sun, ambient = _hour(rng, turn % 3)
    picture = draw_sky(rng, view=view, sky=sky)
    green = colour(_GREENS[(turn + int(rng.integers(2))) % len(_GREENS)])
    hour = _Hour(sky=sky, sun=sun, ambient=ambient, green=green)
    shore = view.horizon + view.focal * float(rng.uniform(0.012, 0.03))
    _ridges(rng, picture, view=view, hour=hour)
    if rng.random() < 0.8:
        _lake(rng, picture, view=view, shore=shore, ambient=ambient)
    bank = float(rng.uniform(12, 22))
    ground = Sheet(axis=1, at=-view.eye, across=(-16, 16), along=(1.8, bank), facing=1)
    _bank(rng, picture, ground, view=view, light=ambient * 2.2 + sun * 0.9, green=green)
    backlight = ambient * 1.6 + sun * 0.3
    for place in rng.uniform(0.55, 1.0, int(rng.integers(1, 4))) * rng.choice([-1, 1]):
        depth = float(rng.uniform(9, 16))
        x = float(place) * (view.width / 2) * depth / view.focal
        tree = Tree(x=x, z=depth, tall=float(rng.uniform(4, 8)), leaf=green * 1.1, light=backlight)
        draw_tree(rng, picture, tree, view=view)
    blades = (ambient * 1.8 + sun * 0.5) * green * 2.2
    brush(rng, picture, view=view, tone=blades, count=1500)
    light_at = crowd.even(
        Light(key=sun * 0.75, ambient=ambient * 2.2, rim=0.3, cast=0.5,
              towards=(sky.sun[0] * 3, 0.6 + sky.sun[1], -0.1))
    )  # fmt: skip
    return Stage(
        backdrop=picture, view=view, actors=tuple(_cast(rng, view, light_at, bank)),
        cast=(-sky.sun[0] * 1.6, 0.42), haze=(colour(sky.horizon) * 0.5, 0.004),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hour:
    """A time of day: sky, the sun's irradiance, the ambient; and the season's green."""

    sky: Sky
    sun: Floats
    ambient: Floats
    green: Floats


def _hour(rng: np.random.Generator, choice: int) -> tuple[Sky, Floats, Floats]:
    """Sky, the sun's irradiance and the ambient of a time of day."""
    x = float(rng.uniform(-0.38, 0.38))
    cloud = float(rng.uniform(0.35, 0.75))
    if choice == 1:
        sky = Sky(zenith=(0.07, 0.20, 0.62), horizon=(0.50, 0.62, 0.80),
                  sun=(x, float(rng.uniform(0.28, 0.36))), sun_colour=(75, 70, 60), cloud=cloud,
                  cloud_colour=(0.9, 0.9, 0.92), disc=0.026)  # fmt: skip
        return sky, colour((0.65, 0.60, 0.50)), colour((0.10, 0.12, 0.16))
    if choice == 0:
        sky = Sky(zenith=(0.07, 0.11, 0.24), horizon=(0.75, 0.38, 0.15),
                  sun=(x, float(rng.uniform(0.09, 0.16))), sun_colour=(55, 30, 12), cloud=cloud,
                  cloud_colour=(0.42, 0.26, 0.19), disc=0.028)  # fmt: skip
        return sky, colour((0.40, 0.23, 0.09)), colour((0.040, 0.042, 0.060))
    sky = Sky(zenith=(0.030, 0.045, 0.13), horizon=(0.42, 0.17, 0.14),
              sun=(x, float(rng.uniform(0.05, 0.08))), sun_colour=(30, 10, 4), cloud=cloud,
                  cloud_colour=(0.17, 0.085, 0.10), disc=0.026)  # fmt: skip
    return sky, colour((0.16, 0.07, 0.035)), colour((0.022, 0.022, 0.038))


def _ridges(rng: np.random.Generator, picture: Floats, *, view: View, hour: _Hour) -> None:
    """Mountains to hills, far to near, each with its own relief and haze; in place."""
    rows = np.arange(view.height, dtype=np.float32)[:, None]
    # The nearer ground hides everything lower than this.
    end = int(view.horizon + 0.2 * view.focal)
    count = int(rng.integers(4, 6))
    for k in range(count):
        near = k / (count - 1)
        steep = (1 - near) * float(rng.uniform(0.6, 1.2))
        edge = _skyline(rng, view=view, near=near, steep=steep)
        top = max(0, int(edge.min()) - 2)
        below = np.asarray(rows[top:end] - edge, np.float32)
        body = _slope(rng, below, steep=steep, hour=hour)
        haze = float((1 - near) ** 1.2 * 0.72)
        body += haze * (colour(hour.sky.horizon) * 0.55 - body)
        picture[top:end] = mixed(picture[top:end], body, share=ramp(below, -0.8, 0.8))


def _skyline(rng: np.random.Generator, *, view: View, near: float, steep: float) -> Floats:
    """The row at which a ridge begins, per column: broad shapes, and treetops where it is near."""
    size = (1, view.width)
    profile = fractal(rng, size=size, cell=(1, 420 - 250 * near), octaves=8, gain=0.5)[0]
    trees = fractal(rng, size=size, cell=(1, 24), octaves=5, gain=0.8)[0]
    peak = 0.045 + 0.10 * steep + (0.05 * steep + 0.012) * profile + near * 0.009 * np.abs(trees)
    return np.asarray(view.horizon - view.focal * peak, np.float32)


def _slope(rng: np.random.Generator, below: Floats, *, steep: float, hour: _Hour) -> Floats:
    """A hillside lit from the sun's side: woods, rock higher up, snow on the steepest."""
    size = (below.shape[0], below.shape[1])
    rock = fractal(rng, size=size, cell=(90, 60), octaves=7, gain=0.62)
    relief = np.asarray(cv2.Sobel(blurred(rock, 1.2), cv2.CV_32F, 1, 1, scale=0.6))
    side = float(np.sign(hour.sky.sun[0]))
    relief = relief + 0.5 * side * np.asarray(cv2.Sobel(rock, cv2.CV_32F, 1, 0, scale=0.25))
    trees = fractal(rng, size=size, cell=(9, 6), octaves=3, gain=0.8)
    wood = np.exp(0.45 * trees)[..., None] * hour.green
    snow = ramp(60 - below + 30 * rock, 10, 40) * np.float32(steep > 0.75)
    stone = mixed((0.20, 0.18, 0.16), (0.75, 0.77, 0.8), share=snow)
    bare = ramp(rock * 22 - below + 90 * steep, -20, 30) * np.float32(min(1.0, 1.3 * steep))
    facing = np.clip(0.45 + 0.35 * relief, 0.05, 1.5)[..., None]
    light = hour.ambient * 1.6 + hour.sun * 0.9 * facing
    return np.asarray(mixed(wood, stone, share=bare) * light, np.float32)


def _lake(
    rng: np.random.Generator, picture: Floats, *, view: View, shore: float, ambient: Floats
) -> None:
    start = int(shore)
    right, up = view.slopes()
    depth = view.eye / np.maximum(-up[start:], 1e-3)
    ripples = fractal(rng, size=(600, 1400), cell=(18, 60), octaves=6, gain=0.7)
    column = (700 + right * depth * 22).astype(np.float32)
    row = np.broadcast_to(depth * 16, column.shape).astype(np.float32)
    wave = looked_up(ripples, np.mod(column, 1399), np.mod(row, 599))
    calm = 9 * np.exp(-depth / 18) + 1.2
    source_y = (
        2 * shore - np.arange(start, view.height, dtype=np.float32)[:, None] + wave * calm * 1.6
    )
    source_x = np.arange(view.width, dtype=np.float32)[None, :] + 0.35 * wave * calm
    mirrored = looked_up(
        picture, np.asarray(source_x + 0 * source_y, np.float32), np.clip(source_y, 0, shore - 1)
    )
    fresnel = np.clip(0.92 + 1.9 * up[start:], 0.25, 0.9)
    water = (
        mirrored * fresnel[..., None]
        + colour((0.10, 0.22, 0.24)) * ambient * (1 - fresnel)[..., None]
    )
    foam = ramp(np.arange(start, view.height)[:, None] - shore, 0, 3)[..., None]
    picture[start:] = picture[start:] * (1 - foam) * 0.8 + water * foam


def _bank(
    rng: np.random.Generator,
    picture: Floats,
    sheet: Sheet,
    *,
    view: View,
    light: Floats,
    green: Floats,
) -> None:
    size = sheet.texels(34.0)
    lawn = grass(rng, size=size, base=green * 1.5)
    across, along = sheet.grid(size)
    winding = 1.6 * np.sin(along * 0.35 + rng.uniform(0, 6)) + float(rng.uniform(-2, 2))
    ragged = fractal(rng, size=size, cell=50, octaves=5)
    path = ramp(0.75 + 0.15 * ragged - np.abs(across - winding), -0.1, 0.15)
    earth = np.exp(0.3 * fractal(rng, size=size, cell=24, octaves=5, gain=0.8))[..., None]
    body = mixed(lawn, earth * colour((0.26, 0.20, 0.13)), share=path)
    edge = sheet.along[1] - along - 1.4 - 0.9 * ragged
    paint(picture, cut(body * light, alpha=ramp(edge, -0.25, 0.05)), sheet=sheet, view=view)


def _cast(
    rng: np.random.Generator, view: View, light_at: crowd.LightAt, bank: float
) -> list[Actor]:
    deep = min(bank - 2.5, 11.0)
    found = crowd.people(
        rng, view=view, light=light_at, count=int(rng.integers(2, 4)), depth=(4.2, deep)
    )
    found += crowd.dogs(
        rng, view=view, light=light_at, count=int(rng.integers(0, 2)), depth=(3.5, 7)
    )
    found += crowd.balls(
        rng, view=view, light=light_at, count=int(rng.integers(1, 3)), depth=(4.0, 8)
    )
    found += crowd.birds(rng, view=view, light=light_at, count=int(rng.integers(1, 3)))
    if rng.random() < 0.5:
        found += crowd.flags(
            rng, view=view, light=light_at, places=[(float(rng.uniform(-2, 2)), 8.5)]
        )
    return found
