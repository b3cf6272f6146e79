"""Whether the files of a likely scene make a bracket that can be used."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from smarthdr_studio.core.bracket import Scene, Split
from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.exposures import evs_from_exif, read_evs
from smarthdr_studio.core.images import image_size, read_frame, read_radiance
from smarthdr_studio.core.layouts.candidates import Candidate

_EVERY: Final = 4
# An align ratio counts from 16-bit values; a smaller one can only count from values in [0, 1].
_SMALLEST_16_BIT_RATIO: Final = 256.0


def inspect(candidate: Candidate, *, scene_id: str, split: Split) -> Scene:
    """The candidate as a scene, under frame first, every file opened once.

    Raises BadScene or UnreadableImage with one sentence that names the file and the remedy.
    """
    frames = _three(candidate)
    height, width = _one_size(frames)
    evs = _exposures(candidate, frames)
    order = sorted(range(3), key=lambda i: evs[i])
    under, reference, over = (frames[i] for i in order)
    low, middle, high = (evs[i] for i in order)
    _brightness_rises((under, reference, over), evs=(low, middle, high))
    truth = _ground_truth(candidate)
    if truth is not None:
        _fits(truth, height=height, width=width)
    return Scene(
        id=scene_id,
        frames=(under, reference, over),
        evs=(low, middle, high),
        height=height,
        width=width,
        split=split,
        ground_truth=truth,
        ground_truth_gain=_gain(candidate),
        layout=candidate.layout,
    )


def _three(candidate: Candidate) -> tuple[Path, Path, Path]:
    match candidate.frames:
        case (under, reference, over):
            return under, reference, over
        case ():
            raise BadScene(f"{candidate.folder}: holds no frames; put the three frames into it.")
        case (*some,) if len(some) < 3:
            names = " and ".join(each.name for each in some)
            raise BadScene(
                f"{candidate.folder}: holds {len(some)} of three frames ({names}); add the missing."
            )
    raise BadScene(
        f"{candidate.folder}: holds {len(candidate.frames)} frames, {candidate.frames[0].name} to "
        f"{candidate.frames[-1].name}; leave the three to be used in a folder of their own."
    )


def _one_size(frames: Sequence[Path]) -> tuple[int, int]:
    sizes = [image_size(each) for each in frames]
    for path, (height, width) in zip(frames, sizes, strict=True):
        if (height, width) != sizes[0]:
            raise BadScene(
                f"{path}: is {width}×{height} but {frames[0].name} is {sizes[0][1]}×{sizes[0][0]}; "
                "crop or export the three frames to one size."
            )
    return sizes[0]


def _exposures(candidate: Candidate, frames: Sequence[Path]) -> Sequence[float]:
    if candidate.exposures is None:
        return evs_from_exif(frames)
    evs = read_evs(candidate.exposures)
    if len(evs) != len(frames):
        raise BadScene(
            f"{candidate.exposures}: holds {len(evs)} exposure values for {len(frames)} frames; "
            "write one EV for each frame, one a line, in the order of the frames' names."
        )
    return evs


def _brightness_rises(frames: Sequence[Path], *, evs: Sequence[float]) -> None:
    means = [float(read_frame(each)[::_EVERY, ::_EVERY].mean()) for each in frames]
    for i in (1, 2):
        if means[i] <= means[i - 1]:
            raise BadScene(
                f"{frames[i]}: has the exposure {evs[i]:g} EV but is no brighter than "
                f"{frames[i - 1].name} at {evs[i - 1]:g} EV; put the EVs in the order of the "
                "frames' names or replace the frame."
            )


def _ground_truth(candidate: Candidate) -> Path | None:
    if len(candidate.ground_truths) > 1:
        names = ", ".join(each.name for each in candidate.ground_truths)
        raise BadScene(
            f"{candidate.folder}: holds more than one ground truth ({names}); keep one of them."
        )
    return candidate.ground_truths[0] if candidate.ground_truths else None


def _fits(truth: Path, *, height: int, width: int) -> None:
    rows, columns = image_size(truth)
    if (rows, columns) != (height, width):
        raise BadScene(
            f"{truth}: is {columns}×{rows} but the frames are {width}×{height}; "
            "replace it with a ground truth of their size or take it out of the folder."
        )
    read_radiance(truth)


def _gain(candidate: Candidate) -> float:
    """What brings the ground truth to METHOD §1: 1 in all sets but NTIRE, HDR = gt / alignratio.

    The other sets store the scale of the shortest frame. What NTIRE stores beyond its ratio (the
    camera curve, the exposure counted from) is documented for its score only, and not undone here.
    """
    path = candidate.align_ratio
    if path is None:
        return 1.0
    try:
        ratio = float(np.load(path, allow_pickle=False).ravel()[0])
    except (OSError, ValueError, EOFError, IndexError, TypeError) as error:
        raise BadScene(f"{path}: is no number; copy it again from its source.") from error
    if not (math.isfinite(ratio) and ratio > 0):
        raise BadScene(f"{path}: holds {ratio:g}, not a ratio above 0; copy it again.")
    return (65535.0 if ratio >= _SMALLEST_16_BIT_RATIO else 1.0) / ratio
