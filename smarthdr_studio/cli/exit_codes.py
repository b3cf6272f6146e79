"""With which status a verb ends, and what a script may conclude from it."""

from collections.abc import Mapping
from typing import Final

DONE: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
STOPPED: Final = 3
BROKEN_OFF: Final = 4
NOT_SHOWN: Final = 5
INTERRUPTED: Final = 130

EXIT_CODES: Final[Mapping[int, str]] = {
    DONE: "done",
    FAILED: "a fault of the program or the system, or nobody reads the answer any more",
    BAD_INPUT: "asked for what cannot be; nothing was begun, and one sentence says what to change",
    STOPPED: "a run was stopped and saved; the command that goes on is printed",
    BROKEN_OFF: "a run failed and can be resumed; what helps is printed as a command",
    NOT_SHOWN: "a benchmark was told, but a claim does not hold or a run is missing",
    INTERRUPTED: "Ctrl-C in any other verb; what was finished so far stays",
}

TABLE: Final = "Exit status: " + "; ".join(f"{code} {why}" for code, why in EXIT_CODES.items())
"""For the end of a help text."""
