"""Giving memory back to the system, which the C library keeps for later and never needs again."""

import ctypes
import platform
import sys


def give_back() -> None:
    """Return freed pages; some 20 ms after a few hundred megabytes, so it is done on a thread."""
    if sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
