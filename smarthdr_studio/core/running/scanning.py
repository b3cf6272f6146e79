"""The few lines of a long log that are no steps, found without decoding the steps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.files import AnyPath

Bytes = npt.NDArray[np.uint8]

CHUNK: Final = 2**24  # bytes that are looked through at a time

# Every line of a log begins like this, so that what it is about stands at a known place.
_HEAD: Final = len('{"time": "2026-01-31T12:00:00.000+00:00", "event": "')
_QUOTE, _COLON = ord('"'), ord(":")


def chunks(path: AnyPath, *, start: int = 0, size: int = CHUNK) -> Iterator[bytes]:
    """A log from a byte on, some whole lines at a time; a last line without an end is left out.

    Raises OSError.
    """
    path = Path(path)
    with path.open("rb") as log:
        log.seek(start)
        while read := log.read(size):
            end = read.rfind(b"\n") + 1
            if end:
                start += end
                yield read[:end]
                log.seek(start)  # where the next line begins
            elif len(read) < size:
                return
            else:
                size *= 2  # a line longer than all that was read
                log.seek(start)


def rare_lines(lines: bytes) -> list[bytes]:
    """All of some whole lines but steps and phases; before a start, also the line before it.

    The latter says until when the session before was heard. A line of another shape is kept:
    whoever reads it finds out what it is.
    """
    data = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if not len(ends):
        return []
    starts = np.concatenate(([0], ends[:-1] + 1))
    last = len(data) - 1

    def letter(offset: int) -> Bytes:
        found: Bytes = data[np.minimum(starts + offset, last)]
        return found

    first, fourth, fifth = letter(_HEAD), letter(_HEAD + 3), letter(_HEAD + 4)
    usual = (letter(_HEAD - 1) == _QUOTE) & (letter(_HEAD - 3) == _COLON)
    step = (first == ord("S")) & (fifth == ord("R"))  # StepReported
    phase = first == ord("P")  # PhaseChanged
    begun = usual & (first == ord("R")) & (fourth == ord("S"))  # RunStarted
    wanted = ~(usual & (step | phase))
    wanted[:-1] |= begun[1:]
    return [lines[starts[at] : ends[at]] for at in np.flatnonzero(wanted)]
