"""One random augmentation per crop, the same for its frames, its label, σ and the masks."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What happens to a crop: channels change places, then flips, then quarter turns (METHOD §5).

    The default leaves everything where it is.
    """

    channels: tuple[int, int, int] = (0, 1, 2)
    flip_horizontal: bool = False
    flip_vertical: bool = False
    quarter_turns: int = 0

    def of_colours(self, pixels: Tensor) -> Tensor:
        """Moves …×H×W×3 of any dtype: frames and labels."""
        if self.channels != (0, 1, 2):
            pixels = torch.stack([pixels[..., channel] for channel in self.channels], dim=-1)
        return self._moved(pixels, rows=-3, columns=-2)

    def of_values(self, values: Tensor) -> Tensor:
        """Moves …×H×W of any dtype: σ and masks."""
        return self._moved(values, rows=-2, columns=-1)

    def _moved(self, pixels: Tensor, *, rows: int, columns: int) -> Tensor:
        if self.flip_horizontal:
            pixels = pixels.flip(columns)
        if self.flip_vertical:
            pixels = pixels.flip(rows)
        if self.quarter_turns:
            pixels = torch.rot90(pixels, self.quarter_turns, (rows, columns))
        return pixels


def weak_augmentation(generator: torch.Generator) -> Augmentation:
    """A vertical flip and quarter turns: for labelled crops."""
    flipped, turns = _flip_and_turns(generator)
    return Augmentation(flip_vertical=flipped, quarter_turns=turns)


def strong_augmentation(generator: torch.Generator) -> Augmentation:
    """A shuffle of R, G and B, a horizontal flip and quarter turns: for unlabelled crops."""
    flipped, turns = _flip_and_turns(generator)
    red, green, blue = torch.randperm(3, generator=generator).tolist()
    return Augmentation(channels=(red, green, blue), flip_horizontal=flipped, quarter_turns=turns)


def _flip_and_turns(generator: torch.Generator) -> tuple[bool, int]:
    drawn = int(torch.randint(8, (), generator=generator))
    return bool(drawn % 2), drawn // 2
