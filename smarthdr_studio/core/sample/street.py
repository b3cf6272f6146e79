"""A street between buildings, from noon to night: lit windows, lamps, cars, wet asphalt."""

from dataclasses import dataclass

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample import crowd
from smarthdr_studio.core.sample.facades import draw_building
from smarthdr_studio.core.sample.light import Lamp, Sky, add_glow, draw_sky, lit
from smarthdr_studio.core.sample.resample import looked_up, smeared, warped
from smarthdr_studio.core.sample.sheets import Sheet, View, cut, opaque, paint
from smarthdr_studio.core.sample.sprites import Actor, Light
from smarthdr_studio.core.sample.stage import Stage
from smarthdr_studio.core.sample.textures import colour, fractal, mixed, mottled, paved, ramp

_FAR = 54.0
_TALL = 15.0
_WARM = ((1.0, 0.62, 0.28), (1.0, 0.74, 0.45), (0.9, 0.85, 0.75), (1.0, 0.5, 0.2))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hour:
    """The light of an hour: sky, what the sun gives walls, how many windows are lit, lamp power."""

    sky: Sky
    ambient: Floats
    sun: Floats
    lit_share: float
    lamp: float
    wet: float


def street(rng: np.random.Generator, *, view: View, turn: int) -> Stage:
    """A street at noon, dusk or night, by turns."""
    hour = _hours(rng)[turn % 3]
    half = float(rng.uniform(5.5, 7.5))
    eye = view.eye
    lamps = _lamps(rng, half, hour)
    picture = draw_sky(rng, view=view, sky=hour.sky)
    sky = picture.copy()
    walls = []
    for side in (-1.0, 1.0):
        sheet = Sheet(axis=0, at=side * half, across=(6.5, _FAR), along=(-eye, _TALL), facing=-side)
        walls.append((sheet, _wall(rng, sheet, hour, lamps, sunny=side * hour.sky.sun[0] < 0)))
    end = Sheet(axis=2, at=_FAR, across=(-half * 4, half * 4), along=(-eye, 10.5), facing=-1)
    walls.insert(0, (end, _wall(rng, end, hour, [], sunny=True)))
    haze = 0.12 * colour(hour.sky.horizon) + 0.5 * hour.ambient
    for sheet, rgba in walls:
        paint(picture, _hazed(rgba, sheet, haze), sheet=sheet, view=view)
    ground = Sheet(axis=1, at=-eye, across=(-half, half), along=(2.4, _FAR), facing=1)
    floor = _ground(rng, ground, hour, lamps, half)
    paint(picture, opaque(floor), sheet=ground, view=view)
    if hour.wet > 0:
        picture += _mirrored(rng, sky, walls, view=view, hour=hour, lamps=lamps)
    _draw_lamps(picture, lamps, view=view, hour=hour)
    return Stage(
        backdrop=picture,
        view=view,
        actors=tuple(_cast(rng, view, hour, lamps)),
        cast=(float(-np.sign(hour.sky.sun[0])) * 0.8, 0.25),
        gloss=0.25 * hour.wet,
        haze=(haze, 0.004),
    )


def _hours(rng: np.random.Generator) -> tuple[_Hour, ...]:
    side = float(rng.choice([-1, 1]))
    noon = _Hour(
        sky=Sky(zenith=(0.10, 0.22, 0.55), horizon=(0.42, 0.55, 0.75),
                sun=(side * float(rng.uniform(0.05, 0.16)), 0.33), sun_colour=(90, 84, 72),
                cloud=float(rng.uniform(0.3, 0.6)),
                cloud_colour=(0.95, 0.95, 0.97), disc=0.03),
        ambient=colour((0.045, 0.055, 0.075)), sun=colour((0.85, 0.78, 0.64)),
        lit_share=0.06, lamp=0.0, wet=0.0,
    )  # fmt: skip
    dusk = _Hour(
        sky=Sky(zenith=(0.030, 0.055, 0.14), horizon=(0.55, 0.25, 0.12), sun=(side * 0.08, 0.045),
                sun_colour=(26, 11, 4), cloud=float(rng.uniform(0.35, 0.75)),
                cloud_colour=(0.16, 0.10, 0.12), disc=0.025),
        ambient=colour((0.022, 0.026, 0.042)), sun=colour((0.05, 0.02, 0.008)),
        lit_share=0.40, lamp=0.55, wet=float(rng.choice([0.0, 0.7])),
    )  # fmt: skip
    night = _Hour(
        sky=Sky(zenith=(0.0015, 0.0025, 0.006), horizon=(0.014, 0.010, 0.010),
                sun=(side * 0.2, 0.35), sun_colour=(3.0, 3.0, 3.2), cloud=0.5,
                cloud_colour=(0.014, 0.011, 0.012), disc=0.012),
        ambient=colour((0.0016, 0.0019, 0.003)), sun=colour((0, 0, 0)),
        lit_share=0.42, lamp=0.9, wet=1.0,
    )  # fmt: skip
    return noon, dusk, night


def _lamps(rng: np.random.Generator, half: float, hour: _Hour) -> list[Lamp]:
    tint = colour(_WARM[int(rng.integers(len(_WARM)))])
    found = []
    for k, z in enumerate(np.geomspace(8.5, 52, 6)):
        power = tint * hour.lamp * float(rng.uniform(0.7, 1.2))
        x = (half - 1.5) * (-1) ** (k + int(rng.integers(2)))
        found.append(
            Lamp(
                place=(x, 2.9, float(z)),
                strength=power,
            )
        )
    return found


def _wall(
    rng: np.random.Generator, sheet: Sheet, hour: _Hour, lamps: list[Lamp], *, sunny: bool
) -> Floats:
    size = sheet.texels(26.0 if sheet.axis == 0 else 12.0)
    per = size[0] / (sheet.along[1] - sheet.along[0])
    albedo, glow = np.zeros((2, *size, 3), np.float32)
    alpha = np.zeros(size, np.float32)
    column = 0
    while column < size[1]:
        width = int(rng.uniform(6.5, 13) * per)
        height = min(size[0], int(rng.uniform(11.5, _TALL if sheet.axis == 0 else 12.5) * per))
        area = (slice(size[0] - height, size[0]), slice(column, min(column + width, size[1])))
        draw_building(rng, albedo[area], glow[area], per=per, lit_share=hour.lit_share)
        alpha[area] = 1
        column += width
    light = lit(sheet, lamps=lamps, ambient=hour.ambient, size=size, per_metre=2.0)
    across, along = sheet.grid(size)
    low = (along - sheet.along[0]) / 6
    light *= (0.55 + 0.45 * np.minimum(low, 1))[..., None]
    if sunny and sheet.axis == 0:
        edge = 1.2 + 1.5 * np.sin(across * 0.23 + 1) + 1.5 * np.sign(np.sin(across * 0.55))
        light += ramp(along - edge, -0.12, 0.12)[..., None] * hour.sun
    elif sunny:
        light += hour.sun * 0.7
    return cut(albedo * light + glow, alpha=alpha)


def _hazed(rgba: Floats, sheet: Sheet, haze: Floats) -> Floats:
    across, _ = sheet.grid(rgba.shape[:2])
    depth = across if sheet.axis == 0 else np.full_like(across, sheet.at)
    share = (1 - np.exp(-depth * 0.005))[..., None] * rgba[..., 3:]
    rgba[..., :3] += share * haze - (share * rgba[..., :3])
    return rgba


def _ground(
    rng: np.random.Generator, sheet: Sheet, hour: _Hour, lamps: list[Lamp], half: float
) -> Floats:
    size = sheet.texels(27.0)
    across, along = sheet.grid(size)
    road = mottled(rng, size=size, base=(0.085, 0.083, 0.08), cell=90, depth=0.28)
    speck = rng.standard_normal(size, dtype=np.float32)
    road *= np.exp(0.16 * speck)[..., None]
    lines = ramp(-np.abs(across), -0.09, -0.06) * ((along % 4.0) < 2.2)
    cracks = fractal(rng, size=size, cell=70, octaves=5, gain=0.6)
    worn = lines * ramp(cracks, -1.0, 0.4) * 0.8
    road = mixed(road, (0.5, 0.49, 0.45), share=worn.astype(np.float32))
    tar = ramp(-np.abs(fractal(rng, size=size, cell=150, octaves=3)), -0.035, -0.015)
    road *= (1 - 0.5 * tar)[..., None]
    pavement = paved(rng, size=size, tile=(22, 22), base=(0.24, 0.23, 0.215), stagger=True)
    edge = half - 2.0
    share = ramp(np.abs(across) - edge, -0.02, 0.02) + 0 * along
    floor = mixed(road, pavement, share=share)
    floor *= (1 - 0.65 * ramp(-np.abs(np.abs(across) - edge), -0.12, -0.03) + 0 * along)[..., None]
    light = lit(sheet, lamps=lamps, ambient=hour.ambient, size=size, per_metre=2.5)
    shade = half * 0.35 + 0.9 * np.sign(np.sin(along * 0.55)) + 0.8 * np.sin(along * 0.23)
    way = -np.sign(hour.sky.sun[0])
    light += ramp(across * way - shade + half * 0.5, -0.08, 0.08)[..., None] * hour.sun
    near_wall = 1 - 0.5 * np.exp(-(half - np.abs(across)) / 0.5) + 0 * along
    return np.asarray(floor * light * near_wall[..., None], np.float32)


def _mirrored(
    rng: np.random.Generator, sky: Floats, walls: list[tuple[Sheet, Floats]], *, view: View,
    hour: _Hour, lamps: list[Lamp],
) -> Floats:  # fmt: skip
    """What wet asphalt adds: the view of the camera under the street, smeared downwards."""
    below = np.ascontiguousarray(sky[::-1])
    shift = np.array([[1, 0, 0], [0, 1, 2 * view.horizon - view.height + 1]], np.float32)
    below = warped(below, shift, (view.width, view.height), border=cv2.BORDER_REPLICATE)
    for sheet, rgba in walls:
        paint(below, rgba, sheet=sheet, view=view, eye_offset=2 * view.eye)
    for lamp in lamps:
        _, y, z = lamp.place
        at = (view.project(lamp.place)[0], view.horizon + view.focal * (y + 2 * view.eye) / z)
        add_glow(below, at=at, radius=0.2 * view.focal / z, strength=colour(lamp.strength) * 9)
    right, up = view.slopes()
    depth = view.eye / np.maximum(-up, 1e-3)
    puddle = fractal(rng, size=(view.height, view.width), cell=160, octaves=5)
    column = np.mod(view.width / 2 + right * depth * 60, view.width - 1)
    row = np.mod((depth + 0 * right) * 40, view.height - 1)
    texture = looked_up(puddle, column, row)
    smear = smeared(below, (5, 61)) * 0.6 + smeared(below, (5, 15)) * 0.4
    grazing = np.exp(up * 2.2) + 0 * right
    far = ramp(depth, 9.0, 20.0)
    mixed_depth = ramp(texture, 0.1, 1.0) * (1 - far) + 0.3 * far
    share = hour.wet * grazing * (0.10 + 0.55 * mixed_depth)
    share *= np.arange(view.height)[:, None] > view.horizon + 1
    return np.asarray(smear * share[..., None], np.float32)


def _draw_lamps(picture: Floats, lamps: list[Lamp], *, view: View, hour: _Hour) -> None:
    for lamp in sorted(lamps, key=lambda found: -found.place[2]):
        x, y, z = lamp.place
        post = Sheet(axis=2, at=z, across=(x - 0.05, x + 0.05), along=(-view.eye, y - 0.1))
        tone = np.full((8, 8, 3), 0.02, np.float32) * hour.ambient * 4
        paint(picture, opaque(tone), sheet=post, view=view)
        hood = Sheet(axis=2, at=z, across=(x - 0.22, x + 0.22), along=(y + 0.12, y + 0.2))
        paint(picture, opaque(tone), sheet=hood, view=view)
        column, row = view.project(lamp.place)
        core = np.maximum(colour(lamp.strength) * 12, hour.ambient * 4)
        add_glow(picture, at=(column, row), radius=0.15 * view.focal / z, strength=core)


def _cast(rng: np.random.Generator, view: View, hour: _Hour, lamps: list[Lamp]) -> list[Actor]:
    sunny = float(hour.sun.sum() > 0.5)

    def light_at(x: float, z: float) -> Light:
        ambient = hour.ambient * 1.2
        here, best = np.zeros(3, np.float32), (0.3, 0.6, 0.5)
        for lamp in lamps:
            ray = colour(lamp.place) - colour((x, 0.0, z))
            gain = colour(lamp.strength) / float(ray @ ray + 0.5)
            if gain.sum() > here.sum():
                best = (float(ray[0]), float(ray[1]), float(-ray[2]))
            here = here + gain
        if sunny:
            return Light(
                towards=(float(hour.sky.sun[0]) * 3, 0.9, 0.35),
                key=hour.sun,
                ambient=ambient,
                cast=0.6,
            )
        return Light(towards=best, key=here + hour.sun * 0.3, ambient=ambient, rim=0.3)

    lamps_on = 0.0 if sunny else 2.5
    found = crowd.cars(
        rng,
        view=view,
        light=light_at,
        depths=rng.uniform(8, 18, int(rng.integers(1, 3))).tolist(),
        lamps=lamps_on,
    )
    found += crowd.people(
        rng, view=view, light=light_at, count=int(rng.integers(3, 5)), depth=(4.0, 15)
    )
    if rng.random() < 0.5:
        found += crowd.dogs(rng, view=view, light=light_at, count=1, depth=(4, 8))
    if rng.random() < 0.5:
        found += crowd.balls(rng, view=view, light=light_at, count=1, depth=(4, 7))
    return found
