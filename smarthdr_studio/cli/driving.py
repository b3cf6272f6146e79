"""Drives a run in a terminal to its end, and says how to go on where it was not the last."""

import shlex
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smarthdr_studio.cli.exit_codes import BAD_INPUT, BROKEN_OFF, DONE, FAILED, STOPPED
from smarthdr_studio.cli.follow import Follower
from smarthdr_studio.cli.output import complain, note, print_json
from smarthdr_studio.cli.stopping import StopAsked, stop_asked, told_once
from smarthdr_studio.core.errors import OutOfMemory, StudioError
from smarthdr_studio.core.plan_field import NONE
from smarthdr_studio.core.plan_toml import toml_value
from smarthdr_studio.core.processes import is_first_process

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan


def drive(
    plan: "TrainingPlan", project: Path, *, resume: str | None = None, as_json: bool = False
) -> int:
    """Trains, or goes on with a run; the answer is the exit status (see `exit_codes`).

    Of several processes started by torchrun only the first one speaks. Raises StudioError where
    the run could not begin.
    """
    first = is_first_process()
    follower = Follower(tell=print_json if as_json else None, silent=not first)
    with follower, told_once(), stop_asked() as asked:
        try:
            _follow(plan, project, resume=resume, follower=follower, asked=asked)
        except StudioError as error:
            follower.close()
            if not follower.run:
                follower.fail(str(error), code=BAD_INPUT)
                raise
            return _broken_off(error, project, follower, first=first)
        except OSError:
            if not asked.hung_up:  # writing to a terminal that is gone fails, and does no harm
                raise
        except Exception as error:  # a fault of ours: its traceback is for whoever mends it
            follower.fail(str(error), code=FAILED)
            raise
    if follower.outcome == "done":
        follower.end(code=DONE)
        return DONE
    with suppress(OSError):
        follower.end(code=STOPPED)
        if first:
            note(f"Resume with: {resume_command(project, follower.run)}")
    return STOPPED


def resume_command(project: Path, run: str, changes: Mapping[str, Any] | None = None) -> str:
    """The command that goes on with a run, with changes of its plan by dotted key."""
    words = ["smarthdr-studio", "train", str(project), "--resume", run]
    for key, value in (changes or {}).items():
        words += ["--set", f"{key}={NONE if value is None else toml_value(value)}"]
    return shlex.join(words)


def _follow(
    plan: "TrainingPlan",
    project: Path,
    *,
    resume: str | None,
    follower: Follower,
    asked: StopAsked,
) -> None:
    from smarthdr_studio.learning.training import train as learn

    # Closing the generator is what saves; it happens before anything is said about the end.
    with closing(learn(plan, project, resume=resume)) as events:
        for event in events:
            if not asked.hung_up:
                follower.see(event)
            if asked:
                return


def _broken_off(error: StudioError, project: Path, follower: Follower, *, first: bool) -> int:
    """A run that had begun: it is kept, and what helps is said as a command."""
    remedies = error.remedies if isinstance(error, OutOfMemory) else ()
    follower.fail(str(error), code=BROKEN_OFF, remedies=remedies)
    complain(str(error))
    if first:
        for remedy in remedies:
            command = resume_command(project, follower.run, remedy.changes)
            note(f"{remedy.text}: {command}")
        note(f"Resume with: {resume_command(project, follower.run)}")
    return BROKEN_OFF
