"""A model wherever it lies: a checkpoint, the best checkpoint of a run, or a bundle."""

import hashlib
import json
from pathlib import Path
from typing import Final

from safetensors import SafetensorError
from safetensors.torch import load

from smarthdr_studio.core.errors import CheckpointError, StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.runs import best_checkpoint
from smarthdr_studio.learning.bundle import SUFFIX, read_bundle, read_bundle_card
from smarthdr_studio.learning.checkpoints import CheckpointInfo, read_info
from smarthdr_studio.learning.model_card import ModelCard, Part, overlap_of
from smarthdr_studio.learning.networks import FusionNetwork, build_network

_MADE_IN: Final = "checkpoints"  # of a run, the folder that tells it from a checkpoint


def find_model(path: AnyPath) -> Path:
    """The checkpoint or bundle that is meant by a path: of a run, its best checkpoint or its last.

    Raises CheckpointError: the run has no checkpoint yet.
    """
    path = Path(path)
    if not (path / _MADE_IN).is_dir():
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
    return card_of(read_info(model), part=part)


def read_weights(model: AnyPath, *, part: Part = "teacher") -> tuple[ModelCard, bytes]:
    """The card and the weights as safetensors, after comparing their hash; `part` as above.

    Raises CheckpointError: missing, damaged or foreign.
    """
    model = find_model(model)
    if is_bundle(model):
        return read_bundle(model)
    card, path = card_of(read_info(model), part=part), model / f"{part}.safetensors"
    remedy = "choose another checkpoint"
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
    if hashlib.sha256(weights).hexdigest() != card.weights:
        raise CheckpointError(f"{path}: damaged, its SHA-256 has changed; {remedy}")
    return card, weights


def load_model(model: AnyPath, *, part: Part = "teacher") -> tuple[FusionNetwork, ModelCard]:
    """The network, on the CPU and ready to predict, and its card; `part` as in `read_card`.

    Raises CheckpointError: missing, damaged, foreign, or of a network that is not known here.
    """
    model = Path(model)
    card, weights = read_weights(model, part=part)
    return filled(model, card, weights), card


def filled(model: AnyPath, card: ModelCard, weights: bytes) -> FusionNetwork:
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
        first = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{model}: its weights do not fit the network {card.network} ({first}); "
            "choose another model"
        ) from None
    return network.eval()


def card_of(info: CheckpointInfo, *, part: Part) -> ModelCard:
    """What a checkpoint says of its student or teacher."""
    tile = int(info.plan["tile"])
    plan = json.dumps(info.plan, sort_keys=True, separators=(",", ":"))
    return ModelCard(
        network=info.network,
        part=part,
        tile=tile,
        overlap=overlap_of(tile),
        precision=str(info.plan["precision"]),
        run=info.run,
        step=info.step,
        epoch=info.epoch,
        round=info.round,
        plan=hashlib.sha256(plan.encode()).hexdigest(),
        weights=info.hashes.get(f"{part}.safetensors", ""),
        metrics=dict(info.metrics),
    )


def is_bundle(model: AnyPath) -> bool:
    """Whether a path means one file, not the folder of a checkpoint."""
    model = Path(model)
    return model.suffix.casefold() == SUFFIX or model.is_file()
