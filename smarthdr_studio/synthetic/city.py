"""Streets from noon to night, and an arcade before a sunlit square."""

from dataclasses import dataclass

import cv2
import numpy as np

from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.synthetic import actors
from smarthdr_studio.synthetic.geometry import Actor, Light, Sheet, View, cut, opaque, paint
from smarthdr_studio.synthetic.rendering import (
    Lamp,
    Sky,
    Stage,
    add_glow,
    corners_darkened,
    draw_sky,
    lit,
)
from smarthdr_studio.synthetic.textures import (
    colour,
    fractal,
    looked_up,
    mixed,
    mottled,
    paved,
    ramp,
    smeared,
    warped,
)

_FACADE_STONES = ((0.38, 0.30, 0.21), (0.30, 0.15, 0.10), (0.46, 0.42, 0.36), (0.24, 0.23, 0.22),
           (0.42, 0.26, 0.17), (0.32, 0.33, 0.30), (0.50, 0.40, 0.26))  # fmt: skip
_WARM = ((1.0, 0.62, 0.28), (1.0, 0.74, 0.45), (0.9, 0.85, 0.75), (1.0, 0.5, 0.2))


def draw_building(
    rng: np.random.Generator, albedo: Floats, glow: Floats, *, per: float, lit_share: float
) -> None:
    """Draw one house into its part of a wall's albedo and own light, in place.

    `per` is texels per metre; `lit_share` the share of windows with a light behind them.
    """
    height, width = albedo.shape[:2]
    base = _FACADE_STONES[int(rng.integers(len(_FACADE_STONES)))]
    if rng.random() < 0.45:
        albedo[:] = paved(rng, size=(height, width), tile=(4, 9), base=base, stagger=True)
    else:
        albedo[:] = mottled(rng, size=(height, width), base=base, cell=per * 3, depth=0.2)
    streaks = fractal(rng, size=(height, width), cell=(height / 2, per / 2), octaves=4)
    albedo *= np.exp(-0.12 * np.maximum(streaks, 0))[..., None]
    storey = int(rng.uniform(2.9, 3.5) * per)
    _storeys(rng, albedo, glow, storey=storey, per=per, lit_share=lit_share)
    shop = height - int(storey * 0.95)
    albedo[shop - 4 : shop] = 0.12
    for left in range(int(0.3 * per), width - int(per), int(3.1 * per)):
        bright = rng.uniform(0.1, 0.5) if rng.random() < lit_share * 1.3 else 0.0
        box = (shop + 4, left, int(storey * 0.75), int(2.6 * per))
        _window(rng, albedo, glow, box, colour((1.0, 0.78, 0.5)) * np.float32(bright))
    albedo[:5] *= 1.3
    albedo[5:9] *= 0.45


def _storeys(
    rng: np.random.Generator, albedo: Floats, glow: Floats, *, storey: int, per: float,
    lit_share: float,
) -> None:  # fmt: skip
    height, width = albedo.shape[:2]
    pitch = rng.uniform(1.8, 2.8) * per
    count = max(1, int(width / pitch))
    tall, wide = int(storey * rng.uniform(0.48, 0.62)), int(pitch * rng.uniform(0.40, 0.58))
    for floor, top in enumerate(range(height - 2 * storey, 0, -storey)):
        albedo[top + storey - 3 : top + storey] *= 1.35 if floor % 2 == 0 else 0.7
        for k in range(count):
            left = int((k + 0.5) * width / count - wide / 2)
            bright = rng.exponential(0.16) if rng.random() < lit_share else 0.0
            tint = colour(_WARM[int(rng.integers(len(_WARM)))]) * np.float32(bright)
            _window(rng, albedo, glow, (top + storey // 5, left, tall, wide), tint)


def _window(
    rng: np.random.Generator,
    albedo: Floats,
    glow: Floats,
    box: tuple[int, int, int, int],
    light: Floats,
) -> None:
    top, left, tall, wide = box
    if left < 2 or left + wide + 2 > albedo.shape[1] or top < 2 or tall < 6 or wide < 5:
        return
    albedo[top - 2 : top + tall + 2, left - 2 : left + wide + 2] = rng.uniform(0.25, 0.6)
    pane = slice(top, top + tall), slice(left, left + wide)
    albedo[pane] = colour((0.035, 0.042, 0.05)) * rng.uniform(0.6, 2.2)
    albedo[top : top + 3, left : left + wide] *= 0.3
    albedo[top + tall + 2 : top + tall + 4, left - 3 : left + wide + 3] *= 0.45
    if light.any():
        y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
        fall = 0.35 + np.exp(
            -((y / tall - 0.25) ** 2 + (x / wide - rng.uniform(0.2, 0.8)) ** 2) * 5
        )
        curtain = 0.75 + 0.25 * np.sin(x * rng.uniform(0.5, 1.5)) * (x < wide * rng.uniform(0, 0.6))
        shelf = np.where((y > tall * 0.62) & (np.sin(x * 1.3 + rng.uniform(0, 6)) > 0), 0.35, 1.0)
        glow[pane] = (fall * curtain * shelf)[..., None] * light
    bars = [(slice(top, top + tall), slice(left + wide // 2, left + wide // 2 + 2)),
            (slice(top + tall // 3, top + tall // 3 + 2), slice(left, left + wide))]  # fmt: skip
    for bar in bars:
        albedo[bar], glow[bar] = 0.3, 0.0


_STREET_END = 54.0
_TALL = 15.0


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
        sheet = Sheet(
            axis=0, at=side * half, across=(6.5, _STREET_END), along=(-eye, _TALL), facing=-side
        )
        walls.append((sheet, _wall(rng, sheet, hour, lamps, sunny=side * hour.sky.sun[0] < 0)))
    end = Sheet(axis=2, at=_STREET_END, across=(-half * 4, half * 4), along=(-eye, 10.5), facing=-1)
    walls.insert(0, (end, _wall(rng, end, hour, [], sunny=True)))
    haze = 0.12 * colour(hour.sky.horizon) + 0.5 * hour.ambient
    for sheet, rgba in walls:
        paint(picture, _hazed(rgba, sheet, haze), sheet=sheet, view=view)
    ground = Sheet(axis=1, at=-eye, across=(-half, half), along=(2.4, _STREET_END), facing=1)
    floor = _ground(rng, ground, hour, lamps, half)
    paint(picture, opaque(floor), sheet=ground, view=view)
    if hour.wet > 0:
        picture += _mirrored(rng, sky, walls, view=view, hour=hour, lamps=lamps)
    _draw_lamps(picture, lamps, view=view, hour=hour)
    return Stage(
        backdrop=picture,
        view=view,
        actors=tuple(_street_actors(rng, view, hour, lamps)),
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


def _street_actors(
    rng: np.random.Generator, view: View, hour: _Hour, lamps: list[Lamp]
) -> list[Actor]:
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
    found = actors.cars(
        rng,
        view=view,
        light=light_at,
        depths=rng.uniform(8, 18, int(rng.integers(1, 3))).tolist(),
        lamps=lamps_on,
    )
    found += actors.people(
        rng, view=view, light=light_at, count=int(rng.integers(3, 5)), depth=(4.0, 15)
    )
    if rng.random() < 0.5:
        found += actors.dogs(rng, view=view, light=light_at, count=1, depth=(4, 8))
    if rng.random() < 0.5:
        found += actors.balls(rng, view=view, light=light_at, count=1, depth=(4, 7))
    return found


_ARCADE_STONES = ((0.50, 0.42, 0.30), (0.46, 0.36, 0.28), (0.42, 0.40, 0.37), (0.52, 0.34, 0.24))
_ARCADE_END = 26.0
_TOP = 2.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arcade:
    """Half the walk's width, which side is open (±1), the arches' pitch (m), and the light."""

    half: float
    side: float
    pitch: float
    floor: float
    sun: Floats
    ambient: Floats
    stone: tuple[float, float, float]


def arcade(rng: np.random.Generator, *, view: View, turn: int) -> Stage:
    """A walk under vaults; the sun comes in through the arches and lies on the floor."""
    golden = turn % 2 == 1
    plan = _Arcade(
        half=float(rng.uniform(2.1, 2.8)),
        side=float(rng.choice([-1, 1])),
        pitch=float(rng.uniform(2.4, 3.2)),
        floor=-view.eye,
        sun=colour((0.88, 0.50, 0.22) if golden else (0.8, 0.74, 0.62)),
        ambient=colour((0.0075, 0.0080, 0.0095)) * float(rng.uniform(1.4, 2.6)),
        stone=_ARCADE_STONES[int(rng.integers(len(_ARCADE_STONES)))],
    )
    picture = draw_sky(rng, view=view, sky=_sky(rng, plan, golden=golden))
    _square(rng, picture, view=view, plan=plan)
    for sheet, kind in _shell(plan):
        rgba = _face(rng, sheet, kind, plan=plan)
        paint(picture, rgba, sheet=sheet, view=view)
    return Stage(
        backdrop=picture, view=view, actors=tuple(_arcade_actors(rng, view, plan)),
        cast=(-plan.side * 1.1, 0.12), gloss=0.08, haze=(plan.sun * 0.25, 0.006),
    )  # fmt: skip


def _sky(rng: np.random.Generator, plan: _Arcade, *, golden: bool) -> Sky:
    return Sky(
        zenith=(0.3, 0.55, 1.1),
        horizon=(1.6, 0.95, 0.5) if golden else (1.1, 1.15, 1.2),
        sun=(plan.side * float(rng.uniform(0.28, 0.5)), float(rng.uniform(0.05, 0.13))),
        sun_colour=plan.sun * 45,
        cloud=0.4,
        cloud_colour=plan.sun,
    )


def _face(rng: np.random.Generator, sheet: Sheet, kind: str, *, plan: _Arcade) -> Floats:
    """One side of the walk as premultiplied RGBA: stone times light, with its openings."""
    size = sheet.texels(46.0 if kind != "end" else 30.0)
    shade = corners_darkened(sheet, size=size, reach=0.6)[..., None]
    light = _light(sheet, kind, size=size, plan=plan) * shade
    radiance = np.asarray(_surface(rng, kind, size=size, stone=plan.stone) * light, np.float32)
    across, along = sheet.grid(size)
    if kind == "arches":
        return _arched(radiance, _arch(across, along - plan.floor, plan.pitch), plan.sun * 0.35)
    if kind == "end":
        door = _arch(across + 10.5 * plan.pitch, along - plan.floor, plan.pitch)
        hole = ramp(door, -0.03, 0.03) * (np.abs(across) < plan.pitch / 2)
        return cut(radiance, alpha=np.asarray(1 - hole, np.float32))
    return opaque(radiance)


def _arch(across: Floats, height: Floats, pitch: float) -> Floats:
    """Signed metres inside the nearest arch's opening (positive inside), H×W."""
    x = np.abs((across % pitch) - pitch / 2)
    radius = pitch / 2 - 0.34
    spring = 3.35 - radius
    column = radius - x + 0 * height
    bow = radius - np.sqrt(x * x + np.maximum(height - spring, 0) ** 2)
    return np.asarray(np.where(height < spring, column, bow), np.float32)


def _shell(plan: _Arcade) -> list[tuple[Sheet, str]]:
    half, side, floor = plan.half, plan.side, plan.floor
    wide, deep, high = (-half, half), (2.0, _ARCADE_END), (floor, _TOP)
    return [
        (Sheet(axis=2, at=_ARCADE_END, across=wide, along=high, facing=-1), "end"),
        (Sheet(axis=1, at=_TOP, across=wide, along=(1.5, _ARCADE_END), facing=-1), "ceiling"),
        (Sheet(axis=0, at=-side * half, across=deep, along=high, facing=side), "wall"),
        (Sheet(axis=1, at=floor, across=wide, along=(1.5, _ARCADE_END), facing=1), "floor"),
        (Sheet(axis=0, at=side * half, across=deep, along=high, facing=-side), "arches"),
    ]


def _surface(
    rng: np.random.Generator, kind: str, *, size: tuple[int, int], stone: tuple[float, float, float]
) -> Floats:
    if kind == "floor":
        first = paved(rng, size=size, tile=(28, 28), base=(0.36, 0.33, 0.29), stagger=False)
        y, x = np.ogrid[0 : size[0], 0 : size[1]]
        chequer = ((y // 28 + x // 28) % 2).astype(np.float32)
        return np.asarray(first * (1 - 0.55 * chequer)[..., None], np.float32)
    if kind == "ceiling":
        return mottled(rng, size=size, base=stone, cell=140, depth=0.16)
    blocks = paved(rng, size=size, tile=(22, 48), base=stone, stagger=True)
    stains = fractal(rng, size=size, cell=(160, 70), octaves=5)
    return np.asarray(blocks * np.exp(-0.3 * np.maximum(stains, 0))[..., None], np.float32)


def _light(sheet: Sheet, kind: str, *, size: tuple[int, int], plan: _Arcade) -> Floats:
    """Irradiance, H×W×3: the sun where its ray came through an arch, and what the floor returns."""
    across, along = sheet.grid(size)
    half, pitch = plan.half, plan.pitch
    up, ahead = 0.62, 0.35
    spill, sunlit = np.full(size, 0.22, np.float32), np.zeros(size, np.float32)
    if kind == "floor":
        reach = half - plan.side * across
        hit = _arch(along + ahead * reach, up * reach + 0 * along, pitch)
        sunlit = ramp(hit, -0.03, 0.03)
        rhythm = 0.55 + 0.45 * np.cos(6.2832 * (along / pitch - 0.5))
        spill = np.asarray(np.exp(-reach / 1.3) * rhythm, np.float32)
    elif kind == "wall":
        width = 2 * half
        hit = _arch(across + ahead * width, along - plan.floor + up * width, pitch)
        sunlit = ramp(hit, -0.04, 0.04)
        rhythm = 0.40 + 0.20 * np.cos(6.2832 * (across / pitch - 0.5))
        spill = np.asarray(rhythm + 0 * along, np.float32)
    elif kind == "ceiling":
        ribs = np.sqrt(np.abs(np.cos(3.1416 * along / pitch)))
        vault = np.sqrt(np.maximum(1 - (across / (half * 1.02)) ** 2, 0.02))
        spill = np.asarray(0.5 * (0.25 + 0.75 * ribs) * vault, np.float32)
    bounce = plan.ambient + 0.045 * spill[..., None] * plan.sun
    return np.asarray(bounce + sunlit[..., None] * plan.sun, np.float32)


def _arched(radiance: Floats, arch: Floats, reveal: Floats) -> Floats:
    """The wall with its openings; the stone's edge towards the square catches the light."""
    edge = ramp(-np.abs(arch), -0.10, -0.06)
    radiance = mixed(radiance, reveal * 0.5, share=edge * 0.55)
    moulding = ramp(-np.abs(arch + 0.16), -0.03, -0.015)
    radiance *= (1 - 0.45 * moulding)[..., None]
    return cut(radiance, alpha=1 - ramp(arch, -0.015, 0.015))


def _square(rng: np.random.Generator, picture: Floats, *, view: View, plan: _Arcade) -> None:
    """The sunlit square: paving, and rows of houses around it; in place."""
    eye, side, sun = view.eye, plan.side, plan.sun
    edges = (plan.half, 60.0) if side > 0 else (-60.0, -plan.half)
    ground = Sheet(axis=1, at=-eye, across=edges, along=(2.0, 70), facing=1)
    paving = paved(rng, size=(560, 420), tile=(7, 6), base=(0.42, 0.39, 0.34), stagger=True)
    paint(picture, opaque(paving * sun * 0.5), sheet=ground, view=view)
    front = Sheet(axis=2, at=62.0, across=(-60, 60), along=(-eye, 9.0), facing=-1)
    _houses(rng, picture, front, view=view, sun=sun * 0.28)
    opposite = Sheet(axis=0, at=side * 24, across=(6.0, 64), along=(-eye, 8.0), facing=-side)
    _houses(rng, picture, opposite, view=view, sun=sun * 0.10)


def _houses(
    rng: np.random.Generator, picture: Floats, sheet: Sheet, *, view: View, sun: Floats
) -> None:
    size = (150, int(13 * (sheet.across[1] - sheet.across[0])))
    albedo = mottled(rng, size=size, base=(0.5, 0.4, 0.3), cell=60, depth=0.12)
    roof = np.zeros(size[1], np.float32)
    for left in range(0, size[1], 100):
        albedo[:, left : left + 100] *= rng.uniform(0.55, 1.3, 3).astype(np.float32)
        roof[left : left + 100] = rng.uniform(0, 45)
    y, x = np.ogrid[0 : size[0], 0 : size[1]]
    panes = (np.abs((x % 33) - 16) < 6) & (np.abs((y % 38) - 20) < 10)
    albedo[panes] = 0.05
    tiles = ((y - roof) < 14) & (y > 0)
    albedo[tiles] = colour((0.22, 0.09, 0.05))
    paint(
        picture,
        cut(albedo * sun, alpha=((y >= roof) & (x >= 0)).astype(np.float32)),
        sheet=sheet,
        view=view,
    )


def _arcade_actors(rng: np.random.Generator, view: View, plan: _Arcade) -> list[Actor]:
    def light_at(x: float, z: float) -> Light:
        sunny = 1.0 if plan.side * x > -0.2 and (z * 0.7) % 1.6 < 0.9 else 0.10
        ambient = plan.ambient * 2.2 + 0.012 * plan.sun
        return Light(towards=(plan.side, 0.55, 0.25), key=plan.sun * sunny, ambient=ambient,
                     rim=0.2, cast=0.45 * sunny)  # fmt: skip

    found = actors.people(
        rng, view=view, light=light_at, count=int(rng.integers(3, 5)), depth=(3.4, 12)
    )
    found += actors.balls(
        rng, view=view, light=light_at, count=int(rng.integers(1, 3)), depth=(3.4, 6)
    )
    if rng.random() < 0.5:
        found += actors.dogs(rng, view=view, light=light_at, count=1, depth=(3.2, 6))
    return found
