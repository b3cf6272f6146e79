"""Pictures turned upright by their EXIF orientation, and frames whose orientations disagree."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.picture_header import Pixels
from smarthdr_studio.core.imaging.radiometry import Frame

_SIDE: Final = 64  # pixels of the small pictures that are compared


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """H×W×C pixels as they are meant to be seen, W×H×C for 5 to 8 (EXIF 2.3, tag Orientation)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def settled(frames: Sequence[Frame], orientations: Sequence[int]) -> tuple[int, ...]:
    """The orientation by which each frame, H×W×3 as stored, is turned if their tags disagree.

    A camera that looks up or down may tag frames of one bracket differently although it was not
    turned between them. The reference in the middle keeps its tag; every other frame takes that
    one of the bracket's tags under which it has the size of the reference and shows what the
    reference shows.
    """
    middle = len(frames) // 2
    upright = turned(frames[middle], orientations[middle])
    size, small = upright.shape[:2], _small(upright)
    chosen = []
    for index, frame in enumerate(frames):
        own = orientations[index]
        fitting = [
            each
            for each in dict.fromkeys((own, *orientations))
            if turned(frame, each).shape[:2] == size
        ]
        alike = {each: _likeness(_small(turned(frame, each)), small) for each in fitting}
        best = max(alike, key=lambda each: alike[each]) if alike else own
        chosen.append(orientations[middle] if index == middle else best)
    return tuple(chosen)


def _small(frame: Frame) -> npt.NDArray[np.float64]:
    """The order of brightness of a small grey picture, which no exposure changes."""
    grey = cv2.resize(frame, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    values = grey.astype(np.float64).mean(axis=-1).ravel()
    _, rank, counts = np.unique(values, return_inverse=True, return_counts=True)
    # Equal values share the mean of their ranks, so that clipped pixels say nothing.
    ends = np.cumsum(counts)
    middles: npt.NDArray[np.float64] = (ends - counts / 2)[rank]
    return middles


def _likeness(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    if not (first.std() and second.std()):
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
