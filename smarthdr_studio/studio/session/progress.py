"""What an event of training means for the screen: the next state, and points for the curves."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from smarthdr_studio.core.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    StepSkipped,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.studio.state import Activity, TrainingState
from smarthdr_studio.studio.state.charted import GIB, PERSON, place_of

_OUTCOMES: Final = {
    "done": Activity.DONE,
    "stopped": Activity.STOPPED,
    "failed": Activity.FAILED,
}
_OF_CHECKS: Final = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l", "ause")
_OF_ROUNDS: Final = ("retained", "gates_retained", "patches_retained", "sigma_mean")


class Point(NamedTuple):
    """One value of one line of one chart; x is the step."""

    chart: str
    line: str
    x: float
    y: float


def advanced(state: TrainingState, event: TrainingEvent) -> TrainingState:
    """The state after an event."""
    state = replace(state, silent=False)
    match event:
        case RunStarted():
            state = _started(state, event)
        case PhaseChanged():
            state = _phase_came(state, event)
        case StepReported():
            state = _stepped(state, event)
        case RoundFinished():
            waits = state.changes_wait and state.late
            state = replace(state, round=event.round, changes_wait=waits)
            state = replace(state, making_round=False, late=False)
        case Validated():
            state = replace(state, psnr_mu=event.psnr_mu)
        case CheckpointSaved():
            state = replace(state, resumable=state.run)
        case RunFinished():
            state = _finished(state, event)
    return state


def _phase_came(state: TrainingState, event: PhaseChanged) -> TrainingState:
    state = replace(state, phase=event.text, step=max(state.step, event.step))
    if event.phase == "paused":  # in the middle of whatever it was
        return state
    return replace(state, making_round=event.phase == "labelling")


def points(event: TrainingEvent) -> Iterator[Point]:
    """What an event adds to the curves."""
    match event:
        case StepReported():
            yield from _of_step(event)
        case StepSkipped():
            yield _point("skipped", event.step, event.count)
        case Validated():
            yield from _told(event, _OF_CHECKS)
        case RoundFinished():
            yield from _told(event, _OF_ROUNDS)
            if event.gates_retained is not None:
                yield Point(*PERSON, event.step, event.retained - event.gates_retained)


def _told(event: Validated | RoundFinished, names: tuple[str, ...]) -> Iterator[Point]:
    """Those of the figures that were measured."""
    for name in names:
        value = getattr(event, name)
        if value is not None:
            yield _point(name, event.step, value)


def _of_step(event: StepReported) -> Iterator[Point]:
    step = event.step
    for name, value in event.losses.items():
        yield _point(name, step, value)
    yield _point("learning_rate", step, event.learning_rate)
    yield _point("images_per_second", step, event.images_per_second)
    if event.gradient_norm is not None:
        yield _point("gradient_norm", step, event.gradient_norm)
    if event.distance is not None:
        yield _point("distance", step, event.distance)
    if event.memory_bytes is not None:
        yield _point("memory_bytes", step, event.memory_bytes / GIB)


def _point(series: str, x: float, y: float) -> Point:
    return Point(*place_of(series), x, y)


def _stepped(state: TrainingState, event: StepReported) -> TrainingState:
    return replace(
        state,
        step=event.step,
        epoch=event.epoch,
        seconds_left=event.seconds_left,
        images_per_second=event.images_per_second,
    )


def _finished(state: TrainingState, event: RunFinished) -> TrainingState:
    return replace(
        state,
        activity=_OUTCOMES[event.outcome],
        message=event.message,
        seconds_left=None,
        changes_wait=False,
    )


def _started(state: TrainingState, event: RunStarted) -> TrainingState:
    activity = state.activity if state.activity is Activity.STOPPING else Activity.RUNNING
    return replace(
        state,
        activity=activity,
        run=event.run,
        phase=f"{event.network} on {event.device}",
        step=event.step,
        total_steps=event.total_steps,
        total_epochs=event.total_epochs,
        round=state.round if event.step else 0,
        making_round=False,
        late=False,
    )
