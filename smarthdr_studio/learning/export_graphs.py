"""A network written as a graph that runs without this program: TorchScript and ONNX."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.learning.model_card import INPUTS, OUTPUTS, ModelCard
from smarthdr_studio.learning.networks import FusionNetwork

Floats = npt.NDArray[np.float32]
Frames = tuple[Tensor, Tensor, Tensor]
Answer = Callable[[Frames], tuple[Floats, Floats]]

_ABOUT: Final = "model.json"
_FOR_ONNX: Final = ("onnx", "onnxscript", "onnxruntime")
_BATCH: Final = 2  # of one, a tracer would take the batch for a constant


def write_torchscript(path: AnyPath, network: FusionNetwork, card: ModelCard) -> None:
    """Traces the network for the card's tile; any batch. The card travels as `model.json`.

    Raises ExportError where this version of torch cannot.
    """
    path = Path(path)
    # A tracer keeps every value it sees: at a tile of 256 gigabytes. Sizes it writes down as they
    # are computed, so that a smaller tile with the same border serves as well.
    small = min(card.tile, 4 * network.multiple + card.tile % network.multiple)
    with _exporting("TorchScript"), torch.no_grad():
        plain = _Plain(network)
        traced = torch.jit.trace(plain, _example(small), check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, path, _extra_files={_ABOUT: card.as_text()})


def write_onnx(path: AnyPath, network: FusionNetwork, card: ModelCard) -> None:
    """Exports the network at the card's tile; any batch. The card travels in the metadata.

    Raises ExportError where packages are missing or this version of torch cannot.
    """
    path = Path(path)
    require_onnx()
    with _exporting("ONNX"):
        batch = torch.export.Dim("batch")
        program = torch.onnx.export(
            _Plain(network),
            _example(card.tile),
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamic_shapes=({0: batch},) * len(INPUTS),
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.model.metadata_props[_ABOUT] = card.as_text()
        program.save(str(path), external_data=False)


def torchscript_answer(path: AnyPath) -> Answer:
    """Asks a TorchScript file, as another program would."""
    path = Path(path)
    with _exporting("TorchScript"):
        script = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]

    def answer(frames: Frames) -> tuple[Floats, Floats]:
        with torch.inference_mode():
            hdr, sigma = script(*frames)
        return hdr.numpy(), sigma.numpy()

    return answer


def onnx_answer(path: AnyPath) -> Answer:
    """Asks an ONNX file on the CPU, as another program would."""
    path = Path(path)
    require_onnx()
    with _exporting("ONNX"):
        import onnxruntime  # noqa: PLC0415 - an extra that few install

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def answer(frames: Frames) -> tuple[Floats, Floats]:
        asked = {name: frame.numpy() for name, frame in zip(INPUTS, frames, strict=True)}
        hdr, sigma = session.run(list(OUTPUTS), asked)
        return hdr, sigma

    return answer


def require_onnx() -> None:
    """Raises ExportError where a package that ONNX needs is not installed."""
    missing = [name for name in _FOR_ONNX if find_spec(name) is None]
    if missing:
        raise ExportError(
            f"ONNX needs {' and '.join(missing)}, not installed here; "
            "install with: pip install 'smarthdr-studio[onnx]'"
        )


class _Plain(nn.Module):
    """The network as other programs know networks: tensors in, a pair of tensors out."""

    def __init__(self, network: FusionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> tuple[Tensor, Tensor]:
        """Radiance B×3×S×S and σ B×1×S×S."""
        answer = self.network(under, reference, over)
        return answer.hdr, answer.sigma


def _example(tile: int) -> Frames:
    generator = torch.Generator().manual_seed(0)
    shape = (_BATCH, 6, tile, tile)
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
