"""The pseudo-labels of one round as training keeps them, mapped from the file, not read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath

_Values = npt.NDArray[Any]

_TYPES: Final = {"F16": np.dtype(np.float16), "BOOL": np.dtype(np.bool_)}
_LONGEST_HEADER: Final = 100 * 2**20  # what the safetensors format allows
_DAMAGE: Final = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundMaps:
    """One scene of a round; the arrays are mapped from the file and cannot be written to.

    `hdr` is H×W×3 linear radiance in [0, 1], `sigma` H×W in μ-law values, `trusted` H×W what the
    loss counted.
    """

    hdr: Half
    sigma: Half | None = None
    trusted: npt.NDArray[np.bool_] | None = None


def round_path(run: AnyPath, *, number: int) -> Path:
    """The file of one round in a run's folder."""
    return Path(run) / "rounds" / f"{number:04d}.safetensors"


def kept_rounds(run: AnyPath) -> frozenset[int]:
    """The rounds whose maps are still in a run's folder."""
    run = Path(run)
    found = (run / "rounds").glob("*.safetensors")
    return frozenset(int(path.stem) for path in found if path.stem.isdecimal())


def open_round_file(path: AnyPath) -> Mapping[str, RoundMaps]:
    """The maps of every scene of a round; only what is touched is read from the disk.

    Raises LabelError where the file is missing, truncated or foreign.
    """
    path = Path(path)
    try:
        return _scenes(_pictures(path))
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise LabelError(
            f"{path}: the maps of this round cannot be read ({reason}); choose another round"
        ) from error


def _pictures(path: Path) -> dict[str, _Values]:
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    length = int(raw[:8].view(np.uint64)[0])
    if length > min(_LONGEST_HEADER, len(raw) - 8):
        raise ValueError("no safetensors file, or truncated")
    header = json.loads(bytes(raw[8 : 8 + length]))
    data = raw[8 + length :]
    return {name: _picture(data, entry) for name, entry in header.items() if name != "__metadata__"}


def _picture(data: _Values, entry: Mapping[str, Any]) -> _Values:
    start, end = entry["data_offsets"]
    if not 0 <= start <= end <= len(data):
        raise ValueError("truncated")
    values: _Values = np.asarray(data[start:end]).view(_TYPES[entry["dtype"]])
    return values.reshape(entry["shape"])


def _scenes(pictures: Mapping[str, _Values]) -> dict[str, RoundMaps]:
    names = dict.fromkeys(name.rpartition("/")[0] for name in pictures)
    return {
        scene: _checked(
            RoundMaps(
                hdr=pictures[f"{scene}/hdr"],
                sigma=pictures.get(f"{scene}/sigma"),
                trusted=pictures.get(f"{scene}/trusted"),
            )
        )
        for scene in names
    }


def _checked(maps: RoundMaps) -> RoundMaps:
    height, width, channels = maps.hdr.shape
    for plane in (maps.sigma, maps.trusted):
        if channels != 3 or (plane is not None and plane.shape != (height, width)):
            raise ValueError("its maps do not fit each other")
    return maps
