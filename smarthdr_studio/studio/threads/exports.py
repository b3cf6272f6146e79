"""Writing pictures for papers and other programs; compressing them takes a moment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage

from smarthdr_studio.core.display import DisplaySettings, Layer, Material
from smarthdr_studio.core.display.export import write_layer_exr, write_png16
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.handover.curve_table import write_curves
from smarthdr_studio.studio.tasks import Report


def save_image(*, image: QImage, path: Path) -> Path:
    """A finished picture as PNG, whole or not at all; where it lies. Raises ExportError."""
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    try:
        with replacing(path) as draft:
            draft.write_bytes(held.data())
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written ({error.strerror}); choose another place"
        ) from None
    return path


def save_curves(
    report: Report,
    *,
    curves: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    path: Path,
) -> Path:
    """Curves (steps and values by name) as CSV; where they lie. Raises ExportError."""
    write_curves(path, curves, tell=report)
    return path


def save_layer(
    *,
    layer: Layer,
    material: Material,
    settings: DisplaySettings,
    path: Path,
    kind: Literal["png16", "exr"],
) -> Path:
    """The numbers of a layer as 16-bit PNG or as EXR; where they lie. Raises StudioError."""
    if kind == "png16":
        write_png16(path, layer, material, settings)
    else:
        write_layer_exr(path, layer, material, against=settings.error_against)
    return path
