"""Training as a generator: it says what happens as it happens; closing it saves and stops."""

import errno
from collections.abc import Generator
from contextlib import closing, suppress
from pathlib import Path

import torch

from smarthdr_studio.core.errors import DeviceError, ProjectError, StudioError
from smarthdr_studio.core.events import (
    CheckpointSaved,
    Outcome,
    PhaseChanged,
    RunFinished,
    RunStarted,
    TrainingEvent,
)
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.opening import open_run
from smarthdr_studio.learning.rounds import drop_rounds, forget_later
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.run_log import RunLog
from smarthdr_studio.learning.runtime import give_memory_back, use_memory_kindly


def train(
    plan: TrainingPlan, project: Path, *, resume: str | None = None
) -> Generator[TrainingEvent, None, None]:
    """Trains a mean teacher, saying what happens as it happens.

    Nobody asking for the next event is a pause. Closing the iterator saves a checkpoint from which
    `resume` goes on, bit for bit on a CPU; so does an error. After a kill the last checkpoint of
    an epoch serves.

    Args:
        plan: what to do; of a resumed run, the plan in its folder or one that differs in wishes
            such as device or epochs.
        project: the project folder.
        resume: the name of the run to go on with.

    Raises:
        StudioError: one sentence; at the start nothing has been written yet.
    """
    yield PhaseChanged(phase="preparing", text="reading the project and its labels", step=0)
    use_memory_kindly()
    run, folder = open_run(plan, project.expanduser().resolve(), resume=resume)
    forget_later(folder.path, than=run.progress.round)
    log = _begun(run, folder)
    outcome: Outcome = "stopped"
    message = "stopped by the person; resume to go on"
    try:
        with closing(_course(run, folder)) as events:
            for event in events:
                if isinstance(event, RunFinished):
                    outcome = event.outcome
                log.write(event)
                yield event
    except Exception as error:
        outcome, known = "failed", _in_words(error, run=folder.id)
        message = str(known or error)
        if known is None:
            raise
        raise known from error
    finally:
        with closing(log):
            if outcome != "done":
                _save_and_say(run, folder, log=log, outcome=outcome, message=message)
        del run
        give_memory_back()


def _begun(run: TrainingRun, folder: RunFolder) -> RunLog:
    """The log of a run. Raises ProjectError where it cannot be written."""
    try:
        return RunLog(folder.path, step=run.progress.step)
    except OSError as error:
        raise _in_words(error, run=folder.id) or error from error


def _course(run: TrainingRun, folder: RunFolder) -> Generator[TrainingEvent, None, None]:
    """The run from where it stands to its end."""
    yield _started(run, folder)
    epochs = run.plan.schedule.epochs
    while run.progress.epoch < epochs:
        # New pseudo-labels, masked with what the person has decided by now.
        if run.round_is_due():
            yield (yield from run.new_round(folder=folder))

        # One pass over the crops.
        yield _learning(run)
        while run.progress.step_in_epoch < run.steps_in_epoch:
            yield run.take_step()

        # How good is the teacher on labels it never saw?
        if run.validation_is_due():
            yield (yield from run.validate())

        # The epoch is over; a kill from here on costs nothing.
        run.end_epoch()
        if run.checkpoint_is_due():
            yield PhaseChanged(phase="saving", text="saving a checkpoint", step=run.progress.step)
            yield _saved(run, folder)

    # What the finished teacher thinks of every unlabelled scene.
    if run.round_is_due():
        yield (yield from run.new_round(folder=folder))
        yield _saved(run, folder)
    keep_bytes = run.plan.keep_rounds_mib * 2**20
    drop_rounds(folder.path, needed_from=run.progress.round + 1, keep_bytes=keep_bytes)
    yield RunFinished(run=folder.id, outcome="done", step=run.progress.step, message="trained")


def _started(run: TrainingRun, folder: RunFolder) -> RunStarted:
    return RunStarted(
        run=folder.id,
        folder=str(folder.path),
        device=str(run.predictor.device),
        network=run.plan.network.name,
        total_steps=run.total_steps,
        total_epochs=run.plan.schedule.epochs,
        step=run.progress.step,
        labelled=tuple(sorted({*run.roster.labelled, *run.roster.promoted})),
        unlabelled=run.roster.unlabelled,
        held_out=run.roster.held_out,
    )


def _learning(run: TrainingRun) -> PhaseChanged:
    at, epochs = run.progress, run.plan.schedule.epochs
    warming_up = run.learns_from_pseudo_labels and not at.round
    what = "labels only" if run.in_warm_up else "labels and pseudo-labels"
    return PhaseChanged(
        phase="warm-up" if warming_up else "learning",
        text=f"epoch {at.epoch + 1} of {epochs}: learning from {what}",
        step=at.step,
        done=at.epoch,
        total=epochs,
    )


def _saved(run: TrainingRun, folder: RunFolder) -> CheckpointSaved:
    path = run.save(folder=folder)
    return CheckpointSaved(step=run.progress.step, epoch=run.progress.epoch, folder=str(path))


def _save_and_say(
    run: TrainingRun, folder: RunFolder, *, log: RunLog, outcome: Outcome, message: str
) -> None:
    """The last words of a run cut short: nobody listens any more, but the log keeps them."""
    # A disk that is full also refuses this checkpoint; the error that is under way says so.
    with suppress(OSError, RuntimeError, StudioError):
        if run.has_unsaved_progress:
            log.write(_saved(run, folder))
        log.write(
            RunFinished(run=folder.id, outcome=outcome, step=run.progress.step, message=message)
        )


def _in_words(error: Exception, *, run: str) -> StudioError | None:
    """The sentence for a person; None for what only a programmer can mend."""
    text = str(error)
    if isinstance(error, StudioError):
        return error
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text:
        return DeviceError(
            "Out of memory: choose a smaller batch.labelled, batch.unlabelled, batch.crop or tile, "
            f"close other programs, and resume {run}"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ProjectError(f"The disk is full: free some space and resume {run}")
    if isinstance(error, OSError) and error.filename and error.strerror:
        return ProjectError(
            f"{error.filename}: cannot be used ({error.strerror}); allow reading and writing there "
            f"and resume {run}"
        )
    return None
