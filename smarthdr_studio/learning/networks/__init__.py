"""The networks that fuse a bracket; a new backbone is added to `NETWORKS`."""

from collections.abc import Callable
from typing import Final

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.files import shown_name
from smarthdr_studio.learning.networks.ahdrnet import Ahdrnet
from smarthdr_studio.learning.networks.fusion_network import Backbone, FusionNetwork, Prediction
from smarthdr_studio.learning.networks.gfhdr import Gfhdr
from smarthdr_studio.learning.networks.light import Light
from smarthdr_studio.learning.networks.safnet import Safnet, safnet_s
from smarthdr_studio.learning.networks.transformer import use_gradient_checkpointing
from smarthdr_studio.learning.networks.views import SeveralViews, Uncertainty, passes_of
from smarthdr_studio.learning.networks.weights import LoadedWeights, load_weights

__all__ = [
    "NETWORKS",
    "FusionNetwork",
    "LoadedWeights",
    "Prediction",
    "SeveralViews",
    "Uncertainty",
    "build_network",
    "load_weights",
    "passes_of",
    "use_gradient_checkpointing",
]

NETWORKS: Final[dict[str, Callable[[], Backbone]]] = {
    "gfhdr": Gfhdr,
    "light": Light,
    "ahdrnet": Ahdrnet,
    "safnet": Safnet,
    "safnet-s": safnet_s,
}


def build_network(name: str) -> FusionNetwork:
    """A network by its name, untrained, on the CPU, in training mode.

    Call it with under, reference and over, each B×6×H×W in the order of METHOD §1, any H and W.

    Raises:
        StudioError: there is no network of that name.
    """
    if name not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise StudioError(
            f"There is no network named {shown_name(repr(name))}. Choose one of: {known}."
        )
    return FusionNetwork(NETWORKS[name](), name=name)
