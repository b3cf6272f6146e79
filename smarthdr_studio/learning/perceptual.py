"""The perceptual loss: L1 between VGG-16 features of two pictures."""

import io
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from smarthdr_studio.core.errors import DeviceError, Remedy
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.records import NoPlainFile, open_plain

_NAME: Final = "vgg16-397923af.pth"
URL: Final = f"https://download.pytorch.org/models/{_NAME}"
FETCH: Final = Path("fetch")
"""In place of a file: from the server, where they are not in torch's cache yet."""
_CONSENT: Final = Remedy(
    text="Fetch the VGG-16 weights (528 MiB)", changes={"loss.vgg_weights": str(FETCH)}
)
_WITHOUT: Final = Remedy(text="Leave out the VGG-16 term", changes={"loss.perceptual_weight": 0})
_REMEDY: Final = (
    "set loss.vgg_weights to torchvision's vgg16-397923af.pth, or loss.perceptual_weight to 0"
)
# Channels of VGG-16's convolutions up to relu4_3; None is a 2×2 maximum.
_LAYERS: Final = (64, 64, None, 128, 128, None, 256, 256, 256, None, 512, 512, 512)
_TAPS: Final = (3, 8, 15, 22)  # relu1_2, relu2_2, relu3_3, relu4_3 in torchvision's numbering
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)


class PerceptualLoss(nn.Module):
    """L^v: L1 between VGG-16 features of two μ-law pictures, summed over four layers (METHOD §3).

    The network is frozen; its layers are numbered as in torchvision, so that its weights load.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = _vgg_features()
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1))
        self.requires_grad_(requires_grad=False)

    def forward(
        self,
        hdr_mu: Tensor,
        target_mu: Tensor,
        *,
        trusted: Tensor,
        weight: Tensor | None = None,
    ) -> Tensor:
        """The loss of B×3×H×W μ-law pictures in [0, 1]; `trusted` is B×1×H×W bool.

        Untrusted pixels of both pictures become the prediction's own detached value: they differ
        by nothing and receive no gradient, yet the convolutions see a picture without holes. The
        sum over a layer is divided by its trusted positions, as every term is (METHOD §3): a crop
        of which half is trusted says as much of that half as a crop that is trusted whole. With
        a weight, B×1×H×W in [0, 1], a trusted pixel moves towards that value by what it lacks.
        """
        share = trusted.float().mean()
        own = hdr_mu.detach()
        hdr_mu = torch.where(trusted, hdr_mu, own)
        target_mu = torch.where(trusted, target_mu, own)
        if weight is not None:
            share = (weight * trusted).mean()
            hdr_mu, target_mu = own.lerp(hdr_mu, weight), own.lerp(target_mu, weight)
        x, y = ((picture - self.mean) / self.std for picture in (hdr_mu, target_mu))
        loss = hdr_mu.new_zeros(())
        for index, layer in enumerate(self.features):
            x, y = layer(x), layer(y)
            if index in _TAPS:
                loss = loss + l1_loss(x, y)
        return loss / share.clamp(min=torch.finfo(share.dtype).tiny)


def load_perceptual_loss(weights: AnyPath | None) -> PerceptualLoss:
    """The loss with torchvision's VGG-16 weights: from a file, or from torch.hub's cache.

    The network is asked for them by `FETCH` alone.

    Raises:
        DeviceError: there are no such weights; one sentence with the remedy.
    """
    weights = None if weights is None else Path(weights)
    if weights is None and not are_cached():
        raise DeviceError(
            f"The perceptual loss needs torchvision's {_NAME}, which is not on this machine; "
            f"loss.vgg_weights names the file, or says {FETCH} to have it fetched once (528 MiB); "
            "loss.perceptual_weight 0 does without",
            remedies=(_CONSENT, _WITHOUT),
        )
    state = _hub_weights() if weights is None or weights == FETCH else _file_weights(weights)
    wanted = {key: value for key, value in state.items() if key.startswith("features.")}
    loss = PerceptualLoss()
    wanted = {key: value for key, value in wanted.items() if key in loss.state_dict()}
    try:
        loss.load_state_dict(wanted | {"mean": loss.mean, "std": loss.std})
    except RuntimeError:
        raise DeviceError(f"{weights or URL}: not the weights of VGG-16; {_REMEDY}") from None
    return loss.eval()


def are_cached() -> bool:
    """Whether torch has fetched them before."""
    return (Path(torch.hub.get_dir()) / "checkpoints" / _NAME).is_file()


def _file_weights(path: Path) -> dict[str, Any]:
    try:
        with open_plain(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the form a file has; what it holds is looked at
            state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DeviceError(f"{path}: there is no such file of VGG-16 weights; {_REMEDY}") from None
    except NoPlainFile:
        raise DeviceError(f"{path}: is no plain file of VGG-16 weights; {_REMEDY}") from None
    except Exception as error:
        # What torch says of it is a page of warnings about code, which is never run.
        raise DeviceError(f"{path}: is damaged, or holds more than numbers; {_REMEDY}") from error
    if not isinstance(state, dict):
        raise DeviceError(f"{path}: holds no table of weights; {_REMEDY}")
    return state


def _hub_weights() -> dict[str, Any]:
    try:
        # It says where it downloads to.
        with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
            state: dict[str, Any] = torch.hub.load_state_dict_from_url(
                URL, map_location="cpu", progress=False, check_hash=True, weights_only=True
            )
    except (URLError, OSError, RuntimeError) as error:
        raise DeviceError(
            f"The perceptual loss needs the VGG-16 weights of {URL}, which could not be fetched "
            f"({error}); {_REMEDY}"
        ) from error
    return state


def _vgg_features() -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for width in _LAYERS:
        if width is None:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers)
