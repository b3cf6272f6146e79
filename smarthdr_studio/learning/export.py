"""Taking a model out: as one file of ours, as weights, as TorchScript or as ONNX."""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import torch
from safetensors.torch import load, load_file, save

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.learning.bundle import SUFFIX, read_bundle, unwritable, write_bundle
from smarthdr_studio.learning.export_graphs import (
    Answer,
    onnx_answer,
    require_onnx,
    torchscript_answer,
    write_onnx,
    write_torchscript,
)
from smarthdr_studio.learning.export_parity import TOLERANCE, crops, difference
from smarthdr_studio.learning.model_card import ModelCard, Part
from smarthdr_studio.learning.model_files import filled, find_model, read_weights
from smarthdr_studio.learning.networks import FusionNetwork

Form = Literal["bundle", "safetensors", "torchscript", "onnx"]

SUFFIXES: Final[Mapping[Form, str]] = {
    "bundle": SUFFIX,
    "safetensors": ".safetensors",
    "torchscript": ".pt",
    "onnx": ".onnx",
}
_Graph = tuple[Callable[[Path, FusionNetwork, ModelCard], None], Callable[[Path], Answer]]
_GRAPHS: Final[Mapping[Form, _Graph]] = {
    "torchscript": (write_torchscript, torchscript_answer),
    "onnx": (write_onnx, onnx_answer),
}
_NAMES: Final[Mapping[Form, str]] = {"torchscript": "TorchScript", "onnx": "ONNX"}

Events = Generator[PhaseChanged, None, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written. `difference` is the largest one between the file and ours, μ-law values."""

    path: Path
    form: Form
    card: ModelCard
    bytes: int
    difference: float
    crops: int

    @property
    def words(self) -> str:
        """How close it is to ours, in a few words."""
        if not self.crops:
            return "read back the same bit by bit"
        return (
            f"answers as ours does on {self.crops} crops, largest difference {self.difference:.1e}"
        )


def export_model(
    model: AnyPath,
    target: AnyPath,
    *,
    form: Form,
    part: Part = "teacher",
    project: AnyPath | None = None,
) -> Generator[PhaseChanged | Exported, None, None]:
    """Says how far it is, and last what was `Exported`; closing it leaves nothing behind.

    Args:
        model: a checkpoint, a run (its best checkpoint) or a bundle.
        target: the file; it is written whole or not at all, and only when it answers as ours does.
        form: what kind of file. A graph has square inputs of the plan's tile, B×6×S×S.
        part: which network of a checkpoint.
        project: whose scenes the file is tried on besides noise.

    Raises:
        CheckpointError: the model is missing or damaged.
        ExportError: the file cannot be written, packages are missing, or it answers otherwise.
    """
    model = Path(model)
    target = Path(target)
    project = None if project is None else Path(project)
    if form == "onnx":
        require_onnx()
    card, weights = read_weights(find_model(model), part=part)
    yield _phase(card, "loading the network")
    network = filled(model, card, weights)
    try:
        with replacing(target) as draft:
            count = 0
            if form in _GRAPHS:
                tried = crops(card.tile, project=project)
                count = len(tried)
                apart = yield from _graph(draft, network, card, form=form, tried=tried)
            else:
                yield _phase(card, "writing and reading back")
                apart = _write_weights(draft, card, weights, form=form)
            if apart > TOLERANCE:
                raise ExportError(
                    f"{target}: not kept, it answers otherwise than ours by {apart:.1e} "
                    f"(allowed: {TOLERANCE:.0e}); export a bundle instead"
                )
    except OSError as error:
        raise unwritable(target, error) from None
    yield Exported(
        path=target,
        form=form,
        card=card,
        bytes=target.stat().st_size,
        difference=apart,
        crops=count,
    )


def _graph(
    draft: Path,
    network: FusionNetwork,
    card: ModelCard,
    *,
    form: Form,
    tried: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]],
) -> Events:
    """Writes a graph and asks it; the largest difference."""
    write, read = _GRAPHS[form]
    yield _phase(card, f"making {_NAMES[form]}, which can take a minute")
    write(draft, network, card)
    answer, apart = read(draft), 0.0
    for done, frames in enumerate(tried):
        words = f"comparing crop {done + 1} of {len(tried)}"
        yield _phase(card, words, done=done, total=len(tried))
        apart = max(apart, difference(answer, network, frames))
    return apart


def _write_weights(draft: Path, card: ModelCard, weights: bytes, *, form: Form) -> float:
    """Writes a bundle or safetensors, and reads it back: every weight is the same or none is."""
    if form == "bundle":
        write_bundle(draft, card, weights)
        again = load(read_bundle(draft)[1])
    else:
        # Not save_file, whose files nobody else may read.
        draft.write_bytes(save(load(weights), metadata=_header(card)))
        again = load_file(draft)
    ours = load(weights)
    same = ours.keys() == again.keys() and all(torch.equal(ours[n], again[n]) for n in ours)
    return 0.0 if same else float("inf")


def _header(card: ModelCard) -> dict[str, str]:
    """The card as a safetensors header wants it: words for words."""
    plain = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in card.as_plain().items()
    }
    return {**plain, "made by": "SmartHDR Studio", "format": "pt", "model.json": card.as_text()}


def _phase(card: ModelCard, text: str, *, done: int = 0, total: int = 0) -> PhaseChanged:
    return PhaseChanged(phase="saving", text=text, step=card.step, done=done, total=total)
