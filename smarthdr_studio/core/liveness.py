"""Whether a process is at work on a run: a lock in its folder that the system drops with it."""

import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath

_LOCK: Final = "at-work.json"
_HEARD_LATELY_S: Final = 120.0  # what counts as a sign of life from another machine
_ATTEMPTS, _PAUSE_S = 5, 0.02  # whoever only asks holds the lock for a moment


@contextmanager
def at_work(run: AnyPath) -> Iterator[None]:
    """Hold the run for this process while the block lasts; however it ends, it is let go.

    Raises ProjectError where another process has it, or the lock cannot be written.
    """
    run = Path(run)
    path = run / _LOCK
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{path}: cannot be written ({reason}); allow writing there") from None
    with file:
        if not _locked_at_last(file):
            raise ProjectError(
                f"{run}: is at work in another process; stop it there before it is resumed here"
            )
        file.truncate(0)
        file.write(json.dumps({"host": platform.node(), "pid": os.getpid()}))
        file.flush()
        try:
            yield
        finally:
            # Never removed: two processes could hold two locks of one name.
            with suppress(OSError):
                file.truncate(0)


def is_at_work(run: AnyPath) -> bool:
    """Whether some process trains this run now.

    Of a run on another machine, which no lock can tell, whether it was heard of lately.
    """
    run = Path(run)
    try:
        with _opened(run / _LOCK) as file:
            if not _locked(file, only_asking=True):
                return True
            host = json.loads(file.read() or "{}").get("host")
    except (OSError, ValueError, AttributeError):
        return False
    return host not in (None, platform.node()) and _heard_lately(run)


def _opened(path: Path) -> IO[str]:
    """The lock as far as it may be opened: a run of another person may only be looked at."""
    try:
        return path.open("r+", encoding="utf-8")
    except PermissionError:
        return path.open(encoding="utf-8")


def _locked_at_last(file: IO[str]) -> bool:
    for _ in range(_ATTEMPTS):
        if _locked(file):
            return True
        time.sleep(_PAUSE_S)
    return False


def _heard_lately(run: Path) -> bool:
    try:
        age = time.time() - (run / "events.jsonl").stat().st_mtime
    except OSError:
        return False
    return age < _HEARD_LATELY_S


if sys.platform == "win32":
    import msvcrt

    def _locked(file: IO[str], *, only_asking: bool = False) -> bool:  # noqa: ARG001 - as below
        """Take the lock if nobody has it; closing the file lets go."""
        file.seek(2**20)  # beyond what is written, so that others may read it
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True

else:
    import fcntl

    def _locked(file: IO[str], *, only_asking: bool = False) -> bool:
        """Take the lock if nobody has it; closing the file lets go.

        Whoever only asks takes it so that others who ask at the same moment are not misled.
        """
        kind = fcntl.LOCK_SH if only_asking else fcntl.LOCK_EX
        try:
            fcntl.flock(file.fileno(), kind | fcntl.LOCK_NB)
        except OSError:
            return False
        file.seek(0)
        return True
