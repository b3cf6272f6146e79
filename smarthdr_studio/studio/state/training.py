"""How a run stands, also after each of its events; the plan of the next one; what is watched."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from smarthdr_studio.core.training.events import (
    Asked,
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    StepSkipped,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.core.training.plan_fields import PlanField
from smarthdr_studio.core.training.presets import Preset
from smarthdr_studio.core.training.run_estimate import Estimate
from smarthdr_studio.core.training.run_folder import Check

# What is asked of a run, as it follows the words "asked to".
PAUSE: Final = "pause"
GO_ON: Final = "go on"
STOP: Final = "stop"
SNAPSHOT: Final = "save a snapshot"


class Activity(StrEnum):
    """What the trainer is up to; the words are for the screen."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"
    INTERRUPTED = "interrupted"  # its process died without a last word


BUSY_ACTIVITIES = frozenset(
    {Activity.STARTING, Activity.RUNNING, Activity.PAUSED, Activity.STOPPING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A change of a run, in words, that counts from an epoch on, which is counted from 0.

    `what` is what was changed: of two changes of the same only the later one waits.
    """

    what: Asked | None = None
    text: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """How a run stands; `silent` when nothing was heard for a minute.

    `round` is the last one that was finished: 0 before the first, -1 where that is not known.
    `in_other_process` says that another process trains it, `past` that nobody does and it was read
    from its files. `making_round` says that a round has read what was decided and is not finished,
    and `late` that something was decided after that. `asked` is what was asked of a run and not
    answered yet, `told` its last answer. `checks` are those on held-out labels, by rising step,
    and `validating` how many scenes the newest of them measured. `rounds_left` is how many rounds
    are planned that something is learned after, the one being made among them; None: nobody told.
    """

    activity: Activity = Activity.IDLE
    run: str = ""
    device: str = ""
    phase: str = ""
    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    total_epochs: int = 0
    round: int = -1
    rounds_left: int | None = None
    seconds_left: float | None = None
    images_per_second: float | None = None
    learning_rate: float | None = None
    checks: tuple[Check, ...] = ()
    validating: int = 0
    message: str = ""
    resumable: str = ""
    changes_wait: bool = False
    making_round: bool = False
    late: bool = False
    silent: bool = False
    in_other_process: bool = False
    past: bool = False
    asked: str = ""
    told: str = ""
    waiting: tuple[Waiting, ...] = ()
    skipped: int = 0
    skipped_why: str = ""

    @property
    def next_round(self) -> str:
        """In words, the round that uses what is decided now, or the next run."""
        return self._round_in_words(later=self.making_round)

    @property
    def changes_in(self) -> str:
        """In words, the round that uses what was decided and waits, or the next run."""
        return self._round_in_words(later=self.late)

    def _round_in_words(self, *, later: bool) -> str:
        """The first round that is not finished, or the one after it, if one is learned from."""
        if self.rounds_left is not None and self.rounds_left <= later:
            return "the next run"
        if self.round >= 0:
            return f"round {self.round + 1 + later}"
        return "the round after this one" if later else "the next round"

    @property
    def busy(self) -> bool:
        """Whether a thread or another process is at work."""
        return self.activity in BUSY_ACTIVITIES


_OUTCOMES: Final = {
    "done": Activity.DONE,
    "stopped": Activity.STOPPED,
    "failed": Activity.FAILED,
}


def after(state: TrainingState, event: TrainingEvent) -> TrainingState:
    """The state after an event of its run."""
    state = replace(state, silent=False)
    match event:
        case RunStarted():
            return _started(state, event)
        case PhaseChanged():
            return _phase_came(state, event)
        case StepReported():
            return _stepped(state, event)
        case Steered():
            return _steered(state, event)
        case RunFinished():
            return _finished(state, event)
        case _:
            return _noted(state, event)


def _started(state: TrainingState, event: RunStarted) -> TrainingState:
    activity = state.activity if state.activity is Activity.STOPPING else Activity.RUNNING
    return replace(
        state,
        activity=activity,
        run=event.run,
        device=event.device,
        phase=f"{event.network} on {event.device}",
        step=event.step,
        total_steps=event.total_steps,
        epoch=event.at_epoch or 0,
        total_epochs=event.total_epochs,
        round=state.round if event.step else 0,
        rounds_left=event.rounds_left,
        changes_wait=state.changes_wait or event.changes_wait,
        checks=tuple(check for check in state.checks if check.step <= event.step),
        making_round=False,
        late=False,
        past=False,
        waiting=(),
        told="",
    )


def _phase_came(state: TrainingState, event: PhaseChanged) -> TrainingState:
    state = replace(state, step=max(state.step, event.step))
    if event.phase == "paused":  # in the middle of whatever it was
        return _paused(state)
    state = replace(state, phase=event.text, making_round=event.phase == "labelling")
    if event.phase in ("warm-up", "learning") and event.total:
        return _epoch_came(state, event.done)
    return state


def _paused(state: TrainingState) -> TrainingState:
    # Said before it heard that it may go on.
    if state.asked == GO_ON or state.activity is not Activity.RUNNING:
        return state
    return replace(state, activity=Activity.PAUSED)


def _stepped(state: TrainingState, event: StepReported) -> TrainingState:
    state = replace(
        _epoch_came(state, event.epoch),
        step=event.step,
        seconds_left=event.seconds_left,
        images_per_second=event.images_per_second,
        learning_rate=event.learning_rate,
    )
    # The step at hand is still told after a pause was asked for; one after that is not.
    if state.activity is Activity.PAUSED and state.asked != PAUSE:
        state = replace(state, activity=Activity.RUNNING)
    return state


def _epoch_came(state: TrainingState, epoch: int) -> TrainingState:
    left = tuple(each for each in state.waiting if each.epoch > epoch)
    return replace(state, epoch=epoch, waiting=left)


def _steered(state: TrainingState, event: Steered) -> TrainingState:
    if event.what in ("pause", "go on"):
        return _held_or_not(state, held=event.what == "pause")
    if state.asked not in (PAUSE, GO_ON):  # those wait for an answer of their own
        state = replace(state, asked="")
    if event.rounds_left is not None:
        state = replace(state, rounds_left=event.rounds_left)
    if event.counts_from is None:
        return replace(state, told=event.text)
    # A second rate takes the place of the first.
    others = tuple(each for each in state.waiting if each.what != event.what)
    waits = Waiting(what=event.what, text=event.text, epoch=event.counts_from)
    return replace(state, waiting=(*others, waits))


def _held_or_not(state: TrainingState, *, held: bool) -> TrainingState:
    if held and state.asked == GO_ON:  # it has not heard yet that it may go on
        return state
    state = replace(state, asked="")
    if state.activity not in (Activity.RUNNING, Activity.PAUSED):
        return state
    return replace(state, activity=Activity.PAUSED if held else Activity.RUNNING)


def _finished(state: TrainingState, event: RunFinished) -> TrainingState:
    return replace(
        state,
        activity=_OUTCOMES[event.outcome],
        message=event.message,
        seconds_left=None,
        changes_wait=False,
        waiting=(),
        asked="",
        told="",
    )


def _noted(state: TrainingState, event: TrainingEvent) -> TrainingState:
    match event:
        case StepSkipped():
            state = _epoch_came(state, event.epoch)
            state = replace(state, step=event.step, skipped=event.count, skipped_why=event.why)
        case RoundFinished():
            waits = state.changes_wait and state.late
            state = replace(
                state,
                round=event.round,
                rounds_left=event.rounds_left,
                changes_wait=waits,
                making_round=False,
                late=False,
            )
        case Validated():
            state = _checked(state, event)
        case CheckpointSaved():
            state = replace(state, resumable=state.run)
            if state.asked == SNAPSHOT:
                told = f"a snapshot was saved at step {event.step}"
                state = replace(state, asked="", told=told)
        case _:  # moves nothing but the silence
            pass
    return state


def _checked(state: TrainingState, event: Validated) -> TrainingState:
    """A check that is told again, after a kill, takes the place of what was said before."""
    earlier = tuple(check for check in state.checks if check.step < event.step)
    check = Check(event.step, event.psnr_mu, event.calibration, event.epoch)
    return replace(state, checks=(*earlier, check), validating=len(event.scenes))


EDITED: Final = "edited plan"  # stands for a preset where a run is started


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """A device as it is offered; bytes are None where the system does not tell."""

    id: str
    title: str
    free_bytes: int | None
    total_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanBook:
    """All that can be planned: every setting, and every preset with its values by dotted key."""

    fields: tuple[PlanField, ...] = ()
    presets: tuple[Preset, ...] = ()
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)  # presets that cannot be read, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningState:
    """What is planned: a preset, and the texts that were typed over its values by dotted key.

    `complaints` and `idle` are clauses by key: what is not allowed, and what does nothing beside
    the rest. `differs` are the keys whose values are not the preset's, in the plan's order.
    `aside` are texts typed over another preset. Of the estimate `estimating` says what is being
    done; `stale` that the plan has changed since.
    """

    book: PlanBook | None = None
    preset: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    aside: Mapping[str, str] = field(default_factory=dict)
    complaints: Mapping[str, str] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)
    differs: tuple[str, ...] = ()
    command: str = ""
    devices: tuple[DeviceLine, ...] = ()
    estimating: str = ""
    estimate: Estimate | None = None
    stale: bool = False
    refused: str = ""  # why there is no estimate
    name_complaint: str = ""  # why a preset cannot be saved under the name that is typed
    told: str = ""  # what became of saving or deleting a preset
    failed: bool = False  # whether `told` is bad news

    @property
    def valid(self) -> bool:
        """Whether a run could be started by it."""
        return self.book is not None and bool(self.preset) and not self.complaints


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFrame:
    """One round of a scene: its retained share in [0, 1] and mean σ, None where not known."""

    round: int
    retained: float | None = None
    sigma: float | None = None

    @property
    def took_no_part(self) -> bool:
        """Whether the scene was not in the pool of that round."""
        return self.retained is None and self.sigma is None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmState:
    """A scene in every round of the newest run, oldest first.

    `pinned` is the scene that stays whichever is looked at; "" follows the one on the screen.
    """

    run: str = ""
    scene: str = ""
    pinned: str = ""
    frames: tuple[FilmFrame, ...] = ()
