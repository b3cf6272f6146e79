"""The pseudo-labels in use, kept in the run's own folder so that a run can stop and resume."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from smarthdr_studio.core.errors import CheckpointError, LabelError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.round_files import kept_rounds, open_round_file, round_path
from smarthdr_studio.core.round_records import history_path, recorded_rounds
from smarthdr_studio.learning.crops import SceneLabel
from smarthdr_studio.learning.previews import forget_later_previews

__all__ = ["drop_rounds", "forget_later", "open_round", "round_path", "write_round"]


def write_round(path: AnyPath, labels: Mapping[str, SceneLabel]) -> None:
    """All labels of a round in one safetensors file, whole or not at all."""
    path = Path(path)
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for scene, label in labels.items():
        tensors[f"{scene}/hdr"] = label.hdr
        if label.sigma is not None:
            tensors[f"{scene}/sigma"] = label.sigma
        if label.trusted is not None:
            tensors[f"{scene}/trusted"] = label.trusted
    with replacing(path) as draft:
        draft.touch()
        rights = draft.stat().st_mode
        save_file(tensors, draft)  # whose files nobody else may read
        draft.chmod(rights)


def open_round(path: AnyPath) -> dict[str, SceneLabel]:
    """The labels of a round, mapped from the file: only what crops touch is read.

    Raises CheckpointError where the file is missing or damaged.
    """
    path = Path(path)
    try:
        found = open_round_file(path)
    except LabelError as error:
        raise CheckpointError(
            f"{path}: the pseudo-labels of this round cannot be read ({error.__cause__}); "
            "start a new run from the checkpoint with network.start_from"
        ) from error
    return {
        scene: SceneLabel(hdr=maps.hdr, sigma=maps.sigma, trusted=maps.trusted)
        for scene, maps in found.items()
    }


def drop_rounds(run: AnyPath, *, needed_from: int, keep_bytes: int) -> None:
    """Removes the oldest rounds, as many as it takes for the newer ones to fit in `keep_bytes`.

    From `needed_from` on a checkpoint may go on with them, so they stay whatever they take.
    """
    run = Path(run)
    left = keep_bytes
    for number in sorted(kept_rounds(run), reverse=True):
        path = round_path(run, number=number)
        left -= path.stat().st_size
        if left < 0 and number < needed_from:
            _remove(path)


def forget_later(run: AnyPath, *, than: int) -> None:
    """Removes rounds, records and previews of a past that a resumed run does not share."""
    run = Path(run)
    for number in kept_rounds(run):
        if number > than:
            _remove(round_path(run, number=number))
    for number in recorded_rounds(run):
        if number > than:
            _remove(history_path(run, number))
    forget_later_previews(run, than=than)


def _remove(path: Path) -> None:
    # Windows refuses while somebody looks at the file: it is removed another time.
    with suppress(PermissionError):
        path.unlink(missing_ok=True)
