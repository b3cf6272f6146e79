"""A run kept on disk as it stands between two steps, and gone on with from there."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.checkpoints import (
    CheckpointInfo,
    drop_checkpoints,
    read_info,
    save_checkpoint,
)
from smarthdr_studio.learning.progress import Progress
from smarthdr_studio.learning.roster import Roster
from smarthdr_studio.learning.rounds import drop_rounds, open_round, round_path
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.schedule import ScheduleChanges


def has_unsaved_progress(run: TrainingRun) -> bool:
    """Whether the state is one that can be saved and is not on disk yet."""
    return run.saved != run.progress and not run.learner.is_changing


def save(run: TrainingRun, *, folder: RunFolder) -> Path:
    """Writes a checkpoint; drops older ones, and old rounds that are more than fit."""
    at = run.progress
    info = CheckpointInfo(
        run=folder.id,
        step=at.step,
        epoch=at.epoch,
        round=at.round,
        network=run.plan.network.name,
        plan=run.plan.model_dump(mode="json"),
        metrics=run.metrics,
    )
    learner = run.learner
    path = save_checkpoint(
        folder.checkpoints,
        info,
        student=learner.student,
        teacher=learner.teacher,
        state=state_of(run),
    )
    run.saved = at
    oldest = drop_checkpoints(folder.path)
    drop_rounds(
        folder.path,
        needed_from=at.round if oldest is None else read_info(oldest).round,
        keep_bytes=run.plan.keep_rounds_mib * 2**20,
    )
    return path


def state_of(run: TrainingRun) -> dict[str, Any]:
    """All but the weights, as plain values and tensors; inside a step, of before the step."""
    return {
        "progress": asdict(run.progress),
        "optimiser": run.learner.optimiser.state_dict(),
        "roster": run.roster.state(project=run.project),
        "metrics": run.metrics,
        "draws": run.draws_before_step or run.draws(),
        "epochs": run.plan.schedule.epochs,
        "changes": asdict(run.changes),
    }


def restore(run: TrainingRun, state: Mapping[str, Any], *, folder: RunFolder) -> None:
    """Continues where `state` was taken; the weights are loaded by the caller."""
    run.progress = Progress(**state["progress"])
    run.learner.optimiser.load_state_dict(state["optimiser"])
    run.metrics = state["metrics"]
    run.changes = ScheduleChanges(**state.get("changes", {}))
    draws = state["draws"]
    run.material.randomness.restore(draws["randomness"])
    if run.roster.labels == Roster.from_state(state["roster"], project=run.project).labels:
        run.labelled.restore(draws["labelled"])
    at, path = run.progress, round_path(folder.path, number=run.progress.round)
    # The round after the last epoch is nobody's to learn from: it shows what came out.
    finished = at.last_round_at == state.get("epochs", -1)
    if at.round and path.is_file() and not finished:
        run.unlabelled = run.material.unlabelled(open_round(path))
        run.unlabelled.restore(draws["unlabelled"])
    elif at.epoch < run.plan.schedule.epochs:
        # Given more epochs, a finished run makes a round of what has been decided since; so does
        # one whose file has gone.
        run.progress = replace(at, last_round_at=None)
    run.saved = run.progress
