"""A run made ready, new or resumed; whatever can be refused is refused before a file is written.

plan.toml     the plan, as `load_preset` reads it
start.json    last entry of the journal, scenes by their part, thresholds, what is computed in
window.json   a copy of the project's, if it has one
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import torch

from smarthdr_studio.core.errors import CheckpointError, PlanError, ProjectError
from smarthdr_studio.core.files import AnyPath, file_checksum, is_inside, replacing, save_text
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import refuse_without_dataset
from smarthdr_studio.core.records import parse_json, read_json
from smarthdr_studio.core.training.plan import TrainingPlan, load_preset, parse_plan
from smarthdr_studio.core.training.plan_fields import toml
from smarthdr_studio.core.training.plan_schema import flat, nested
from smarthdr_studio.core.training.run_folder import (
    RunFolder,
    checkpoints_of,
    new_run,
    refuse_odd_run,
    run_of,
)
from smarthdr_studio.core.training.run_lock import RunHold, run_lock
from smarthdr_studio.core.training.starter import meant_model
from smarthdr_studio.core.training.steering import take_wishes
from smarthdr_studio.core.trust.masking import masks_as_text
from smarthdr_studio.learning.checkpoints import (
    load_state,
    load_weights_into,
    read_info,
    sweep_drafts,
)
from smarthdr_studio.learning.compute import (
    PRECISIONS,
    PrecisionChoice,
    RandomState,
    choose_by_trial,
    has_bfloat16_arithmetic,
    pick_device,
    pick_precision,
    precision_name,
    release_memory,
    training_shapes,
)
from smarthdr_studio.learning.crops import SceneCache, TrainingData
from smarthdr_studio.learning.distributed import Ranks
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.label_set import (
    LabelSet,
    ProjectLabels,
    choose_held_out,
    held_out_count,
    label_changes,
    read_label_set,
    refuse_changed,
    refuse_damaged,
    with_repaired,
)
from smarthdr_studio.learning.mean_teacher import MeanTeacher
from smarthdr_studio.learning.perceptual import PerceptualLoss, load_perceptual_loss
from smarthdr_studio.learning.saved_state import precision_record, restore_run
from smarthdr_studio.learning.train_state import TrainingRun


def write_plan(path: AnyPath, plan: TrainingPlan) -> None:
    """Every setting, whether it differs from the default or not; whole or not at all.

    Raises ProjectError where it cannot be written.
    """
    save_text(path, toml(nested(flat(plan))))


def create_run(run: TrainingRun) -> RunFolder:
    """A new run's folder with its plan and how the project stands, or none of it.

    Raises ProjectError.
    """
    folder = new_run(run.project, run.plan.preset)
    try:
        write_plan(folder.plan_path, run.plan)
        write_start(folder, run)
    except ProjectError:
        with suppress(OSError):
            shutil.rmtree(folder.path)
        raise
    return folder


def write_start(folder: RunFolder, run: TrainingRun) -> None:
    """How the project stands, for a run that is at its first step. Raises ProjectError."""
    told = _start_record(run.label_set, run.project) | {_PRECISION: precision_record(run)}
    told |= {"material": run.plan.material, **_begun_with(run.plan)}
    try:
        with replacing(folder.start_path) as draft:
            draft.write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")
        window = run.project / folder.window_path.name
        if window.is_file() and is_inside(run.project, window):
            with replacing(folder.window_path) as draft:
                shutil.copyfile(window, draft)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{folder.path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None


def _start_record(label_set: LabelSet, project: Path) -> dict[str, Any]:
    return {
        "journal": label_set.journal,
        "labelled": list(label_set.labelled),
        "promoted": {
            name: file.path.relative_to(project).as_posix()
            for name, file in sorted(label_set.promoted.items())
        },
        "unlabelled": list(label_set.unlabelled),
        "held_out": list(label_set.held_out),
        "masks": parse_json(masks_as_text(label_set.masks)),
    }


def _begun_with(plan: TrainingPlan) -> dict[str, str]:
    """Which weights the run begins with, by the hash of their file; nothing where it is anew."""
    weights = plan.network.start_from
    if weights is None:
        return {}
    return {"start_from": str(weights), "start_from_sha256": file_checksum(meant_model(weights))}


def open_run(
    plan: TrainingPlan,
    project: AnyPath,
    *,
    resume: str | None,
    ranks: Ranks | None = None,
    lock: ExitStack | None = None,
) -> tuple[TrainingRun, RunFolder]:
    """The run and its folder, which is held for this process until `lock` is closed.

    A run that another process has is refused before anything is read. Raises StudioError of the
    kind that fits, in one sentence.
    """
    project = Path(project)
    ranks, lock = ranks or Ranks(), lock or ExitStack()
    if resume is not None:
        with ranks.agreeing():
            folder = _existing_folder(project, resume)
            hold = _lock_folder(folder, ranks=ranks, lock=lock)
            run, before = _resume_run(plan, project, folder=folder, ranks=ranks)
            run.hold = hold
        _refuse_different(run)
        settle_precision(run, before=before)
        with ranks.agreeing():
            if ranks.is_first:
                _write_resumed(run, folder)
        return run, folder
    with ranks.agreeing():
        run = prepare_run(plan, project, ranks=ranks)
    _refuse_different(run)
    settle_precision(run)
    begun = create_run(run).id if ranks.is_first else ""
    folder = run_of(project, ranks.told(begun))
    run.hold = _lock_folder(folder, ranks=ranks, lock=lock)
    return run, folder


def _existing_folder(project: Path, name: str) -> RunFolder:
    folder = run_of(project, name)
    refuse_odd_run(project, name)
    if not folder.plan_path.is_file():
        raise CheckpointError(f"{folder.path}: there is no such run; see the runs folder for names")
    return folder


def _lock_folder(folder: RunFolder, *, ranks: Ranks, lock: ExitStack) -> RunHold:
    """Only one process at a time writes into a run; what others have left there is cleared away."""
    if not ranks.is_first:
        return RunHold()
    hold = lock.enter_context(run_lock(folder.path))
    take_wishes(folder.path)  # of a time in which nobody was there to hear them
    sweep_drafts(folder.path)
    return hold


def _resume_run(
    plan: TrainingPlan, project: Path, *, folder: RunFolder, ranks: Ranks
) -> tuple[TrainingRun, Mapping[str, Any]]:
    """The run as its newest checkpoint has it, under a plan that may be a new one; and its state.

    Killed before its first checkpoint, it begins anew: the same seed begins the same run. What it
    was started with is its state then.
    """
    found = checkpoints_of(folder.path)
    if found:
        checkpoint = found[-1]
        state = load_state(checkpoint)
        before = LabelSet.from_state(state["roster"], project=project)
        run = prepare_run(plan, project, label_set=before, ranks=ranks)
        run.to_tell = label_changes(before, run.label_set)
        load_weights_into(run.learner.student, checkpoint, part="student")
        load_weights_into(run.learner.teacher, checkpoint, part="teacher")
        restore_run(run, state, folder=folder, before=_checkpoint_plan(checkpoint))
        return run, state
    return prepare_run(plan, project, ranks=ranks), _started_with(folder)


def _write_resumed(run: TrainingRun, folder: RunFolder) -> None:
    """What differs from before, in the run's folder. Raises ProjectError."""
    if not checkpoints_of(folder.path):  # it begins from what was decided since as well
        write_start(folder, run)
    if _written_plan(folder) != run.plan:
        write_plan(folder.plan_path, run.plan)


def _started_with(folder: RunFolder) -> Mapping[str, Any]:
    """What the run wrote when it was started, as far as that can be read."""
    try:
        told = read_json(folder.start_path)
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _checkpoint_plan(checkpoint: Path) -> TrainingPlan | None:
    """The plan of then, None of a version that had other settings."""
    try:
        return parse_plan(read_info(checkpoint).plan)
    except PlanError:
        return None


def _written_plan(folder: RunFolder) -> TrainingPlan | None:
    try:
        return load_preset(str(folder.plan_path))
    except PlanError:
        return None


def prepare_run(
    plan: TrainingPlan,
    project: AnyPath,
    *,
    label_set: LabelSet | None = None,
    ranks: Ranks | None = None,
) -> TrainingRun:
    """A run at its first step, nothing on disk; `label_set` is that of a run to be resumed.

    A label that is damaged is refused; a resumed run goes on where the project has mended it.
    Pictures that are others than the project knows are refused until somebody has accepted them.
    """
    ranks = ranks or Ranks()
    device = pick_device(plan.device, place=ranks.place)
    precision = pick_precision(device, plan.precision)
    now, scenes, _, pictures = _labels_now(project, plan)
    before = label_set
    label_set = _first_label_set(plan, now) if before is None else with_repaired(before, now)
    frames = FrameStore()
    material = TrainingData(
        plan,
        scenes=label_set.held_against(scenes),
        pictures=pictures.marks,
        frames=frames,
        stock=SceneCache(frames, device=device),
        randomness=RandomState(plan.seed, device=device),
    )
    learner = MeanTeacher(
        plan,
        device=device,
        precision=precision,
        perceptual=_perceptual_loss(plan, device),
        start_from=plan.network.start_from if before is None else None,
        ranks=ranks,
    )
    run = TrainingRun(
        plan,
        project=Path(project),
        learner=learner,
        predictor=_teacher_of(learner, plan, device=device, frames=frames, ranks=ranks),
        material=material,
        label_set=label_set,
    )
    if before is not None:
        run.changes_wait = bool(label_changes(label_set, now.holding_out(label_set.held_out)))
    return run


def _teacher_of(
    learner: MeanTeacher,
    plan: TrainingPlan,
    *,
    device: torch.device,
    frames: FrameStore,
    ranks: Ranks,
) -> Predictor:
    return Predictor(
        network=learner.teacher,
        frames=frames,
        device=device,
        precision=learner.computation.precision,
        tile=plan.tile,
        ranks=ranks,
        arithmetic=learner.computation.arithmetic,
    )


def _labels_now(project: AnyPath, plan: TrainingPlan) -> ProjectLabels:
    """What the project says now.

    Raises LabelError where pictures changed and nobody said yes, and ProjectError where the whole
    dataset is not where the project knows it.
    """
    read = read_label_set(project, plan=plan)
    if read.pictures.gone:
        with Project.open(project) as opened:
            refuse_without_dataset(opened)
    refuse_changed(read.pictures)
    return read


_PRECISION: Final = "precision"  # the record's key, in start.json and in the state of a checkpoint
_SLOW: Final = (
    "as the run was begun, although this processor has no bfloat16 arithmetic; "
    "precision float32 would be faster"
)


def settle_precision(run: TrainingRun, *, before: Mapping[str, Any] | None = None) -> None:
    """What the run computes in where its plan leaves that open: as it was begun, or by a trial.

    A GPU is asked each time anew, as nothing computed there can be the same elsewhere. All
    processes of a run call it, and agree.

    Args:
        run: before its first step, or restored.
        before: of a run that goes on, what it saved; of an older version it says nothing of this,
            and the run computes as that did.
    """
    if run.plan.precision != "auto":
        return
    choice = PrecisionChoice(precision=run.predictor.precision, why="")
    if run.predictor.device.type == "cpu" and (before is None or _PRECISION in before):
        choice = _recorded_choice((before or {}).get(_PRECISION)) or _tried(run)
    shared = run.ranks.shared(precision_name(choice.precision))
    if choice.precision is torch.bfloat16 and "float32" in shared:
        choice = PrecisionChoice(
            precision=torch.float32, why="bfloat16 is not faster in every process of the run"
        )
    run.compute_in(choice.precision, why=choice.why)


def _recorded_choice(record: object) -> PrecisionChoice | None:
    """What `saved_state.precision_record` says, where it was chosen for a processor too."""
    match record:
        case {"wish": "auto", "device": "cpu", "precision": str(name)} if name in PRECISIONS:
            slow = name == "bfloat16" and not has_bfloat16_arithmetic()
            return PrecisionChoice(precision=PRECISIONS[name], why=_SLOW if slow else "")
    return None


def _tried(run: TrainingRun) -> PrecisionChoice:
    timer = run.learner.computation.time_pass
    choice = choose_by_trial(timer, training_shapes(run.plan))
    release_memory()
    return choice


def _perceptual_loss(plan: TrainingPlan, device: torch.device) -> PerceptualLoss | None:
    if not plan.loss.perceptual_weight:
        return None
    return load_perceptual_loss(plan.loss.vgg_weights).to(device)


def _first_label_set(plan: TrainingPlan, now: LabelSet) -> LabelSet:
    """That of a new run, with what it holds out. Raises LabelError where a file is damaged."""
    refuse_damaged(now)
    names = choose_held_out(now.labelled, count=held_out_count(plan, now), seed=plan.seed)
    return now.holding_out(names)


def _refuse_different(run: TrainingRun) -> None:
    """Raises ProjectError where something was decided while the processes read the project."""
    first, *others = run.ranks.shared(run.label_set.state(project=run.project))
    if any(other != first for other in others):
        raise ProjectError(
            f"{run.project}: was changed while the processes of the run read it; start them again"
        )
