"""Everything a run says, kept in its folder as it is said."""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from smarthdr_studio.core.events import PhaseChanged, TrainingEvent, as_json
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.learning.tensorboard_log import TensorboardLog


class RunLog:
    """events.jsonl, one event a line with its time, and TensorBoard's files beside it."""

    def __init__(self, folder: AnyPath, *, step: int) -> None:
        folder = Path(folder)
        self._path = folder / "events.jsonl"
        self._lines = self._path.open("ab", buffering=0)
        self._phase: PhaseChanged | None = None
        try:
            self._end_cut_line()
            self._curves = TensorboardLog(folder / "tensorboard", step=step)
        except BaseException:
            self._lines.close()
            raise

    def write(self, event: TrainingEvent) -> None:
        """Appends at once, so that a killed run has told everything it knew.

        What a pause says again and again is told once. Raises OSError where the disk is full, and
        where the folder has been taken away.
        """
        if isinstance(event, PhaseChanged):
            if event == self._phase:
                return
            self._phase = event
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **as_json(event)}
        self._refuse_if_gone()
        self._append((json.dumps(entry, ensure_ascii=False) + "\n").encode())
        self._curves.write(event)

    def close(self) -> None:
        """Lets go of the files."""
        self._lines.close()
        self._curves.close()

    def _append(self, line: bytes) -> None:
        """The whole line or nothing of it."""
        before = os.fstat(self._lines.fileno()).st_size
        written = self._lines.write(line)
        if written != len(line):
            self._lines.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def _refuse_if_gone(self) -> None:
        """Most systems let one go on writing into a file that nobody will ever find again."""
        there, held = self._path.stat(), os.fstat(self._lines.fileno())
        if (there.st_ino, there.st_dev) != (held.st_ino, held.st_dev):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._path))

    def _end_cut_line(self) -> None:
        """A kill may have cut the last line; what follows begins one of its own."""
        if not self._path.stat().st_size:
            return
        with self._path.open("rb") as written:
            written.seek(-1, os.SEEK_END)
            whole = written.read() == b"\n"
        if not whole:
            self._append(b"\n")
