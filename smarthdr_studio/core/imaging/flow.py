"""Dense flow between the frames of a bracket, there and back, and what they disagree about."""

from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.alignment import SATURATED, UNUSABLE
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import GAMMA, Floats, Frame, unit_ldr

_LEAST_SIDE: Final = 16  # DIS needs this much; smaller pictures are left as they are
_RETURNS: Final = 1.0  # pixels: flow that does not come back as near as this is no flow


class AlignedBracket(NamedTuple):
    """A bracket whose under and over frames show what the reference shows, where they can."""

    bracket: Bracket
    apart: Floats
    """H×W, the largest difference from the reference over channels and frames, in camera values."""


def align_to_reference(bracket: Bracket) -> AlignedBracket:
    """Under and over warped onto the reference by dense inverse search (DIS, ECCV 2016).

    The flow is searched between grey camera values of one exposure, the brighter of each pair,
    clipped alike. `apart` compares at that exposure, where neither value is clipped nor the darker
    one mere noise; elsewhere nothing is known and it is 0.
    """
    warped = [
        _warped(bracket, index) if min(bracket.reference.shape[:2]) >= _LEAST_SIDE else frame
        for index, frame in ((0, bracket.under), (2, bracket.over))
    ]
    found = Bracket(
        under=warped[0], reference=bracket.reference, over=warped[1], stops=bracket.stops
    )
    apart = np.maximum(_apart(found, 0), _apart(found, 2))
    return AlignedBracket(bracket=found, apart=apart)


def moved_as(bracket: Bracket, index: int, aligned: Floats) -> Floats:
    """H×W×3 values that are aligned to the reference, moved to where a frame shows them.

    The reverse of `align_to_reference`: the flow is that from the frame to the reference. Holes,
    where it leads out of the picture or does not come back within a pixel, are filled with what the
    reference has there.
    """
    if min(aligned.shape[:2]) < _LEAST_SIDE:
        return aligned
    reference, other = (_grey(values) for values in _at_one_exposure(bracket, index))
    across, down = _followed(_flow(other, reference))
    back = _sampled(_flow(reference, other), across, down)
    height, width = reference.shape
    astray = np.hypot(
        across + back[..., 0] - np.arange(width), down + back[..., 1] - np.arange(height)[:, None]
    )
    inside = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    shown = inside & (astray <= _RETURNS)
    found: Floats = np.where(shown[..., None], _sampled(aligned, across, down), aligned)
    return found


def _warped(bracket: Bracket, index: int) -> Frame:
    reference, other = (_grey(values) for values in _at_one_exposure(bracket, index))
    across, down = _followed(_flow(reference, other))
    moved: Frame = _sampled(bracket.frames[index], across, down).astype(np.uint16, copy=False)
    return moved


def _flow(here: npt.NDArray[np.uint8], there: npt.NDArray[np.uint8]) -> Floats:
    """H×W×2: how far right and down of itself each pixel of one picture lies in the other."""
    # The stubs of OpenCV 5 do not know it.
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    flow: Floats = search.calc(here, there, np.zeros((*here.shape, 2), np.float32))
    return flow


def _followed(flow: Floats) -> tuple[Floats, Floats]:
    """The columns and rows, H×W each, to which H×W×2 flow leads."""
    height, width = flow.shape[:2]
    across = np.arange(width, dtype=np.float32) + flow[..., 0]
    down = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    return across, down


def _sampled(
    picture: npt.NDArray[Any], across: Floats, down: Floats
) -> npt.NDArray[np.floating | np.integer]:
    return cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _at_one_exposure(bracket: Bracket, index: int) -> tuple[Floats, Floats]:
    """Camera values of the reference and of another frame, as the brighter of both was exposed."""
    stops = bracket.stops[1], bracket.stops[index]
    reference, other = (
        np.clip(unit_ldr(frame) * np.float32(2.0 ** ((max(stops) - stop) / GAMMA)), 0, 1)
        for frame, stop in zip((bracket.reference, bracket.frames[index]), stops, strict=True)
    )
    return reference, other


def _grey(values: Floats) -> npt.NDArray[np.uint8]:
    grey = np.minimum(values.mean(axis=2), SATURATED)
    rounded: npt.NDArray[np.uint8] = np.round(255 * grey).astype(np.uint8)
    return rounded


def _apart(bracket: Bracket, index: int) -> Floats:
    reference, other = _at_one_exposure(bracket, index)
    frames = (bracket.reference, bracket.frames[index])
    darker = frames[0] if bracket.stops[1] <= bracket.stops[index] else frames[1]
    known = (reference < SATURATED) & (other < SATURATED) & (unit_ldr(darker) > UNUSABLE)
    found: Floats = np.where(known, np.abs(reference - other), 0).max(axis=2)
    return found
