"""Frames of a hand-held bracket laid onto the reference: a homography, a translation, or nothing.

Features are matched between a frame and the reference, both brought to the exposure of the
brighter one and flat where it clips or the darker one is noise (SIFT, Lowe 2004; RANSAC, Fischler
and Bolles 1981). What is found has to be small, as a hand's shake is, and has to make the frames
agree better; else the frame stays as it was shot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import GAMMA, Floats, Frame

Kind = Literal["homography", "translation", "none"]
Matrix = npt.NDArray[np.float64]

_LONGEST_SIDE: Final = 800  # pixels of the pictures in which features are looked for
_CLIPPED: Final = 0.98
_DARK: Final = 0.03
_MOST_FEATURES: Final = 1200
_RATIO: Final = 0.75  # of the best to the second best match
_NEAR: Final = 1.5  # pixels of the small pictures that an inlier may be off
_LEAST_INLIERS: Final = 40  # for a homography; a translation needs fewer
_FEW_INLIERS: Final = 10
_LEAST_SHARE: Final = 0.3  # of the matches that agree
_MOST_SHIFT: Final = 0.08  # of a side, for any corner
_STAYS: Final = 0.1  # pixels; moving a frame by less blurs more than it mends
_MOVED: Final = 0.1  # camera values; what differs more counts as motion
_LEAST_GAIN: Final = 0.98


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HandShake:
    """How a frame lies against the reference.

    What the reference shows at (x, y, 1), the frame shows at `matrix` · (x, y, 1), a 3×3 matrix;
    `inliers` of `matches` agree on it, and `shift` is the farthest that a corner moves, in pixels.
    """

    kind: Kind
    matrix: Matrix
    inliers: int
    matches: int
    shift: float

    @property
    def words(self) -> str:
        """How it is laid onto the reference, in a clause."""
        if self.kind == "none":
            return "left as it was shot"
        return (
            f"laid by a {self.kind}, {self.shift:.1f} pixels at a corner; {self.inliers} of "
            f"{self.matches} features agree"
        )

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.kind,
            "matrix": self.matrix.tolist(),
            "inliers": self.inliers,
            "matches": self.matches,
            "shift": self.shift,
        }

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> "HandShake":
        """What `as_plain` gave. Raises ValueError, KeyError or TypeError."""
        kind: Kind = _KINDS[told["kind"]]
        matrix = np.array(told["matrix"], np.float64)
        shift = float(told["shift"])
        numbers = [*matrix.ravel(), shift, told["inliers"], told["matches"]]
        if matrix.shape != (3, 3) or not np.isfinite(numbers).all():
            raise ValueError("no matrix of 3×3 finite numbers")
        return cls(
            kind=kind,
            matrix=matrix,
            inliers=int(told["inliers"]),
            matches=int(told["matches"]),
            shift=shift,
        )


_KINDS: Final[dict[str, Kind]] = {
    "homography": "homography",
    "translation": "translation",
    "none": "none",
}
Shakes = tuple[HandShake, HandShake]
"""How the under and the over frame lie against the reference."""


def hand_shake(reference: Frame, frame: Frame, *, stops: float) -> HandShake:
    """How an H×W×3 uint16 frame, `stops` brighter than the reference, lies against it."""
    shrink = max(1.0, max(reference.shape[:2]) / _LONGEST_SIDE)
    pair = _alike(reference, frame, stops=stops, shrink=shrink)
    here, there = _matched(*pair)
    found = _as_homography(here, there) or _as_translation(here, there)
    if found is None:
        return _nothing(len(here))
    kind, matrix, inliers = found
    shift = _farthest(matrix, pair[0].shape)
    small = max(pair[0].shape) * _MOST_SHIFT
    if shift > small or shift * shrink < _STAYS or not _agree_better(*pair, matrix):
        return _nothing(len(here))
    scale = np.diag([shrink, shrink, 1.0])
    whole = scale @ matrix @ np.linalg.inv(scale)
    return HandShake(
        kind=kind, matrix=whole, inliers=inliers, matches=len(here), shift=shift * shrink
    )


def laid_onto(reference: Frame, frame: Frame, shake: HandShake, *, stops: float) -> Frame:
    """The frame as the camera would have taken it from where it took the reference, H×W×3 uint16.

    What the frame does not see at its borders is what the reference saw, exposed like the frame.
    """
    if shake.kind == "none":
        return frame
    size = frame.shape[1], frame.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpPerspective(frame, shake.matrix, size, flags=flags)
    whole = np.full(frame.shape[:2], 255, np.uint8)
    seen = cv2.warpPerspective(whole, shake.matrix, size, flags=flags) == 255
    gain = 2.0 ** (stops / GAMMA)
    codes = np.clip(np.round(np.arange(65536) * gain), 0, 65535).astype(np.uint16)
    laid: Frame = np.where(seen[..., None], moved, cv2.LUT(reference, codes))
    return laid.astype(np.uint16, copy=False)


def hand_shakes(frames: Sequence[Frame], *, stops: Sequence[float]) -> Shakes:
    """How under and over lie against the reference, all H×W×3 uint16."""

    def found(index: int) -> HandShake:
        if frames[index] is frames[1]:  # it stands in
            return _nothing(0)
        return hand_shake(frames[1], frames[index], stops=stops[index] - stops[1])

    return found(0), found(2)


def all_laid_onto(
    frames: Sequence[Frame], shakes: Shakes, *, stops: Sequence[float]
) -> tuple[Frame, Frame, Frame]:
    """Under, reference and over, H×W×3 uint16, the outer ones laid onto the reference."""
    reference = frames[1]
    under, over = (
        laid_onto(reference, frames[index], shake, stops=stops[index] - stops[1])
        for index, shake in zip((0, 2), shakes, strict=True)
    )
    return under, reference, over


def _nothing(matches: int) -> HandShake:
    return HandShake(kind="none", matrix=np.eye(3), inliers=0, matches=matches, shift=0.0)


def _alike(reference: Frame, frame: Frame, *, stops: float, shrink: float) -> tuple[Floats, Floats]:
    """Green channels made small and brought to one exposure, in [0, 1], clipped alike."""
    pair = [_green(each, shrink) for each in (reference, frame)]
    gain = 2.0 ** (abs(stops) / GAMMA)
    pair[0 if stops > 0 else 1] *= np.float32(gain)  # the darker of the two
    low, high = min(_DARK * gain, _CLIPPED), _CLIPPED  # so far apart they share nothing
    first, second = (np.clip(each, low, high) for each in pair)
    return first, second


def _green(frame: Frame, shrink: float) -> Floats:
    green = cv2.extractChannel(frame, 1)
    size = max(1, round(green.shape[1] / shrink)), max(1, round(green.shape[0] / shrink))
    small = cv2.resize(green, size, interpolation=cv2.INTER_AREA) if shrink > 1 else green
    return np.multiply(small, 1 / 65535, dtype=np.float32)


def _matched(reference: Floats, frame: Floats) -> tuple[Matrix, Matrix]:
    """Places of features that both pictures have, N×2 (x, y) each."""
    finder = cv2.SIFT.create(nfeatures=_MOST_FEATURES, contrastThreshold=0.02)
    nothing = np.zeros((0, 2))
    codes = [np.round(each * 255).astype(np.uint8) for each in (reference, frame)]
    (first, one), (second, other) = (finder.detectAndCompute(each, None) for each in codes)
    if one is None or other is None or len(second) < 2:
        return nothing, nothing
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(one, other, k=2)
    good = [
        a for a, b in (each for each in pairs if len(each) == 2) if a.distance < _RATIO * b.distance
    ]
    here: Any = np.array([first[each.queryIdx].pt for each in good], np.float64)
    there: Any = np.array([second[each.trainIdx].pt for each in good], np.float64)
    return here.reshape(-1, 2), there.reshape(-1, 2)


def _as_homography(here: Matrix, there: Matrix) -> tuple[Kind, Matrix, int] | None:
    if len(here) < _LEAST_INLIERS:
        return None
    found: Any = cv2.findHomography(here, there, cv2.RANSAC, _NEAR)
    matrix, flags = found
    if matrix is None:
        return None
    inliers = int(np.count_nonzero(flags))
    enough = inliers >= max(_LEAST_INLIERS, _LEAST_SHARE * len(here))
    return ("homography", np.asarray(matrix, np.float64), inliers) if enough else None


def _as_translation(here: Matrix, there: Matrix) -> tuple[Kind, Matrix, int] | None:
    """The commonest shift between matches."""
    if len(here) < _FEW_INLIERS:
        return None
    shifts = there - here
    near = [np.linalg.norm(shifts - each, axis=1) < _NEAR for each in shifts]
    best = max(near, key=np.count_nonzero)
    inliers = int(np.count_nonzero(best))
    if inliers < max(_FEW_INLIERS, _LEAST_SHARE * len(here)):
        return None
    matrix = np.eye(3)
    matrix[:2, 2] = shifts[best].mean(axis=0)
    return "translation", matrix, inliers


def _farthest(matrix: Matrix, shape: tuple[int, ...]) -> float:
    height, width = shape[:2]
    corners = np.array([[[0, 0]], [[width, 0]], [[0, height]], [[width, height]]], np.float64)
    moved = cv2.perspectiveTransform(corners, matrix)
    return float(np.linalg.norm(moved - corners, axis=-1).max())


def _agree_better(reference: Floats, frame: Floats, matrix: Matrix) -> bool:
    size = reference.shape[1], reference.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpPerspective(frame, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    before, after = (np.minimum(np.abs(each - reference), _MOVED).mean() for each in (frame, moved))
    return bool(after < _LEAST_GAIN * before)
