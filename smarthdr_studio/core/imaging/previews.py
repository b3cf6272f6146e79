"""A small picture of a frame for a first look, without decoding more than it takes."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.coded_pictures import sound
from smarthdr_studio.core.imaging.image_files import (
    examine,
    read_frame,
    refuse_frames_without_room,
)
from smarthdr_studio.core.imaging.orientation import turned
from smarthdr_studio.core.imaging.radiometry import Frame
from smarthdr_studio.core.records import open_plain

_REDUCED: Final = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}


def preview(path: AnyPath, *, side: int) -> Frame:
    """H×W×3 RGB uint16 camera values, upright, the longer side at most `side` pixels.

    Of a JPEG only every second to eighth pixel is decoded. Raises UnreadableImage.
    """
    path = Path(path)
    kind, header = examine(path)
    refuse_frames_without_room([path])  # a progressive JPEG is unpacked whole all the same
    longest = max(header.height, header.width)
    by = next((by for by in _REDUCED if longest >= by * side), 1)
    frame = _reduced_jpeg(path, by, header.orientation) if kind == "jpeg" and by > 1 else None
    whole = read_frame(path) if frame is None else frame
    shrink = min(1.0, side / max(whole.shape[:2]))
    size = (max(1, round(whole.shape[1] * shrink)), max(1, round(whole.shape[0] * shrink)))
    small: Frame = cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint16)
    return small


def _reduced_jpeg(path: Path, by: int, orientation: int) -> Frame | None:
    with open_plain(path) as stream:
        raw = np.frombuffer(stream.read(), np.uint8)
    try:
        bgr = sound(lambda: cv2.imdecode(raw, _REDUCED[by] | cv2.IMREAD_IGNORE_ORIENTATION))
    except ValueError:  # read as a whole it is refused by name
        return None
    if bgr is None:
        return None
    rgb: Frame = np.multiply(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), 257, dtype=np.uint16)
    return rgb if orientation == 1 else turned(rgb, orientation)
