"""A batch cut into parts that follow each other, so that a step needs less memory."""

from collections.abc import Sequence

import torch
from torch import Tensor

from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.losses import Share, Target

Halves = Sequence[CropBatch | None]
"""The labelled crops of a batch, then the unlabelled ones; None where there are none."""


def in_parts(halves: Halves, *, count: int) -> list[Halves]:
    """Both halves cut into `count` parts of nearly equal size, fewer where crops are fewer."""
    if count == 1:
        return [halves]
    count = min(count, max(_length(half) for half in halves))
    cuts = [_cut(half, count=count) for half in halves]
    return list(zip(*cuts, strict=True))


def trusted_pixels(halves: Halves) -> Tensor:
    """How many pixels of each half count: one number for each, 0 for a half that is not there."""
    there = [half for half in halves if half is not None]
    none = there[0].target.trusted.new_zeros((), dtype=torch.int64)
    return torch.stack([none if half is None else half.target.trusted.sum() for half in halves])


def shares(part: Halves, whole: Halves, *, trusted: Tensor, processes: int) -> list[Share]:
    """How much each half of a part counts in the batch of all processes.

    `trusted` is how many pixels count of each half of that batch. All processes have as many crops.
    """
    own = trusted_pixels(part).clamp(min=1) / trusted.clamp(min=1)
    crops = [
        _length(half) / max(1, _length(all_of_it) * processes)
        for half, all_of_it in zip(part, whole, strict=True)
    ]
    return [Share(trusted=pixels, crops=few) for pixels, few in zip(own, crops, strict=True)]


def _cut(half: CropBatch | None, *, count: int) -> list[CropBatch | None]:
    if half is None:
        return [None] * count
    places = torch.arange(len(half.sigma)).tensor_split(count)
    return [_some(half, int(at[0]), int(at[-1]) + 1) if len(at) else None for at in places]


def _some(half: CropBatch, start: int, stop: int) -> CropBatch:
    under, reference, over = (frame[start:stop] for frame in half.frames)
    hdr, trusted = half.target.hdr[start:stop], half.target.trusted[start:stop]
    return CropBatch(
        frames=(under, reference, over),
        target=Target(hdr, trusted),
        sigma=half.sigma[start:stop],
    )


def _length(half: CropBatch | None) -> int:
    return 0 if half is None else len(half.sigma)
