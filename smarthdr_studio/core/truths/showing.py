"""Small pictures by which a person compares a ground truth with the reference frame."""

from typing import Final, NamedTuple

import cv2
import numpy as np

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.display.tone import Rgb8, ToneMap, frame_rgb8, to_rgb8, tone_table
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.truths.fixing import NO_FIX, TruthFix, mended

_WIDTH: Final = 400


class TruthPictures(NamedTuple):
    """H×W×3 8-bit RGB of one size: the reference frame, and the truth exposed like it.

    `brought` is the truth as it was brought, `mended` with the fix; `toned` is the mended one with
    its whole range.
    """

    reference: Rgb8
    brought: Rgb8
    mended: Rgb8
    toned: Rgb8


def pictures(radiance: Floats, bracket: Bracket, fix: TruthFix) -> TruthPictures:
    """Pictures of H×W×3 linear radiance of any size and scale beside its bracket."""
    like = tone_table(ToneMap.GAMMA, exposure_ev=bracket.stops[1])
    brought, fixed = (_small(mended(radiance, each)) for each in (NO_FIX, fix))
    return TruthPictures(
        reference=_small_rgb8(frame_rgb8(bracket.reference)),
        brought=to_rgb8(brought.astype(np.float16), like),
        mended=to_rgb8(fixed.astype(np.float16), like),
        toned=to_rgb8(fixed.astype(np.float16), tone_table(ToneMap.MU_LAW)),
    )


def _small(radiance: Floats) -> Floats:
    size = _size(*radiance.shape[:2])
    return cv2.resize(radiance, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _small_rgb8(picture: Rgb8) -> Rgb8:
    size = _size(*picture.shape[:2])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small, dtype=np.uint8)


def _size(height: int, width: int) -> tuple[int, int]:
    """(width, height) of the small picture; what is small already stays."""
    times = min(1.0, _WIDTH / width)
    return max(round(width * times), 1), max(round(height * times), 1)
