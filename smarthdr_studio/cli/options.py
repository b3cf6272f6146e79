"""Options that several verbs share: a model, a checkpoint of a run, exposure values."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from smarthdr_studio.core.errors import CheckpointError

Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "--checkpoint",  # its name when nothing but checkpoints could be given
        metavar="MODEL",
        help="A NAME.shdrmodel, a checkpoint or run folder, or starter, the model that ships.",
    ),
]


Which = Annotated[
    str | None,
    typer.Option(
        metavar="best|last|STEP", show_default="best", help="Which checkpoint of the run."
    ),
]


def refuse_beside(option: str, others: Mapping[str, bool]) -> None:
    """Raise BadParameter where options were given that would do nothing beside this one."""
    idle = [name for name, given in others.items() if given]
    if idle:
        do = "does" if len(idle) == 1 else "do"
        raise typer.BadParameter(
            f"{option}: {' and '.join(idle)} {do} nothing beside it; leave one or the other away"
        )


def checkpoint_of(run: Path, which: str | None) -> Path:
    """The best checkpoint of a run folder, its last one, or that of a step; None is the best.

    Raises BadParameter: the word is none of these; CheckpointError: the run has no such checkpoint.
    """
    from smarthdr_studio.core.training.run_folder import best_checkpoint, checkpoints_of

    which = which or "best"
    if which not in ("best", "last") and not which.isdecimal():
        raise typer.BadParameter(f"--which {which}: write best, last or the number of a step")
    found = checkpoints_of(run)
    if not found:
        raise CheckpointError(f"{run}: has no checkpoint yet; choose another run, or train on")
    if which == "last":
        return found[-1]
    if which == "best":
        return best_checkpoint(run) or found[-1]
    steps = {int(path.name.removeprefix("step-")): path for path in found}
    if int(which) not in steps:
        there = ", ".join(map(str, steps))
        raise CheckpointError(f"{run}: has no checkpoint of step {which}; there are {there}")
    return steps[int(which)]


def parse_exposure_values(text: str | None, *, count: int) -> tuple[float, ...] | None:
    """One EV for each of `count` frames, None where the option was not given.

    Raises BadParameter: no numbers, or not as many.
    """
    if text is None:
        return None
    try:
        evs = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        evs = ()
    if len(evs) != count or not all(map(math.isfinite, evs)):
        raise typer.BadParameter(f"--evs {text}: write one number for each frame, as in -2,0,2")
    return evs
