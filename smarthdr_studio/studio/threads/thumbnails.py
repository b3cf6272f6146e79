"""Small pictures of reference frames, kept between sessions where the system keeps caches."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtGui import QImage

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.images import read_frame
from smarthdr_studio.studio.threads.scenes import modified
from smarthdr_studio.studio.threads.task import Tell

_WIDTH = 160  # twice what the list shows, for screens of 200 %


def make_thumbnails(tell: Tell, *, frames: Mapping[str, Path], cache: Path) -> dict[str, QImage]:
    """A small picture of each frame, by scene; frames that cannot be read are left out."""
    made = {}
    for done, (scene, path) in enumerate(frames.items()):
        tell("", done, len(frames))
        try:
            made[scene] = _thumbnail(path, cache)
        except (StudioError, OSError):
            continue  # opening the scene tells what is wrong with its files
    return made


def _thumbnail(frame: Path, cache: Path) -> QImage:
    name = hashlib.sha256(f"{frame.resolve()} {modified(frame)} {_WIDTH}".encode()).hexdigest()
    kept = cache / f"{name[:32]}.png"
    picture = QImage(str(kept)) if kept.is_file() else QImage()
    if not picture.isNull():
        return picture
    picture = _shrunk(frame)
    cache.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(".part.png")
    if picture.save(str(draft)):
        draft.replace(kept)
    return picture


def _shrunk(frame: Path) -> QImage:
    pixels = read_frame(frame)
    height = max(1, round(_WIDTH * pixels.shape[0] / pixels.shape[1]))
    small = cv2.resize(pixels, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    rgb8 = np.right_shift(small.view(np.uint16), 8).astype(np.uint8)
    # copy() because QImage does not own the array's memory.
    return QImage(rgb8.data, _WIDTH, height, 3 * _WIDTH, QImage.Format.Format_RGB888).copy()
