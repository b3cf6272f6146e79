"""A model written as a bundle, safetensors, TorchScript or ONNX, and compared with ours."""

import json
import logging
import os
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load, load_file, save
from torch import Tensor, nn

from smarthdr_studio.core.environment import pip_install
from smarthdr_studio.core.errors import ExportError, StudioError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.imaging.bracket import Bracket, FrameStore
from smarthdr_studio.core.imaging.radiometry import Frame, unit_ldr
from smarthdr_studio.core.project.places import ModelForm, refuse_inside
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.words import counted
from smarthdr_studio.learning.bundle import (
    INPUTS,
    OUTPUTS,
    ModelCard,
    Part,
    cannot_write,
    read_bundle,
    write_bundle,
)
from smarthdr_studio.learning.model_files import find_model, network_with_weights, read_weights
from smarthdr_studio.learning.networks import FusionNetwork
from smarthdr_studio.learning.radiometry import mu_law, six_channels

Floats = npt.NDArray[np.float32]
Frames = tuple[Tensor, Tensor, Tensor]
ExportedModel = Callable[[Frames], tuple[Floats, Floats]]

_CARD_FILE: Final = "model.json"
_ONNX_PACKAGES: Final = ("onnx", "onnxscript", "onnxruntime")
_EXAMPLE_BATCH: Final = 2  # of one, a tracer would take the batch for a constant


Making = Generator[str, None, None]
"""Writes a graph, saying before each part of the work what it is."""


def write_torchscript(path: AnyPath, network: FusionNetwork, card: ModelCard) -> Making:
    """Traces the network for the card's tile; any batch. The card travels as `model.json`.

    Raises ExportError where this version of torch cannot.
    """
    path = Path(path)
    # A tracer keeps every value it sees: at a tile of 256 gigabytes. Sizes it writes down as they
    # are computed, so that a smaller tile with the same border serves as well.
    small = min(card.tile, 4 * network.multiple + card.tile % network.multiple)
    yield "following the network"
    with _exporting("TorchScript"), torch.no_grad():
        plain = _TupleOutput(network)
        traced = torch.jit.trace(plain, _example_frames(small), check_trace=False)  # type: ignore[no-untyped-call]
    yield "writing TorchScript"
    with _exporting("TorchScript"):
        torch.jit.save(traced, path, _extra_files={_CARD_FILE: card.as_text()})


def write_onnx(path: AnyPath, network: FusionNetwork, card: ModelCard) -> Making:
    """Exports the network at the card's tile; any batch. The card travels in the metadata.

    Raises ExportError where packages are missing or this version of torch cannot.
    """
    path = Path(path)
    require_onnx()
    yield "following the network, which can take minutes"
    with _exporting("ONNX"):
        batch = torch.export.Dim("batch")
        followed = torch.export.export(
            _TupleOutput(network).eval(),
            _example_frames(card.tile),
            dynamic_shapes=({0: batch},) * len(INPUTS),
            strict=False,
        )
    yield "translating it to ONNX, which can take minutes"
    with _exporting("ONNX"):
        program = torch.onnx.export(
            followed, input_names=INPUTS, output_names=OUTPUTS, dynamo=True, verbose=False
        )
        assert program is not None
        program.model.metadata_props[_CARD_FILE] = card.as_text()
    yield "writing ONNX"
    with _exporting("ONNX"):
        program.save(str(path), external_data=False)


def load_torchscript(path: AnyPath) -> ExportedModel:
    """Asks a TorchScript file, as another program would.

    The model takes three B×6×S×S float32 frames and gives B×3×S×S linear radiance and B×1×S×S σ.
    """
    path = Path(path)
    with _exporting("TorchScript"):
        script = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]

    def answer(frames: Frames) -> tuple[Floats, Floats]:
        with torch.inference_mode():
            hdr, sigma = script(*frames)
        return hdr.numpy(), sigma.numpy()

    return answer


def load_onnx(path: AnyPath) -> ExportedModel:
    """Asks an ONNX file on the CPU, as another program would.

    The model takes three B×6×S×S float32 frames and gives B×3×S×S linear radiance and B×1×S×S σ.
    """
    path = Path(path)
    require_onnx()
    with _exporting("ONNX"):
        # Before it is loaded: it would keep an id of this machine, and ask for its maker.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime  # noqa: PLC0415 - an extra that few install

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def answer(frames: Frames) -> tuple[Floats, Floats]:
        asked = {name: frame.numpy() for name, frame in zip(INPUTS, frames, strict=True)}
        hdr, sigma = session.run(list(OUTPUTS), asked)
        return hdr, sigma

    return answer


def require_onnx() -> None:
    """Raises ExportError where a package that ONNX needs is not installed."""
    missing = [name for name in _ONNX_PACKAGES if find_spec(name) is None]
    if missing:
        raise ExportError(
            f"ONNX needs {' and '.join(missing)}, not installed here; "
            f"install with: {pip_install('onnx')}"
        )


class _TupleOutput(nn.Module):
    """The network as other programs know networks: tensors in, a pair of tensors out."""

    def __init__(self, network: FusionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> tuple[Tensor, Tensor]:
        """Radiance B×3×S×S and σ B×1×S×S."""
        answer = self.network(under, reference, over)
        return answer.hdr, answer.sigma


def _example_frames(tile: int) -> Frames:
    generator = torch.Generator().manual_seed(0)
    shape = (_EXAMPLE_BATCH, 6, tile, tile)
    under, reference, over = (torch.rand(shape, generator=generator) for _ in INPUTS)
    return under, reference, over


@contextmanager
def _exporting(form: str) -> Iterator[None]:
    """What exporters say of themselves is meant for their makers; a crash becomes a sentence.

    With gradients, because what a network merely keeps without them would become a constant.
    """
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.inference_mode(mode=False), torch.enable_grad():
            warnings.simplefilter("ignore")
            yield
    except ExportError:
        raise
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise ExportError(
            f"{form} cannot be made by torch {torch.__version__} ({first or type(error).__name__});"
            " export a bundle instead"
        ) from error
    finally:
        log.setLevel(before)


TOLERANCE: Final = 1e-3
"""How far an exported model may be from ours, in μ-law values: a quarter of a step of 8 bits."""

_REAL_CROPS: Final = 2
_STOPS: Final = (0.0, 2.0, 4.0)


def parity_crops(tile: int, *, project: AnyPath | None) -> list[Frames]:
    """Two of noise at once, and the middles of two scenes where there is a project; B×6×S×S."""
    project = None if project is None else Path(project)
    generator = torch.Generator().manual_seed(1)
    made = [_noise_crop(generator, tile, batch=2), _noise_crop(generator, tile, batch=1)][
        : 1 if project else 2
    ]
    if project is not None:
        made += islice(_scene_crops(project, tile), _REAL_CROPS)
    return made


def largest_difference(answer: ExportedModel, network: FusionNetwork, frames: Frames) -> float:
    """The largest difference of one pixel in μ-law values, of picture and σ; infinite for NaN.

    `frames` are B×6×S×S each.
    """
    with torch.inference_mode():
        ours = network(*frames)
    hdr, sigma = (torch.from_numpy(np.array(part)) for part in answer(frames))
    apart = [mu_law(hdr.clamp(min=0)) - mu_law(ours.hdr), sigma - ours.sigma]
    largest = max(float(part.abs().max()) for part in apart)
    return largest if np.isfinite(largest) else float("inf")


def _noise_crop(generator: torch.Generator, tile: int, *, batch: int) -> Frames:
    ldr = [torch.rand((batch, 3, tile, tile), generator=generator) for _ in _STOPS]
    return _as_frames(ldr, _STOPS)


def _scene_crops(project: Path, tile: int) -> Iterator[Frames]:
    """Middles of scenes that can be read, the first ones of the project."""
    store = FrameStore()
    with Project.open(project) as opened:
        scenes = opened.scenes
    for scene in scenes:
        try:
            bracket = store.bracket(scene)
        except StudioError:
            continue
        yield _centre_crop(bracket, tile)


def _centre_crop(bracket: Bracket, tile: int) -> Frames:
    height, width, _ = bracket.reference.shape
    top, left = max(0, (height - tile) // 2), max(0, (width - tile) // 2)
    below, right = max(0, tile - height), max(0, tile - width)

    def cut(frame: Frame) -> Tensor:
        piece = unit_ldr(frame[top : top + tile, left : left + tile])
        piece = np.pad(piece, ((0, below), (0, right), (0, 0)), mode="edge")
        return torch.from_numpy(np.ascontiguousarray(piece)).permute(2, 0, 1)[None]

    return _as_frames([cut(frame) for frame in bracket.frames], bracket.stops)


def _as_frames(ldr: list[Tensor], stops: tuple[float, ...]) -> Frames:
    under, reference, over = (
        six_channels(frame, stops=above).contiguous()
        for frame, above in zip(ldr, stops, strict=True)
    )
    return under, reference, over


_Graph = tuple[Callable[[Path, FusionNetwork, ModelCard], Making], Callable[[Path], ExportedModel]]
_GRAPHS: Final[Mapping[ModelForm, _Graph]] = {
    "torchscript": (write_torchscript, load_torchscript),
    "onnx": (write_onnx, load_onnx),
}
_NAMES: Final[Mapping[ModelForm, str]] = {"torchscript": "TorchScript", "onnx": "ONNX"}

Events = Generator[PhaseChanged, None, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written. `difference` is the largest one between the file and ours, μ-law values."""

    path: Path
    form: ModelForm
    card: ModelCard
    bytes: int
    difference: float
    crops: int

    @property
    def words(self) -> str:
        """How close it is to ours, in a few words."""
        if not self.crops:
            return "read back the same bit by bit"
        crops = counted(self.crops, "crop")
        return f"answers as ours does on {crops}, largest difference {self.difference:.1e}"


def export_model(
    model: AnyPath,
    target: AnyPath,
    *,
    form: ModelForm,
    part: Part = "teacher",
    project: AnyPath | None = None,
) -> Generator[PhaseChanged | Exported, None, None]:
    """Says how far it is, and last what was `Exported`; closing it leaves nothing behind.

    Args:
        model: a checkpoint, a run (its best checkpoint) or a bundle.
        target: the file; it is written whole or not at all, and only when it answers as ours does.
        form: what kind of file. A graph has square inputs of the plan's tile, B×6×S×S.
        part: which network of a checkpoint.
        project: whose scenes the file is tried on besides noise, and into whose dataset nothing is
            written.

    Raises:
        CheckpointError: the model is missing or damaged.
        ExportError: the file cannot be written, packages are missing, or it answers otherwise.
    """
    model = Path(model)
    target = Path(target)
    if project is not None:
        with Project.open(project) as opened:
            refuse_inside(opened.dataset, target)
    if form == "onnx":
        require_onnx()
    card, weights = read_weights(find_model(model), part=part)
    yield _phase(card, "loading the network")
    network = network_with_weights(model, card, weights)
    try:
        with replacing(target) as draft:
            count = 0
            if form in _GRAPHS:
                tried = parity_crops(card.tile, project=project)
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
        raise cannot_write(target, error) from None
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
    form: ModelForm,
    tried: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]],
) -> Events:
    """Writes a graph and asks it; the largest difference."""
    write, read = _GRAPHS[form]
    for words in write(draft, network, card):
        yield _phase(card, words)
    yield _phase(card, f"reading {_NAMES[form]} back")
    answer, apart = read(draft), 0.0
    for done, frames in enumerate(tried):
        words = f"comparing crop {done + 1} of {len(tried)}"
        yield _phase(card, words, done=done, total=len(tried))
        apart = max(apart, largest_difference(answer, network, frames))
    return apart


def _write_weights(draft: Path, card: ModelCard, weights: bytes, *, form: ModelForm) -> float:
    """Writes a bundle or safetensors, and reads it back: every weight is the same or none is."""
    if form == "bundle":
        write_bundle(draft, card, weights)
        again = load(read_bundle(draft)[1])
    elif form != "safetensors":
        raise ValueError(f"{form}: no file of weights alone")
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
