"""How a run stands after an event, with what was asked of it and what waits for its time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from smarthdr_studio.core.training.events import (
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
from smarthdr_studio.core.training.run_folder import Check
from smarthdr_studio.studio.state import Activity, TrainingState, Waiting
from smarthdr_studio.studio.state.chart_names import PERSON, in_unit, place_of
from smarthdr_studio.studio.state.training import GO_ON, PAUSE, SNAPSHOT

_OUTCOMES: Final = {
    "done": Activity.DONE,
    "stopped": Activity.STOPPED,
    "failed": Activity.FAILED,
}
_OF_CHECKS: Final = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l", "ause", "calibration")
_OF_ROUNDS: Final = ("retained", "gates_retained", "patches_retained", "sigma_mean", "gap")


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
            state = _with_phase(state, event)
        case StepReported():
            state = _with_step(state, event)
        case RoundFinished():
            waits = state.changes_wait and state.late
            state = replace(state, round=event.round, changes_wait=waits)
            state = replace(state, making_round=False, late=False)
        case Validated():
            state = _checked(state, event)
        case CheckpointSaved():
            state = replace(state, resumable=state.run)
        case RunFinished():
            state = _finished(state, event)
        case _:  # moves nothing but the silence
            pass
    return state


def _checked(state: TrainingState, event: Validated) -> TrainingState:
    """A check that is told again, after a kill, takes the place of what was said before."""
    earlier = tuple(check for check in state.checks if check.step < event.step)
    check = Check(event.step, event.psnr_mu, event.calibration, event.epoch)
    return replace(state, checks=(*earlier, check), validating=len(event.scenes))


def _with_phase(state: TrainingState, event: PhaseChanged) -> TrainingState:
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
                share = event.retained - event.gates_retained
                yield Point(*PERSON, event.step, share * in_unit(PERSON))
        case RunStarted() | PhaseChanged() | Steered() | CheckpointSaved() | RunFinished():
            pass


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
        yield _point("memory_bytes", step, event.memory_bytes)


def _point(series: str, x: float, y: float) -> Point:
    place = place_of(series)
    return Point(*place, x, y * in_unit(place))


def _with_step(state: TrainingState, event: StepReported) -> TrainingState:
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
        checks=tuple(check for check in state.checks if check.step <= event.step),
        making_round=False,
        late=False,
    )


def after(state: TrainingState, event: TrainingEvent) -> TrainingState:
    """The state after an event of its run."""
    before, state = state, advanced(state, event)
    match event:
        case RunStarted():
            return replace(state, waiting=(), told="", past=False)
        case PhaseChanged():
            return _phase_came(state, event, before=before)
        case StepReported():
            return _stepped(state, event)
        case Steered():
            return _steered(state, event)
        case RunFinished():
            return replace(state, waiting=(), asked="", told="")
        case _:
            return _noted(state, event)


def _noted(state: TrainingState, event: TrainingEvent) -> TrainingState:
    if isinstance(event, StepSkipped):
        state = _epoch_came(state, event.epoch)
        return replace(state, step=event.step, skipped=event.count, skipped_why=event.why)
    if isinstance(event, CheckpointSaved) and state.asked == SNAPSHOT:
        return replace(state, asked="", told=f"a snapshot was saved at step {event.step}")
    return state


def _phase_came(
    state: TrainingState, event: PhaseChanged, *, before: TrainingState
) -> TrainingState:
    if event.phase == "paused":
        return _paused(replace(state, phase=before.phase))
    if event.phase in ("warm-up", "learning") and event.total:
        return _epoch_came(state, event.done)
    return state


def _paused(state: TrainingState) -> TrainingState:
    # Said before it heard that it may go on.
    if state.asked == GO_ON or state.activity is not Activity.RUNNING:
        return state
    return replace(state, activity=Activity.PAUSED)


def _stepped(state: TrainingState, event: StepReported) -> TrainingState:
    state = replace(_epoch_came(state, event.epoch), learning_rate=event.learning_rate)
    # The step at hand is still told after a pause was asked for; one after that is not.
    if state.activity is Activity.PAUSED and state.asked != PAUSE:
        state = replace(state, activity=Activity.RUNNING)
    return state


def _epoch_came(state: TrainingState, epoch: int) -> TrainingState:
    left = tuple(each for each in state.waiting if each.epoch > epoch)
    return replace(state, epoch=epoch, waiting=left)


def _held_or_not(state: TrainingState, *, held: bool) -> TrainingState:
    if held and state.asked == GO_ON:  # it has not heard yet that it may go on
        return state
    state = replace(state, asked="")
    if state.activity not in (Activity.RUNNING, Activity.PAUSED):
        return state
    return replace(state, activity=Activity.PAUSED if held else Activity.RUNNING)


def _steered(state: TrainingState, event: Steered) -> TrainingState:
    if event.what in ("pause", "go on"):
        return _held_or_not(state, held=event.what == "pause")
    if state.asked not in (PAUSE, GO_ON):  # those wait for an answer of their own
        state = replace(state, asked="")
    if event.counts_from is None:
        return replace(state, told=event.text)
    # A second rate takes the place of the first.
    others = tuple(each for each in state.waiting if each.what != event.what)
    waits = Waiting(what=event.what, text=event.text, epoch=event.counts_from)
    return replace(state, waiting=(*others, waits))
