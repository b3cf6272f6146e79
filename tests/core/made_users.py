"""Doing something as a user who may not write, or on a disk with little room."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

NOBODY = 65534


def in_child(work):
    """Run `work` in a process of its own; what it asserts there counts here."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 0, "see the trace above"


def as_nobody(work):
    """The same as a user who may write nothing, because root may write everywhere."""

    def without_rights():
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        work()

    in_child(without_rights)


@contextmanager
def small_disk(place, *, kilobytes):
    """A disk of its own of that size at `place`; skips the test where none can be made."""
    place.mkdir()
    size = f"size={kilobytes}k"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.call(command) != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.check_call(["umount", str(place)])


def fill_up(place):
    """Write until not one more byte fits; answers the file to delete for room."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (65536, 4096, 1):
            try:
                while stream.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return ballast


def without_override(work):
    """Run `work` in a child for which the rights of files count, though it may be of root."""
    if os.geteuid() == 0 and sys.platform != "linux":
        pytest.skip("root cannot give up its rights here")

    def given_up():
        if os.geteuid() == 0:
            _give_up_override()
        work()

    in_child(given_up)


_DAC_OVERRIDE_AND_READ_SEARCH = 0b110


def _give_up_override():
    system = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # the third version, of this process
    held = (ctypes.c_uint32 * 6)()  # twice effective, permitted, inheritable
    assert system.capget(header, held) == 0
    for each in range(2):
        held[each] &= ~_DAC_OVERRIDE_AND_READ_SEARCH
    assert system.capset(header, held) == 0
