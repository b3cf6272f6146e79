"""One network asked from several sides: what its views agree on, and how far they differ."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor, nn

from smarthdr_studio.learning.networks.fusion_network import (
    SIGMA_MIN,
    FusionNetwork,
    Prediction,
)
from smarthdr_studio.learning.radiometry import inverse_mu_law, mu_law

Uncertainty = Literal["judge", "views"]


class View(NamedTuple):
    """How a bracket is looked at: colours first change places, then it is mirrored and turned."""

    mirrored: bool = False
    turns: int = 0
    colours: tuple[int, int, int] = (0, 1, 2)

    def seen(self, frame: Tensor) -> Tensor:
        """A B×6×H×W frame, radiance and camera values alike."""
        if self.colours != (0, 1, 2):
            frame = frame[:, [*self.colours, *(3 + colour for colour in self.colours)]]
        return torch.rot90(frame.flip(-1) if self.mirrored else frame, self.turns, (-2, -1))

    def back(self, answer: Tensor) -> Tensor:
        """What was answered to it, B×3×H×W or B×1×H×W, as of the bracket itself."""
        upright = torch.rot90(answer, -self.turns, (-2, -1))
        upright = upright.flip(-1) if self.mirrored else upright
        if self.colours == (0, 1, 2) or upright.shape[1] == 1:
            return upright
        return upright[:, [self.colours.index(colour) for colour in range(3)]]


# Mirrored or not, and quarter turns; any first 1, 2, 4 or 8 of them are spread well.
_VIEWS: Final = tuple(
    View(mirrored, turns)
    for mirrored, turns in (
        (False, 0), (True, 0), (False, 2), (True, 2), (False, 1), (True, 1), (False, 3), (True, 3),
    )
)  # fmt: skip
# Identity, two flips (left and right, up and down), two permutations of the colours (METHOD §11).
VARIANCE_VIEWS: Final = (
    View(),
    View(mirrored=True),
    View(mirrored=True, turns=2),
    View(colours=(1, 2, 0)),
    View(colours=(2, 0, 1)),
)


def passes_of(views: int, uncertainty: Uncertainty) -> int:
    """How often a network is asked for one answer of `SeveralViews`."""
    if uncertainty == "judge":
        return views
    return len({*_VIEWS[:views], *VARIANCE_VIEWS})


class SeveralViews(nn.Module):
    """A network whose answer is the mean of its answers to several views of the same bracket.

    The mean is taken in μ-law values. By the `judge`, σ² is the mean of the views' σ² and the
    variance of their pictures, channel mean (the variance of a mixture of equal parts;
    Lakshminarayanan et al., NeurIPS 2017): where the network answers differently when the picture
    is turned, it does not know. By the `views` no judge is asked: σ² is the variance of the
    pictures of five views, identity, two flips and two permutations of the colours (METHOD §11),
    channel mean, at least σ_min² — also for a network whose judge never learned. Learns nothing by
    itself.
    """

    def __init__(
        self, network: FusionNetwork, *, views: int, uncertainty: Uncertainty = "judge"
    ) -> None:
        super().__init__()
        self.network, self._views, self.uncertainty = network, _VIEWS[:views], uncertainty
        self.name, self.multiple, self.whole = network.name, network.multiple, network.whole
        self.train(network.training)

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> Prediction:
        """Three B×6×H×W frames; B×3×H×W linear radiance and B×1×H×W σ in μ-law values."""
        frames = (under, reference, over)
        asked = self._views if self.uncertainty == "judge" else VARIANCE_VIEWS
        answers = {
            view: self._asked(frames, view) for view in {**dict.fromkeys(asked + self._views)}
        }
        mean = torch.stack([answers[view][0] for view in self._views]).mean(0)
        together = torch.stack([answers[view][0] for view in asked])
        variance = (together - together.mean(0)).square().mean(0).mean(1, keepdim=True)
        if self.uncertainty == "judge":
            variance = variance + torch.stack([answers[view][1] for view in asked]).mean(0)
        sigma = variance.sqrt().clamp(SIGMA_MIN, 1)
        alone = len(self._views) == 1
        picture = answers[self._views[0]][2] if alone else inverse_mu_law(mean)
        return Prediction(hdr=picture, sigma=sigma)

    def _asked(self, frames: Sequence[Tensor], view: View) -> tuple[Tensor, Tensor, Tensor]:
        """μ-law picture, σ² and linear picture, as of the bracket itself."""
        hdr, sigma = self.network(*map(view.seen, frames))
        picture = view.back(hdr.float())
        return mu_law(picture), view.back(sigma.float()).square(), picture
