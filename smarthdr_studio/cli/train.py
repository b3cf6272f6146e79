"""The verb `train`: begins a run, or goes on with one, or says what one would take."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.driving import drive, resume_command
from smarthdr_studio.cli.exit_codes import DONE
from smarthdr_studio.cli.output import Json, print_json, say
from smarthdr_studio.cli.which_plan import Wanted, plan_wanted

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan


def train(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    preset: Annotated[
        str | None,
        typer.Option(help="quick, paper, supervised …, one of yours, or a .toml file."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as schedule.epochs=20."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same losses.")] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run; last is the newest that can be."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--from", metavar="RUN", help="A new run with the plan of this one."),
    ] = None,
    with_weights: Annotated[
        bool,
        typer.Option("--with-weights", help="With --from: begin with its best teacher."),
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what it would take, and train nothing.")
    ] = False,
    print_command: Annotated[
        bool, typer.Option("--print-command", help="Say the plan as one command, train nothing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Train; Ctrl-C saves and stops.

    So do SIGTERM and a closed terminal; a second signal kills. Exit status: 0 done; 2 not begun,
    and why in one sentence; 3 stopped and saved; 4 failed, with what helps. After 3 and 4 the
    command that goes on is printed. With --json every event is a line: the first names the run,
    the last says how it ended, and with which exit status.
    """
    wanted = Wanted(
        preset=preset,
        resume=resume,
        base=base,
        with_weights=with_weights,
        settings=changes or (),
        device=device,
        seed=seed,
    )
    plan, run = plan_wanted(project, wanted)
    if print_command:
        _say_command(_command(plan, project, wanted, run=run), as_json=as_json)
        return DONE
    if estimate:
        from smarthdr_studio.cli.foresee import foresee

        foresee(plan, project, as_json=as_json)
        return DONE
    return drive(plan, project, resume=run, as_json=as_json)


def _command(plan: "TrainingPlan", project: Path, wanted: Wanted, *, run: str | None) -> str:
    if run is not None:
        return resume_command(project, run, wanted.changes())
    from smarthdr_studio.core.plan_command import command_line

    return command_line(project, plan, wanted.preset or plan.preset)


def _say_command(command: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"command": command})
    else:
        say(command)
