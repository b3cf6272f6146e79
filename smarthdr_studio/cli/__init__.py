"""The command `smarthdr-studio`: the window without a verb, headless verbs with one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from smarthdr_studio.cli.exit_codes import INTERRUPTED
from smarthdr_studio.core.errors import StudioError

_BAD_INPUT = 2


def open_window(words: Sequence[str]) -> int:
    """Open the window on nothing, a project or a dataset folder; the answer is the exit status."""
    reason = _why_no_window(words)
    if reason is None:
        try:
            from smarthdr_studio.studio.app import run

            return run(Path(words[0]) if words else None)
        except StudioError as error:
            reason = str(error)
    sys.stderr.write(reason + "\n")
    return _BAD_INPUT


def _why_no_window(words: Sequence[str]) -> str | None:
    if len(words) > 1 and Path(words[0]).is_dir():
        return f"{words[1]}: one project at a time; see smarthdr-studio --help"
    if words and not Path(words[0]).is_dir():
        return (
            f"{words[0]}: neither a verb nor a project or dataset folder; "
            "see smarthdr-studio --help"
        )
    return None


# Kept here so that the window opens without loading the command-line library.
VERBS: Final = frozenset(
    {"sample", "new", "train", "label", "masks", "promote", "demote", "exclude", "restore"}
    | {"scenes", "queue", "propose"}
    | {"import-split", "export-split", "export-journal", "export-dataset", "report"}
    | {"note", "history", "truth", "undo", "redo", "evaluate", "merge", "benchmark", "doctor"}
    | {"align", "relocate", "tidy", "runs", "presets"}
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is its exit status (see the README)."""
    # A damaged file is told in one sentence of ours; OpenCV reads this when it is first imported.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _start(words)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; what was finished so far stays.\n")
        return INTERRUPTED
    except Exception as error:
        _keep(error, verb=words[0] if words else "")
        raise


def _keep(error: Exception, *, verb: str) -> None:
    from smarthdr_studio.core.logbook import keep_traceback, state_folder

    kept = keep_traceback(state_folder(), error, words=f"the verb {verb or 'window'} ended")
    if kept is not None:
        sys.stderr.write(f"This is a fault of the program; it is also kept in {kept}\n")


def _start(words: list[str]) -> int:
    # Loaded here, where Ctrl-C is heard already.
    if not words or (words[0] not in VERBS and not words[0].startswith("-")):
        return open_window(words)
    from smarthdr_studio.cli.app import run

    return run(words)
