"""A training run is saved between two steps, and goes on from there as if nothing had happened."""

import errno
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.plan_schema import flat
from smarthdr_studio.core.training.round_files import drop_rounds, round_path
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.adaptive_thresholds import RunningScores
from smarthdr_studio.learning.checkpoints import (
    CheckpointInfo,
    drop_checkpoints,
    read_info,
    save_checkpoint,
)
from smarthdr_studio.learning.compute import precision_name
from smarthdr_studio.learning.label_set import LabelSet
from smarthdr_studio.learning.methods import drop_remade
from smarthdr_studio.learning.pseudo_labelling import open_round
from smarthdr_studio.learning.schedule import BestValidation, Progress, ScheduleChanges
from smarthdr_studio.learning.train_state import Gap, TrainingRun, restore_order


def has_unsaved_progress(run: TrainingRun) -> bool:
    """Whether the state is one that can be saved and is not on disk yet."""
    return run.saved != _moment(run) and not run.learner.is_changing


def save_run(run: TrainingRun, *, folder: RunFolder) -> Path:
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
        frames=next((each.reading.words for each in run.material.scenes.values()), ""),
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
    saved = info if oldest is None else read_info(oldest)
    drop_rounds(folder.path, needed_from=saved.round, keep_bytes=run.plan.keep_rounds_mib * 2**20)
    if run.method is not None:
        drop_remade(folder.path, run.method.stages, needed_from=saved.epoch)
    return path


def state_of(run: TrainingRun) -> dict[str, Any]:
    """All but the weights, as plain values and tensors; inside a step, of before the step."""
    return {
        "progress": asdict(run.progress),
        "optimiser": run.learner.optimiser.state_dict(),
        # The name that the first runs gave it, so that they are gone on with.
        "roster": run.label_set.state(project=run.project),
        "metrics": run.metrics,
        "draws": run.draws_before_step or run.draws(),
        "epochs": run.plan.schedule.epochs,
        "changes": asdict(run.changes),
        "best": asdict(run.best),
        "gap": asdict(run.gap),
        **_running_state(run),
        "skipped": [run.skipped, run.skipped_in_a_row],
        "precision": precision_record(run),
    }


def _running_state(run: TrainingRun) -> dict[str, Any]:
    """Scores that thresholds follow from; nothing where the plan does not ask for them."""
    return {} if run.running_scores is None else {"scores": asdict(run.running_scores)}


def precision_record(run: TrainingRun) -> dict[str, str]:
    """What the run computes in, on what kind of device, and what its plan says to it."""
    return {
        "precision": precision_name(run.predictor.precision),
        "device": run.predictor.device.type,
        "wish": run.plan.precision,
    }


def restore_run(
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
    run.gap = Gap(**state.get("gap", {}))
    run.running_scores = RunningScores.from_state(state.get("scores"))
    _restore_choices(run, state, before=before or run.plan)
    draws = state["draws"]
    run.material.randomness.restore(draws["randomness"])
    before_labels = LabelSet.from_state(state["roster"], project=run.project).labels
    if run.labelled is not None and run.label_set.labels == before_labels:
        restore_order(run.labelled, draws["labelled"])
    at, path = run.progress, round_path(folder.path, number=run.progress.round)
    # The round after the last epoch is nobody's to learn from: it shows what came out.
    finished = at.last_round_at == state.get("epochs", -1)
    in_use = at.last_round_at is not None and draws["unlabelled"] is not None
    if run.learns_from_pseudo_labels and at.round and in_use and path.is_file() and not finished:
        run.unlabelled = run.material.unlabelled(open_round(path))
        restore_order(run.unlabelled, draws["unlabelled"])
    elif at.epoch < run.plan.schedule.epochs:
        # Given more epochs, a finished run makes a round of what has been decided since; so does
        # one whose file has gone.
        run.progress = replace(at, last_round_at=None)
    if at.epoch < run.plan.schedule.epochs:
        run.go_on_in_stage(draws, folder=folder)
    run.saved = _moment(run)


def _restore_choices(run: TrainingRun, state: Mapping[str, Any], *, before: TrainingPlan) -> None:
    """What was best and what was asked, as far as a new plan leaves it standing."""
    now, then = flat(run.plan), flat(before)
    new = [key for key in now if now[key] != then.get(key) and key != "device"]
    run.plan_changes = tuple(f"{key} {now[key]}, was {then.get(key)}" for key in new)
    settings = [key.removeprefix("schedule.") for key in new]
    run.changes = ScheduleChanges(**state.get("changes", {})).unless(settings)
    run.best = BestValidation(**state.get("best", {}))
    if run.plan.schedule.epochs > state.get("epochs", 0):
        run.best = replace(run.best, behind=0)  # whoever wants more epochs gets them


def _moment(run: TrainingRun) -> tuple[object, ...]:
    """What tells two moments of a run apart."""
    return run.progress, run.changes, run.best
