"""The command `smarthdr-studio`: the window without a verb, headless verbs with one."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import StudioError, harmless

# With which status a verb ends, and what a script may conclude from it; no verb has another.
DONE: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
STOPPED: Final = 3
BROKEN_OFF: Final = 4
NOT_SHOWN: Final = 5
PARTLY: Final = 6
INTERRUPTED: Final = 130

EXIT_CODES: Final[Mapping[int, str]] = {
    DONE: "done",
    FAILED: "found unfit by truth --check; a fault of the program or the system, or nobody reads "
    "the answer any more",
    BAD_INPUT: "asked for what cannot be; nothing was begun, and one sentence says what to change; "
    "something wrong found by doctor PROJECT",
    STOPPED: "a run was stopped and saved; the command that goes on is printed",
    BROKEN_OFF: "a run failed and can be resumed; what helps is printed as a command",
    NOT_SHOWN: "a benchmark was told, but a claim does not hold or a run is missing",
    PARTLY: "of scenes that nobody had named one by one some were left out, by masks, label, "
    "propose --promote or export-dataset; it tells which and why",
    INTERRUPTED: "Ctrl-C in any other verb; what was finished so far stays",
}

EXIT_STATUS: Final = "Exit status: " + "; ".join(
    f"{code} {why}" for code, why in EXIT_CODES.items()
)
"""For the end of a help text."""


def open_window(words: Sequence[str]) -> int:
    """Open the window on nothing, a project, a dataset folder or a model; answers its status."""
    reason = _why_no_window(words)
    if reason is None:
        try:
            from smarthdr_studio.studio.app import run

            return run(Path(words[0]) if words else None)
        except StudioError as error:
            reason = str(error)
    sys.stderr.write(harmless(reason) + "\n")
    return BAD_INPUT


def _why_no_window(words: Sequence[str]) -> str | None:
    if len(words) > 1 and Path(words[0]).is_dir():
        return f"{words[1]}: one project at a time; see smarthdr-studio --help"
    if words and not _can_be_opened(Path(words[0])):
        return (
            f"{words[0]}: neither a verb nor a project or dataset folder; "
            "see smarthdr-studio --help"
        )
    return None


def _can_be_opened(path: Path) -> bool:
    """A folder, or a file that a desktop hands over: a project's database, a model."""
    from smarthdr_studio.core.project.places import folder_meant, is_model

    return folder_meant(path).is_dir() or is_model(path)


# Kept here so that the window opens without loading the command-line library.
VERBS: Final = frozenset(
    {"sample", "new", "train", "label", "masks", "promote", "demote", "exclude", "restore"}
    | {"scenes", "queue", "propose"}
    | {"import-split", "export-split", "export-journal", "export-dataset", "report"}
    | {"note", "history", "truth", "undo", "redo", "evaluate", "merge", "benchmark", "doctor"}
    | {"align", "response", "frames", "relocate", "accept", "tidy", "runs", "presets", "desktop"}
)


LONG: Final = frozenset({"train", "label", "merge", "evaluate", "benchmark", "align", "report"})
"""Verbs that compute long enough to leave word of a crash; others must begin at once."""

_VERB_OF_GROUP: Final = 3  # as in: runs list --version


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is its exit status (see the README)."""
    # A damaged file is told in one sentence of ours; OpenCV reads this when it is first imported.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    _take_closed_places()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _start(words)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; what was finished so far stays.\n")
        return INTERRUPTED
    except Exception as error:
        _keep(error, verb=words[0] if words else "")
        raise


def _take_closed_places() -> None:
    """Where a shell has closed stdin, stdout or stderr no other file comes to stand.

    What is written to the answer's place fails as on a full disk, and is told on stderr.
    """
    if os.name != "posix":  # pythonw has none of them, and asks for nothing
        return
    for number, mode in enumerate("rrw"):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)  # the lowest is free
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


def _keep(error: Exception, *, verb: str) -> None:
    from smarthdr_studio.core.logbook import keep_traceback, state_folder

    kept = keep_traceback(state_folder(), error, words=f"the verb {verb or 'window'} ended")
    if kept is not None:
        sys.stderr.write(f"This is a fault of the program; it is also kept in {kept}\n")


def _start(words: list[str]) -> int:
    # A verb and its group say it too, so that a script may ask whichever it is going to call.
    if (
        words[:1]
        and words[0] in VERBS
        and words[-1] == "--version"
        and len(words) <= _VERB_OF_GROUP
    ):
        words = ["--version"]
    # Loaded here, where Ctrl-C is heard already.
    if not words or (words[0] not in VERBS and not words[0].startswith("-")):
        return open_window(words)
    from smarthdr_studio.cli.app import run

    if words[0] not in LONG:
        return run(words)
    from smarthdr_studio.core.logbook import crashes_kept, state_folder

    with crashes_kept(state_folder()):
        return run(words)
