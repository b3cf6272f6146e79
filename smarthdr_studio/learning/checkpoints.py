"""A moment of a run on disk: weights, a readable description and what is needed to go on.

checkpoints/step-00001234/
├── student.safetensors   network weights; the judge's keys begin with "judge."
├── teacher.safetensors
├── checkpoint.json       run, step, epoch, network, plan, metrics, SHA-256 of the other files
└── state.pt              optimiser, generators, sampler and round: plain values and tensors
"""

import hashlib
import io
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.files import AnyPath, drafted, flush_folder, shown_name
from smarthdr_studio.core.records import open_plain, read_json
from smarthdr_studio.core.training.run_folder import (
    CHECKPOINT_ABOUT,
    CHECKPOINT_FILES,
    CHECKPOINT_FORMAT,
    best_checkpoint,
    checkpoints_of,
    is_whole,
    run_folders,
)

_OLD: Final = ".old"  # ends the name of a checkpoint that makes way for a new one of its step
_REMEDY: Final = "choose another, or delete this folder and the checkpoint before it serves"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointInfo:
    """What checkpoint.json says; `hashes` are the SHA-256 of the other files by name.

    `frames` says in words how those were read that it was trained on, "" where that is not known.
    """

    run: str
    step: int
    epoch: int
    round: int
    network: str
    plan: Mapping[str, Any]
    metrics: Mapping[str, float] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    format: int = CHECKPOINT_FORMAT
    frames: str = ""

    @property
    def teacher(self) -> str:
        """The hash that names the teacher in the provenance of its pseudo-labels."""
        return self.hashes["teacher.safetensors"]


def weights_hash(network: nn.Module) -> str:
    """The SHA-256 a checkpoint of these weights would have."""
    return hashlib.sha256(_weights(network)).hexdigest()


def save_checkpoint(
    folder: AnyPath,
    info: CheckpointInfo,
    *,
    student: nn.Module,
    teacher: nn.Module,
    state: Mapping[str, Any],
) -> Path:
    """Writes folder/step-NNNNNNNN whole, or nothing; one of the same step is replaced."""
    folder = Path(folder)
    final = folder / f"step-{info.step:08d}"
    draft = folder / f".{final.name}.{uuid.uuid4().hex}"
    old = draft.with_name(f"{draft.name}{_OLD}")
    draft.mkdir(parents=True)
    try:
        with drafted(draft, of=final):
            _write_all(draft, info, student=student, teacher=teacher, state=state)
        if final.exists():
            # Renamed out of the way first: at no moment is a half-removed folder called final.
            final.rename(old)
        draft.rename(final)
        flush_folder(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        _put_back(old)
        shutil.rmtree(old, ignore_errors=True)
    return final


def _write_all(
    draft: Path,
    info: CheckpointInfo,
    *,
    student: nn.Module,
    teacher: nn.Module,
    state: Mapping[str, Any],
) -> None:
    _write(draft / "student.safetensors", _weights(student))
    _write(draft / "teacher.safetensors", _weights(teacher))
    # By way of memory: torch tells a full disk as anything but an OSError.
    content = io.BytesIO()
    torch.save(dict(state), content)
    _write(draft / "state.pt", content.getbuffer())
    about = asdict(info) | {"hashes": {name: _hash(draft / name) for name in CHECKPOINT_FILES}}
    _write(draft / CHECKPOINT_ABOUT, json.dumps(about, indent=2, ensure_ascii=False).encode())


def read_info(checkpoint: AnyPath) -> CheckpointInfo:
    """What the checkpoint says of itself. Raises CheckpointError."""
    checkpoint = Path(checkpoint)
    try:
        values = read_json(checkpoint / CHECKPOINT_ABOUT)
        if not isinstance(values, dict):
            raise CheckpointError(
                f"{checkpoint}: not a whole checkpoint, {CHECKPOINT_ABOUT} is damaged; {_REMEDY}"
            )
        if values["format"] > CHECKPOINT_FORMAT:
            raise CheckpointError(
                f"{checkpoint}: of a newer format ({values['format']:.0f}); update SmartHDR Studio"
            )
        return _checked(CheckpointInfo(**values))
    except (FileNotFoundError, NotADirectoryError) as error:
        if checkpoint.is_dir():
            why = f"not a whole checkpoint, {CHECKPOINT_ABOUT} is missing; {_REMEDY}"
        else:
            why = "no such file; give a checkpoint, a run or a .shdrmodel"
        raise CheckpointError(f"{checkpoint}: {why}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{checkpoint}: not a whole checkpoint ({shown_name(str(error))}); {_REMEDY}"
        ) from error


def _checked(info: CheckpointInfo) -> CheckpointInfo:
    """The same, where everything in it is of its kind. Raises TypeError."""
    for kind, values in (
        (str, (info.run, info.network)),
        (int, (info.step, info.epoch, info.round)),
        (dict, (info.plan, info.metrics, info.hashes)),
    ):
        if not all(isinstance(value, kind) for value in values):
            raise TypeError("a value in it is of another kind")
    return info


def load_weights_into(network: nn.Module, checkpoint: AnyPath, *, part: str) -> None:
    """Loads "student" or "teacher" after comparing its hash. Raises CheckpointError."""
    checkpoint = Path(checkpoint)
    path = _intact(checkpoint, f"{part}.safetensors")
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        first = str(error).partition("\n")[0]
        why = shown_name(first)
        raise CheckpointError(f"{path}: does not fit this network ({why}); {_REMEDY}") from error


def load_state(checkpoint: AnyPath) -> dict[str, Any]:
    """Optimiser, generators, sampler and round. Raises CheckpointError."""
    checkpoint = Path(checkpoint)
    path = _intact(checkpoint, "state.pt")
    try:
        with open_plain(path) as file:
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # What torch says of it is a page of warnings about code, which is never run.
        raise CheckpointError(
            f"{path}: is damaged, or holds more than numbers; {_REMEDY}"
        ) from error
    return state


def latest_checkpoint(project: AnyPath) -> Path | None:
    """The newest complete checkpoint of the newest run that has one."""
    for run in run_folders(project):
        found = checkpoints_of(run.path)
        if found:
            return found[-1]
    return None


def drop_checkpoints(run: AnyPath, *, keep: int = 2) -> Path | None:
    """Removes all but the newest `keep` and the best; answers the oldest of the newest."""
    run = Path(run)
    found, best = checkpoints_of(run), best_checkpoint(run)
    for path in found[:-keep]:
        if path != best:
            shutil.rmtree(path, ignore_errors=True)
    return found[-keep:][0] if found else None


def sweep_drafts(run: AnyPath) -> None:
    """Removes what a kill has left half-written; whoever trains the run may call it.

    A checkpoint that was just being saved again is there again as it was.
    """
    run = Path(run)
    for old in (run / "checkpoints").glob(f".*{_OLD}"):
        _put_back(old)
    for part in ("checkpoints", "rounds", "stages", "history", "faults", "previews/*"):
        for draft in run.glob(f"{part}/.*"):
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
            else:
                with suppress(OSError):
                    draft.unlink()


def _put_back(old: Path) -> None:
    """A checkpoint renamed out of the way gets its name back, unless there is one of that name."""
    final = old.with_name(old.name.split(".")[1])
    if not final.exists() and is_whole(old):
        with suppress(OSError):  # the disk is gone
            old.rename(final)


def _weights(network: nn.Module) -> bytes:
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    return bytes(save(tensors))


def _intact(checkpoint: Path, name: str) -> Path:
    path = checkpoint / name
    info = read_info(checkpoint)
    try:
        same = _hash(path) == info.hashes.get(name)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); {_REMEDY}") from error
    if not same:
        raise CheckpointError(f"{path}: damaged, its SHA-256 has changed; {_REMEDY}")
    return path


def _hash(path: Path) -> str:
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(content)
        _flush(file.fileno())


def _flush(handle: int) -> None:
    os.fsync(handle)
