"""How a run stands after an event, with what was asked of it and what waits for its time."""

from dataclasses import replace
from typing import Final

from smarthdr_studio.core.events import (
    CheckpointSaved,
    PhaseChanged,
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    StepSkipped,
    TrainingEvent,
)
from smarthdr_studio.studio.session.progress import advanced
from smarthdr_studio.studio.state import Activity, TrainingState, Waiting
from smarthdr_studio.studio.state.training import GO_ON, PAUSE, SNAPSHOT

_PAUSES: Final = frozenset({"paused", "goes on"})  # what a run says of its own pauses


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
    if event.text in _PAUSES:
        return _held_or_not(state, held=event.text == "paused")
    if state.asked not in (PAUSE, GO_ON):  # those wait for an answer of their own
        state = replace(state, asked="")
    when = f"from epoch {event.epoch + 2} on"  # epochs are told from 1
    if when not in event.text:
        return replace(state, told=event.text)
    kind = event.text.partition(" ")[0]  # a second rate takes the place of the first
    others = tuple(each for each in state.waiting if each.text.partition(" ")[0] != kind)
    return replace(state, waiting=(*others, Waiting(text=event.text, epoch=event.epoch + 1)))
