"""The plan a verb that trains is asked for, and the verbs `presets list` and `presets show`."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smarthdr_studio.cli.output import Json, print_json, print_line, print_table
from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.files import is_file
from smarthdr_studio.core.records import why_shut
from smarthdr_studio.core.training.starter import STARTER

if TYPE_CHECKING:
    from smarthdr_studio.core.training.plan import TrainingPlan

LAST: Final = "last"
"""Stands for the newest run that can be resumed, or begun from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
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
        from smarthdr_studio.core.training.plan import parse_changes

        extra = {"device": self.device, "seed": self.seed}
        given = {key: value for key, value in extra.items() if value is not None}
        return {**parse_changes(self.settings), **given}


def requested_plan(project: Path, wanted: PlanRequest) -> tuple["TrainingPlan", str | None]:
    """The plan, and the name of the run to resume if it is one. Raises StudioError."""
    from smarthdr_studio.core.training.plan import load_preset

    changes = wanted.changes()
    if wanted.base == STARTER:
        return _plan_from_starter(wanted, changes), None
    if sum(each is not None for each in (wanted.preset, wanted.resume, wanted.base)) > 1:
        raise PlanError("--preset, --resume and --from: give one of them, as each brings a plan")
    if wanted.with_weights and wanted.base is None:
        raise PlanError("--with-weights: give --from as well, which says whose weights")
    if wanted.resume is not None:
        if not wanted.resume.strip():
            raise PlanError("--resume: the name of a run is missing; give one, or last")
        return _plan_of_resumed(project, wanted.resume, changes)
    if wanted.base is not None:
        return _plan_of_earlier_run(project, wanted, changes), None
    return load_preset(wanted.preset or "quick", changes=changes), None


def _plan_from_starter(wanted: PlanRequest, changes: Mapping[str, Any]) -> "TrainingPlan":
    """A preset whose network is that of the model that ships, and begins with its weights."""
    from smarthdr_studio.core.training.plan import load_preset

    if wanted.resume is not None:
        raise PlanError("--resume and --from starter: give one of them; a run has its own weights")
    if wanted.with_weights:
        raise PlanError("--with-weights: does nothing beside --from starter, which has its own")
    begun = {"network.name": "light", "network.start_from": STARTER}
    return load_preset(wanted.preset or "quick", changes={**begun, **changes})


def _plan_of_resumed(
    project: Path, name: str, changes: Mapping[str, Any]
) -> tuple["TrainingPlan", str | None]:
    from smarthdr_studio.core.training.plan import load_preset
    from smarthdr_studio.core.training.run_index import newest_resumable

    if "seed" in changes:
        raise PlanError("--resume keeps the seed of its run; leave it away, or begin a new one")
    if name == LAST:
        row = newest_resumable(project)
        if row is None:
            raise PlanError(_why_none_resumable(project))
        name = row.id
    return load_preset(str(_plan_path(project, name)), changes=changes), name


def _plan_of_earlier_run(
    project: Path, wanted: PlanRequest, changes: Mapping[str, Any]
) -> "TrainingPlan":
    """The plan of an earlier run with changes, and its weights to start from if asked."""
    from smarthdr_studio.core.training.plan import load_preset

    name = str(wanted.base)
    if name == LAST:
        name = _newest_run(project)
    weights: dict[str, Any] = {}
    if wanted.with_weights:
        from smarthdr_studio.core.training.run_folder import best_checkpoint, run_of

        best = best_checkpoint(run_of(project.expanduser().resolve(), name).path)
        if best is None:
            raise PlanError(f"{project}: {name} has no whole checkpoint; leave --with-weights away")
        weights["network.start_from"] = str(best / "teacher.safetensors")
    return load_preset(str(_plan_path(project, name)), changes={**weights, **changes})


def _why_none_resumable(project: Path) -> str:
    from smarthdr_studio.core.project.findings import refuse_shut
    from smarthdr_studio.core.training.run_folder import run_folders
    from smarthdr_studio.core.training.run_index import row_of
    from smarthdr_studio.core.training.run_lock import is_at_work

    refuse_shut(project, "runs")
    runs = run_folders(project)
    busy = next((run.id for run in runs if is_at_work(run.path)), None)
    if busy is None:
        done = next((f" ({run.id} is done)" for run in runs if row_of(run).status == "done"), "")
        begin = f"smarthdr-studio train {shlex.quote(str(project))}"
        return f"{project}: has no run that can be resumed{done}; begin one with: {begin}"
    stop = f"smarthdr-studio runs stop {shlex.quote(str(project))} {busy}"
    return f"{project}: its run {busy} is at work in another process; stop it first with: {stop}"


def _newest_run(project: Path) -> str:
    from smarthdr_studio.core.project.findings import refuse_shut
    from smarthdr_studio.core.training.run_folder import run_folders

    refuse_shut(project, "runs")
    runs = run_folders(project)
    if not runs:
        raise PlanError(f"{project}: has no runs yet; begin one with --preset")
    return runs[0].id


def _plan_path(project: Path, name: str) -> Path:
    from smarthdr_studio.core.project.findings import refuse_shut
    from smarthdr_studio.core.training.run_folder import run_of

    path = run_of(project, name).plan_path
    refuse_shut(project, f"runs/{name}")
    if (why := why_shut(path)) and not is_file(path):
        raise PlanError(f"{path}: {why}; bring the plan back from a copy of the project folder")
    if not is_file(path):
        raise PlanError(f"{project}: has no run {name}; its runs are in {project / 'runs'}")
    return path


def list_presets(*, as_json: Json = False) -> None:
    """List the presets that ship with the program, then yours."""
    from smarthdr_studio.core.training.presets import about_preset, own_presets_folder, presets

    told: list[dict[str, Any]] = []
    for name in presets():
        try:
            about = about_preset(name)
        except PlanError as error:
            told.append({"name": name, "description": str(error), "base": "", "own": True})
        else:
            told.append(
                {
                    "name": about.name,
                    "description": about.description,
                    "base": about.base,
                    "own": about.own,
                }
            )
    if as_json:
        print_json({"presets": told, "own": str(own_presets_folder())})
        return
    rows = [
        (each["name"], "yours" if each["own"] else "", each["base"], each["description"])
        for each in told
    ]
    print_table(("preset", "", "over", "what it is for"), rows, title="Presets", words=4)
    print_line(f"Yours lie in {own_presets_folder()}")


def show_preset(
    name: Annotated[str, typer.Argument(metavar="PRESET", help="A name, or a .toml file.")],
    *,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from its base.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show every setting of a preset, and what each is for."""
    from smarthdr_studio.core.training.plan import load_preset
    from smarthdr_studio.core.training.plan_fields import as_text
    from smarthdr_studio.core.training.plan_schema import flat, plan_fields
    from smarthdr_studio.core.training.presets import about_preset

    about, values = about_preset(name), flat(load_preset(name))
    base = flat(load_preset(_beside(name, about.base))) if about.base else {}
    fields = [
        field
        for field in plan_fields()
        if not changed or (field.key != "preset" and base.get(field.key) != values[field.key])
    ]
    if as_json:
        settings = {field.key: values[field.key] for field in fields}
        print_json({"preset": name, "base": about.base, "settings": settings})
        return
    rows = [
        (field.key, as_text(values[field.key]), field.unit, field.description) for field in fields
    ]
    over = f", over {about.base}" if about.base else ""
    title = f"{name}{over}: {about.description}".rstrip(": ")
    print_table(("setting", "value", "unit", "what it does"), rows, title=title, words=4)


def _beside(name: str, base: str) -> str:
    """The base of a file as that file means it."""
    return str(Path(name).parent / base) if base.endswith(".toml") else base
