"""A part of a picture that a person marked out."""

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle or lasso as a polygon of (x, y) in image pixels.

    (0, 0) is the corner of the first pixel, so the middle of pixel (3, 5) is (3.5, 5.5).
    """

    kind: Literal["rectangle", "lasso"]
    points: tuple[Point, ...]
