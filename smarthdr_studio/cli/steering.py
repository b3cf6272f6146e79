"""The verbs that steer a run another process is at work on, and the one that resumes one."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.curation import ProjectFolder
from smarthdr_studio.cli.output import Json, print_json, print_line
from smarthdr_studio.cli.plans import LAST, PlanRequest, requested_plan
from smarthdr_studio.cli.runs import run_named
from smarthdr_studio.cli.train import run_training
from smarthdr_studio.core.errors import PlanError, ProjectError
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.training.run_folder import RunFolder
    from smarthdr_studio.core.training.steering import Wish

RunAtWork = Annotated[
    str | None, typer.Argument(metavar="RUN", help="Its name; left away, the one at work.")
]


def pause(project: ProjectFolder, run: RunAtWork = None, *, as_json: Json = False) -> None:
    """Let no step be taken until go-on; memory is held."""
    from smarthdr_studio.core.training.steering import Pause

    _leave_wishes(project, run, (Pause(),), said="pauses before its next step", as_json=as_json)


def go_on(project: ProjectFolder, run: RunAtWork = None, *, as_json: Json = False) -> None:
    """End a pause."""
    from smarthdr_studio.core.training.steering import GoOn

    _leave_wishes(project, run, (GoOn(),), said="goes on", as_json=as_json)


def stop(project: ProjectFolder, run: RunAtWork = None, *, as_json: Json = False) -> None:
    """Save and end a run; it can be resumed."""
    from smarthdr_studio.core.training.steering import Stop

    _leave_wishes(
        project, run, (Stop(),), said="saves and stops before its next step", as_json=as_json
    )


def snapshot(project: ProjectFolder, run: RunAtWork = None, *, as_json: Json = False) -> None:
    """Have a checkpoint written now."""
    from smarthdr_studio.core.training.steering import Snapshot

    _leave_wishes(project, run, (Snapshot(),), said="writes a checkpoint", as_json=as_json)


def next_round(project: ProjectFolder, run: RunAtWork = None, *, as_json: Json = False) -> None:
    """End the epoch here, so that a new round comes next."""
    from smarthdr_studio.core.training.steering import NextRound

    _leave_wishes(
        project, run, (NextRound(),), said="ends its epoch, then a round", as_json=as_json
    )


def change_schedule(
    project: ProjectFolder,
    run: RunAtWork = None,
    *,
    learning_rate: Annotated[float | None, typer.Option(help="Above 0.")] = None,
    refresh_every: Annotated[
        int | None, typer.Option(min=1, help="Epochs between two rounds.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change learning rate or refresh interval.

    From the next epoch on, in a run that is at work.
    """
    from smarthdr_studio.core.training.steering import LearningRate, RefreshEvery

    wishes: list[Wish] = []
    if learning_rate is not None:
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise PlanError(f"--learning-rate {learning_rate:g}: give a number above 0")
        wishes.append(LearningRate(rate=learning_rate))
    if refresh_every is not None:
        wishes.append(RefreshEvery(epochs=refresh_every))
    if not wishes:
        raise PlanError("nothing to set; give --learning-rate or --refresh-every")
    _leave_wishes(project, run, tuple(wishes), said="changes with its next epoch", as_json=as_json)


def resume_run(
    project: ProjectFolder,
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Its name; last is the newest that can be.")
    ] = LAST,
    *,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as batch.labelled=4."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = None,
    as_json: Json = False,
) -> int:
    """Go on with a run; the same as train --resume."""
    wanted = PlanRequest(resume=run, settings=changes or (), device=device)
    plan, name = requested_plan(project, wanted)
    return run_training(plan, project, resume=name, as_json=as_json)


def _leave_wishes(
    project: Path, name: str | None, wishes: "tuple[Wish, ...]", *, said: str, as_json: bool
) -> None:
    """Leave wishes in the folder of a run at work. Raises ProjectError where nobody is."""
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.training.steering import leave_wish

    with Project.open(project) as found:
        run = _run_at_work(found, name)
    for wish in wishes:
        leave_wish(run.path, wish)
    if as_json:
        print_json({"run": run.id, "asked": [type(wish).__name__ for wish in wishes]})
    else:
        print_line(f"{run.id}: {said}")


def _run_at_work(project: "Project", name: str | None) -> "RunFolder":
    from smarthdr_studio.core.project.findings import refuse_shut
    from smarthdr_studio.core.training.run_folder import run_folders
    from smarthdr_studio.core.training.run_index import row_of
    from smarthdr_studio.core.training.run_lock import is_at_work

    if name is None:
        refuse_shut(project.folder, "runs")
        busy = [run for run in run_folders(project.folder) if is_at_work(run.path)]
        if len(busy) != 1:
            many = f"{counted(len(busy), 'run')} are" if busy else "no run is"
            raise ProjectError(f"{project.folder}: {many} at work; name one, see: runs list")
        return busy[0]
    run = run_named(project, name)
    if not is_at_work(run.path):
        if row_of(run).status == "done":
            raise ProjectError(
                f"{run.id}: is finished, so there is nothing to steer; begin another run with: "
                f"smarthdr-studio train {project.folder}"
            )
        raise ProjectError(
            f"{run.id}: no process is at work on it, so it cannot be steered; go on with: "
            f"smarthdr-studio runs resume {project.folder} {run.id}"
        )
    return run
