"""The checkpoints of a run as far as a window needs them, and its plan to go on from one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointLine:
    """A checkpoint that is whole, and PSNR-μ (dB) of the check before it, if there was one."""

    step: int
    psnr_mu: float | None
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanToContinue:
    """A plan as texts by dotted key, the preset it was made from, and the weights to start from."""

    preset: str
    texts: Mapping[str, str]
    start_from: Path | None


def checkpoint_lines(run: Path) -> tuple[CheckpointLine, ...]:
    """Every checkpoint of a run, the latest first; what is no whole checkpoint is passed over."""
    found = []
    for path in (run / "checkpoints").glob("*/checkpoint.json"):
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            psnr = (about.get("metrics") or {}).get("psnr_mu")
            line = CheckpointLine(step=int(about["step"]), psnr_mu=psnr, folder=path.parent)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        found.append(line)
    return tuple(sorted(found, key=lambda line: line.step, reverse=True))


def best_line(lines: tuple[CheckpointLine, ...]) -> CheckpointLine | None:
    """The checkpoint with the highest PSNR-μ; without any check, the latest."""
    checked = [line for line in lines if line.psnr_mu is not None]
    best = max(checked, key=lambda line: line.psnr_mu or 0.0, default=None)
    return best or next(iter(lines), None)


def plan_to_continue(*, run: Path) -> PlanToContinue:
    """The plan of a run, and the teacher of its best checkpoint. Raises PlanError."""
    from smarthdr_studio.core.plan_field import as_text
    from smarthdr_studio.core.plan_schema import flat
    from smarthdr_studio.core.running.comparing import read_plan
    from smarthdr_studio.core.runs import RunFolder

    plan, best = read_plan(RunFolder(run)), best_line(checkpoint_lines(run))
    weights = None if best is None else best.folder / "teacher.safetensors"
    return PlanToContinue(
        preset=plan.preset,
        texts={key: as_text(value) for key, value in flat(plan).items() if key != "preset"},
        start_from=weights if weights is not None and weights.is_file() else None,
    )
