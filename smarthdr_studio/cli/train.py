"""The verb `train`: drives the training generator, stops it kindly, says how to go on."""

import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarthdr_studio.cli.follow import Follower
from smarthdr_studio.cli.output import Json, complain, note, print_json
from smarthdr_studio.core.errors import PlanError, StudioError

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan

STOPPED = 3


def train(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    preset: Annotated[
        str | None, typer.Option(help="paper, quick, supervised or a .toml file.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as schedule.epochs=20."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same losses.")] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Continue a stopped run.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Train; Ctrl-C saves and stops.

    The exit status is then 3, and the command that resumes the run is printed.
    """
    settings: dict[str, Any] = {}
    if device is not None:
        settings["device"] = device
    if seed is not None:
        settings["seed"] = seed
    plan = _plan(project, preset=preset, resume=resume, assignments=changes or [], extra=settings)
    follower = Follower(tell=print_json if as_json else None)
    with follower, _told_once(), _stop_asked() as asked:
        try:
            _drive(plan, project, resume=resume, follower=follower, asked=asked)
        except StudioError as error:
            follower.close()
            if follower.checkpoint is None:
                raise
            complain(str(error))
    if follower.outcome == "done":
        follower.summarise()
        return 0
    follower.say_stopped()
    note(f"Resume with: smarthdr-studio train {shlex.quote(str(project))} --resume {follower.run}")
    return STOPPED


def _plan(
    project: Path,
    *,
    preset: str | None,
    resume: str | None,
    assignments: list[str],
    extra: dict[str, Any],
) -> "TrainingPlan":
    from smarthdr_studio.core.plan import load_preset, parse_changes
    from smarthdr_studio.core.runs import RunFolder

    changes = {**parse_changes(assignments), **extra}
    if resume is None:
        return load_preset(preset or "quick", changes=changes)
    if preset is not None or "seed" in changes:
        raise PlanError("--resume keeps the preset and the seed of its run; leave both away")
    folder = RunFolder(project / "runs" / resume)
    if not folder.plan_path.is_file():
        raise PlanError(f"{project}: has no run {resume}; its runs are in {project / 'runs'}")
    return load_preset(str(folder.plan_path), changes=changes)


def _drive(
    plan: "TrainingPlan",
    project: Path,
    *,
    resume: str | None,
    follower: Follower,
    asked: list[int],
) -> None:
    from smarthdr_studio.learning.training import train as learn

    # Closing the generator is what saves; it happens before anything is said about the end.
    with closing(learn(plan, project, resume=resume)) as events:
        for event in events:
            follower.see(event)
            if asked:
                return


@contextmanager
def _stop_asked() -> Iterator[list[int]]:
    """Collects the signals that ask to stop; a second one kills, as the last save is whole."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, signal.SIG_DFL)
        note("Stopping after this step and saving; once more kills.")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _told_once() -> Iterator[None]:
    """Keeps threads quiet about files: what the log's thread stumbles over is raised here too."""
    tell = threading.excepthook

    def unless_files(failure: threading.ExceptHookArgs) -> None:
        if not issubclass(failure.exc_type, OSError):
            tell(failure)

    threading.excepthook = unless_files
    try:
        yield
    finally:
        threading.excepthook = tell
