"""A wood: trunks one behind another, sun through the leaves, light patches on the ground."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample import crowd
from smarthdr_studio.core.sample.plants import Trunk, brush, draw_trunk
from smarthdr_studio.core.sample.resample import resized, warped
from smarthdr_studio.core.sample.sheets import Sheet, View, opaque, paint
from smarthdr_studio.core.sample.sprites import Actor, Light
from smarthdr_studio.core.sample.stage import Stage
from smarthdr_studio.core.sample.textures import colour, fractal, mixed, ramp

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
        backdrop=picture, view=view, actors=tuple(_cast(rng, view, air, side)),
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


def _cast(rng: np.random.Generator, view: View, air: _Air, side: float) -> list[Actor]:
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

    found = crowd.people(
        rng, view=view, light=light_at, count=int(rng.integers(2, 4)), depth=(3.6, 11)
    )
    found += crowd.leaves(
        rng, view=view, light=light_at, count=int(rng.integers(3, 6)), depth=(2.0, 6)
    )
    found += crowd.dogs(
        rng, view=view, light=light_at, count=int(rng.integers(0, 2)), depth=(3.4, 7)
    )
    found += crowd.balls(
        rng, view=view, light=light_at, count=int(rng.integers(0, 2)), depth=(3.2, 6)
    )
    return found
