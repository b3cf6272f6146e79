"""Drives the one run of this window and keeps its state."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.events import RoundFinished, TrainingEvent
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.progress import advanced, points
from smarthdr_studio.studio.state import Activity, TrainingState
from smarthdr_studio.studio.threads.devices import Devices, find_devices
from smarthdr_studio.studio.threads.plans import load_preset
from smarthdr_studio.studio.threads.training import TrainingThread

_SILENT_AFTER_S: Final = 60.0


class TrainingDesk(QObject):
    """Starts, holds and stops the training thread; says how it stands and what it reported."""

    became = Signal(object)
    points_came = Signal(object)
    curves_cleared = Signal()
    round_finished = Signal()
    devices_found = Signal(object)
    rested = Signal()

    def __init__(self, crew: Crew, parent: QObject) -> None:
        super().__init__(parent)
        self.state = TrainingState()
        self._crew = crew
        self._thread: TrainingThread | None = None
        self._waiting: Callable[[], TrainingThread] | None = None
        self._devices_asked, self._devices_known = False, False
        self._heard_at = 0.0
        self._watch = QTimer(self, interval=1000)
        self._watch.timeout.connect(self._listen)

    @property
    def at_rest(self) -> bool:
        """Whether no training thread is at work."""
        return self._thread is None

    def start(self, folder: Path, *, preset: str, device: str) -> None:
        """Train by a preset on a device, as a plan names them."""
        self._begin(folder, preset, {"device": device}, resume=None)

    def resume(self, folder: Path, *, device: str) -> None:
        """Go on with the last run that can be gone on with."""
        if run := self.state.resumable:
            plan = RunFolder(folder / "runs" / run).plan_path
            self._begin(folder, str(plan), {"device": device}, resume=run)

    def want_devices(self) -> None:
        """Look for devices, once; that loads torch and sets memory up for training."""
        if not self._devices_asked:
            self._devices_asked = True
            self._crew.start(find_devices, answered=self._found_devices, refused=self._no_devices)

    def _begin(
        self, folder: Path, preset: str, changes: Mapping[str, str], *, resume: str | None
    ) -> None:
        if self.state.busy:
            return
        self._become(TrainingState(activity=Activity.STARTING, resumable=self.state.resumable))
        try:
            plan = load_preset(preset, changes=changes)
        except StudioError as error:
            self.fail(str(error))
            return
        self.curves_cleared.emit()
        self._waiting = partial(TrainingThread, plan, folder, resume=resume, parent=self)
        self.want_devices()
        if self._devices_known:
            self._start_waiting()

    def _start_waiting(self) -> None:
        # A run that has said its last word may still be putting its memory away.
        if self._waiting is None or self._thread is not None:
            return
        self._thread, self._waiting = self._waiting(), None
        self._thread.reported.connect(self._reported)
        self._thread.failed.connect(self.fail)
        self._thread.finished.connect(self._ended)
        self._heard_at = time.monotonic()
        self._watch.start()
        self._thread.start(TrainingThread.Priority.LowPriority)

    @Slot()
    def pause_or_go_on(self) -> None:
        """Hold the run between two events, or let it go on."""
        if self._thread is None:
            return
        if self.state.activity is Activity.PAUSED:
            self._heard_at = time.monotonic()
            self._thread.resume()
            self._become(replace(self.state, activity=Activity.RUNNING))
        elif self.state.activity is Activity.RUNNING:
            self._thread.pause()
            self._become(replace(self.state, activity=Activity.PAUSED))

    @Slot()
    def stop(self) -> None:
        """Let the step at hand end, save and stop."""
        if self._waiting is not None:
            self._waiting = None
            self._become(replace(self.state, activity=Activity.STOPPED, message="not started"))
        elif self._thread is not None:
            self._thread.stop()
            if self.state.busy:
                self._become(replace(self.state, activity=Activity.STOPPING))

    def changes_wait(self) -> None:
        """A person decided something that the run will use in its next round."""
        if self.state.busy and not self.state.changes_wait:
            self._become(replace(self.state, changes_wait=True))

    def remember(self, *, resumable: str) -> None:
        """Which run could be gone on with; empty where none."""
        if resumable != self.state.resumable and not self.state.busy:
            self._become(replace(self.state, resumable=resumable))

    def forget(self) -> None:
        """Another project: no run yet."""
        self._become(TrainingState())
        self.curves_cleared.emit()

    @Slot(str)
    def fail(self, message: str) -> None:
        """Show why there is no run, or why it ended."""
        self._become(replace(self.state, activity=Activity.FAILED, message=message))

    @Slot(object)
    def _found_devices(self, devices: Devices) -> None:
        self._devices_known = True
        self.devices_found.emit(devices)
        self._start_waiting()

    @Slot(str)
    def _no_devices(self, message: str) -> None:
        self._devices_asked = False
        if self._waiting is not None:
            self._waiting = None
            self.fail(message)

    @Slot(object)
    def _reported(self, events: tuple[TrainingEvent, ...]) -> None:
        self._heard_at = time.monotonic()
        state = self.state
        for event in events:
            state = advanced(state, event)
        self._become(state)
        self.points_came.emit(tuple(point for event in events for point in points(event)))
        if any(isinstance(event, RoundFinished) for event in events):
            self.round_finished.emit()

    @Slot()
    def _ended(self) -> None:
        thread, self._thread = self._thread, None
        self._watch.stop()
        if thread is not None:
            thread.deleteLater()
        if self._waiting is not None:
            self._start_waiting()
        elif self.state.busy:
            words = f"stopped after epoch {self.state.epoch + 1}; saved, and Resume goes on"
            self._become(replace(self.state, activity=Activity.STOPPED, message=words))
        self.rested.emit()

    @Slot()
    def _listen(self) -> None:
        quiet = time.monotonic() - self._heard_at > _SILENT_AFTER_S
        waiting = self.state.activity in (Activity.STARTING, Activity.RUNNING, Activity.STOPPING)
        if (quiet and waiting) != self.state.silent:
            self._become(replace(self.state, silent=quiet and waiting))

    def _become(self, state: TrainingState) -> None:
        if state != self.state:
            self.state = state
            self.became.emit(state)
