"""The course of a run: rounds, epochs, checks and checkpoints, one event after the other."""

from collections.abc import Generator

from smarthdr_studio.core.events import (
    PhaseChanged,
    RunFinished,
    RunStarted,
    TrainingEvent,
)
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.rounds import drop_rounds
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.steering import Steering, snapshot


def course(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """The run from where it stands to its end."""
    yield _started(run, folder)
    epochs = run.plan.schedule.epochs
    while run.progress.epoch < epochs:
        # New pseudo-labels, masked with what the person has decided by now.
        if run.round_is_due():
            yield (yield from run.new_round(folder=folder))

        # One pass over the crops.
        yield _learning(run)
        while True:
            yield from steering.heed(run, folder)
            if run.epoch_is_over:
                break
            yield run.take_step()

        # How good is the teacher on labels it never saw?
        if run.validation_is_due():
            yield (yield from run.validate())

        # The epoch is over; a kill from here on costs nothing.
        run.end_epoch()
        if run.checkpoint_is_due():
            yield PhaseChanged(phase="saving", text="saving a checkpoint", step=run.progress.step)
            yield snapshot(run, folder)

    # What the finished teacher thinks of every unlabelled scene.
    if run.round_is_due():
        yield (yield from run.new_round(folder=folder))
        yield snapshot(run, folder)
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
        precision=str(run.predictor.precision).removeprefix("torch."),
        processes=run.ranks.size,
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
