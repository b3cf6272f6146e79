"""Opens the window, or says in one sentence what the system lacks for it."""

import ctypes
import gc
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from smarthdr_studio.core.environment import (
    garbage_collected_by,
    garbage_collection_paused,
    short_turns,
)
from smarthdr_studio.core.errors import DeviceError

# The library Qt loads, and the Debian package it is in.
_ALWAYS: Final = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
}
_FOR_X11: Final = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}


def run(project: Path | None = None) -> int:
    """Show the window, with a project or the start page, until it is closed; the exit status.

    Raises:
        DeviceError: there is no display, or system libraries are missing; it names the remedy.
    """
    if sys.platform.startswith("linux"):
        refuse_without(os.environ)
    with garbage_collection_paused():
        # Only now, because without those libraries the import itself fails.
        from smarthdr_studio.studio.application import GarbageCollector, shown

        application, _window = shown(project)
    gc.freeze()  # what is there by now stays: no garbage need ever be looked for in it
    collector = GarbageCollector(application, spares_modules=True)
    with garbage_collected_by(collector.collect), short_turns():
        return application.exec()


def refuse_without(environment: Mapping[str, str]) -> None:
    """Raise DeviceError where Qt could not start on this Linux system."""
    platform = environment.get("QT_QPA_PLATFORM", "")
    wayland = environment.get("WAYLAND_DISPLAY", "")
    if not (platform or wayland or environment.get("DISPLAY")):
        raise DeviceError(
            "There is no display here; train and label without the window "
            "(smarthdr-studio --help), or set DISPLAY."
        )
    x11 = platform.startswith("xcb") or not (platform or wayland)
    needed = {**_ALWAYS, **_FOR_X11} if x11 else _ALWAYS
    missing = [package for library, package in needed.items() if not _loads(library)]
    missing += [] if _has_fonts() else ["fontconfig-config", "fonts-dejavu-core"]
    if missing:
        raise DeviceError(
            "The window needs system libraries or fonts that are not installed. On Debian or "
            f"Ubuntu: sudo apt-get install -y {' '.join(missing)}"
        )


def _loads(library: str) -> bool:
    # What the desktop bundle brings itself loads once the others are there.
    return _brought(library).is_file() or _library(library) is not None


def _brought(library: str) -> Path:
    """Where a library lies that came with the desktop bundle."""
    return Path(getattr(sys, "_MEIPASS", os.devnull)) / library


def _library(name: str) -> ctypes.CDLL | None:
    for path in (name, str(_brought(name))):
        with suppress(OSError):
            return ctypes.CDLL(path)
    return None


def _has_fonts() -> bool:
    """Whether there is any font to write with, asked where Qt asks.

    Where nobody can be asked, the package of who is missing brings some.
    """
    fontconfig = _library("libfontconfig.so.1")
    if fontconfig is None:
        return True
    ask = fontconfig.FcConfigGetFonts
    ask.restype, ask.argtypes = ctypes.POINTER(ctypes.c_int), (ctypes.c_void_p, ctypes.c_int)
    found = ask(None, 0)  # a set of fonts begins with how many there are
    return bool(found) and found[0] > 0
