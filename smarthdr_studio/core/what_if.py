"""What a pair of thresholds would mean for the next epoch of training."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Counts over the pool of unlabelled scenes.

    A crop counts when it keeps at least one trusted pixel; statistics per patch bound that number
    from both sides, and both are equal wherever crops lie on the grid of patches.
    `epoch_seconds` is None until a run has said how fast it is.
    """

    pixels: int
    trusted_pixels: int
    patches: int
    kept_patches: int
    crops: int
    crops_at_least: int
    crops_at_most: int
    epoch_seconds: float | None = None
