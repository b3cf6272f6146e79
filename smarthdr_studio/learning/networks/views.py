"""One network asked from several sides: what its turned and mirrored views agree on."""

from typing import Final

import torch
from torch import Tensor, nn

from smarthdr_studio.learning.networks.fusion_network import FusionNetwork, Prediction
from smarthdr_studio.learning.radiometry import inverse_mu_law, mu_law

# Mirrored or not, and quarter turns; any first 1, 2, 4 or 8 of them are spread well.
_VIEWS: Final = (
    (False, 0), (True, 0), (False, 2), (True, 2), (False, 1), (True, 1), (False, 3), (True, 3),
)  # fmt: skip


class SeveralViews(nn.Module):
    """A network whose answer is the mean of its answers to several views of the same bracket.

    The mean is taken in μ-law values. σ² is the mean of the views' σ² and the variance of their
    pictures, channel mean (the variance of a mixture of equal parts; Lakshminarayanan et al.,
    NeurIPS 2017): where the network answers differently when the picture is turned, it does not
    know. Learns nothing by itself.
    """

    def __init__(self, network: FusionNetwork, *, views: int) -> None:
        super().__init__()
        self._network, self._views = network, _VIEWS[:views]
        self.name, self.multiple, self.whole = network.name, network.multiple, network.whole

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> Prediction:
        """Three B×6×H×W frames; B×3×H×W linear radiance and B×1×H×W σ in μ-law values."""
        pictures: list[Tensor] = []
        variances: list[Tensor] = []
        for mirrored, turns in self._views:
            view = [
                _seen(frame, mirrored=mirrored, turns=turns) for frame in (under, reference, over)
            ]
            hdr, sigma = self._network(*view)
            back = (_back(part.float(), mirrored=mirrored, turns=turns) for part in (hdr, sigma))
            picture, doubt = back
            pictures.append(mu_law(picture))
            variances.append(doubt.square())
        together = torch.stack(pictures)
        mean = together.mean(0)
        apart = (together - mean).square().mean(0).mean(1, keepdim=True)
        sigma = (torch.stack(variances).mean(0) + apart).sqrt()
        return Prediction(hdr=inverse_mu_law(mean), sigma=sigma)


def _seen(frame: Tensor, *, mirrored: bool, turns: int) -> Tensor:
    return torch.rot90(frame.flip(-1) if mirrored else frame, turns, (-2, -1))


def _back(answer: Tensor, *, mirrored: bool, turns: int) -> Tensor:
    upright = torch.rot90(answer, -turns, (-2, -1))
    return upright.flip(-1) if mirrored else upright
