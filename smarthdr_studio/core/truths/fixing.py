"""What mends a ground truth that was brought: a gain, and a shift by whole pixels."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from smarthdr_studio.core.radiance import Floats

NO_SHIFT: Final = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthFix:
    """Multiply linear radiance by `gain`, and move the picture by `shift` pixels.

    `shift` is (right, down): what stood at (x, y) stands at (x + right, y + down) afterwards.
    """

    gain: float = 1.0
    shift: tuple[int, int] = NO_SHIFT

    @property
    def needed(self) -> bool:
        """Whether it changes anything."""
        return self.gain != 1 or self.shift != NO_SHIFT

    @property
    def sentence(self) -> str:
        """What it does, as the end of a sentence: "its radiance is multiplied by 0.25"."""
        parts = []
        if self.gain != 1:
            stops = math.log2(self.gain)
            parts.append(f"its radiance is multiplied by {self.gain:.3g} ({stops:+.2f} stops)")
        if self.shift != NO_SHIFT:
            parts.append(f"it is moved {_directions(self.shift)}")
        return " and ".join(parts) or "nothing is changed"


NO_FIX: Final = TruthFix()


def mended(radiance: Floats, fix: TruthFix) -> Floats:
    """A new H×W×3 picture: linear radiance in [0, 1] on the scale of METHOD §1 after the fix.

    Values above 1 become 1. A shift by (right, down) leaves |right| columns and |down| rows at the
    border unknown; they repeat the nearest known column or row, not one pixel more.
    """
    height, width = radiance.shape[:2]
    right, down = fix.shift
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    moved = radiance if fix.shift == NO_SHIFT else radiance[rows][:, columns]
    scaled: Floats = np.multiply(moved, np.float32(fix.gain), dtype=np.float32)
    return np.clip(scaled, 0, 1, out=scaled)


def _directions(shift: tuple[int, int]) -> str:
    right, down = shift
    words = []
    if right:
        words.append(f"{_pixels(right)} to the {'right' if right > 0 else 'left'}")
    if down:
        words.append(f"{_pixels(down)} {'down' if down > 0 else 'up'}")
    return " and ".join(words)


def _pixels(count: int) -> str:
    return "1 pixel" if abs(count) == 1 else f"{abs(count)} pixels"
