"""Weights from files: ours and the published ones, checked whole before any is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load, load_file
from torch import Tensor

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.training.starter import meant_model
from smarthdr_studio.learning.bundle import SUFFIX, read_bundle
from smarthdr_studio.learning.networks.fusion_network import FusionNetwork

# Buffers of the published files: they depend on the size of the crop and are computed here.
_COMPUTED: Final = ("attn_mask", "relative_position_index")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWeights:
    """What came out of a file; without a head for σ in it, the network's own stays."""

    path: Path
    tensors: int
    judge: bool


def load_weights(network: FusionNetwork, path: AnyPath) -> LoadedWeights:
    """Fill a network from our safetensors, a bundle or a published .pth; all of it or nothing.

    Accepted: names as the network has them (`backbone.…`, `judge.…`), or those of a bare backbone,
    also under `state_dict` and with a `module.` prefix; "starter" is the model that ships. No
    pickled code is ever run.

    Raises:
        CheckpointError: the file is missing, damaged, unsafe, or made for another network.
    """
    path = meant_model(path)
    weights = _named_for_network(_read(path))
    judge = any(name.startswith("judge.") for name in weights)
    own = network.state_dict()
    wanted = {name: t for name, t in own.items() if judge or not name.startswith("judge.")}
    misfit = _misfit(weights, wanted)
    if misfit:
        raise CheckpointError(
            f"{path}: these are not weights for the network {network.name!r} ({misfit}). "
            "Choose a file that was trained with this network, or the network it was trained with."
        )
    network.load_state_dict(own | weights)
    return LoadedWeights(path=path, tensors=len(weights), judge=judge)


def _read(path: Path) -> Mapping[str, Tensor]:
    """Whatever tensors the file holds, by name; its bytes say of what kind it is."""
    bundled = read_bundle(path)[1] if path.suffix.casefold() == SUFFIX else None
    try:
        if bundled is not None:
            return load(bundled)
        with open_plain(path) as file:
            # A safetensors file is the length of its header (8 bytes), then JSON.
            ours = file.read(9)[8:] == b"{"
            file.seek(0)
            content: Any = (
                load_file(path) if ours else torch.load(file, map_location="cpu", weights_only=True)
            )
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path}: no such file. Choose a .safetensors, .shdrmodel or .pth file."
        ) from error
    except Exception as error:
        # A damaged or hostile file can fail anywhere inside the reader.
        raise CheckpointError(
            f"{path}: cannot be read as weights; it is truncated, no weights file, or holds code, "
            "which is never run. Copy it again, or save its state dict with torch.save."
        ) from error
    content = content.get("state_dict", content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not _all_tensors(content):
        raise CheckpointError(
            f"{path}: holds no state dict (names with tensors). Save network.state_dict() to it."
        )
    return content


def _all_tensors(content: Mapping[Any, Any]) -> bool:
    return all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())


def _named_for_network(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names a `FusionNetwork` has for them."""
    weights = {
        name.removeprefix("module."): tensor
        for name, tensor in found.items()
        if not name.endswith(_COMPUTED)
    }
    if any(name.startswith(("backbone.", "judge.")) for name in weights):
        return weights
    return {f"backbone.{name}": tensor for name, tensor in weights.items()}


def _misfit(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """What does not fit, in words; empty if everything does."""
    missing = sorted(wanted.keys() - weights.keys())
    unknown = sorted(weights.keys() - wanted.keys())
    wrong = [
        n for n in sorted(wanted.keys() & weights.keys()) if weights[n].shape != wanted[n].shape
    ]
    parts = []
    if missing:
        parts.append(f"{len(missing)} missing, first {missing[0]}")
    if unknown:
        parts.append(f"{len(unknown)} unknown, first {unknown[0]}")
    if wrong:
        name = wrong[0]
        parts.append(
            f"{len(wrong)} of another shape, first {name}: "
            f"{tuple(weights[name].shape)} instead of {tuple(wanted[name].shape)}"
        )
    return "; ".join(parts)
