"""A room with a bright window, dark corners, furniture and a lamp."""

from collections.abc import Sequence

import numpy as np

from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.synthetic import actors
from smarthdr_studio.synthetic.geometry import Actor, Light, Point, Sheet, View, cut, opaque, paint
from smarthdr_studio.synthetic.rendering import (
    Box,
    Lamp,
    Sky,
    Stage,
    add_glow,
    corners_darkened,
    draw_sky,
    lit,
)
from smarthdr_studio.synthetic.textures import (
    cloth,
    colour,
    fractal,
    mixed,
    mottled,
    paved,
    planks,
    ramp,
    resized,
)

_WALLS = ((0.52, 0.46, 0.36), (0.30, 0.38, 0.36), (0.50, 0.34, 0.26), (0.42, 0.44, 0.48),
          (0.26, 0.32, 0.22), (0.58, 0.55, 0.50))  # fmt: skip
_WOODS = ((0.26, 0.13, 0.06), (0.36, 0.22, 0.11), (0.12, 0.06, 0.035), (0.42, 0.31, 0.19))
_AMBIENT = (0.0042, 0.0040, 0.0042)


def room(rng: np.random.Generator, *, view: View, turn: int) -> Stage:
    """A room seen along its length; the window is in the far wall."""
    paper = colour(_WALLS[turn % len(_WALLS)])
    half, far, top = float(rng.uniform(2.4, 3.1)), float(rng.uniform(5.2, 6.6)), 1.25
    floor = -view.eye
    wide = float(rng.uniform(0.7, 1.1))
    middle = float(rng.uniform(-0.45, 0.45) * half)
    window = ((middle - wide, floor + 0.95), (middle + wide, floor + 2.45))
    lamps, bulb = _lights(rng, window, half=half, far=far, floor=floor)
    boxes = _furniture(rng, half=half, far=far, floor=floor)
    picture = _outside(rng, view)
    shell = _shell(half=half, far=far, top=top, floor=floor)
    for sheet, kind in shell:
        size = sheet.texels(62.0)
        light = lit(sheet, lamps=lamps, ambient=_AMBIENT, size=size, boxes=boxes, per_metre=9.0)
        light *= corners_darkened(sheet, size=size)[..., None]
        albedo = _surface(rng, kind, sheet, size, paper)
        rgba = (
            _with_window(albedo * light, sheet, window) if kind == "far" else opaque(albedo * light)
        )
        paint(picture, rgba, sheet=sheet, view=view)
    for box in sorted(boxes, key=lambda found: -found[1][2]):
        _draw_box(rng, picture, box, view=view, lamps=lamps, others=boxes)
    _draw_lamp(picture, bulb, view=view, floor=floor, light=colour(lamps[-1].strength))
    return Stage(
        backdrop=picture, view=view, actors=tuple(_cast(rng, view, lamps, far)), cast=(0.0, 0.30),
        gloss=0.06,
    )  # fmt: skip


def _outside(rng: np.random.Generator, full: View) -> Floats:
    """What the window shows: a bright sky over hedges and hills, a little out of focus."""
    view = View(
        height=full.height // 2, width=full.width // 2, focal=full.focal / 2,
        horizon=full.horizon / 2, eye=full.eye,
    )  # fmt: skip
    sky = Sky(zenith=(0.25, 0.42, 0.85), horizon=(0.8, 0.85, 0.92),
              sun=(float(rng.uniform(-0.15, 0.15)), 0.16), sun_colour=(30, 27, 22),
              cloud=float(rng.uniform(0.3, 0.6)), cloud_colour=(1.1,) * 3, disc=0.018)  # fmt: skip
    picture = draw_sky(rng, view=view, sky=sky) * np.float32(rng.uniform(0.8, 1.6))
    size = (view.height, view.width)
    rows = np.arange(view.height)[:, None]
    for k, depth in enumerate((0.020, -0.015, -0.06)):
        bumps = fractal(rng, size=(1, view.width), cell=(1, 80 / (k + 1)), octaves=7, gain=0.6)
        edge = view.horizon - (depth + 0.022 * bumps) * view.focal
        leaves = fractal(rng, size=size, cell=20, octaves=5, gain=0.75)
        tone = colour(((0.30, 0.36, 0.36), (0.13, 0.19, 0.08), (0.07, 0.12, 0.03))[k])
        picture = mixed(
            picture, tone * np.exp(0.5 * leaves)[..., None], share=ramp(rows - edge, -1.0, 1.0)
        )
    return resized(picture, (full.width, full.height))


def _draw_lamp(picture: Floats, bulb: Point, *, view: View, floor: float, light: Floats) -> None:
    """A standard lamp: a foot, and a shade that glows strongest around the bulb."""
    x, y, z = bulb
    foot = Sheet(axis=2, at=z, across=(x - 0.015, x + 0.015), along=(floor, y - 0.1))
    paint(picture, opaque(np.full((8, 8, 3), 0.0004, np.float32)), sheet=foot, view=view)
    shade = Sheet(axis=2, at=z, across=(x - 0.22, x + 0.22), along=(y - 0.15, y + 0.15))
    size = (60, 88)
    across, along = shade.grid(size)
    away = ((across - x) / 0.11) ** 2 + ((along - y) / 0.10) ** 2
    tone = np.asarray((0.12 + 1.4 * np.exp(-away))[..., None] * light, np.float32)
    outline = ramp(0.19 - 0.2 * (along - y + 0.15) - np.abs(across - x), 0.0, 0.006)
    paint(picture, cut(tone, alpha=outline), sheet=shade, view=view)
    at = view.project((x, y - 0.17, z))
    add_glow(picture, at=at, radius=0.035 * view.focal / z, strength=light * 7)


def _lights(
    rng: np.random.Generator,
    window: tuple[tuple[float, float], tuple[float, float]],
    *,
    half: float,
    far: float,
    floor: float,
) -> tuple[list[Lamp], tuple[float, float, float]]:
    (left, low), (right, high) = window
    area = (right - left) * (high - low)
    day = colour((0.62, 0.72, 0.9)) * np.float32(area * rng.uniform(0.35, 0.7) / 12)
    found = [
        Lamp(place=(float(x), float(y), far - 0.02), strength=day, towards=(0, -0.25, -1))
        for x in np.linspace(left, right, 6)[1:-1] for y in np.linspace(low, high, 5)[1:-1]
    ]  # fmt: skip
    warm = colour((1.0, 0.55, 0.22)) * np.float32(rng.uniform(0.06, 0.22))
    side = -1.0 if left + right > 0 else 1.0
    bulb = (side * (half - 0.55), floor + 1.55, far - 1.0)
    found.append(Lamp(place=bulb, strength=warm))
    return found, bulb


def _shell(*, half: float, far: float, top: float, floor: float) -> list[tuple[Sheet, str]]:
    return [
        (Sheet(axis=2, at=far, across=(-half, half), along=(floor, top), facing=-1), "far"),
        (Sheet(axis=1, at=top, across=(-half, half), along=(0.6, far), facing=-1), "ceiling"),
        (Sheet(axis=0, at=-half, across=(0.9, far), along=(floor, top), facing=1), "wall"),
        (Sheet(axis=0, at=half, across=(0.9, far), along=(floor, top), facing=-1), "wall"),
        (Sheet(axis=1, at=floor, across=(-half, half), along=(0.9, far), facing=1), "floor"),
    ]


def _surface(
    rng: np.random.Generator, kind: str, sheet: Sheet, size: tuple[int, int], tone: Floats
) -> Floats:
    across, along = sheet.grid(size)
    if kind == "floor":
        wood = _WOODS[int(rng.integers(len(_WOODS)))]
        albedo = planks(rng, size=size, width=9, base=wood)
        if rng.random() < 0.7:
            rug = cloth(rng, size=size, base=rng.uniform(0.05, 0.4, 3))
            middle = (sheet.along[0] + sheet.along[1]) / 2 + 0.4
            inside = np.minimum(1.2 - np.abs(across), 1.1 - np.abs(along - middle))
            albedo = mixed(albedo, rug, share=ramp(inside, -0.01, 0.01))
            albedo *= (1 - 0.6 * ramp(-np.abs(inside - 0.08), -0.025, -0.015))[..., None]
        return albedo
    if kind == "ceiling":
        return mottled(rng, size=size, base=(0.6, 0.58, 0.55), cell=120, depth=0.05)
    paper = mottled(rng, size=size, base=tone, cell=90, depth=0.08)
    damask = np.sin(across * 26) * np.sin(along * 26 + np.sin(across * 26))
    paper *= (1 + 0.10 * ramp(damask, 0.2, 0.5))[..., None]
    low = along - sheet.along[0]
    panel = planks(rng, size=size, width=7, base=_WOODS[int(rng.integers(len(_WOODS)))])
    albedo = mixed(paper, panel, share=ramp(0.85 - low, -0.01, 0.01) + 0 * across)
    albedo *= (1 - 0.5 * ramp(-np.abs(low - 0.86), -0.035, -0.02) + 0 * across)[..., None]
    _pictures(rng, albedo, sheet)
    return albedo


def _pictures(rng: np.random.Generator, albedo: Floats, sheet: Sheet) -> None:
    """Framed paintings: small landscapes of noise."""
    per = albedo.shape[0] / (sheet.along[1] - sheet.along[0])
    for left in np.arange(0.5, sheet.across[1] - sheet.across[0] - 1.0, 1.5):
        if rng.random() < 0.35:
            continue
        wide, tall = int(rng.uniform(0.5, 0.95) * per), int(rng.uniform(0.4, 0.75) * per)
        row, column = int(rng.uniform(0.45, 0.75) * per), int((left + rng.uniform(0, 0.3)) * per)
        if column + wide + 8 > albedo.shape[1]:
            continue
        albedo[row - 5 : row + tall + 5, column - 5 : column + wide + 5] = rng.choice([0.02, 0.25])
        noise = fractal(rng, size=(tall, wide), cell=tall / 2, octaves=6, gain=0.6)
        slope = np.linspace(1.5, -1.5, tall, dtype=np.float32)[:, None]
        first, second = rng.uniform(0.02, 0.6, (2, 3))
        paintwork = mixed(first, second, share=ramp(noise + slope, -0.3, 0.5))
        albedo[row : row + tall, column : column + wide] = (
            paintwork * np.exp(0.3 * noise)[..., None]
        )


def _with_window(
    radiance: Floats, sheet: Sheet, window: tuple[tuple[float, float], tuple[float, float]]
) -> Floats:
    across, along = sheet.grid(radiance.shape[:2])
    (left, low), (right, high) = window
    x, y = (across - left) / (right - left), (along - low) / (high - low)
    edge = np.minimum(
        np.minimum(across - left, right - across), np.minimum(along - low, high - along)
    )
    hole = ramp(edge, -0.008, 0.008)
    bars = np.maximum(
        ramp(-np.abs(x - 0.5), -0.022, -0.014) + 0 * y,
        ramp(-np.abs(y - 0.6), -0.022, -0.014) + 0 * x,
    )
    frame = ramp(-np.abs(edge), -0.08, -0.07)
    radiance = mixed(radiance, (0.018, 0.017, 0.016), share=np.maximum(frame, bars * hole))
    return cut(radiance, alpha=1 - hole * (1 - np.maximum(bars, frame * hole)))


def _furniture(rng: np.random.Generator, *, half: float, far: float, floor: float) -> list[Box]:
    side = float(rng.choice([-1, 1]))
    cupboard = sorted((side * half, side * (half - float(rng.uniform(0.4, 0.6)))))
    start = far - float(rng.uniform(1.6, 2.6))
    found = [
        (
            (cupboard[0], floor, start),
            (cupboard[1], floor + float(rng.uniform(0.9, 1.9)), start + 1.3),
        )
    ]
    x, z = float(rng.uniform(-1.0, 1.0)), float(rng.uniform(3.4, 4.3))
    found.append(((x - 0.7, floor + 0.70, z), (x + 0.7, floor + 0.76, z + 0.8)))
    found += [
        ((x + dx, floor, z + dz), (x + dx + 0.06, floor + 0.70, z + dz + 0.06))
        for dx in (-0.64, 0.58)
        for dz in (0.04, 0.70)
    ]
    return found


def _draw_box(
    rng: np.random.Generator,
    picture: Floats,
    box: Box,
    *,
    view: View,
    lamps: Sequence[Lamp],
    others: Sequence[Box],
) -> None:
    (x0, y0, z0), (x1, y1, z1) = box
    faces = [Sheet(axis=2, at=z0, across=(x0, x1), along=(y0, y1), facing=-1)]
    if x0 > 0:
        faces.insert(0, Sheet(axis=0, at=x0, across=(z0, z1), along=(y0, y1), facing=-1))
    if x1 < 0:
        faces.insert(0, Sheet(axis=0, at=x1, across=(z0, z1), along=(y0, y1), facing=1))
    if y1 < 0:
        faces.insert(0, Sheet(axis=1, at=y1, across=(x0, x1), along=(z0, z1), facing=1))
    base = _WOODS[int(rng.integers(len(_WOODS)))]
    rest = [other for other in others if other is not box]
    for sheet in faces:
        size = sheet.texels(70.0)
        wood = planks(rng, size=size, width=max(5, size[1] // 3), base=base)
        if sheet.axis != 1 and min(size) > 30:
            wood *= 0.6 + 0.4 * paved(
                rng, size=size, tile=(size[0] // 3, size[1] // 2), base=(0.9,) * 3, stagger=False
            )
        light = lit(sheet, lamps=lamps, ambient=_AMBIENT, size=size, boxes=rest, per_metre=8.0)
        paint(picture, opaque(wood * light), sheet=sheet, view=view)


def _cast(rng: np.random.Generator, view: View, lamps: Sequence[Lamp], far: float) -> list[Actor]:
    window, bulb = lamps[len(lamps) // 2], lamps[-1]

    def light_at(x: float, z: float) -> Light:
        ray = colour(window.place) - colour((x, -0.6, z))
        key = colour(window.strength) * (len(lamps) - 1) / float(ray @ ray + 0.4)
        warm = colour(bulb.strength) / float(
            ((colour(bulb.place) - colour((x, -0.6, z))) ** 2).sum() + 0.3
        )
        ambient = colour(_AMBIENT) * 1.3 + 0.35 * warm + 0.10 * key
        return Light(towards=(float(ray[0]), float(ray[1]) + 0.3, -0.45 * float(ray[2])),
                     key=key, ambient=ambient, rim=0.12, cast=0.35)  # fmt: skip

    found = actors.people(
        rng, view=view, light=light_at, count=int(rng.integers(1, 3)), depth=(2.8, far - 1.6)
    )
    found += actors.balls(
        rng, view=view, light=light_at, count=int(rng.integers(2, 4)), depth=(3.0, 4.6)
    )
    if rng.random() < 0.6:
        found += actors.dogs(rng, view=view, light=light_at, count=1, depth=(2.8, 4.0))
    return found
