"""The door to the window: opens it, or says in one sentence why it cannot be opened."""

import sys
from collections.abc import Sequence
from pathlib import Path

from smarthdr_studio.core.errors import StudioError

_BAD_INPUT = 2


def open_window(words: Sequence[str]) -> int:
    """Open the window on nothing, a project or a dataset folder; the answer is the exit status."""
    reason = _why_not(words)
    if reason is None:
        try:
            from smarthdr_studio.studio.app import run

            return run(Path(words[0]) if words else None)
        except StudioError as error:
            reason = str(error)
    sys.stderr.write(reason + "\n")
    return _BAD_INPUT


def _why_not(words: Sequence[str]) -> str | None:
    if len(words) > 1 and Path(words[0]).is_dir():
        return f"{words[1]}: one project at a time; see smarthdr-studio --help"
    if words and not Path(words[0]).is_dir():
        return (
            f"{words[0]}: neither a verb nor a project or dataset folder; "
            "see smarthdr-studio --help"
        )
    return None
