"""The command with a stopwatch: says when its first frame, and its first pictures, were on screen.

usage: first_frame.py NANOSECONDS PROJECT, where NANOSECONDS is the monotonic clock at the start.
"""

import json
import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QPaintEvent

from smarthdr_studio.cli import main
from smarthdr_studio.studio import application


class Watched(application.MainWindow):
    """The window itself; it leaves as soon as it has shown a scene."""

    def __init__(self, **wishes) -> None:
        super().__init__(**wishes)
        self._frame_ms: float | None = None
        self.session.screen.painted.connect(self._painted)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The first time is the first frame; the turn of the loop after it hands it over."""
        super().paintEvent(event)
        if self._frame_ms is None:
            self._frame_ms = 0.0
            QTimer.singleShot(0, self._first_frame)

    @Slot()
    def _first_frame(self) -> None:
        self._frame_ms = since_start()

    @Slot(int, object)
    def _painted(self, view: int, _painted: object) -> None:
        if view == 3 and self.session.state.shown:
            QTimer.singleShot(0, self._leave)

    @Slot()
    def _leave(self) -> None:
        told = {"frame": self._frame_ms, "pictures": since_start(), **loaded()}
        sys.stdout.write(json.dumps(told))
        sys.stdout.flush()
        os._exit(0)  # threads may be reading ahead, and nobody waits for them


def since_start() -> float:
    """Milliseconds since the command was given."""
    return (time.monotonic_ns() - int(sys.argv[1])) / 1e6


def loaded() -> dict[str, object]:
    """Every file of code this process has loaded, and the megabytes it read from the disk."""
    files = {
        path
        for module in list(sys.modules.values())
        for path in (getattr(module, "__file__", None), getattr(module, "__cached__", None))
        if path
    }
    megabytes = None
    if sys.platform.startswith("linux"):
        lines = Path("/proc/self/maps").read_text().splitlines()
        files |= {line.split(maxsplit=5)[5] for line in lines if " /" in line}
        counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        megabytes = int(counts["read_bytes"]) / 1e6
    return {"files": sorted(files), "megabytes": megabytes}


if __name__ == "__main__":
    application.MainWindow = Watched
    sys.exit(main([sys.argv[2]]))
