"""The batch of a step that taught nothing, kept so that a person can look for what is wrong.

faults/step-00001234.safetensors   frames, label, σ and mask of its crops, by half
faults/step-00001234.json          what was wrong, the loss terms, and where each crop lies
"""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors.torch import save
from torch import Tensor

from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.learning.crops import CropBatch

_FOLDER: Final = "faults"
_FRAMES: Final = ("under", "reference", "over")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WrongStep:
    """A step without a number for loss or gradient; its crops by half, "labelled" first."""

    step: int
    epoch: int
    why: str
    losses: Mapping[str, float]
    gradient_norm: float
    learning_rate: float
    halves: Mapping[str, tuple[CropBatch, Sequence[Mapping[str, str | int]]]]


def keep_batch(run: AnyPath, wrong: WrongStep, *, keep: int) -> str:
    """Writes the batch and what is known of it; the file. "" where none is to be kept.

    Of earlier ones only so many stay that all are `keep`. Raises OSError.
    """
    run = Path(run)
    if not keep:
        return ""
    path = run / _FOLDER / f"step-{wrong.step:08d}.safetensors"
    with replacing(path) as draft:
        draft.write_bytes(save(_tensors(wrong)))
    with replacing(path.with_suffix(".json")) as draft:
        draft.write_text(json.dumps(_about(wrong), indent=2, ensure_ascii=False), encoding="utf-8")
    for old in sorted(path.parent.glob("step-*.safetensors"))[:-keep]:
        for each in (old, old.with_suffix(".json")):
            with suppress(OSError):
                each.unlink()
    return str(path)


def _tensors(wrong: WrongStep) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for half, (batch, _) in wrong.halves.items():
        parts = dict(zip(_FRAMES, batch.frames, strict=True))
        parts |= {"hdr": batch.target.hdr, "trusted": batch.target.trusted, "sigma": batch.sigma}
        found |= {f"{half}/{name}": part.contiguous().cpu() for name, part in parts.items()}
    return found


def _about(wrong: WrongStep) -> dict[str, Any]:
    return {
        "step": wrong.step,
        "epoch": wrong.epoch,
        "why": wrong.why,
        "losses": {name: _plain(value) for name, value in wrong.losses.items()},
        "gradient_norm": _plain(wrong.gradient_norm),
        "learning_rate": wrong.learning_rate,
        "crops": {half: list(places) for half, (_, places) in wrong.halves.items()},
    }


def _plain(value: float) -> float | str:
    """JSON has numbers only for what is one."""
    return value if math.isfinite(value) else str(value)
