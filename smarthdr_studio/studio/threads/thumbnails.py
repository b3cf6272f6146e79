"""Small pictures of reference frames, kept between sessions where the system keeps caches."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PySide6.QtGui import QImage

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.images import read_frame
from smarthdr_studio.studio.tasks import Report
from smarthdr_studio.studio.threads.scenes import modified

CACHE_BYTES: Final = 256 * 2**20  # on disk: some 15,000 pictures
_WIDTH: Final = 320  # what the gallery shows at most; lists shrink it further
_QUALITY: Final = 88


def make_thumbnails(
    report: Report, *, frames: Mapping[str, Path], cache: Path
) -> dict[str, QImage]:
    """A small picture of each frame, by scene; frames that cannot be read are left out."""
    made = {}
    for done, (scene, path) in enumerate(frames.items()):
        report("", done, len(frames))
        try:
            made[scene] = _thumbnail(path, cache)
        except (StudioError, OSError):
            continue  # opening the scene tells what is wrong with its files
    return made


def trim_cache(*, cache: Path, most: int = CACHE_BYTES) -> int:
    """Let the oldest pictures go until at most three quarters of `most` bytes are left.

    Nothing is done below `most`. Answers how many bytes there are then.
    """
    found = []
    for path in cache.glob("*") if cache.is_dir() else ():
        try:
            seen = path.stat()
        except OSError:  # another window is tidying up as well
            continue
        found.append((seen.st_mtime, seen.st_size, path))
    total = sum(size for _, size, _ in found)
    if total <= most:
        return total
    for _, size, path in sorted(found):
        if total <= most * 3 // 4:
            break
        path.unlink(missing_ok=True)
        total -= size
    return total


def _thumbnail(frame: Path, cache: Path) -> QImage:
    name = hashlib.sha256(f"{frame.resolve()} {modified(frame)} {_WIDTH}".encode()).hexdigest()
    kept = cache / f"{name[:32]}.jpg"
    picture = QImage(str(kept)) if kept.is_file() else QImage()
    if not picture.isNull():
        return picture
    picture = _shrunk(frame)
    cache.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(".part.jpg")
    if picture.save(str(draft), quality=_QUALITY):
        draft.replace(kept)
    return picture


def _shrunk(frame: Path) -> QImage:
    pixels = read_frame(frame)
    height = max(1, round(_WIDTH * pixels.shape[0] / pixels.shape[1]))
    small = cv2.resize(pixels, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    rgb8 = np.right_shift(small.view(np.uint16), 8).astype(np.uint8)
    # copy() because QImage does not own the array's memory.
    return QImage(rgb8.data, _WIDTH, height, 3 * _WIDTH, QImage.Format.Format_RGB888).copy()
