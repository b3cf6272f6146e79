"""An arcade: dim vaults on one side, a sunlit square beyond the arches on the other."""

from dataclasses import dataclass

import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample import crowd
from smarthdr_studio.core.sample.light import Sky, corners_darkened, draw_sky
from smarthdr_studio.core.sample.sheets import Sheet, View, cut, opaque, paint
from smarthdr_studio.core.sample.sprites import Actor, Light
from smarthdr_studio.core.sample.stage import Stage
from smarthdr_studio.core.sample.textures import colour, fractal, mixed, mottled, paved, ramp

_STONES = ((0.50, 0.42, 0.30), (0.46, 0.36, 0.28), (0.42, 0.40, 0.37), (0.52, 0.34, 0.24))
_FAR = 26.0
_TOP = 2.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
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
    plan = _Plan(
        half=float(rng.uniform(2.1, 2.8)),
        side=float(rng.choice([-1, 1])),
        pitch=float(rng.uniform(2.4, 3.2)),
        floor=-view.eye,
        sun=colour((0.88, 0.50, 0.22) if golden else (0.8, 0.74, 0.62)),
        ambient=colour((0.0075, 0.0080, 0.0095)) * float(rng.uniform(1.4, 2.6)),
        stone=_STONES[int(rng.integers(len(_STONES)))],
    )
    picture = draw_sky(rng, view=view, sky=_sky(rng, plan, golden=golden))
    _square(rng, picture, view=view, plan=plan)
    for sheet, kind in _shell(plan):
        rgba = _face(rng, sheet, kind, plan=plan)
        paint(picture, rgba, sheet=sheet, view=view)
    return Stage(
        backdrop=picture, view=view, actors=tuple(_cast(rng, view, plan)),
        cast=(-plan.side * 1.1, 0.12), gloss=0.08, haze=(plan.sun * 0.25, 0.006),
    )  # fmt: skip


def _sky(rng: np.random.Generator, plan: _Plan, *, golden: bool) -> Sky:
    return Sky(
        zenith=(0.3, 0.55, 1.1),
        horizon=(1.6, 0.95, 0.5) if golden else (1.1, 1.15, 1.2),
        sun=(plan.side * float(rng.uniform(0.28, 0.5)), float(rng.uniform(0.05, 0.13))),
        sun_colour=plan.sun * 45,
        cloud=0.4,
        cloud_colour=plan.sun,
    )


def _face(rng: np.random.Generator, sheet: Sheet, kind: str, *, plan: _Plan) -> Floats:
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


def _shell(plan: _Plan) -> list[tuple[Sheet, str]]:
    half, side, floor = plan.half, plan.side, plan.floor
    wide, deep, high = (-half, half), (2.0, _FAR), (floor, _TOP)
    return [
        (Sheet(axis=2, at=_FAR, across=wide, along=high, facing=-1), "end"),
        (Sheet(axis=1, at=_TOP, across=wide, along=(1.5, _FAR), facing=-1), "ceiling"),
        (Sheet(axis=0, at=-side * half, across=deep, along=high, facing=side), "wall"),
        (Sheet(axis=1, at=floor, across=wide, along=(1.5, _FAR), facing=1), "floor"),
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


def _light(sheet: Sheet, kind: str, *, size: tuple[int, int], plan: _Plan) -> Floats:
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
        spill = 0.40 + 0.20 * np.cos(6.2832 * (across / pitch - 0.5)) + 0 * along
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


def _square(rng: np.random.Generator, picture: Floats, *, view: View, plan: _Plan) -> None:
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


def _cast(rng: np.random.Generator, view: View, plan: _Plan) -> list[Actor]:
    def light_at(x: float, z: float) -> Light:
        sunny = 1.0 if plan.side * x > -0.2 and (z * 0.7) % 1.6 < 0.9 else 0.10
        ambient = plan.ambient * 2.2 + 0.012 * plan.sun
        return Light(towards=(plan.side, 0.55, 0.25), key=plan.sun * sunny, ambient=ambient,
                     rim=0.2, cast=0.45 * sunny)  # fmt: skip

    found = crowd.people(
        rng, view=view, light=light_at, count=int(rng.integers(3, 5)), depth=(3.4, 12)
    )
    found += crowd.balls(
        rng, view=view, light=light_at, count=int(rng.integers(1, 3)), depth=(3.4, 6)
    )
    if rng.random() < 0.5:
        found += crowd.dogs(rng, view=view, light=light_at, count=1, depth=(3.2, 6))
    return found
