"""A run kept on disk as it stands between two steps, and gone on with from there."""

import errno
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.plan_schema import flat
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.best import Best
from smarthdr_studio.learning.checkpoints import (
    CheckpointInfo,
    drop_checkpoints,
    read_info,
    save_checkpoint,
)
from smarthdr_studio.learning.crops import CropSet
from smarthdr_studio.learning.progress import Progress
from smarthdr_studio.learning.roster import Roster
from smarthdr_studio.learning.rounds import drop_rounds, open_round, round_path
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.schedule import ScheduleChanges


def has_unsaved_progress(run: TrainingRun) -> bool:
    """Whether the state is one that can be saved and is not on disk yet."""
    return run.saved != _moment(run) and not run.learner.is_changing


def save(run: TrainingRun, *, folder: RunFolder) -> Path:
    """Writes a checkpoint; drops older ones, and old rounds that are more than fit.

    Of several processes only the first does. Raises OSError where the disk is full or the run's
    folder is gone.
    """
    at = run.progress
    if not run.ranks.is_first:
        run.saved = _moment(run)
        return folder.checkpoints
    if not folder.path.is_dir():  # never made anew in a place from which a project was taken
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder.path))
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
    run.saved = _moment(run)
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
        "best": asdict(run.best),
        "skipped": [run.skipped, run.skipped_in_a_row],
    }


def restore(
    run: TrainingRun,
    state: Mapping[str, Any],
    *,
    folder: RunFolder,
    before: TrainingPlan | None = None,
) -> None:
    """Continues where `state` was taken; the weights are loaded by the caller.

    `before` is the plan of then, if it is known; that of `run` may be another.
    """
    run.progress = Progress(**state["progress"])
    run.learner.optimiser.load_state_dict(state["optimiser"])
    run.metrics = state["metrics"]
    run.skipped, run.skipped_in_a_row = state.get("skipped", (0, 0))
    _take_over_choices(run, state, before=before or run.plan)
    draws = state["draws"]
    run.material.randomness.restore(draws["randomness"])
    if run.roster.labels == Roster.from_state(state["roster"], project=run.project).labels:
        _go_on_drawing(run.labelled, draws["labelled"])
    at, path = run.progress, round_path(folder.path, number=run.progress.round)
    # The round after the last epoch is nobody's to learn from: it shows what came out.
    finished = at.last_round_at == state.get("epochs", -1)
    in_use = at.last_round_at is not None and draws["unlabelled"] is not None
    if run.learns_from_pseudo_labels and at.round and in_use and path.is_file() and not finished:
        run.unlabelled = run.material.unlabelled(open_round(path))
        _go_on_drawing(run.unlabelled, draws["unlabelled"])
    elif at.epoch < run.plan.schedule.epochs:
        # Given more epochs, a finished run makes a round of what has been decided since; so does
        # one whose file has gone.
        run.progress = replace(at, last_round_at=None)
    run.saved = _moment(run)


def _take_over_choices(run: TrainingRun, state: Mapping[str, Any], *, before: TrainingPlan) -> None:
    """What was best and what was asked, as far as a new plan leaves it standing."""
    now, then = flat(run.plan), flat(before)
    new = [key for key in now if now[key] != then.get(key) and key != "device"]
    run.plan_changes = tuple(f"{key} {now[key]}, was {then.get(key)}" for key in new)
    settings = [key.removeprefix("schedule.") for key in new]
    run.changes = ScheduleChanges(**state.get("changes", {})).unless(settings)
    run.best = Best(**state.get("best", {}))
    if run.plan.schedule.epochs > state.get("epochs", 0):
        run.best = replace(run.best, behind=0)  # whoever wants more epochs gets them


def _go_on_drawing(crops: CropSet, state: Mapping[str, Any]) -> None:
    """A pass goes on where it was, if it was one over as many crops; else a new one begins."""
    if len(state["order"]) in (0, len(crops)):
        crops.restore(state)


def _moment(run: TrainingRun) -> tuple[object, ...]:
    """What tells two moments of a run apart."""
    return run.progress, run.changes, run.best
