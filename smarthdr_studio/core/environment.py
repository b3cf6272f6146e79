"""What surrounds the program: user, clock, shipped files, ranks, memory, processor, collector."""

import gc
import getpass
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998  # the year after can still be told on any clock


def utc_now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def moment_in(text: str) -> datetime | None:
    """The moment that a text of a file says, UTC where it names no zone; None where it says none.

    What no clock of a user can have shown, before 1970 or after 9998, is none either.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def time_words(at: str) -> str:
    """A time of a file as people write it, to the minute, UTC; a text that is none stays."""
    moment = moment_in(at)
    return at if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def current_user() -> str:
    """user@host; a user without a name on this machine is "unknown"."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no login name and no password database
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def utc_day() -> str:
    """The day in UTC, as YYYYMMDD, for the names of files."""
    return utc_now()[:10].replace("-", "")


_PACKAGE = Path(__file__).resolve().parent.parent


def resource(*parts: str) -> Path:
    """A file under resources/, in a checkout and in an installed package alike."""
    installed = _PACKAGE / "_resources"
    root = installed if installed.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)


COMMAND: Final = "smarthdr-studio"
"""What the program is called in a shell, in a menu and among icons."""


def own_command() -> tuple[str, ...]:
    """The words that start this very program, whatever a shell would find; a verb comes after."""
    here = Path(sys.executable)
    if getattr(sys, "frozen", False):  # the desktop bundle, which has no Python to ask
        return (str(here),)
    beside = here.with_name(COMMAND)
    return (str(beside),) if beside.is_file() else (str(here), "-m", "smarthdr_studio")


def pip_install(extra: str) -> str:
    """The command that adds an extra of ours to the environment this program runs in.

    In the desktop bundle, which has no pip, it is one for an environment of the person's own.
    """
    command = "pip" if getattr(sys, "frozen", False) else f"{quote(sys.executable)} -m pip"
    return f"{command} install '{COMMAND}[{extra}]'"


# What torchrun sets, all of it or nothing; a lone RANK is somebody else's.
_NEEDED: Final = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


class ProcessRank(NamedTuple):
    """Who a process is among those that train one run together."""

    rank: int = 0
    """Its number among all of them, from 0 on."""
    size: int = 1
    """How many there are on all machines."""
    local_rank: int = 0
    """Its number on this machine, from 0 on."""


SINGLE_PROCESS: Final = ProcessRank()


def process_rank(environment: Mapping[str, str] = os.environ) -> ProcessRank:
    """The place of this process; alone where it was not started by torchrun."""
    if not all(environment.get(name) for name in _NEEDED):
        return SINGLE_PROCESS
    rank, size, local_rank = (environment[name] for name in _NEEDED[:3])
    if not (rank.isdecimal() and size.isdecimal() and local_rank.isdecimal()):
        return SINGLE_PROCESS
    return ProcessRank(rank=int(rank), size=int(size), local_rank=int(local_rank))


def is_first_process() -> bool:
    """Whether this process is alone or the first: the one that talks to a person and writes."""
    return process_rank().rank == 0


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """No garbage is collected inside; ten thousand scenes are there in half the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


_TURN_S: Final = 1e-4


@contextmanager
def short_turns() -> Iterator[None]:
    """Inside, a thread that waits for its turn in Python has it after 0.1 ms, not after 5.

    A thread that trains gives its turn away with every step of the network, and each time a
    window that paints would keep it for 5 ms.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


_MOST_NICE: Final = 19


def give_way(*, by: int) -> None:
    """From now on the processor goes to others before this thread and those that it will start.

    It is nicer by so much than the thread the program began with, which paints. Only Linux knows
    a niceness of each thread, and only there the priorities that Qt gives to threads do nothing.
    """
    if sys.platform.startswith("linux"):
        first = os.getpriority(os.PRIO_PROCESS, os.getpid())
        with suppress(OSError):  # nobody but root may become less nice again
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(first + by, _MOST_NICE))


_collectors: Final[list[Callable[[], object]]] = []


def collect_garbage() -> None:
    """Look through everything for garbage, on whichever thread is the one that may."""
    collect = _collectors[-1] if _collectors else gc.collect
    collect()


@contextmanager
def garbage_collected_by(collect: Callable[[], object]) -> Iterator[None]:
    """Inside, Python looks for garbage when `collect` says so, and never by itself."""
    _collectors.append(collect)
    try:
        with garbage_collection_paused():
            yield
    finally:
        _collectors.remove(collect)


_PROCESSORS: Final = Path("/proc/cpuinfo")


def processor_flags() -> frozenset[str]:
    """What the first processor can do, as the system calls it; empty where it does not tell."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    told = (line.partition(":") for line in lines)
    found = (words for name, _, words in told if name.strip() in ("flags", "Features"))
    return frozenset(next(found, "").split())


def main_memory() -> int | None:
    """Bytes of main memory that programs can still get; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kib = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return min(int(kib[0]) * 1024, _cgroup_memory_left()) if kib else None


def _cgroup_memory_left() -> int:
    """What is left of the memory that a container or a job is allowed."""
    group = Path("/sys/fs/cgroup")
    try:
        most = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
        files = (group / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 2**63
    cached = [int(line.split()[1]) for line in files if line.startswith("inactive_file ")]
    return 2**63 if most == "max" else max(0, int(most) - used + sum(cached))
