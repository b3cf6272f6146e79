"""Which plan the verbs that train are asked for: of a preset, an earlier run, or one to resume."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smarthdr_studio.core.errors import PlanError

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan

LAST: Final = "last"
"""Stands for the newest run that can be resumed, or begun from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for: at most one of `preset`, `resume` and `base`; settings as KEY=VALUE."""

    preset: str | None = None
    resume: str | None = None
    base: str | None = None
    with_weights: bool = False
    settings: Sequence[str] = ()
    device: str | None = None
    seed: int | None = None

    def changes(self) -> dict[str, Any]:
        """The settings by dotted key, checked for their form only. Raises PlanError."""
        from smarthdr_studio.core.plan import parse_changes

        extra = {"device": self.device, "seed": self.seed}
        given = {key: value for key, value in extra.items() if value is not None}
        return {**parse_changes(self.settings), **given}


def plan_wanted(project: Path, wanted: Wanted) -> tuple["TrainingPlan", str | None]:
    """The plan, and the name of the run to resume if it is one. Raises StudioError."""
    from smarthdr_studio.core.plan import load_preset

    changes = wanted.changes()
    if sum(each is not None for each in (wanted.preset, wanted.resume, wanted.base)) > 1:
        raise PlanError("--preset, --resume and --from: give one of them, as each brings a plan")
    if wanted.with_weights and wanted.base is None:
        raise PlanError("--with-weights: give --from as well, which says whose weights")
    if wanted.resume is not None:
        return _resumed(project, wanted.resume, changes)
    if wanted.base is not None:
        return _continued(project, wanted, changes), None
    return load_preset(wanted.preset or "quick", changes=changes), None


def _resumed(
    project: Path, name: str, changes: Mapping[str, Any]
) -> tuple["TrainingPlan", str | None]:
    from smarthdr_studio.core.plan import load_preset
    from smarthdr_studio.core.running.listing import newest_resumable

    if "seed" in changes:
        raise PlanError("--resume keeps the seed of its run; leave it away, or begin a new one")
    if name == LAST:
        row = newest_resumable(project)
        if row is None:
            raise PlanError(_why_none(project))
        name = row.id
    return load_preset(str(_plan_path(project, name)), changes=changes), name


def _continued(project: Path, wanted: Wanted, changes: Mapping[str, Any]) -> "TrainingPlan":
    """The plan of an earlier run with changes, and its weights to start from if asked."""
    from smarthdr_studio.core.plan import load_preset

    name = str(wanted.base)
    if name == LAST:
        name = _newest(project)
    weights: dict[str, Any] = {}
    if wanted.with_weights:
        from smarthdr_studio.core.runs import best_checkpoint

        best = best_checkpoint(project.expanduser().resolve() / "runs" / name)
        if best is None:
            raise PlanError(f"{project}: {name} has no whole checkpoint; leave --with-weights away")
        weights["network.start_from"] = str(best / "teacher.safetensors")
    return load_preset(str(_plan_path(project, name)), changes={**weights, **changes})


def _why_none(project: Path) -> str:
    from smarthdr_studio.core.liveness import is_at_work
    from smarthdr_studio.core.runs import run_folders

    busy = next((run.id for run in run_folders(project) if is_at_work(run.path)), None)
    if busy is None:
        return f"{project}: has no run that can be resumed; begin one without --resume"
    stop = f"smarthdr-studio runs stop {shlex.quote(str(project))} {busy}"
    return f"{project}: its run {busy} is at work in another process; stop it first with: {stop}"


def _newest(project: Path) -> str:
    from smarthdr_studio.core.runs import run_folders

    runs = run_folders(project)
    if not runs:
        raise PlanError(f"{project}: has no runs yet; begin one with --preset")
    return runs[0].id


def _plan_path(project: Path, name: str) -> Path:
    path = project / "runs" / name / "plan.toml"
    if not path.is_file():
        raise PlanError(f"{project}: has no run {name}; its runs are in {project / 'runs'}")
    return path
