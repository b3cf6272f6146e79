"""Who works in a run's folder: a lock of the system, or a lease with a heartbeat without one.

Cluster file systems often have no locks. There whoever trains keeps a file beside the lock and
touches it every few seconds; a lease that nobody has touched for `STALE_S` is anybody's. Whoever
slept that long asks of it before he writes, and writes no more where another has it.
"""

import errno
import json
import os
import platform
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final

from smarthdr_studio.core.errors import LostRun, ProjectError
from smarthdr_studio.core.files import AnyPath, flush_folder, outward_links, place_in
from smarthdr_studio.core.records import open_plain, parse_json, read_json

_LOCK: Final = "at-work.json"
_LEASE: Final = "at-work.lease"
_LONGEST_LOCK: Final = 4096  # characters
_HEARD_LATELY_S: Final = 120.0  # what counts as a sign of life from another machine
_ATTEMPTS, _PAUSE_S = 5, 0.02  # whoever only asks holds the lock for a moment

HEARTBEAT_S: Final = 10.0
_MISSED: Final = 3 * HEARTBEAT_S  # without one for so long, the disk is asked before writing
STALE_S: Final = 120.0
"""So long a lease may stay untouched: twelve heartbeats, by the clock of the disk."""
_WATCHED_S: Final = 1.5 * HEARTBEAT_S
_LOOKS: Final = 30  # while a lease is watched
_NO_LOCKS: Final = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
)


def _now() -> float:
    """The time of day in s, which goes on while a machine sleeps, as a monotonic clock may not."""
    return time.time()


class _NoLocks(Exception):
    """The disk that a run lies on has no file locks."""


class RunHold:
    """A run that is held: by a lock of the system, which cannot be lost, or by a lease, which can.

    `told` is what a person is to know of how it is held, in one sentence; "" where that is by a
    lock.
    """

    def __init__(self, *, lease: AnyPath | None = None, told: str = "") -> None:
        self.told = told
        self._lease = None if lease is None else Path(lease)
        self._mine = None if self._lease is None else _read_lease(self._lease)
        self._renewed, self._lost = _now(), False
        self._turn = threading.Lock()

    def refuse_lost(self) -> None:
        """Asked before anything is written into the run.

        The disk is asked only where heartbeats were left out. Raises LostRun where another process
        has the run, or may have it because nobody could renew the lease for `STALE_S`.
        """
        if self._lease is not None and not self.is_held():
            raise LostRun(
                f"{self._lease.parent}: another process has it by now, as this one slept or could "
                f"not reach the disk for {STALE_S / 60:.0f} minutes, and nothing more is written "
                "here; to go on with it here, stop it there and resume it"
            )

    def is_held(self) -> bool:
        """Whether what is written into the run now is in nobody's way."""
        if self._lease is None:
            return True
        # A clock that was set back tells nothing of how long ago it was.
        if not self._lost and not 0 <= _now() - self._renewed < _MISSED:
            self._renew(self._lease)
            self._lost = self._lost or not 0 <= _now() - self._renewed < STALE_S
        return not self._lost

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew the lease, if it is one, while the block lasts, and take it away at the end."""
        if self._lease is None:
            yield
            return
        ended = threading.Event()
        beats = (self._lease, ended)
        thread = threading.Thread(target=self._beat, args=beats, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with suppress(OSError):
                if _read_lease(self._lease) == self._mine:
                    self._lease.unlink()

    def _beat(self, lease: Path, ended: threading.Event) -> None:
        while not self._lost and not ended.wait(HEARTBEAT_S):
            self._renew(lease)

    def _renew(self, lease: Path) -> None:
        with self._turn:
            try:
                for _ in range(2):  # whoever found it stale may have taken it in between
                    if read_json(lease, most=_LONGEST_LOCK) != self._mine:
                        self._lost = True
                        return
                    os.utime(lease)
                self._renewed = _now()
            except (FileNotFoundError, ValueError):  # taken away, or another's that is being made
                self._lost = True
            except OSError:
                pass  # a server that is away for a moment


@contextmanager
def run_lock(run: AnyPath) -> Iterator[RunHold]:
    """Hold the run for this process while the block lasts; however it ends, it is let go.

    Yields how it is held. Raises ProjectError where another process has it, or it cannot be held;
    ForeignPlace where a link in it leads out of it, because whoever trains it would write there.
    """
    run = Path(run)
    path = place_in(run, _LOCK)
    for link in outward_links(run):
        place_in(run, *link.relative_to(run).parts)
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise _cannot_write(path, error) from None
    with file:
        try:
            mine, lease = _locked_at_last(file) and not _is_leased(run), False
        except _NoLocks:
            mine, lease = _take_lease(run, file), True
        if not mine:
            raise ProjectError(
                f"{run}: is at work in another process; stop it there before it is resumed here"
            )
        file.truncate(0)
        file.write(json.dumps({"host": platform.node(), "pid": os.getpid()}))
        file.flush()
        hold = RunHold(lease=run / _LEASE, told=_told(run)) if lease else RunHold()
        with hold.renewed():
            try:
                yield hold
            finally:
                # Never removed: two processes could hold two locks of one name.
                with suppress(OSError):
                    if hold.is_held():  # else it names another process by now
                        file.truncate(0)


def _told(run: Path) -> str:
    return (
        f"{run.parent}: this disk has no file locks, so the run is held by a lease that is renewed "
        f"every {HEARTBEAT_S:.0f} s; {STALE_S / 60:.0f} minutes after the last time another "
        "process may go on with it"
    )


def _cannot_write(path: Path, error: OSError) -> ProjectError:
    reason = error.strerror or type(error).__name__
    return ProjectError(f"{path}: cannot be written ({reason}); allow writing there")


def is_at_work(run: AnyPath) -> bool:
    """Whether some process trains this run now.

    Of a run on another machine, which no lock can tell, whether it was heard of lately.
    """
    run = Path(run)
    try:
        with _opened(run / _LOCK) as file:
            try:
                if not _locked(file, only_asking=True):
                    return True
            except _NoLocks:
                return _is_leased(run)
            return _is_leased(run) or _is_held_elsewhere(run, file)
    except (OSError, ValueError, AttributeError):
        return False


def _holder(file: IO[str]) -> object:
    """The machine that is written in the lock, None for none.

    Raises ValueError or AttributeError where it is no lock of ours.
    """
    file.seek(0)
    return parse_json(file.read(_LONGEST_LOCK) or "{}").get("host")


def _opened(path: Path) -> IO[str]:
    """The lock as far as it may be opened: a run of another person may only be looked at."""
    try:
        return path.open("r+", encoding="utf-8")
    except PermissionError:
        return TextIOWrapper(open_plain(path), encoding="utf-8")


def _locked_at_last(file: IO[str]) -> bool:
    for _ in range(_ATTEMPTS):
        if _locked(file):
            return True
        time.sleep(_PAUSE_S)
    return False


def _disk_now(run: Path) -> float:
    """The time by the clock of the disk, off the lock: a lease is dated by no other.

    This machine's where the lock may not be touched, or leads elsewhere.
    """
    lock = run / _LOCK
    if not lock.is_symlink():
        with suppress(OSError):
            os.utime(lock)
            return lock.stat().st_mtime
    return time.time()


def _is_held_elsewhere(run: Path, file: IO[str]) -> bool:
    """Whether a machine that has locks on this disk holds one, which cannot be seen from here.

    Then the run was heard of lately. Raises ValueError or AttributeError as of `_holder`.
    """
    if _holder(file) in (None, platform.node()):
        return False
    try:
        return _disk_now(run) - (run / "events.jsonl").stat().st_mtime < _HEARD_LATELY_S
    except OSError:
        return False


def _take_lease(run: Path, file: IO[str]) -> bool:
    """Make the lease, in the place of one that is stale; False where another process has the run.

    Of several who find a stale one at the same moment one gets it: only one can rename it away,
    and only one can make the new one. Raises ProjectError where it cannot be written.
    """
    path = place_in(run, _LEASE)
    try:
        before = _read_lease(path)
        if _is_alive(path, before) or _is_locked_elsewhere(run, file):
            return False
        if before is not None:
            if not _was_left(before) and _is_renewed(path):
                return False
            aside = path.with_name(f".{_LEASE}.{uuid.uuid4().hex}")
            with suppress(FileNotFoundError):  # somebody else was quicker
                path.rename(aside)
                newer = _read_lease(aside) != before
                if newer:  # whoever was quicker has made theirs meanwhile, and gets it back
                    os.link(aside, path)
                aside.unlink()
                if newer:
                    return False
        return _made_lease(path)
    except FileExistsError:
        return False
    except OSError as error:
        raise _cannot_write(path, error) from None


def _made_lease(path: Path) -> bool:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    with os.fdopen(handle, "w", encoding="utf-8") as lease:
        json.dump({"host": platform.node(), "pid": os.getpid(), "lease": uuid.uuid4().hex}, lease)
        lease.flush()
        os.fsync(lease.fileno())
    flush_folder(path.parent)
    return True


def _read_lease(path: Path) -> dict[str, Any] | None:
    """What a lease says; None where there is none, {} where it cannot be read."""
    try:
        found = read_json(path, most=_LONGEST_LOCK)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_leased(run: Path) -> bool:
    path = run / _LEASE
    return _is_alive(path, _read_lease(path))


def _is_alive(path: Path, lease: dict[str, Any] | None) -> bool:
    """Whether a lease is in force: renewed lately, and by a process of this machine that lives."""
    if lease is None:
        return False
    try:
        return not _was_left(lease) and _disk_now(path.parent) - path.stat().st_mtime < STALE_S
    except OSError:
        return False


def _was_left(lease: dict[str, Any]) -> bool:
    """Whether the process of a lease was one of this machine, and is no more."""
    return lease.get("host") == platform.node() and not _is_running(lease.get("pid"))


def _is_renewed(path: Path) -> bool:
    """Whether a lease that seems stale is renewed all the same, watched longer than a heartbeat.

    So it seems where a clock was set, here or there, or this machine wakes up with who holds it.
    """
    with suppress(FileNotFoundError):  # whoever held it is done
        seen = path.stat().st_mtime_ns
        for _ in range(_LOOKS):
            time.sleep(_WATCHED_S / _LOOKS)
            if path.stat().st_mtime_ns != seen:
                return True
    return False


def _is_running(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another person's process
        return True
    return True


def _is_locked_elsewhere(run: Path, file: IO[str]) -> bool:
    try:
        return _is_held_elsewhere(run, file)
    except (ValueError, AttributeError):
        return False


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

        Whoever only asks takes it so that others who ask at the same moment are not misled. Raises
        _NoLocks where the system or the disk has none.
        """
        kind = fcntl.LOCK_SH if only_asking else fcntl.LOCK_EX
        try:
            fcntl.flock(file.fileno(), kind | fcntl.LOCK_NB)
        except AttributeError:  # a system without it
            raise _NoLocks from None
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise _NoLocks from None
            return False
        file.seek(0)
        return True
