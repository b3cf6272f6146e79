"""A run made ready, new or resumed; whatever can be refused is refused before a file is written."""

from contextlib import ExitStack
from pathlib import Path

import torch

from smarthdr_studio.core.errors import CheckpointError, PlanError, ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.liveness import at_work
from smarthdr_studio.core.plan import TrainingPlan, load_preset, parse_plan
from smarthdr_studio.core.runs import RunFolder, checkpoints_of
from smarthdr_studio.core.steering import take_wishes
from smarthdr_studio.learning.beginning import begin, tell_start
from smarthdr_studio.learning.checkpoints import (
    load_state,
    load_weights_into,
    read_info,
    sweep_drafts,
)
from smarthdr_studio.learning.keeping import restore
from smarthdr_studio.learning.learner import Learner
from smarthdr_studio.learning.material import Material
from smarthdr_studio.learning.perceptual import PerceptualLoss, load_perceptual_loss
from smarthdr_studio.learning.plan_file import write_plan
from smarthdr_studio.learning.predictor import Predictor
from smarthdr_studio.learning.randomness import Randomness
from smarthdr_studio.learning.ranks import Ranks
from smarthdr_studio.learning.roster import Roster, choose_held_out, held_out_count, read_roster
from smarthdr_studio.learning.roster_words import changes
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.runtime import pick_device, pick_precision
from smarthdr_studio.learning.soundness import mended, refuse_damaged
from smarthdr_studio.learning.stock import SceneStock


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
            folder = _there(project, resume)
            _take(folder, ranks=ranks, lock=lock)
            run = _resumed(plan, project, folder=folder, ranks=ranks)
        _refuse_different(run)
        return run, folder
    with ranks.agreeing():
        run = prepare(plan, project, ranks=ranks)
    _refuse_different(run)
    begun = begin(plan, project, roster=run.roster).id if ranks.is_first else ""
    folder = RunFolder(project / "runs" / ranks.told(begun))
    _take(folder, ranks=ranks, lock=lock)
    return run, folder


def _there(project: Path, name: str) -> RunFolder:
    folder = RunFolder(project / "runs" / name)
    if not folder.plan_path.is_file():
        raise CheckpointError(f"{folder.path}: there is no such run; see the runs folder for names")
    return folder


def _take(folder: RunFolder, *, ranks: Ranks, lock: ExitStack) -> None:
    """Only one process at a time writes into a run; what others have left there is cleared away."""
    if ranks.is_first:
        lock.enter_context(at_work(folder.path))
        take_wishes(folder.path)  # of a time in which nobody was there to hear them
        sweep_drafts(folder.path)


def _resumed(plan: TrainingPlan, project: Path, *, folder: RunFolder, ranks: Ranks) -> TrainingRun:
    """The run as its newest checkpoint has it, under a plan that may be a new one."""
    found = checkpoints_of(folder.path)
    if found:
        checkpoint = found[-1]
        state = load_state(checkpoint)
        before = Roster.from_state(state["roster"], project=project)
        run = prepare(plan, project, roster=before, ranks=ranks)
        run.to_tell = changes(before, run.roster)
        load_weights_into(run.learner.student, checkpoint, part="student")
        load_weights_into(run.learner.teacher, checkpoint, part="teacher")
        restore(run, state, folder=folder, before=_plan_of(checkpoint))
    else:  # killed before its first checkpoint: the same seed begins the same run
        run = prepare(plan, project, ranks=ranks)
        if ranks.is_first:  # from what was decided since as well
            tell_start(folder, project, roster=run.roster)
    if ranks.is_first and _written_plan(folder) != plan:
        write_plan(folder.plan_path, plan)
    return run


def _plan_of(checkpoint: Path) -> TrainingPlan | None:
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


def prepare(
    plan: TrainingPlan,
    project: AnyPath,
    *,
    roster: Roster | None = None,
    ranks: Ranks | None = None,
) -> TrainingRun:
    """A run at its first step, nothing on disk; `roster` is that of a run to be resumed.

    A label that is damaged is refused; a resumed run goes on where the project has mended it.
    """
    ranks = ranks or Ranks()
    device = pick_device(plan.device, place=ranks.place)
    precision = pick_precision(device, plan.precision)
    perceptual = _perceptual_loss(plan, device)
    now, scenes, _ = read_roster(project, plan=plan)
    fresh = roster is None
    roster = _first_roster(plan, now) if roster is None else mended(roster, now)
    frames = FrameStore()
    material = Material(
        plan,
        scenes=roster.held_against(scenes),
        frames=frames,
        stock=SceneStock(frames, device=device),
        randomness=Randomness(plan.seed, device=device),
    )
    learner = Learner(
        plan,
        device=device,
        precision=precision,
        perceptual=perceptual,
        start_from=plan.network.start_from if fresh else None,
        ranks=ranks,
    )
    predictor = Predictor(
        network=learner.teacher,
        frames=frames,
        device=device,
        precision=precision,
        tile=plan.tile,
        ranks=ranks,
        arithmetic=learner.computation.arithmetic,
    )
    return TrainingRun(
        plan,
        project=Path(project),
        learner=learner,
        predictor=predictor,
        material=material,
        roster=roster,
    )


def _perceptual_loss(plan: TrainingPlan, device: torch.device) -> PerceptualLoss | None:
    if not plan.loss.perceptual_weight:
        return None
    return load_perceptual_loss(plan.loss.vgg_weights).to(device)


def _first_roster(plan: TrainingPlan, now: Roster) -> Roster:
    """That of a new run, with what it holds out. Raises LabelError where a file is damaged."""
    refuse_damaged(now)
    names = choose_held_out(now.labelled, count=held_out_count(plan, now), seed=plan.seed)
    return now.holding_out(names)


def _refuse_different(run: TrainingRun) -> None:
    """Raises ProjectError where something was decided while the processes read the project."""
    first, *others = run.ranks.shared(run.roster.state(project=run.project))
    if any(other != first for other in others):
        raise ProjectError(
            f"{run.project}: was changed while the processes of the run read it; start them again"
        )
