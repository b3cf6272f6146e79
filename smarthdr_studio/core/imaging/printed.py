"""What the libraries of decoders print, kept from the terminal, and read where it matters.

libjpeg says in no other way that it guesses pixels, and OpenEXR tells of damage twice: by an error,
and in lines of its own between those of the program. What is printed elsewhere meanwhile is left
alone where it can be told apart.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final


class _Decoding(threading.local):
    """How many blocks of `heard` and `unheard` this thread is in."""

    depth = 0


_DECODING: Final = _Decoding()


class _OtherThreadsStdout:
    """Python's stdout for all but the threads that decode, whose lines are dropped.

    OpenEXR prints by Python, to whatever `sys.stdout` is.
    """

    def __init__(self, before: Any) -> None:  # noqa: ANN401 (any file, or None in a window)
        self.before = before

    def write(self, text: str) -> int:
        return len(text) if _DECODING.depth else self.before.write(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.before, name)


class _Printed:
    """Where C's stderr and Python's stdout point while somebody decodes.

    Python's own stderr and descriptor 2 are left alone: only the variable `stderr` of the C library
    points elsewhere meanwhile. Of several threads that decode at once nobody knows whose a line is;
    who has to know decodes again, alone. Without glibc nothing that C prints is heard.
    """

    def __init__(self) -> None:
        self._begin(None)
        if sys.platform == "linux":
            os.register_at_fork(after_in_child=lambda: self._begin(self._before))

    def _begin(self, before: int | None) -> None:
        """As at the start of a process; `before` is what a forked one has to point to again."""
        self._free = threading.Condition()
        _DECODING.depth = 0
        self._inside = self._waiting = 0
        self._place: ctypes.c_void_p | None = None
        self._sought = False  # only who decodes needs a file for it
        self._before: int | None = None
        if before is not None and (place := self._sought_place()) is not None:
            place.value = before

    def _sought_place(self) -> ctypes.c_void_p | None:
        if not self._sought:
            self._sought = True
            with suppress(OSError, AttributeError, ValueError):
                self._place = self._found_place()
        return self._place

    def _found_place(self) -> ctypes.c_void_p | None:
        """The variable; None where it cannot be pointed elsewhere."""
        if sys.platform != "linux":
            return None
        library = ctypes.CDLL(None)
        if not hasattr(library, "gnu_get_libc_version"):  # elsewhere it may be read-only
            return None
        self._kept = os.memfd_create("stderr of C")
        library.fdopen.restype = ctypes.c_void_p
        stream = ctypes.c_void_p(library.fdopen(os.dup(self._kept), b"a"))
        if stream.value is None:
            return None
        library.setvbuf(stream, None, 2, 0)  # 2 is _IONBF: what is printed is there at once
        self._own = stream.value
        return ctypes.c_void_p.in_dll(library, "stderr")

    def enter(self, *, alone: bool) -> int:
        """Where what is printed from now on begins."""
        with self._free:
            self._waiting += alone
            self._free.wait_for(lambda: not (self._inside if alone else self._waiting))
            self._inside += 1
            if self._inside == 1 and not isinstance(sys.stdout, _OtherThreadsStdout):
                sys.stdout = _OtherThreadsStdout(sys.stdout)
            if (place := self._sought_place()) is None:
                return 0
            if self._inside == 1:
                os.ftruncate(self._kept, 0)
                self._before, place.value = place.value, self._own
            return os.fstat(self._kept).st_size

    def leave(self, begun: int, *, alone: bool) -> bytes:
        """What C has printed since."""
        with self._free:
            self._inside -= 1
            self._waiting -= alone
            said = b""
            if self._place is not None:
                said = os.pread(self._kept, 2**16, begun)
                if not self._inside:
                    self._place.value, self._before = self._before, None
            if not self._inside and isinstance(sys.stdout, _OtherThreadsStdout):
                sys.stdout = sys.stdout.before
            self._free.notify_all()
            return said


_PRINTED: Final = _Printed()


@contextmanager
def heard(*, alone: bool = False) -> Iterator[Callable[[], bytes]]:
    """Nothing of what is printed inside reaches the terminal.

    Asked after the block, what it gives says what C printed inside it, in this thread or another.
    `alone` waits for the other threads, so that it can have been none of theirs.
    """
    begun, said = _PRINTED.enter(alone=alone), b""
    _DECODING.depth += 1
    try:
        yield lambda: said
    finally:
        _DECODING.depth = max(0, _DECODING.depth - 1)  # 0 in a process forked off inside
        said = _PRINTED.leave(begun, alone=alone)


@contextmanager
def unheard() -> Iterator[None]:
    """Nothing of what is printed inside reaches the terminal, nor is it read.

    May stand inside `heard`, which hears it then.
    """
    if _DECODING.depth:
        yield
        return
    with heard():
        yield
