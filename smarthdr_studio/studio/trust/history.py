"""Knows every round of the newest run, and puts past rounds on the screen."""

import re
from functools import partial
from typing import ClassVar, Final

import numpy as np
from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal, SignalInstance, Slot
from PySide6.QtGui import QHideEvent, QImage, QPixmap
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.display import ColourMap, colour_bar
from smarthdr_studio.core.training.round_history import RunHistory, retention_of_round
from smarthdr_studio.core.training.rounds import RoundRecord
from smarthdr_studio.core.training.run_folder import run_of
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.project.predictions import (
    Replay,
    read_replay,
    read_run_history,
    strip_of_now,
)
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import HeatStrip, Notice, PoolShares, RoundShares, StudioState
from smarthdr_studio.studio.tasks import Job, LatestTask, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import ElidedLabel, button, caption, card, describe
from smarthdr_studio.studio.widgets.icons import IconButton, icon
from smarthdr_studio.studio.widgets.slider import KeyedSlider


class HistoryController(QObject):
    """Reads records on a thread; `replayed` says which round is to be shown, None for now."""

    read = Signal()
    replayed = Signal(object, object)  # RoundRecord | None, Replay | None

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._reading = RepeatedTask(tasks, self._question, self._answered)
        self._replaying, self._counting = LatestTask(tasks), LatestTask(tasks)
        self._sharing = LatestTask(tasks)
        self._shared: tuple[RoundRecord, MaskSettings | None] | None = None
        self._told = ""  # the alarm that was told last
        self._sounded: Notice | None = None
        store.switched.connect(self._switch)

    @property
    def records(self) -> tuple[RoundRecord, ...]:
        """Every round that is on record, oldest first."""
        history = self._store.state.history
        return history.records if history is not None else ()

    @property
    def as_used(self) -> bool:
        """Whether past rounds are shown with the thresholds they were used with."""
        heat = self._store.state.heat
        return heat is None or not heat.now

    @Slot()
    def _switch(self) -> None:
        self._told, self._sounded = "", None
        self._store.become(history=None, heat=None, replay=None)
        self._count_past()
        self.refresh()

    def refresh(self) -> None:
        """Read what rounds have been added; asking again while reading reads once more."""
        self._reading.ask()

    def _question(self) -> Job[RunHistory | None] | None:
        if self._store.project is None:
            return None
        return partial(
            read_run_history, project=self._store.project.folder, known=self._store.state.history
        )

    @Slot(object)
    def pick(self, number: object) -> None:
        """Replay a round for the scene on the screen; None is now."""
        wanted = number if isinstance(number, int) else None
        self._store.become(replay=wanted)
        self.follow(self._store.state.shown)

    def step(self, rounds: int) -> None:
        """The round so many before or after; beyond the last is now."""
        numbers = [record.round for record in self.records]
        if not numbers:
            return
        now = self._store.state.replay
        place = (numbers.index(now) if now in numbers else len(numbers)) + rounds
        self.pick(numbers[max(place, 0)] if place < len(numbers) else None)

    def follow(self, scene: str | None) -> None:
        """Another scene is on the screen: the picked round of it is wanted now."""
        number = self._store.state.replay
        self._replaying.cancel()
        self._count_past()
        if number is None or scene is None or self._store.project is None:
            self.replayed.emit(None, None)
            return
        history = self._store.state.history
        if history is None or number not in history.replayable:
            self.replayed.emit(self._record(number), None)
            return
        folder = run_of(self._store.project.folder, history.run)
        job = plain(read_replay, run_folder=folder, round=number, scene=scene)
        self._replaying.start(job, partial(self._replay_read, number))

    @Slot(str)
    def set_kind(self, kind: str) -> None:
        """Shares as they were used, or as the thresholds on the screen would have them."""
        history = self._store.state.history
        if history is None:
            return
        if kind != "now":
            self._store.become(heat=_as_used(history))
            self.follow(self._store.state.shown)
            return
        self._count_now(history, self._store.state.masks)

    def masks_settled(self) -> None:
        """Other thresholds: shares "as of now" follow."""
        state = self._store.state
        if state.history is not None and state.heat is not None and state.heat.now:
            self._count_now(state.history, state.masks)

    def _count_past(self) -> None:
        """What the round on the screen retained, counted once for all scenes."""
        state = self._store.state
        record = None if state.replay is None else self._record(state.replay)
        masks = None if self.as_used else state.masks
        wanted = None if record is None else (record, masks)
        if wanted == self._shared:
            return
        self._shared = wanted
        self._sharing.cancel()
        self._store.become(past=None)
        if record is not None:
            job = plain(shares_of_round, record, masks)
            self._sharing.start(job, self._past_counted, self._past_lost)

    def _past_counted(self, past: RoundShares) -> None:
        self._store.become(past=past)

    def _past_lost(self, why: str) -> None:
        self._store.notice(Notice(text=why, tone="warn"))

    def _count_now(self, history: RunHistory, masks: MaskSettings) -> None:
        self._counting.start(partial(strip_of_now, history=history, masks=masks), self._counted)

    def _counted(self, heat: HeatStrip) -> None:
        history = self._store.state.history
        if history is not None and heat.run == history.run:
            self._store.become(heat=heat)
            self.follow(self._store.state.shown)

    def _answered(self, history: RunHistory | None) -> None:
        before = self._store.state.history
        now = self._store.state.heat is not None and self._store.state.heat.now
        heat = None if history is None else _as_used(history)
        self._store.become(history=history, heat=heat)
        other = before is not None and history is not None and before.run != history.run
        self._leave_vanished_round(other_run=other)
        self.read.emit()
        if history is not None:
            if now:
                self._count_now(history, self._store.state.masks)
            self._sound(history.alarm)

    def _leave_vanished_round(self, *, other_run: bool) -> None:
        """The round that was replayed is of another run, or is no more: back to now."""
        number = self._store.state.replay
        if number is not None and (other_run or self._record(number) is None):
            self.pick(None)

    def _replay_read(self, number: int, maps: Replay | None) -> None:
        self.replayed.emit(self._record(number), maps)

    def _record(self, number: int) -> RoundRecord | None:
        return next((record for record in self.records if record.round == number), None)

    def _sound(self, alarm: str) -> None:
        # The same alarm has other figures after every check; it is sounded once, until it is over.
        if alarm and _kind(alarm) != _kind(self._told):
            self._sounded = Notice(text=alarm, tone="warn")
            self._store.notice(self._sounded)
        elif not alarm and self._sounded is not None:
            if self._store.state.notice is self._sounded:
                self._store.notice(None)
            self._sounded = None
        self._told = alarm


def _kind(alarm: str) -> str:
    """What an alarm is about: its words before the figures."""
    return re.split(r"[0-9]", alarm, maxsplit=1)[0]


def shares_of_round(record: RoundRecord, masks: MaskSettings | None) -> RoundShares:
    """The same for the screen: as the round was used, or by these masks. Raises LabelError."""
    found = retention_of_round(record, masks)
    return RoundShares(
        round=record.round,
        pool=PoolShares(
            scenes=len(found.scenes),
            retained=found.retained,
            patches_retained=found.patches_retained,
        ),
        scenes={scene: share.retained for scene, share in found.scenes.items()},
        now=masks is not None,
    )


def _as_used(history: RunHistory) -> HeatStrip:
    return HeatStrip(
        run=history.run,
        rounds=tuple(record.round for record in history.records),
        scenes=history.scenes,
        shares=history.shares,
    )


AS_USED, AS_NOW = "used", "now"

_PER_ROUND_MS: Final = 500
_BAR: Final = QSize(44, 10)
_NOTHING: Final = "Known after the first round of training."


class HistoryPanel(QWidget):
    """Says which round is to be replayed, None for now, and by whose thresholds it is shown.

    The strip of scenes and rounds is placed in it by the window.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset({"heat", "history", "replay", "training"})

    round_picked = Signal(object)
    scene_picked = Signal(str)
    kind_picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._rounds: tuple[int, ...] = ()
        self._replay: int | None = None
        self._charts: list[QWidget] = []
        self._clock = QTimer(self, interval=_PER_ROUND_MS)
        self._title, self._words = caption("History", role="title"), ElidedLabel(role="muted")
        self._used = button("As used", tip="By the thresholds each round was trained with")
        self._now = button("τ of now", tip="By the thresholds on the screen")
        self._kinds = QButtonGroup(self)
        self._alarm, self._empty = caption("", role="warn"), caption(_NOTHING, role="muted")
        self._play = IconButton(icon("play"), name="Play", tip="Replay two rounds per second")
        self._scrubber = KeyedSlider()
        self._back = button("Back to now", tip=by_id("back_to_now").tip_with_key)
        self._scrub, self._strip, self._legend = QWidget(), QVBoxLayout(), _legend()
        self._set_up()
        self._lay_out()
        self._connect()

    def place(self, chart: QWidget, *, rounds: SignalInstance, scenes: SignalInstance) -> None:
        """Put the strip into the panel and listen to the hand on it."""
        self._strip.addWidget(chart, 1)
        self._charts.append(chart)
        chart.setVisible(bool(self._rounds))
        rounds.connect(self._pick)
        scenes.connect(self.scene_picked)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the rounds there are, and which one is replayed."""
        if old.heat is not new.heat:
            self._show_rounds(new)
        if old.history is not new.history:
            alarm = new.history.alarm if new.history else ""
            self._alarm.setText(f"⚠ {alarm}" if alarm else "")
            self._alarm.setVisible(bool(alarm))
        same = old.heat is new.heat and old.replay == new.replay
        if same and old.training is not new.training and old.training.run == new.training.run:
            return  # a step of the run that is told of already
        self._replay = new.replay
        now = len(self._rounds)
        place = self._rounds.index(new.replay) if new.replay in self._rounds else now
        self._scrubber.setValue(place)
        self._back.setEnabled(new.replay is not None)
        self._words.tell(replay_in_words(new))
        if self._clock.isActive() and place == now:
            self._stop()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing runs where nobody looks."""
        super().hideEvent(event)
        self._stop()

    def _show_rounds(self, new: StudioState) -> None:
        heat = new.heat
        self._rounds = heat.rounds if heat and heat.shares.size else ()
        self._title.setToolTip(f"Run {heat.run}" if heat else _NOTHING)
        # The place behind the last round is now.
        self._scrubber.setRange(0, len(self._rounds))
        (self._now if heat and heat.now else self._used).setChecked(True)
        some = bool(self._rounds)
        self._empty.setVisible(not some)
        for part in (*self._of_rounds(), *self._charts):
            part.setVisible(some)

    def _of_rounds(self) -> tuple[QWidget, ...]:
        """What makes sense once there are rounds."""
        return self._scrub, self._legend, self._used, self._now, self._words

    def _set_up(self) -> None:
        for kind in (self._used, self._now):
            kind.setCheckable(True)
            self._kinds.addButton(kind)
        self._used.setChecked(True)
        for pressed in (self._used, self._now, self._back):
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._alarm.setWordWrap(True)
        self._alarm.hide()
        self._scrubber.setPageStep(5)
        keys = [key for name in ("previous_round", "next_round") for key in by_id(name).keys[:1]]
        tip = f"Replay a round ({' and '.join(keys)})" if keys else "Replay a round"
        describe(self._scrubber, name="Round", tip=tip)
        self._back.setEnabled(False)
        for part in self._of_rounds():
            part.hide()

    def _lay_out(self) -> None:
        frame, column = card(name="History")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._title)
        head.addWidget(self._words, 1)
        for part in (self._used, self._now):
            head.addWidget(part)
        scrub = QHBoxLayout(self._scrub)
        scrub.setContentsMargins(0, 0, 0, 0)
        scrub.setSpacing(8)
        scrub.addWidget(self._play)
        scrub.addWidget(self._scrubber, 1)
        scrub.addWidget(self._legend)
        scrub.addWidget(self._back)
        column.addLayout(head)
        column.addWidget(self._alarm)
        column.addLayout(self._strip, 1)
        column.addWidget(self._empty, 1, Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._scrub)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def _connect(self) -> None:
        self._used.clicked.connect(self._as_used)
        self._now.clicked.connect(self._as_now)
        self._play.clicked.connect(self._play_or_stop)
        self._back.clicked.connect(self._to_now)
        # Only a hand on the slider is a pick; a round set from elsewhere is not.
        self._scrubber.actionTriggered.connect(self._scrubbed)
        self._clock.timeout.connect(self._step)

    @Slot(int)
    def _pick(self, number: int) -> None:
        self._stop()
        self.round_picked.emit(number)

    @Slot()
    def _to_now(self) -> None:
        self._stop()
        self.round_picked.emit(None)

    @Slot()
    def _scrubbed(self) -> None:
        self._stop()
        self._go_to(self._scrubber.sliderPosition())

    @Slot()
    def _play_or_stop(self) -> None:
        if self._clock.isActive():
            self._stop()
            return
        self._play.show_icon(icon("halt"))
        describe(self._play, name="Stop", tip="Hold this round")
        self._clock.start()
        if self._replay is None:
            self._go_to(0)

    @Slot()
    def _step(self) -> None:
        here = self._rounds.index(self._replay) if self._replay in self._rounds else -1
        self._go_to(here + 1)

    def _go_to(self, place: int) -> None:
        """Ask for the round of this place of the slider; behind the last one is now."""
        picked = self._rounds[place] if place < len(self._rounds) else None
        if picked != self._replay:
            self.round_picked.emit(picked)

    def _stop(self) -> None:
        self._clock.stop()
        self._play.show_icon(icon("play"))
        describe(self._play, name="Play", tip="Replay two rounds per second")

    @Slot()
    def _as_used(self) -> None:
        self.kind_picked.emit(AS_USED)

    @Slot()
    def _as_now(self) -> None:
        self.kind_picked.emit(AS_NOW)


def replay_in_words(state: StudioState) -> str:
    """Which round is on the screen, and how much of it is still kept."""
    if state.heat is None or not state.heat.shares.size:
        return ""
    if state.replay is None:
        return f"{counted(len(state.heat.rounds), 'round')}; the masks are those of now"
    other = state.training.run and state.training.run != state.heat.run
    of = " of another run" if other else ""
    words = f"Round {state.replay} of {state.heat.rounds[-1]}{of}: "
    if state.history is not None and state.replay in state.history.replayable:
        return words + "full maps are kept"
    return words + "only the patch mask is kept"


def _legend() -> QLabel:
    """The colours of the strip, least share at the left."""
    lying = np.rot90(colour_bar(ColourMap.TIDE, width=_BAR.height(), height=_BAR.width()), -1)
    rgb8 = np.ascontiguousarray(lying)
    wide, high = _BAR.width(), _BAR.height()
    image = QImage(rgb8.data, wide, high, wide * 3, QImage.Format.Format_RGB888).copy()
    label = QLabel()
    label.setPixmap(QPixmap.fromImage(image))
    describe(label, name="Colours of shares", tip="Retained share: dark 0 %, light 100 %")
    return label
