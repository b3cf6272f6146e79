"""What student or teacher of a checkpoint, or the network of a bundle, thinks of one scene."""

from pathlib import Path

import torch

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.learning.model_card import Part
from smarthdr_studio.learning.model_files import load_model
from smarthdr_studio.learning.predictor import Predictor, Said
from smarthdr_studio.learning.runtime import pick_device, pick_precision


def load_predictor(
    model: AnyPath, *, who: Part = "teacher", device: str = "auto", frames: FrameStore
) -> Predictor:
    """A network, ready to predict with the tile and precision of the plan it was trained by.

    `model` is a checkpoint, a run (its best checkpoint) or a bundle, which holds one network only.

    Raises CheckpointError, and DeviceError where the device is not there.
    """
    model = Path(model)
    chosen = pick_device(device)
    network, card = load_model(model, part=who)
    return Predictor(
        network=network.to(chosen),
        frames=frames,
        device=chosen,
        precision=pick_precision(chosen, card.precision),
        tile=card.tile,
    )


def opinion(
    model: AnyPath,
    scene: Scene,
    *,
    who: Part,
    device: str = "auto",
    frames: FrameStore,
    said: Said | None = None,
) -> tuple[Half, Floats]:
    """One scene predicted by one network.

    Args:
        model: as in `load_predictor`.
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
    return ask(load_predictor(Path(model), who=who, device=device, frames=frames), scene, said=said)


def ask(predictor: Predictor, scene: Scene, *, said: Said | None = None) -> tuple[Half, Floats]:
    """`opinion` of a network that is loaded already."""
    try:
        return predictor.predict(scene, said=said)
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"The device {predictor.device} has no memory left to look at {scene.id}; "
            "ask again when training has stopped"
        ) from error
