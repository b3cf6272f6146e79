"""Cameras of known response curves, and photographs of computed light for them."""

from functools import lru_cache

import cv2
import numpy as np


def _s(light):
    values = np.clip(light ** (1 / 2.2), 1e-6, 1 - 1e-6)
    return values**1.6 / (values**1.6 + (1 - values) ** 1.6)


def _srgb(light):
    return np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    )


# What a camera writes, in [0, 1], of light in [0, 1].
CAMERAS = {
    "gamma 2.2": lambda light: light ** (1 / 2.2),
    "sRGB": _srgb,
    "S-shaped": _s,
    "log-like": lambda light: np.log2(1 + 255 * light) / 8,
}


def _filmic(light):
    shown = np.clip(light, 0, 1) * 4
    curve = shown * (2.51 * shown + 0.03) / (shown * (2.43 * shown + 0.59) + 0.14)
    return (curve / (4 * 10.07 / (4 * 10.31 + 0.14))) ** (1 / 2.2)


def _steep(light):
    values = np.clip(light, 0, 1) ** (1 / 2.2)
    return 0.6 * values + 0.4 * values**2 * (3 - 2 * values)


# Cameras that the estimate was not made with.
OTHERS = {
    "filmic": _filmic,
    "steep": _steep,
    "gamma 1.8": lambda light: np.clip(light, 0, 1) ** (1 / 1.8),
}

EVERY_CAMERA = CAMERAS | OTHERS

# Where nothing clips in the longest frame and the shortest is above its noise.
LIGHTS = np.geomspace(2e-3, 0.9, 500)


def curve_error(light):
    """The median of how far light of what a camera writes for LIGHTS, N×channels, is off.

    But for one scale, and how far that is off.
    """
    ratios = light / LIGHTS[:, None]
    scale = np.median(ratios, axis=0)
    return float(np.median(np.abs(ratios / scale - 1))), float(np.abs(scale - 1).mean())


@lru_cache(maxsize=8)
def photograph(seed=0, *, size=(384, 512), stops=9):
    """Light as of a photograph: even and graded areas, edges and fine grain; H×W×3 in [0, 1].

    Made once and shared: nobody can change it.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width]
    light = np.zeros((height, width, 3), np.float32)
    for _ in range(60):
        row, column = rng.integers(0, height), rng.integers(0, width)
        tall, wide = rng.integers(height // 12, height // 2), rng.integers(width // 12, width // 2)
        up, left = max(0, row - tall // 2), max(0, column - wide // 2)
        area = slice(up, row + tall // 2), slice(left, column + wide // 2)
        slope = rng.normal(0, 1, 2)
        shade = slope[0] * (rows[area] - row) / tall + slope[1] * (columns[area] - column) / wide
        light[area] = (rng.uniform(-stops, 0.5) + rng.normal(0, 0.35, 3)) + shade[..., None]
    grain = cv2.GaussianBlur(rng.normal(size=size).astype(np.float32), (0, 0), 2)
    light = np.clip(2.0 ** (light + 0.4 * grain[..., None]), 0, 1).astype(np.float32)
    light.flags.writeable = False
    return light


@lru_cache(maxsize=32)
def _noise(seed, shape):
    return np.random.default_rng(seed).normal(size=shape)


def shot(light, stops, camera, *, full_well=9000, read=4, seed=0):
    """H×W×3 uint8 as a camera writes it: shot noise of so many electrons, read noise of so few."""
    seen = light * 2.0**stops
    noise = np.sqrt(np.clip(seen, 0, 1) / full_well + (read / full_well) ** 2)
    seen = np.clip(seen + noise * _noise(seed, seen.shape), 0, 1)
    return np.rint(EVERY_CAMERA[camera](seen) * 255).astype(np.uint8)


def put_png(path, frame):
    """An 8-bit RGB frame without a word about its exposure or curve."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(frame[..., ::-1]))
