"""A scene of known radiance, its frames on disk, and other exposures of the same view."""

import os
from pathlib import Path

import cv2
import numpy as np

from smarthdr_studio.core.imaging.bracket import Scene, decode_bracket
from smarthdr_studio.core.imaging.image_files import write_frame_tiff

REAL = Path(
    os.environ.get("SMARTHDR_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "real")
)
HEIGHT, WIDTH = 96, 128
STOPS = (0.0, 2.0, 4.0)


def view(seed=0, *, size=(HEIGHT, WIDTH)):
    """Radiance with detail of several sizes and colours that vary, H×W×3 in [0, 1]."""
    rng = np.random.default_rng(seed)
    total = np.zeros(size, np.float32)
    for scale in (1, 4, 16):
        noise = rng.normal(size=size).astype(np.float32)
        total += cv2.GaussianBlur(noise, (0, 0), scale) * scale
    tint = cv2.resize(rng.normal(size=(4, 4, 3)).astype(np.float32), size[::-1])
    radiance = np.exp(1.5 * (total / total.std())[..., None] + 0.4 * tint - 3.0)
    return np.clip(radiance, 0, 1).astype(np.float32)


def exposed(radiance, stops, *, seed=0):
    """What a camera sees of it: shot and read noise, then gamma 1/2.2 in 16 bits."""
    rng = np.random.default_rng(seed)
    signal = radiance * 2.0**stops
    noise = np.sqrt(np.minimum(signal, 1) / 9000 + (4 / 9000) ** 2)
    seen = np.clip(signal + noise * rng.normal(size=signal.shape), 0, 1)
    return np.rint(seen ** (1 / 2.2) * 65535).astype(np.uint16)


def put_frames(folder, views, evs, *, name="f"):
    """One frame of every view at its exposure, as TIFF; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, (radiance, ev) in enumerate(zip(views, evs, strict=True)):
        paths.append(folder / f"{name}{index}.tif")
        write_frame_tiff(paths[-1], exposed(radiance, ev, seed=index))
    return tuple(paths)


def put_scene(folder, radiance, *, name="a"):
    """The scene and its decoded bracket."""
    frames = put_frames(folder / name, [radiance] * 3, STOPS)
    height, width = radiance.shape[:2]
    scene = Scene(id=name, frames=frames, evs=STOPS, height=height, width=width)
    return scene, decode_bracket(scene)
