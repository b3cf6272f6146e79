"""The pseudo-labels in use, kept in the run's own folder so that a run can stop and resume."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import save_file

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.learning.crops import SceneLabel

_TYPES: Final = {"F16": np.dtype(np.float16), "BOOL": np.dtype(np.bool_)}


def round_path(run: Path, *, number: int) -> Path:
    """The file of one round of a run."""
    return run / "rounds" / f"{number:04d}.safetensors"


def write_round(path: Path, labels: Mapping[str, SceneLabel]) -> None:
    """All labels of a round in one safetensors file, whole or not at all."""
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for scene, label in labels.items():
        tensors[f"{scene}/hdr"] = label.hdr
        if label.sigma is not None:
            tensors[f"{scene}/sigma"] = label.sigma
        if label.trusted is not None:
            tensors[f"{scene}/trusted"] = label.trusted
    with replacing(path) as draft:
        save_file(tensors, draft)


def open_round(path: Path) -> dict[str, SceneLabel]:
    """The labels of a round, mapped from the file: only what crops touch is read.

    Raises CheckpointError where the file is missing or damaged.
    """
    try:
        raw = np.memmap(path, dtype=np.uint8, mode="r")
        length = int(raw[:8].view(np.uint64)[0])
        header = json.loads(bytes(raw[8 : 8 + length]))
        pictures = {
            key: _picture(raw[8 + length :], entry)
            for key, entry in header.items()
            if key != "__metadata__"
        }
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise CheckpointError(
            f"{path}: the pseudo-labels of this round cannot be read ({error}); "
            "start a new run from the checkpoint with network.start_from"
        ) from error
    scenes = dict.fromkeys(key.rpartition("/")[0] for key in pictures)
    return {
        scene: SceneLabel(
            hdr=pictures[f"{scene}/hdr"],
            sigma=pictures.get(f"{scene}/sigma"),
            trusted=pictures.get(f"{scene}/trusted"),
        )
        for scene in scenes
    }


def drop_rounds(run: Path, *, before: int) -> None:
    """Removes the rounds no checkpoint can need any more."""
    for path in (run / "rounds").glob("*.safetensors"):
        if path.stem.isdigit() and int(path.stem) < before:
            path.unlink(missing_ok=True)


def _picture(data: np.ndarray[Any, Any], entry: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    start, end = entry["data_offsets"]
    values: np.ndarray[Any, Any] = np.asarray(data[start:end]).view(_TYPES[entry["dtype"]])
    return values.reshape(entry["shape"])
