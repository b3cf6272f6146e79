"""The course of a run: rounds, epochs, checks and checkpoints, one event after the other."""

from collections.abc import Generator
from dataclasses import replace

from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.events import PhaseChanged, StepSkipped, TrainingEvent
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.compiling import compiled
from smarthdr_studio.learning.due import (
    checkpoint_is_due,
    epoch_is_over,
    last_round_is_due,
    round_is_due,
    run_is_over,
    validation_is_due,
)
from smarthdr_studio.learning.inspection import keep_batch
from smarthdr_studio.learning.rounds import drop_rounds
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.steering import Steering, snapshot
from smarthdr_studio.learning.telling import finished, learning, resumed_with, started


def course(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """The run from where it stands to its end."""
    yield started(run, folder)
    if run.plan_changes:
        yield resumed_with(run)
    yield from compiled(run)
    while not run_is_over(run):
        yield from _epoch(run, folder, steering=steering)

    # What the finished teacher thinks of every unlabelled scene.
    if last_round_is_due(run):
        yield (yield from steering.amid(run.new_round(folder=folder), run, folder))
        yield snapshot(run, folder)
    if run.ranks.is_first:
        keep_bytes = run.plan.keep_rounds_mib * 2**20
        drop_rounds(folder.path, needed_from=run.progress.round + 1, keep_bytes=keep_bytes)
    yield finished(run, folder)


def _epoch(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """One epoch, or what is left of it."""
    # New pseudo-labels, masked with what the person has decided by now.
    if round_is_due(run):
        yield (yield from steering.amid(run.new_round(folder=folder), run, folder))

    # One pass over the crops.
    yield learning(run)
    yield from _steps(run, folder, steering=steering)
    if run.progress.round_wanted and not run.progress.step_in_epoch:
        return  # a round was asked for before the first step: the epoch begins again

    # How good is the teacher on labels it never saw?
    is_best = False
    if validation_is_due(run):
        checked = yield from steering.amid(run.validate(), run, folder)
        is_best = checked.best
        yield checked

    # The epoch is over; a kill from here on costs nothing.
    run.end_epoch()
    if is_best or checkpoint_is_due(run):
        yield PhaseChanged(phase="saving", text="saving a checkpoint", step=run.progress.step)
        yield snapshot(run, folder)


def _steps(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """What is left of the epoch. Raises DeviceError where too many steps taught nothing."""
    while True:
        yield from steering.heed(run, folder)
        if epoch_is_over(run):
            return
        event = run.take_step()
        if isinstance(event, StepSkipped):
            event = _kept(event, run, folder)
            yield event
            _refuse_many(event, run, folder)
        else:
            yield event


def _kept(event: StepSkipped, run: TrainingRun, folder: RunFolder) -> StepSkipped:
    """The event with the file in which its batch lies now."""
    wrong, run.wrong = run.wrong, None
    if wrong is None or not run.ranks.is_first:
        return event
    return replace(event, batch=keep_batch(folder.path, wrong, keep=run.plan.faults.kept_batches))


def _refuse_many(event: StepSkipped, run: TrainingRun, folder: RunFolder) -> None:
    count = run.skipped_in_a_row
    if count <= run.plan.faults.skipped_steps:
        return
    run.skipped_in_a_row = 0  # who resumes has changed something, and may try as often again
    where = event.batch or folder.path
    steps = "1 step" if count == 1 else f"{count} steps in a row"
    raise DeviceError(
        f"{where}: {event.why} in {steps}; set loss.nll_gradient to beta or lower "
        f"schedule.learning_rate, and resume {folder.id}"
    )
