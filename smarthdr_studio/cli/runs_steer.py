"""The verbs that steer a run another process is at work on, and the one that goes on with one."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.decide import ProjectFolder
from smarthdr_studio.cli.driving import drive
from smarthdr_studio.cli.output import Json, print_json, say
from smarthdr_studio.cli.runs_words import run_named
from smarthdr_studio.cli.which_plan import LAST, Wanted, plan_wanted
from smarthdr_studio.core.errors import PlanError, ProjectError

if TYPE_CHECKING:
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.runs import RunFolder
    from smarthdr_studio.core.steering import Wish

AtWork = Annotated[
    str | None, typer.Argument(metavar="RUN", help="Its name; left away, the one at work.")
]


def pause(project: ProjectFolder, run: AtWork = None, *, as_json: Json = False) -> None:
    """Let no step be taken until go-on; memory is held."""
    from smarthdr_studio.core.steering import Pause

    _ask(project, run, (Pause(),), said="pauses before its next step", as_json=as_json)


def go_on(project: ProjectFolder, run: AtWork = None, *, as_json: Json = False) -> None:
    """End a pause."""
    from smarthdr_studio.core.steering import GoOn

    _ask(project, run, (GoOn(),), said="goes on", as_json=as_json)


def stop(project: ProjectFolder, run: AtWork = None, *, as_json: Json = False) -> None:
    """Save and end a run; it can be resumed."""
    from smarthdr_studio.core.steering import Stop

    _ask(project, run, (Stop(),), said="saves and stops before its next step", as_json=as_json)


def snapshot(project: ProjectFolder, run: AtWork = None, *, as_json: Json = False) -> None:
    """Have a checkpoint written now."""
    from smarthdr_studio.core.steering import Snapshot

    _ask(project, run, (Snapshot(),), said="writes a checkpoint", as_json=as_json)


def next_round(project: ProjectFolder, run: AtWork = None, *, as_json: Json = False) -> None:
    """End the epoch here, so that a new round comes next."""
    from smarthdr_studio.core.steering import NextRound

    _ask(project, run, (NextRound(),), said="ends its epoch, then a round", as_json=as_json)


def set_(
    project: ProjectFolder,
    run: AtWork = None,
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
    from smarthdr_studio.core.steering import LearningRate, RefreshEvery

    wishes: list[Wish] = []
    if learning_rate is not None:
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise PlanError(f"--learning-rate {learning_rate:g}: give a number above 0")
        wishes.append(LearningRate(rate=learning_rate))
    if refresh_every is not None:
        wishes.append(RefreshEvery(epochs=refresh_every))
    if not wishes:
        raise PlanError("nothing to set; give --learning-rate or --refresh-every")
    _ask(project, run, tuple(wishes), said="changes with its next epoch", as_json=as_json)


def resume(
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
    wanted = Wanted(resume=run, settings=changes or (), device=device)
    plan, name = plan_wanted(project, wanted)
    return drive(plan, project, resume=name, as_json=as_json)


def _ask(
    project: Path, name: str | None, wishes: "tuple[Wish, ...]", *, said: str, as_json: bool
) -> None:
    """Leave wishes in the folder of a run at work. Raises ProjectError where nobody is."""
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.steering import leave_wish

    with Project.open(project) as found:
        run = _at_work(found, name)
    for wish in wishes:
        leave_wish(run.path, wish)
    if as_json:
        print_json({"run": run.id, "asked": [type(wish).__name__ for wish in wishes]})
    else:
        say(f"{run.id}: {said}")


def _at_work(project: "Project", name: str | None) -> "RunFolder":
    from smarthdr_studio.core.liveness import is_at_work
    from smarthdr_studio.core.runs import run_folders

    if name is None:
        busy = [run for run in run_folders(project.folder) if is_at_work(run.path)]
        if len(busy) != 1:
            counted = f"{len(busy)} runs are" if busy else "no run is"
            raise ProjectError(f"{project.folder}: {counted} at work; name one, see: runs list")
        return busy[0]
    run = run_named(project, name)
    if not is_at_work(run.path):
        raise ProjectError(
            f"{run.id}: no process is at work on it, so it cannot be steered; go on with: "
            f"smarthdr-studio runs resume {project.folder} {run.id}"
        )
    return run
