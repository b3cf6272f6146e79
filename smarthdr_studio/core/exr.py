"""EXR files with named layers, written whole and read with one sentence when they cannot be."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.image_headers import is_whole, sniff

Layer = npt.NDArray[Any]
Header = dict[str, str | int | float]

_REMEDY = "restore it from a copy, or make it anew with: smarthdr-studio label"


def write_layers(
    path: AnyPath, layers: Mapping[str, Layer], *, header: Mapping[str, str | int | float]
) -> None:
    """Write H×W layers (half, float32 or uint32) under their names; whole or not at all.

    ZIP compression, so that any EXR viewer opens it. Floats in the header are kept in single
    precision by the format. Raises LabelError when the file cannot be written.
    """
    path = Path(path)
    # The library adds its own entries to the dictionary it is given, hence a new one each time.
    attributes: dict[str, object] = {
        **header,
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
    }
    channels = {name: np.ascontiguousarray(layer) for name, layer in layers.items()}
    try:
        with replacing(path) as draft:
            OpenEXR.File(attributes, channels).write(str(draft))
    except (OSError, RuntimeError) as error:
        # The library names the draft, which is gone by now, before it says why.
        reason = getattr(error, "strerror", None) or _first_line(error).rpartition('". ')[2]
        raise LabelError(
            f"{path}: cannot be written ({reason.rstrip('.')}); free some space or "
            "allow writing there"
        ) from None


def read_layers(
    path: AnyPath, *, only: Collection[str] | None = None
) -> tuple[dict[str, Layer], Header]:
    """The H×W layers by name, all or those of `only`, and the plain values of the header.

    Raises LabelError: missing, no EXR, truncated, damaged, or without a layer of `only`.
    """
    path = Path(path)
    _refuse_unless_whole(path)
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            header = {k: v for k, v in file.header().items() if isinstance(v, str | int | float)}
            channels = file.channels()
            wanted = channels if only is None else only
            missing = sorted(set(wanted) - set(channels))
            layers = {name: channels[name].pixels for name in wanted if name not in missing}
    except (OSError, RuntimeError, ValueError) as error:
        raise LabelError(f"{path}: damaged inside ({_first_line(error)}); {_REMEDY}") from None
    if missing:
        raise LabelError(f"{path}: has no layer {', '.join(missing)}; {_REMEDY}")
    return layers, header


def _refuse_unless_whole(path: Path) -> None:
    # Asked before the library is, because it reports damage on the terminal as well.
    try:
        with path.open("rb") as stream:
            kind = sniff(stream)
            whole = kind == "exr" and is_whole(stream, kind="exr")
    except FileNotFoundError:
        raise LabelError(f"{path}: no such file; {_REMEDY}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LabelError(f"{path}: cannot be read ({reason}); allow reading it") from None
    if kind != "exr":
        raise LabelError(f"{path}: not an EXR image; {_REMEDY}")
    if not whole:
        raise LabelError(f"{path}: truncated; {_REMEDY}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
