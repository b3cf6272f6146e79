"""What a run says of itself: how it starts, what it is doing, and how it came to its end."""

from smarthdr_studio.core.events import PhaseChanged, RunFinished, RunStarted, Steered
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.run import TrainingRun


def started(run: TrainingRun, folder: RunFolder) -> RunStarted:
    """The first event of a run, new or resumed."""
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


def learning(run: TrainingRun) -> PhaseChanged:
    """Which epoch is going on, and what it learns from."""
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


def finished(run: TrainingRun, folder: RunFolder) -> RunFinished:
    """The last event of a run that came to its end, by its plan or because it stood still."""
    best, at = run.best, run.progress
    message = "trained"
    if at.epoch < run.plan.schedule.epochs:
        message = f"stopped early after epoch {at.epoch}: no better PSNR-μ in {best.behind} checks"
        if best.psnr_mu is not None:
            message += f"; the best was epoch {best.epoch + 1} ({best.psnr_mu:.2f} dB)"
    return RunFinished(run=folder.id, outcome="done", step=at.step, message=message)


def resumed_with(run: TrainingRun) -> Steered:
    """What a resumed run does otherwise than before, by setting."""
    at = run.progress
    changes = ", ".join(run.plan_changes)
    return Steered(step=at.step, epoch=at.epoch, text=f"resumed with {changes}")
