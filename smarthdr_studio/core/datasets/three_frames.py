"""Which three frames of a bracket the networks see: the reference, one darker, one brighter."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from smarthdr_studio.core.imaging.bracket import Three
from smarthdr_studio.core.imaging.radiometry import Frame

_WELL: Final = (0.06, 0.94)  # camera values that say something
_CLIPPED: Final = 0.98
_SHADOW: Final = 0.1  # camera value; darker is noise
_LEAST_STEP: Final = 0.9  # stops, one but for rounding
_MOST_CLIPPED: Final = 1e-3  # of the pixels of an under frame
_MOST_DARK: Final = 1e-2  # of the pixels of an over frame


def choose_three(
    evs: Sequence[float], pixels: Sequence[Frame], *, reference: int | None = None
) -> Three:
    """Under, reference and over as places in `evs`; `pixels` are thinned H×W×3 uint16 frames.

    The reference is the best exposed frame between the shortest and the longest, unless a person
    chose one; of two frames it is the better exposed. Under is the brightest frame a stop or more
    below it that clips nothing, else the shortest; over is the darkest frame a stop or more above
    it that shows the shadows, else the longest. Where nothing was shot darker (or brighter) than
    the reference, the reference stands in for it.
    """
    order = sorted(range(len(evs)), key=lambda index: evs[index])
    if reference is None:
        reference = _best_exposed(order[1:-1] or order, order, pixels)
    at = order.index(reference)
    darker = order[:at][::-1]
    brighter = order[at + 1 :]
    clips = [_share(pixels[index], above=_CLIPPED) <= _MOST_CLIPPED for index in darker]
    shows = [_share(pixels[index], below=_SHADOW) <= _MOST_DARK for index in brighter]
    far = evs[reference]
    under = _nearest(darker, [abs(evs[i] - far) for i in darker], clips, reference)
    over = _nearest(brighter, [abs(evs[i] - far) for i in brighter], shows, reference)
    return under, reference, over


def _best_exposed(choice: Sequence[int], order: Sequence[int], pixels: Sequence[Frame]) -> int:
    """The one with most well-exposed values; of equals the one nearest the middle."""
    middle = (len(order) - 1) / 2

    def rank(index: int) -> tuple[float, float]:
        return -round(_well_exposed(pixels[index]), 2), abs(order.index(index) - middle)

    return min(choice, key=rank)


def _nearest(
    frames: Sequence[int], steps: Sequence[float], fit: Sequence[bool], otherwise: int
) -> int:
    """The first, of those a stop away, that fits; else the last; of none what stands in."""
    far = [i for i, step in enumerate(steps) if step >= _LEAST_STEP]
    fitting = [frames[i] for i in far if fit[i]]
    return next(iter(fitting), frames[-1] if frames else otherwise)


def _well_exposed(frame: Frame) -> float:
    low, high = (round(value * 65535) for value in _WELL)
    return float(((frame > low) & (frame < high)).mean())


def _share(frame: Frame, *, above: float | None = None, below: float = 0.0) -> float:
    """The share of pixels of which a channel is above, or all channels are below."""
    brightest = frame.max(axis=2)
    if above is not None:
        return float(np.mean(brightest >= round(above * 65535)))
    return float(np.mean(brightest < round(below * 65535)))
