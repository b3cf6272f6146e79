"""How good a model is, beside the plain merge, and whether its doubt is any good."""

from collections.abc import Generator, Sequence
from pathlib import Path

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import BadScene, CheckpointError, ProjectError, UnreadableImage
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.label_files import check_label
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.quality import quality
from smarthdr_studio.core.radiance import exposure_weighted_merge
from smarthdr_studio.core.reliability import error_map, reliability
from smarthdr_studio.learning.checkpoints import latest_checkpoint, load_state
from smarthdr_studio.learning.kept_evaluations import (
    Evaluation,
    SceneEvaluation,
    Split,
    fingerprint,
    keep,
    kept,
)
from smarthdr_studio.learning.model_files import find_model, is_bundle, read_card
from smarthdr_studio.learning.opinion import ask, load_predictor
from smarthdr_studio.learning.predictor import Predictor, Said

__all__ = ["Evaluation", "SceneEvaluation", "Split", "evaluate", "evaluate_scene", "kept_figures"]


def evaluate(
    project: AnyPath,
    *,
    model: AnyPath | None = None,
    split: Split = "test",
    device: str = "auto",
    again: bool = False,
    said: Said | None = None,
) -> Generator[PhaseChanged | Evaluation, None, None]:
    """Says how far it is, and last the `Evaluation`; that of a checkpoint is kept in its run.

    Args:
        project: the project folder.
        model: a checkpoint, a run (its best checkpoint) or a bundle; None is the newest checkpoint.
        split: test scenes, labels the checkpoint's run never learned from, or unlabelled scenes;
            of all only those with a ground truth.
        device: as a plan says it ("auto", "cpu", "cuda:1", …).
        again: measure also where figures of the same weights and files are kept.
        said: hears between tiles how many of how many are done; it may raise to give up.

    Raises:
        CheckpointError, ProjectError, DeviceError: one sentence with the remedy.
        LabelError: a ground truth that was brought is damaged.
        BadScene, UnreadableImage: no scene at all could be read.
    """
    project = Path(project)
    model = None if model is None else Path(model)
    yield PhaseChanged(phase="preparing", text="loading the teacher", step=0)
    found, scenes = _asked_for(project, model, split)
    card = read_card(found)
    mark = fingerprint(card, scenes)
    known = None if again else kept(project, found, split=split, mark=mark)
    if known is not None:
        yield known
        return
    predictor = load_predictor(found, device=device, frames=FrameStore())
    results: list[SceneEvaluation] = []
    problems: list[BadScene | UnreadableImage] = []
    for done, scene in enumerate(scenes):
        yield PhaseChanged(
            phase="validating",
            text=f"evaluating scene {done + 1} of {len(scenes)}",
            step=card.step,
            done=done,
            total=len(scenes),
        )
        try:
            results.append(evaluate_scene(predictor, scene, said=said))
        except (BadScene, UnreadableImage) as error:
            problems.append(error)
    if not results:
        raise problems[0]
    figures = Evaluation(
        checkpoint=str(found),
        split=split,
        scenes=tuple(results),
        run=card.run,
        step=card.step,
        problems=tuple(map(str, problems)),
    )
    keep(project, found, figures, mark=mark)
    yield figures


def kept_figures(project: AnyPath, model: AnyPath, *, split: Split) -> Evaluation | None:
    """What was measured before of the same weights and files, without measuring.

    Raises CheckpointError, ProjectError, LabelError as `evaluate` does.
    """
    project = Path(project)
    model = Path(model)
    found, scenes = _asked_for(project, model, split)
    return kept(project, found, split=split, mark=fingerprint(read_card(found), scenes))


def evaluate_scene(
    predictor: Predictor, scene: Scene, *, said: Said | None = None
) -> SceneEvaluation:
    """All figures of one scene that has a ground truth."""
    hdr, sigma = ask(predictor, scene, said=said)
    truth = predictor.frames.ground_truth(scene)
    bracket = predictor.frames.bracket(scene)
    merged = exposure_weighted_merge(bracket.frames, stops=bracket.stops)
    return SceneEvaluation(
        id=scene.id,
        teacher=quality(hdr, truth),
        merge=quality(merged, truth),
        reliability=reliability(sigma, error_map(hdr, truth)),
    )


def _asked_for(project: Path, model: Path | None, split: Split) -> tuple[Path, Sequence[Scene]]:
    """The checkpoint or bundle that is meant, and the scenes it is held against."""
    found = model or latest_checkpoint(project)
    if found is None:
        raise CheckpointError(f"{project}: no run has a checkpoint yet; train first")
    found = find_model(found)
    return found, _scenes(project, split=split, model=found)


def _scenes(folder: Path, *, split: Split, model: Path) -> Sequence[Scene]:
    with Project.open(folder) as project:
        states = project.ledger().scenes
        if split == "held-out":
            wanted = set(_held_out(model))
        else:
            status = Status.TEST if split == "test" else Status.UNLABELLED
            wanted = {name for name, state in states.items() if state.status is status}
        scenes = [
            scene
            for scene in project.scenes
            if scene.id in wanted and scene.ground_truth is not None
        ]
        for scene in scenes:
            if (state := states[scene.id]).truth is not None:
                check_label(project.folder / state.truth, state.truth_checksum, brought=True)
    if not scenes:
        raise ProjectError(
            f"{folder}: no {split} scene has a ground truth to compare with; choose another split"
        )
    return scenes


def _held_out(model: Path) -> Sequence[str]:
    """The labels the run of a checkpoint validates with."""
    if is_bundle(model):
        raise CheckpointError(
            f"{model}: a bundle does not know which labels its run held out; give its checkpoint"
        )
    held_out = [str(name) for name in load_state(model)["roster"]["held_out"]]
    if not held_out:
        raise ProjectError(
            f"{model}: its run held no label out; set held_out in the plan of the next run, "
            "or choose another split"
        )
    return held_out
