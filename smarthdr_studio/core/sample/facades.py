"""House fronts: storeys of windows, some lit, with a shop below."""

import numpy as np

from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.sample.textures import colour, fractal, mottled, paved

_STONES = ((0.38, 0.30, 0.21), (0.30, 0.15, 0.10), (0.46, 0.42, 0.36), (0.24, 0.23, 0.22),
           (0.42, 0.26, 0.17), (0.32, 0.33, 0.30), (0.50, 0.40, 0.26))  # fmt: skip
_WARM = ((1.0, 0.62, 0.28), (1.0, 0.74, 0.45), (0.9, 0.85, 0.75), (1.0, 0.5, 0.2))


def draw_building(
    rng: np.random.Generator, albedo: Floats, glow: Floats, *, per: float, lit_share: float
) -> None:
    """Draw one house into its part of a wall's albedo and own light, in place.

    `per` is texels per metre; `lit_share` the share of windows with a light behind them.
    """
    height, width = albedo.shape[:2]
    base = _STONES[int(rng.integers(len(_STONES)))]
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
