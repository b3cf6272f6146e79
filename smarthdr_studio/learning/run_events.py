"""What a run says of itself at its turns: begun, in which epoch and stage, changed, done."""

from smarthdr_studio.core.files import file_checksum
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RunFinished,
    RunStarted,
    Steered,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.starter import meant_model
from smarthdr_studio.core.words import counted
from smarthdr_studio.learning.compute import precision_name
from smarthdr_studio.learning.methods import StagedMethod
from smarthdr_studio.learning.train_state import TrainingRun


def run_started(run: TrainingRun, folder: RunFolder) -> RunStarted:
    """The first event of a run, new or resumed."""
    return RunStarted(
        run=folder.id,
        folder=str(folder.path),
        device=str(run.predictor.device),
        network=run.plan.network.name,
        total_steps=run.total_steps,
        total_epochs=run.plan.schedule.epochs,
        step=run.progress.step,
        labelled=tuple(sorted({*run.label_set.labelled, *run.label_set.promoted})),
        unlabelled=run.label_set.unlabelled,
        held_out=run.label_set.held_out,
        precision=precision_name(run.predictor.precision),
        processes=run.ranks.size,
        precision_why=run.precision_why,
    )


def begun_from(run: TrainingRun) -> Steered | None:
    """Whose weights a run begins with; None where it begins anew, or goes on."""
    weights, at = run.plan.network.start_from, run.progress
    if weights is None or at.step:
        return None
    text = f"begins with the weights of {weights} ({file_checksum(meant_model(weights))[:8]})"
    return Steered(step=at.step, epoch=at.epoch, text=text)


def learning_phase(run: TrainingRun) -> PhaseChanged:
    """Which epoch is going on, and what it learns from."""
    at, epochs = run.progress, run.plan.schedule.epochs
    if run.method is not None:
        return _stage_phase(run, run.method)
    warming_up = run.learns_from_pseudo_labels and not at.round
    what = "labels only" if run.in_warm_up else "labels and pseudo-labels"
    return PhaseChanged(
        phase="warm-up" if warming_up else "learning",
        text=f"epoch {at.epoch + 1} of {epochs}: learning from {what}",
        step=at.step,
        done=at.epoch,
        total=epochs,
    )


def _stage_phase(run: TrainingRun, method: StagedMethod) -> PhaseChanged:
    """Which epoch is going on, of which stage."""
    at, epochs, names = run.progress, run.plan.schedule.epochs, method.names
    return PhaseChanged(
        phase="learning",
        text=f"epoch {at.epoch + 1} of {epochs}: stage {at.stage} of {len(names)}, "
        f"{names[at.stage - 1]}",
        step=at.step,
        done=at.epoch,
        total=epochs,
    )


def run_finished(run: TrainingRun, folder: RunFolder) -> RunFinished:
    """The last event of a run that came to its end, by its plan or because it stood still."""
    best, at = run.best, run.progress
    message = "trained"
    if at.epoch < run.plan.schedule.epochs:
        message = f"stopped early after epoch {at.epoch}: no better PSNR-μ in "
        message += counted(best.behind, "check")
        if best.psnr_mu is not None:
            message += f"; the best was epoch {best.epoch + 1} ({best.psnr_mu:.2f} dB)"
    return RunFinished(run=folder.id, outcome="done", step=at.step, message=message)


def plan_changed(run: TrainingRun) -> Steered:
    """What a resumed run does otherwise than before, by setting."""
    at = run.progress
    changes = ", ".join(run.plan_changes)
    return Steered(step=at.step, epoch=at.epoch, text=f"resumed with {changes}")
