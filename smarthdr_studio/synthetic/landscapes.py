"""Forests and open valleys: trees, ridges in haze, lakes, meadows, light on the ground."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.synthetic import actors
from smarthdr_studio.synthetic.geometry import Actor, Light, Sheet, View, cut, opaque, paint
from smarthdr_studio.synthetic.rendering import Sky, Stage, draw_sky
from smarthdr_studio.synthetic.textures import (
    bark,
    blurred,
    colour,
    fractal,
    grass,
    looked_up,
    mixed,
    ramp,
    resized,
    warped,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree at (x, z), `tall` metres, under an even light."""

    x: float
    z: float
    tall: float
    leaf: Floats
    light: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A trunk at (x, z), `girth` metres wide, lit from one side; haze is (radiance, share)."""

    x: float
    z: float
    girth: float
    key: Floats
    ambient: Floats
    side: float
    haze: tuple[Floats, float]


def draw_tree(rng: np.random.Generator, picture: Floats, tree: Tree, *, view: View) -> None:
    """A broad-leaved tree or a fir; in place."""
    column, row = view.project((tree.x, -view.eye, tree.z))
    height = int(tree.tall * view.focal / tree.z)
    width = int(height * rng.uniform(0.55, 0.95))
    fir = rng.random() < 0.5
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - width / 2) / (width / 2), y / height
    noise = fractal(rng, size=(height, width), cell=height / 5, octaves=7, gain=0.72)
    if fir:
        tiers = 0.16 * ((y * 9) % 1.0)
        shape = 0.08 + 0.62 * y + tiers - np.abs(x) * 1.25 + 0.10 * noise
        shape -= ramp(y, 0.86, 0.92) * 2
    else:
        shape = 0.95 - np.hypot(x, (y - 0.42) / 0.42) + 0.22 * noise
    shape -= 3 * ramp(np.abs(x), 0.8, 1.0) + 2 * ramp(-y, -0.06, 0.0)
    crown = ramp(shape, 0.0, 0.10) * ramp(noise + 3.0 * shape, -0.6, 0.2)
    stem = ramp(0.028 + 0.03 * y - np.abs(x + 0.05 * np.sin(y * 5)), 0, 0.02) * (y > 0.3)
    tone = tree.leaf * np.exp(0.55 * noise + 0.5 * (0.5 - y))[..., None] * tree.light
    wood = colour((0.05, 0.035, 0.025)) * tree.light
    alpha = np.maximum(crown, stem)[..., None]
    body = np.where(crown[..., None] > stem[..., None] * 0.5, tone, wood)
    _lay(picture, body * alpha, alpha, left=int(column - width / 2), top=int(row - height))


def draw_trunk(rng: np.random.Generator, picture: Floats, trunk: Trunk, *, view: View) -> None:
    """A trunk from the ground to above the picture; in place."""
    column, row = view.project((trunk.x, -view.eye, trunk.z))
    width, height = max(6, int(trunk.girth * view.focal / trunk.z)), int(row + 0.02 * view.height)
    if height < 20:
        return
    skin = bark(
        rng,
        size=(min(height, 700), max(6, width)),
        base=rng.uniform(0.06, 0.15) * colour((1.1, 0.9, 0.7)),
    )
    skin = resized(skin, (width * 2, height))
    y, x = np.mgrid[0:height, 0 : width * 2].astype(np.float32)
    along = y / height
    lean = float(rng.normal(0, 0.35)) * width * (1 - along)
    lean = lean + 0.2 * width * np.sin(along * rng.uniform(2, 5))
    flare = 0.42 + 0.10 * along + 0.5 * np.exp(-(1 - along) * 22)
    across = (x - width - lean) / (width * flare)
    alpha = ramp(1 - np.abs(across), 0, 2.2 / width)
    lit = np.clip(across * trunk.side, 0, 1) ** 1.3 * (
        0.5 + 0.5 * np.sin(along * 19 + rng.uniform(0, 6)) ** 2
    )
    rounded = np.sqrt(np.maximum(1 - 0.85 * np.minimum(across**2, 1), 0))
    body = skin * (trunk.ambient * rounded[..., None] + trunk.key * lit[..., None])
    body += trunk.haze[1] * (trunk.haze[0] - body)
    _lay(
        picture,
        body * alpha[..., None],
        alpha[..., None],
        left=int(column - width),
        top=int(row - height),
    )


def brush(
    rng: np.random.Generator, picture: Floats, *, view: View, tone: Floats, count: int,
    tall: float = 0.22,
) -> None:  # fmt: skip
    """Blades of grass near the camera, far ones first; in place."""
    depth = np.sort(1 / rng.uniform(1 / 9.0, 1 / 2.6, count))[::-1]
    half = view.width / 2
    for z in depth:
        column = rng.uniform(0, view.width)
        row = view.horizon + view.focal * view.eye / z
        height = tall * rng.uniform(0.3, 1.0) * view.focal / z
        bend = rng.normal(0, 0.35) * height + 0.1 * (column - half) / half * height
        curve = np.array(
            [
                [column, row],
                [column + 0.3 * bend, row - 0.6 * height],
                [column + bend, row - height],
            ]
        )
        shade = tone * np.float32(rng.lognormal(0, 0.45)) * rng.uniform(0.8, 1.25, 3)
        cv2.polylines(picture, [np.round(curve * 16).astype(np.int32)], isClosed=False,
                      color=shade.tolist(), thickness=max(1, int(6 / z)), shift=4)  # fmt: skip


def _lay(picture: Floats, body: Floats, alpha: Floats, *, left: int, top: int) -> None:
    height, width = body.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + width), min(picture.shape[0], top + height)
    if x1 <= x0 or y1 <= y0:
        return
    part = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    target = picture[y0:y1, x0:x1]
    target *= 1 - alpha[part]
    target += body[part]


_LEAVES = (
    (0.10, 0.20, 0.03),
    (0.32, 0.16, 0.03),
    (0.16, 0.20, 0.03),
    (0.05, 0.14, 0.05),
    (0.36, 0.09, 0.03),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Air:
    """A wood's light: leaves, sun and ambient, mist, and where the sun stands (column, row)."""

    leaf: Floats
    sun: Floats
    ambient: Floats
    mist: Floats
    place: tuple[float, float]


def forest(rng: np.random.Generator, *, view: View, turn: int) -> Stage:
    """A path under trees, against the sun."""
    air = _air(rng, view, turn)
    picture = _light_beyond(view, air)
    _canopy(rng, picture, view=view, air=air, layers=(0.75, 0.45))
    ground = Sheet(axis=1, at=-view.eye, across=(-14, 14), along=(1.8, 34), facing=1)
    paint(picture, opaque(_floor(rng, ground, air)), sheet=ground, view=view)
    side = float(np.sign(air.place[0] - view.width / 2)) or 1.0
    _trunks(rng, picture, view=view, air=air, side=side)
    near = replace(air, leaf=air.leaf * 0.5, sun=air.sun * 0.3)
    _canopy(rng, picture, view=view, air=near, layers=(0.12,))
    blades = (air.ambient + 0.06 * air.sun) * air.leaf * 3
    brush(rng, picture, view=view, tone=blades, count=1100, tall=0.3)
    picture += _rays(picture, air.place)
    return Stage(
        backdrop=picture, view=view, actors=tuple(_forest_actors(rng, view, air, side)),
        cast=(-side * 0.5, 0.35), haze=(air.mist, 0.020),
    )  # fmt: skip


def _air(rng: np.random.Generator, view: View, turn: int) -> _Air:
    leaf = colour(_LEAVES[turn % len(_LEAVES)])
    mist = 0.55 * colour((0.55, 0.60, 0.60)) + 0.45 * 2.5 * leaf
    return _Air(
        leaf=leaf,
        sun=colour((1.0, 0.80, 0.50)) * float(rng.uniform(0.5, 0.9)),
        ambient=colour((0.020, 0.024, 0.018)) * float(rng.uniform(0.5, 1.2)),
        mist=mist * np.float32(rng.uniform(0.05, 0.16)),
        place=(
            float(rng.uniform(0.25, 0.75)) * view.width,
            float(rng.uniform(0.16, 0.34)) * view.height,
        ),
    )


def _trunks(
    rng: np.random.Generator, picture: Floats, *, view: View, air: _Air, side: float
) -> None:
    for depth in np.geomspace(26, 5.0, 17):
        x = float(rng.uniform(-0.62, 0.62)) * view.width * depth / view.focal
        if abs(x) < 0.8:
            x += 1.6 * float(np.sign(x) or 1.0)
        haze = (air.mist, float(1 - np.exp(-depth * 0.040)))
        trunk = Trunk(x=x, z=float(depth), girth=float(rng.uniform(0.22, 0.5)), key=air.sun * 0.45,
                      ambient=air.ambient, side=side, haze=haze)  # fmt: skip
        draw_trunk(rng, picture, trunk, view=view)


def _light_beyond(view: View, air: _Air) -> Floats:
    y, x = np.mgrid[0 : view.height, 0 : view.width].astype(np.float32)
    away = np.hypot(x - air.place[0], y - air.place[1]) / view.width
    glow = 1.6 * np.exp(-away * 8) + 0.5 * np.exp(-away * 2.5)
    disc = ramp(-away, -0.022, -0.016) * 45
    return np.asarray(air.mist * 1.1 + (glow + disc)[..., None] * air.sun, np.float32)


def _canopy(
    rng: np.random.Generator, picture: Floats, *, view: View, air: _Air, layers: tuple[float, ...]
) -> None:
    """Leaves in layers: translucent far ones glow against the sun, near ones are dark."""
    size = (view.height, view.width)
    y, x = np.ogrid[0 : view.height, 0 : view.width]
    away = np.hypot(x - air.place[0], y - air.place[1]).astype(np.float32) / view.width
    for through in layers:
        clumps = fractal(rng, size=size, cell=230, octaves=4, gain=0.6)
        leaves = fractal(rng, size=size, cell=22, octaves=4, gain=0.85)
        height = (1.15 - 2.5 * y / view.height) if through > 0.2 else (0.35 - 3.6 * y / view.height)
        cover = ramp(0.75 * clumps + 0.85 * leaves + 1.5 * height, 0.1, 0.45)
        bright = through * (0.10 + 0.9 * np.exp(-away * 4.5)) + 0.012
        tone = air.leaf * air.sun * 2.2 * (bright * np.exp(0.5 * leaves))[..., None]
        picture[:] = mixed(picture, tone, share=np.asarray(cover * 0.97, np.float32))


def _floor(rng: np.random.Generator, sheet: Sheet, air: _Air) -> Floats:
    """Leaf litter, a path, patches of sun, mist with distance; H×W×3."""
    size = sheet.texels(26.0)
    across, along = sheet.grid(size)
    litter = fractal(rng, size=size, cell=14, octaves=4, gain=0.9)
    patches = fractal(rng, size=size, cell=110, octaves=4)
    soil = mixed(
        colour((0.10, 0.065, 0.035)), air.leaf * 0.9, share=ramp(patches + 0.5 * litter, -0.2, 1.2)
    )
    soil *= np.exp(0.45 * litter)[..., None]
    path = ramp(0.8 + 0.2 * patches - np.abs(across - 0.6 * np.sin(along * 0.3)), -0.15, 0.25)
    soil = mixed(soil, colour((0.19, 0.14, 0.09)) * np.exp(0.22 * litter)[..., None], share=path)
    spots = fractal(rng, size=size, cell=(60, 26), octaves=4, gain=0.55)
    sunlit = ramp(spots, 0.75, 1.15)
    body = soil * (air.ambient * 1.2 + sunlit[..., None] * air.sun * 0.9 + 0.03 * air.sun)
    share = (1 - np.exp(-along * 0.045))[..., None]
    return np.asarray(body * (1 - share) + air.mist * share, np.float32)


def _rays(picture: Floats, place: tuple[float, float]) -> Floats:
    """Shafts of light: the bright gaps smeared away from the sun (zoom blur by doubling)."""
    small_size = (picture.shape[1] // 4, picture.shape[0] // 4)
    small = resized(np.minimum(picture, 1.5), small_size, kind=cv2.INTER_AREA)
    shafts = np.maximum(small - np.float32(np.quantile(small, 0.86)), 0)
    centre = np.array(place, np.float32) / 4
    for zoom in (1.02, 1.04, 1.08, 1.16, 1.32):
        matrix = np.array(
            [[zoom, 0, centre[0] * (1 - zoom)], [0, zoom, centre[1] * (1 - zoom)]], np.float32
        )
        shafts = 0.5 * (shafts + warped(shafts, matrix, small_size))
    return np.float32(0.22) * resized(shafts, (picture.shape[1], picture.shape[0]))


def _forest_actors(rng: np.random.Generator, view: View, air: _Air, side: float) -> list[Actor]:
    patchy = rng.uniform(0.1, 1.0, 16)

    def light_at(x: float, z: float) -> Light:
        key = air.sun * float(patchy[int(abs(x * 3 + z * 5)) % 16])
        return Light(
            towards=(side * 0.8, 0.8, -0.15),
            key=key,
            ambient=air.ambient * 1.5 + 0.02 * air.sun,
            rim=0.3,
            cast=0.3,
        )

    found = actors.people(
        rng, view=view, light=light_at, count=int(rng.integers(2, 4)), depth=(3.6, 11)
    )
    found += actors.leaves(
        rng, view=view, light=light_at, count=int(rng.integers(3, 6)), depth=(2.0, 6)
    )
    found += actors.dogs(
        rng, view=view, light=light_at, count=int(rng.integers(0, 2)), depth=(3.4, 7)
    )
    found += actors.balls(
        rng, view=view, light=light_at, count=int(rng.integers(0, 2)), depth=(3.2, 6)
    )
    return found


_GREENS = ((0.055, 0.105, 0.022), (0.10, 0.10, 0.025), (0.035, 0.075, 0.025), (0.13, 0.085, 0.03))


def valley(rng: np.random.Generator, *, view: View, turn: int) -> Stage:
    """A landscape with the sun in the picture, at noon, in the golden hour or at dusk, by turns."""
    sky, sun, ambient = _daylight(rng, turn % 3)
    picture = draw_sky(rng, view=view, sky=sky)
    green = colour(_GREENS[(turn + int(rng.integers(2))) % len(_GREENS)])
    hour = _Daylight(sky=sky, sun=sun, ambient=ambient, green=green)
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
    light_at = actors.even(
        Light(key=sun * 0.75, ambient=ambient * 2.2, rim=0.3, cast=0.5,
              towards=(sky.sun[0] * 3, 0.6 + sky.sun[1], -0.1))
    )  # fmt: skip
    return Stage(
        backdrop=picture, view=view, actors=tuple(_valley_actors(rng, view, light_at, bank)),
        cast=(-sky.sun[0] * 1.6, 0.42), haze=(colour(sky.horizon) * 0.5, 0.004),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Daylight:
    """A time of day: sky, the sun's irradiance, the ambient; and the season's green."""

    sky: Sky
    sun: Floats
    ambient: Floats
    green: Floats


def _daylight(rng: np.random.Generator, choice: int) -> tuple[Sky, Floats, Floats]:
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


def _ridges(rng: np.random.Generator, picture: Floats, *, view: View, hour: _Daylight) -> None:
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


def _slope(rng: np.random.Generator, below: Floats, *, steep: float, hour: _Daylight) -> Floats:
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


def _valley_actors(
    rng: np.random.Generator, view: View, light_at: actors.LightAt, bank: float
) -> list[Actor]:
    deep = min(bank - 2.5, 11.0)
    found = actors.people(
        rng, view=view, light=light_at, count=int(rng.integers(2, 4)), depth=(4.2, deep)
    )
    found += actors.dogs(
        rng, view=view, light=light_at, count=int(rng.integers(0, 2)), depth=(3.5, 7)
    )
    found += actors.balls(
        rng, view=view, light=light_at, count=int(rng.integers(1, 3)), depth=(4.0, 8)
    )
    found += actors.birds(rng, view=view, light=light_at, count=int(rng.integers(1, 3)))
    if rng.random() < 0.5:
        found += actors.flags(
            rng, view=view, light=light_at, places=[(float(rng.uniform(-2, 2)), 8.5)]
        )
    return found
