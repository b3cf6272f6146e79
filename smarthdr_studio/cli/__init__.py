"""The command `smarthdr-studio`: the window without a verb, headless verbs with one."""

import os
import sys
from collections.abc import Sequence
from typing import Final

from smarthdr_studio.cli.exit_codes import INTERRUPTED

# Kept here so that the window opens without loading the command-line library.
VERBS: Final = frozenset(
    {"sample", "new", "train", "label", "masks", "promote", "demote", "exclude", "restore"}
    | {"scenes", "queue", "propose"}
    | {"import-split", "export-split", "export-journal", "export-dataset", "report"}
    | {"note", "history", "truth", "undo", "redo", "evaluate", "merge", "doctor"}
    | {"relocate", "tidy", "runs", "presets"}
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is its exit status (see the README)."""
    # A damaged file is told in one sentence of ours; OpenCV reads this when it is first imported.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _started(words)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; what was finished so far stays.\n")
        return INTERRUPTED


def _started(words: list[str]) -> int:
    # Loaded here, where Ctrl-C is heard already.
    if not words or (words[0] not in VERBS and not words[0].startswith("-")):
        from smarthdr_studio.cli.window import open_window

        return open_window(words)
    from smarthdr_studio.cli.app import run

    return run(words)
