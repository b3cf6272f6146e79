"""Models as files: a checkpoint, the best of a run or a bundle, read and ready to predict."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load

from smarthdr_studio.core.errors import CheckpointError, StudioError
from smarthdr_studio.core.files import AnyPath, shown_name
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.training.run_folder import best_checkpoint
from smarthdr_studio.core.training.starter import meant_model
from smarthdr_studio.learning.bundle import (
    SUFFIX,
    ModelCard,
    Part,
    overlap_of,
    read_bundle,
    read_bundle_card,
)
from smarthdr_studio.learning.checkpoints import read_info
from smarthdr_studio.learning.compute import pick_device, precision_to_predict
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.networks import (
    FusionNetwork,
    Uncertainty,
    build_network,
)

_CHECKPOINTS: Final = "checkpoints"  # of a run, the folder that tells it from a checkpoint


def find_model(path: AnyPath) -> Path:
    """The checkpoint or bundle that is meant by a path: of a run, its best checkpoint or its last.

    The word "starter" means the model that ships. Raises CheckpointError: the run has no
    checkpoint yet.
    """
    path = meant_model(path)
    if not (path / _CHECKPOINTS).is_dir():
        return path
    found = best_checkpoint(path)
    if found is None:
        raise CheckpointError(f"{path}: has no checkpoint yet; choose another run, or train on")
    return found


def read_card(model: AnyPath, *, part: Part = "teacher") -> ModelCard:
    """What a model says of itself; a bundle holds one part, whatever `part` asks for.

    Raises CheckpointError.
    """
    model = find_model(model)
    if is_bundle(model):
        return read_bundle_card(model)
    return _card_of(model, part=part)


def read_weights(model: AnyPath, *, part: Part = "teacher") -> tuple[ModelCard, bytes]:
    """The card and the weights as safetensors, after comparing their hash; `part` as above.

    Raises CheckpointError: missing, damaged or foreign.
    """
    model = find_model(model)
    if is_bundle(model):
        return read_bundle(model)
    card, path = _card_of(model, part=part), model / f"{part}.safetensors"
    remedy = "choose another checkpoint"
    try:
        with open_plain(path) as file:
            weights = file.read()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
    if hashlib.sha256(weights).hexdigest() != card.weights:
        raise CheckpointError(f"{path}: damaged, its SHA-256 has changed; {remedy}")
    return card, weights


def load_model(model: AnyPath, *, part: Part = "teacher") -> tuple[FusionNetwork, ModelCard]:
    """The network, on the CPU and ready to predict, and its card; `part` as in `read_card`.

    Raises CheckpointError: missing, damaged, foreign, or of a network that is not known here.
    """
    model = find_model(model)
    card, weights = read_weights(model, part=part)
    return network_with_weights(model, card, weights), card


def network_with_weights(model: AnyPath, card: ModelCard, weights: bytes) -> FusionNetwork:
    """The network of the card with these weights, on the CPU, in evaluation mode.

    Raises CheckpointError, which names `model`.
    """
    model = Path(model)
    try:
        network = build_network(card.network)
    except StudioError as error:
        raise CheckpointError(f"{model}: made by another version; {error}") from None
    try:
        network.load_state_dict(load(weights))
    except (RuntimeError, SafetensorError) as error:
        first = shown_name(str(error).partition("\n")[0])
        raise CheckpointError(
            f"{model}: its weights do not fit the network {card.network} ({first}); "
            "choose another model"
        ) from None
    return network.eval()


def _card_of(checkpoint: Path, *, part: Part) -> ModelCard:
    """What a checkpoint says of its student or teacher. Raises CheckpointError."""
    info = read_info(checkpoint)
    try:
        tile, precision = int(info.plan["tile"]), str(info.plan["precision"])
        uncertainty = uncertainty_of(info.plan)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CheckpointError(
            f"{checkpoint}: its plan is not whole; choose another checkpoint"
        ) from None
    plan = json.dumps(info.plan, sort_keys=True, separators=(",", ":"))
    return ModelCard(
        network=info.network,
        part=part,
        tile=tile,
        overlap=overlap_of(tile),
        precision=precision,
        run=info.run,
        step=info.step,
        epoch=info.epoch,
        round=info.round,
        plan=hashlib.sha256(plan.encode()).hexdigest(),
        weights=info.hashes.get(f"{part}.safetensors", ""),
        metrics=dict(info.metrics),
        uncertainty=uncertainty,
        frames=info.frames,
    )


def uncertainty_of(plan: Mapping[str, Any]) -> Uncertainty:
    """Whose σ a plan, in plain values, wants; of an older version the judge's."""
    return "views" if plan.get("teacher", {}).get("uncertainty") == "views" else "judge"


def is_bundle(model: AnyPath) -> bool:
    """Whether a path means one file, not the folder of a checkpoint."""
    model = meant_model(model)
    return model.suffix.casefold() == SUFFIX or model.is_file()


def load_predictor(
    model: AnyPath, *, who: Part = "teacher", device: str = "auto", frames: FrameStore
) -> Predictor:
    """A network, ready to predict with tile, precision and uncertainty of the plan it learned by.

    `model` is a checkpoint, a run (its best checkpoint) or a bundle, which holds one network only.

    Raises CheckpointError, and DeviceError where the device is not there.
    """
    model = Path(model)
    chosen = pick_device(device)
    network, card = load_model(model, part=who)
    network = network.to(chosen)
    return Predictor(
        network=network,
        frames=frames,
        device=chosen,
        precision=precision_to_predict(network, device=chosen, wish=card.precision, tile=card.tile),
        tile=card.tile,
    ).asking(uncertainty=card.uncertainty)


def load_labeller(model: AnyPath, *, device: str = "auto", frames: FrameStore) -> Predictor:
    """The teacher of a model, asking as the rounds of its run asked it: with as many views.

    Of a bundle, which does not say how many, with one. Raises CheckpointError and DeviceError.
    """
    predictor = load_predictor(model, device=device, frames=frames)
    return predictor.asking(views_of_labels(model))


def views_of_labels(model: AnyPath) -> int:
    """How many views a pseudo-label of the model's run is the mean of; 1 where that is not known.

    Raises CheckpointError.
    """
    if is_bundle(model):
        return 1
    return int(read_info(find_model(model)).plan.get("teacher", {}).get("views", 1))
