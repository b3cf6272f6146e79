"""The real window, driven by a benchmark that waits without turning in circles."""

import gc
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from paints import Paints
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.environment import garbage_collected_by, short_turns
from smarthdr_studio.studio.application import GarbageCollector
from smarthdr_studio.studio.settings import Places
from smarthdr_studio.studio.theme import DARK, dress
from smarthdr_studio.studio.window import MainWindow

_BEAT_MS = 5


class WindowAtWork:
    """A window of 1440×900 whose preferences, thumbnails and sample lie in `home`.

    Garbage is collected and turns are taken as in the program.
    """

    def __init__(self, home: Path) -> None:
        self.application = QApplication.instance() or QApplication([])
        dress(self.application, DARK)
        places = Places.under(config=home / "config", cache=home / "cache", data=home / "data")
        self.window = MainWindow(places=places)
        self.session = self.window.session
        self.window.resize(1440, 900)
        self._pictures = Paints([self.window.page.views.view(k).picture for k in range(4)])
        self._list = Paints([self.window.page.scenes._list.viewport()])
        self._shown_at = 0.0
        self.window.show()
        self.rest(0.2)
        gc.freeze()
        collector = GarbageCollector(self.application, spares_modules=True)
        self._habits = ExitStack()  # of the program while its window is open
        self._habits.enter_context(garbage_collected_by(collector.collect))
        self._habits.enter_context(short_turns())

    def rest(self, seconds: float) -> None:
        """Let the window live for a while."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()

    def until(self, holds: Callable[[], bool], *, seconds: float = 120) -> None:
        """Wait for something that comes with a change of the state, or with a thread's end."""
        loop, asked = QEventLoop(), QTimer(interval=100)
        end = time.monotonic() + seconds

        def look(*_: object) -> None:
            if holds() or time.monotonic() > end:
                loop.quit()

        asked.timeout.connect(look)
        self.session.changed.connect(look)
        asked.start()
        # A thread may begin between the loop's end and the last look, so it is looked again.
        while not holds() and time.monotonic() < end:
            loop.exec()
        asked.stop()
        self.session.changed.disconnect(look)
        if not holds():
            raise TimeoutError(f"nothing came in {seconds:g} s: {self.session.state.notice}")

    def until_quiet(self) -> None:
        """Wait until no thread is at work, charts have followed and the scene was looked into."""
        self.rest(0.3)
        self.until(lambda: self.session.at_rest)

    def open(self, project: Path) -> float:
        """Milliseconds from opening a project to its list on the screen."""
        begun = time.perf_counter()
        self.session.take(project)
        self._list.arm()
        # At first the list is a tab behind others in a window of this size.
        self.until(lambda: self.session.state.folder is not None)
        self.window.page.desk.bring("scenes")
        return (self.wait_for(self._list) - begun) * 1e3

    def show_scene(self, scene: str) -> float:
        """Milliseconds from picking a scene to its four panels on the screen."""

        def came(view: int, _painted: object) -> None:
            if view == 3 and self.session.state.shown == scene:
                self.session.screen.painted.disconnect(came)
                self._pictures.arm()

        self.session.screen.painted.connect(came)
        begun = time.perf_counter()
        self.session.screen.pick(scene)
        return (self.wait_for(self._pictures) - begun) * 1e3

    def close(self) -> None:
        """Stop what is at work and close."""
        self.session.shut_down()
        self.until(lambda: self.session.at_rest)
        self.window.close()
        self._habits.close()
        gc.unfreeze()

    def wait_for(self, paints: Paints) -> float:
        """When all of these widgets were painted; arm them first."""
        loop = QEventLoop()
        paints.done.connect(loop.quit)
        QTimer.singleShot(60_000, loop, lambda: loop.exit(1))
        failed = loop.exec()
        now = time.perf_counter()
        paints.done.disconnect(loop.quit)
        if failed:
            raise TimeoutError(f"nothing was painted in 60 s: {self.session.state.notice}")
        return now


class Heartbeat:
    """How late the event loop comes to a timer of 5 ms, in milliseconds."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.at: list[float] = []  # when each beat came, by time.perf_counter
        self._last = 0.0
        self._timer = QTimer(interval=_BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Forget what was, and beat."""
        self.late, self.at = [], []
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> list[float]:
        """Every lateness since the start."""
        self._timer.stop()
        return self.late

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1e3 - _BEAT_MS))
        self.at.append(now)
        self._last = now


_MOUSE_MS = 16  # most mice tell at least so often where they are
_MOVES_A_SCENE, _MOVES_UP = 60, 180


class BusyHand:
    """A person who drags a threshold, as fast as a mouse tells it, and goes on every second."""

    def __init__(self, bench: WindowAtWork) -> None:
        self._session, self._moves = bench.session, 0
        self._timer = QTimer(interval=_MOUSE_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._move)

    def start(self) -> None:
        """Take the mouse."""
        self._timer.start()

    def stop(self) -> None:
        """Let go of it."""
        self._timer.stop()

    def _move(self) -> None:
        self._moves += 1
        state = self._session.state
        if self._moves % _MOVES_A_SCENE == 0:
            names = [row.id for row in state.scenes]
            self._session.screen.pick(names[self._moves // _MOVES_A_SCENE % len(names)])
        tau = 0.2 + self._moves % _MOVES_UP * 0.6 / _MOVES_UP
        self._session.screen.follow_masks(replace(state.masks, tau_patch=tau))
