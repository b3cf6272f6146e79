"""A run made ready, new or resumed; whatever can be refused is refused before a file is written."""

from contextlib import suppress
from pathlib import Path

from smarthdr_studio.core.errors import CheckpointError, ProjectError
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.runs import RunFolder, new_run
from smarthdr_studio.learning.checkpoints import checkpoints_of, load_state, load_weights_into
from smarthdr_studio.learning.keeping import restore
from smarthdr_studio.learning.learner import Learner
from smarthdr_studio.learning.material import Material
from smarthdr_studio.learning.perceptual import load_perceptual_loss
from smarthdr_studio.learning.plan_file import write_plan
from smarthdr_studio.learning.predictor import Predictor
from smarthdr_studio.learning.randomness import Randomness
from smarthdr_studio.learning.roster import Roster, choose_held_out, held_out_count, read_roster
from smarthdr_studio.learning.roster_words import changes
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.runtime import pick_device, pick_precision
from smarthdr_studio.learning.soundness import mended, refuse_damaged
from smarthdr_studio.learning.stock import SceneStock


def open_run(
    plan: TrainingPlan, project: Path, *, resume: str | None
) -> tuple[TrainingRun, RunFolder]:
    """The run and its folder. Raises StudioError of the kind that fits, in one sentence."""
    if resume is None:
        run = prepare(plan, project)
        folder = new_run(project, plan.preset)
        try:
            write_plan(folder.plan_path, plan)
        except ProjectError:
            with suppress(OSError):
                folder.path.rmdir()
            raise
        return run, folder
    folder = RunFolder(project / "runs" / resume)
    if not folder.plan_path.is_file():
        raise CheckpointError(f"{folder.path}: there is no such run; see the runs folder for names")
    found = checkpoints_of(folder.path)
    if not found:  # killed before its first checkpoint: the same seed begins the same run
        return prepare(plan, project), folder
    checkpoint = found[-1]
    state = load_state(checkpoint)
    before = Roster.from_state(state["roster"], project=project)
    run = prepare(plan, project, roster=before)
    run.to_tell = changes(before, run.roster)
    load_weights_into(run.learner.student, checkpoint, part="student")
    load_weights_into(run.learner.teacher, checkpoint, part="teacher")
    restore(run, state, folder=folder)
    return run, folder


def prepare(
    plan: TrainingPlan,
    project: Path,
    *,
    roster: Roster | None = None,
) -> TrainingRun:
    """A run at its first step, nothing on disk; `roster` is that of a run to be resumed.

    A label that is damaged is refused; a resumed run goes on where the project has mended it.
    """
    device = pick_device(plan.device)
    precision = pick_precision(device, plan.precision)
    perceptual = None
    if plan.loss.perceptual_weight:
        perceptual = load_perceptual_loss(plan.loss.vgg_weights).to(device)
    now, scenes, _ = read_roster(project, plan=plan)
    fresh = roster is None
    if roster is None:
        refuse_damaged(now)
        names = choose_held_out(now.labelled, count=held_out_count(plan, now), seed=plan.seed)
        roster = now.holding_out(names)
    else:
        roster = mended(roster, now)
    frames = FrameStore()
    randomness = Randomness(plan.seed, device=device)
    material = Material(
        plan,
        scenes=roster.held_against(scenes),
        frames=frames,
        stock=SceneStock(frames, device=device),
        randomness=randomness,
    )
    learner = Learner(
        plan,
        device=device,
        precision=precision,
        perceptual=perceptual,
        start_from=plan.network.start_from if fresh else None,
    )
    predictor = Predictor(
        network=learner.teacher, frames=frames, device=device, precision=precision, tile=plan.tile
    )
    return TrainingRun(
        plan,
        project=project,
        learner=learner,
        predictor=predictor,
        material=material,
        roster=roster,
    )
