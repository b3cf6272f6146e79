"""The plan of a run and its best weights, to go on from as a new run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanToContinue:
    """A plan as texts by dotted key, the preset it was made from, and the weights to start from."""

    preset: str
    texts: Mapping[str, str]
    start_from: Path | None


def plan_to_continue(*, run: Path) -> PlanToContinue:
    """The plan of a run, and the teacher of its best checkpoint. Raises PlanError."""
    from smarthdr_studio.core.plan_field import as_text
    from smarthdr_studio.core.plan_schema import flat
    from smarthdr_studio.core.running.comparing import read_plan
    from smarthdr_studio.core.runs import RunFolder, best_checkpoint

    plan, best = read_plan(RunFolder(run)), best_checkpoint(run)
    weights = None if best is None else best / "teacher.safetensors"
    return PlanToContinue(
        preset=plan.preset,
        texts={key: as_text(value) for key, value in flat(plan).items() if key != "preset"},
        start_from=weights if weights is not None and weights.is_file() else None,
    )
