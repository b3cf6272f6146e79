"""What student or teacher of a checkpoint thinks of one scene."""

from pathlib import Path
from typing import Literal

import torch

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.learning.checkpoints import load_weights_into, read_info
from smarthdr_studio.learning.networks import build_network
from smarthdr_studio.learning.predictor import Predictor, Said
from smarthdr_studio.learning.runtime import pick_device, pick_precision

Who = Literal["teacher", "student"]


def load_predictor(
    checkpoint: Path, *, who: Who = "teacher", device: str = "auto", frames: FrameStore
) -> Predictor:
    """The network of a checkpoint, ready to predict with the tile and precision of its plan.

    Raises CheckpointError, and DeviceError where the device is not there.
    """
    chosen = pick_device(device)
    info = read_info(checkpoint)
    network = build_network(info.network)
    load_weights_into(network, checkpoint, part=who)
    return Predictor(
        network=network.to(chosen).eval(),
        frames=frames,
        device=chosen,
        precision=pick_precision(chosen, info.plan["precision"]),
        tile=info.plan["tile"],
    )


def opinion(
    checkpoint: Path,
    scene: Scene,
    *,
    who: Who,
    device: str = "auto",
    frames: FrameStore,
    said: Said | None = None,
) -> tuple[Half, Floats]:
    """One scene predicted by one network of a checkpoint.

    Args:
        checkpoint: a checkpoint's folder.
        scene: any scene, labelled or not.
        who: which of the two networks.
        device: as a plan says it.
        frames: where the bracket is decoded and kept.
        said: hears between tiles how many of how many are done; it may raise to give up.

    Returns:
        H×W×3 linear radiance in [0, 1] as half floats, and H×W σ in μ-law values.

    Raises:
        CheckpointError, DeviceError, BadScene, UnreadableImage: one sentence with the remedy.
    """
    return ask(load_predictor(checkpoint, who=who, device=device, frames=frames), scene, said=said)


def ask(predictor: Predictor, scene: Scene, *, said: Said | None = None) -> tuple[Half, Floats]:
    """`opinion` of a network that is loaded already."""
    try:
        return predictor.predict(scene, said=said)
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"The device {predictor.device} has no memory left to look at {scene.id}; "
            "ask again when training has stopped"
        ) from error
