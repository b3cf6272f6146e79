"""What an event of training means for the screen: the next state, and points for the curves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from smarthdr_studio.core.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.studio.state import Activity, TrainingState

_OUTCOMES: Final = {
    "done": Activity.DONE,
    "stopped": Activity.STOPPED,
    "failed": Activity.FAILED,
}


# The chart and the name of each term, as the method writes them: s labelled, u unlabelled;
# r reconstruction, v perceptual, k judge. Likelihoods fall below 0 and would flatten the others.
_TERMS: Final = {
    "labelled_reconstruction": ("fit", "Lₛʳ"),
    "labelled_perceptual": ("fit", "Lₛᵛ"),
    "labelled_nll": ("likelihood", "Lₛᵏ"),
    "unlabelled_reconstruction": ("fit", "Lᵤʳ"),
    "unlabelled_perceptual": ("fit", "Lᵤᵛ"),
    "unlabelled_nll": ("likelihood", "Lᵤᵏ"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
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
            state = replace(state, phase=event.text, step=max(state.step, event.step))
        case StepReported():
            state = _stepped(state, event)
        case RoundFinished():
            state = replace(state, round=event.round, changes_wait=False)
        case Validated():
            state = replace(state, psnr_mu=event.psnr_mu)
        case CheckpointSaved():
            state = replace(state, resumable=state.run)
        case RunFinished():
            state = _finished(state, event)
    return state


def points(event: TrainingEvent) -> Iterator[Point]:
    """What an event adds to the curves."""
    match event:
        case StepReported():
            for name, value in event.losses.items():
                chart, line = _TERMS.get(name, ("likelihood", name))
                yield Point(chart=chart, line=line, x=event.step, y=value)
        case Validated():
            yield Point(chart="psnr", line="PSNR-μ", x=event.step, y=event.psnr_mu)
        case RoundFinished():
            yield Point(chart="kept", line="pixels", x=event.step, y=event.retained)
            yield Point(chart="kept", line="patches", x=event.step, y=event.patches_retained)
            yield Point(chart="sigma", line="mean σ", x=event.step, y=event.sigma_mean)


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
    )
