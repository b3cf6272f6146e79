"""What stopped a run or a step, in one sentence for a person, with what can be done about it.

faults/step-00001234.safetensors   of a skipped step: frames, label, σ and mask of its crops
faults/step-00001234.json          what was wrong, the loss terms, and where each crop lies
"""

import errno
import json
import math
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save
from torch import Tensor

from smarthdr_studio.core.errors import OutOfMemory, ProjectError, Remedy, StudioError
from smarthdr_studio.core.files import AnyPath, is_disk_full, replacing
from smarthdr_studio.core.records import NoPlainFile
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.plan_sections import READ_WHOLE
from smarthdr_studio.learning.crops import CropBatch

_LEAST_TILE = 64


def memory_remedies(
    plan: TrainingPlan, *, predicting: bool, could_bfloat16: bool
) -> tuple[Remedy, ...]:
    """What fits the plan, best first.

    `predicting` says that memory ran out while whole scenes were predicted, not inside a step;
    `could_bfloat16` that the run computes in float32 on a device that has bfloat16.
    """
    found = list(_remedies_for_predicting(plan) if predicting else _remedies_for_steps(plan))
    if could_bfloat16:
        half = Remedy(text="Compute in bfloat16", changes={"precision": "bfloat16"})
        # Smaller batches change what is learned, so that they come last.
        found.insert(len(found) if predicting else _place_before_batches(found), half)
    return tuple(found)


def remedies_as_options(found: tuple[Remedy, ...]) -> str:
    """The changes as they are typed after --set; "" for none."""
    return ", or ".join(
        " and ".join(f"{key}={_as_option(value)}" for key, value in remedy.changes.items())
        for remedy in found
    )


def _remedies_for_predicting(plan: TrainingPlan) -> Iterator[Remedy]:
    tile = plan.tile // 2 // 8 * 8
    if tile >= _LEAST_TILE and plan.network.name not in READ_WHOLE:
        yield Remedy(text=f"Predict in tiles of {tile} pixels", changes={"tile": tile})


def _remedies_for_steps(plan: TrainingPlan) -> Iterator[Remedy]:
    compute, batch = plan.compute, plan.batch
    parts = min(2 * compute.accumulate, max(batch.labelled, batch.unlabelled))
    if parts > compute.accumulate:
        yield Remedy(
            text=f"Cut each batch into {parts} parts", changes={"compute.accumulate": parts}
        )
    if not compute.checkpointing:
        yield Remedy(
            text="Compute activations twice instead of keeping them",
            changes={"compute.checkpointing": True},
        )
    if batch.labelled > 1 or batch.unlabelled > 1:
        labelled, unlabelled = max(batch.labelled // 2, 1), (batch.unlabelled + 1) // 2
        yield Remedy(
            text=f"Learn from batches of {labelled} + {unlabelled} crops",
            changes={"batch.labelled": labelled, "batch.unlabelled": unlabelled},
        )


def _place_before_batches(found: list[Remedy]) -> int:
    return next(
        (i for i, remedy in enumerate(found) if "batch.labelled" in remedy.changes), len(found)
    )


def _as_option(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV})
_MEMORY_WORDS: Final = re.compile(
    r"out of memory|allocate memory|insufficient memory|ALLOC_FAILED|not enough memory", re.I
)


def explain_failure(
    error: Exception,
    *,
    run: str | None,
    folder: AnyPath | None = None,
    remedies: tuple[Remedy, ...] = (),
) -> StudioError | None:
    """The sentence for a person; None for what only a programmer can mend.

    `run` is None where none has begun, `folder` what is written into where the error names no
    file, `remedies` what helps where it was memory that ran out.
    """
    folder = None if folder is None else Path(folder)
    again = f"resume {run}" if run else "start again"
    if isinstance(error, StudioError):
        return error
    if _is_out_of_memory(error):
        clause = f" with {remedies_as_options(remedies)}" if remedies else " on another device"
        return OutOfMemory(
            f"Out of memory: close other programs, or {again}{clause}", remedies=remedies
        )
    if is_disk_full(error):
        file = getattr(error, "filename", None) or folder
        where = f"{file}: its disk is full" if file else "The disk is full"
        return ProjectError(f"{where}; free some space and {again}")
    if isinstance(error, OSError) and error.filename and error.strerror:
        return ProjectError(f"{error.filename}: {_complaint_of(error)} and {again}")
    return None


def _complaint_of(error: OSError) -> str:
    """What the system has against a file, and what helps."""
    if isinstance(error, NoPlainFile):
        return "is no plain file; move it away"
    if error.errno in _GONE:
        return "is gone; put the project back where it was"
    return f"cannot be used ({error.strerror}); allow reading and writing there"


def release_tensors_of(error: BaseException | None) -> None:
    """Frees what the frames of an error and of its causes hold: the tensors of a failed step.

    Where it stopped a programmer still sees, but for memory that ran out: there frames go as well,
    because a frame keeps what its closures hold.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        if isinstance(error, Exception) and _is_out_of_memory(error):
            error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    told = isinstance(error, RuntimeError) or type(error).__module__.startswith("cv2")
    return told and _MEMORY_WORDS.search(str(error)) is not None


_FOLDER: Final = "faults"
_FRAMES: Final = ("under", "reference", "over")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SkippedBatch:
    """A step without a number for loss or gradient; its crops by half, "labelled" first."""

    step: int
    epoch: int
    why: str
    losses: Mapping[str, float]
    gradient_norm: float
    learning_rate: float
    halves: Mapping[str, tuple[CropBatch, Sequence[Mapping[str, str | int]]]]


def save_skipped_batch(run: AnyPath, wrong: SkippedBatch, *, keep: int) -> str:
    """Writes the batch and what is known of it; the file. "" where none is to be kept.

    Of earlier ones only so many stay that all are `keep`. Raises OSError.
    """
    run = Path(run)
    if not keep:
        return ""
    path = run / _FOLDER / f"step-{wrong.step:08d}.safetensors"
    with replacing(path) as draft:
        draft.write_bytes(save(_batch_tensors(wrong)))
    with replacing(path.with_suffix(".json")) as draft:
        draft.write_text(
            json.dumps(_batch_record(wrong), indent=2, ensure_ascii=False), encoding="utf-8"
        )
    for old in sorted(path.parent.glob("step-*.safetensors"))[:-keep]:
        for each in (old, old.with_suffix(".json")):
            with suppress(OSError):
                each.unlink()
    return str(path)


def _batch_tensors(wrong: SkippedBatch) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for half, (batch, _) in wrong.halves.items():
        parts = dict(zip(_FRAMES, batch.frames, strict=True))
        parts |= {"hdr": batch.target.hdr, "trusted": batch.target.trusted, "sigma": batch.sigma}
        if batch.target.weight is not None:
            parts["weight"] = batch.target.weight
        found |= {f"{half}/{name}": part.contiguous().cpu() for name, part in parts.items()}
    return found


def _batch_record(wrong: SkippedBatch) -> dict[str, Any]:
    return {
        "step": wrong.step,
        "epoch": wrong.epoch,
        "why": wrong.why,
        "losses": {name: _json_number(value) for name, value in wrong.losses.items()},
        "gradient_norm": _json_number(wrong.gradient_norm),
        "learning_rate": wrong.learning_rate,
        "crops": {half: list(places) for half, (_, places) in wrong.halves.items()},
    }


def _json_number(value: float) -> float | str:
    """JSON has numbers only for what is one."""
    return value if math.isfinite(value) else str(value)
