"""Pseudo-labels of a project by a model that is at hand: a checkpoint, a bundle or the starter.

They lie where those of a run lie and serve for all the same; their round is 0, because no run made
them, and their provenance names the model by its run and the hash of its weights.
"""

import shutil
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import LabelError, LostPainting, ProjectError
from smarthdr_studio.core.files import AnyPath, drafted, move, move_to_trash, place_in
from smarthdr_studio.core.imaging.bracket import FrameStore, Scene
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import refuse_without_dataset
from smarthdr_studio.core.remedies import SEE_NAMES
from smarthdr_studio.core.training.events import PhaseChanged, RoundFinished
from smarthdr_studio.core.training.round_files import round_path
from smarthdr_studio.core.training.run_folder import run_folders, run_of
from smarthdr_studio.core.training.run_lock import is_at_work
from smarthdr_studio.core.training.starter import STARTER, starter_card, traits_of, unlike
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.pseudo_label import read_provenance
from smarthdr_studio.learning.bundle import ModelCard
from smarthdr_studio.learning.checkpoints import read_info
from smarthdr_studio.learning.inference import Predictor, TileProgress
from smarthdr_studio.learning.label_set import DecidedSince
from smarthdr_studio.learning.model_files import find_model, is_bundle, load_labeller, read_card
from smarthdr_studio.learning.pseudo_labelling import LabelledPool, Origin, label_pool

_MOST_TOLD: Final = 3  # scenes unlike the starter's, by name


def label_scenes(
    folder: AnyPath,
    *,
    model: AnyPath,
    ids: Sequence[str] | None = None,
    device: str = "auto",
    said: TileProgress | None = None,
    left_out: dict[str, str] | None = None,
) -> Generator[PhaseChanged | RoundFinished, None, None]:
    """Labels scenes of a project with a model; the last event says what came of it.

    All labels take their places together, once the last is written: until then, and where the
    generator is closed, those that were there stay. An old one goes to the trash unless its run
    still keeps its round. That of a scene whose status changed meanwhile stays, and that is told.

    Args:
        folder: the project folder.
        model: a checkpoint, a run (its best checkpoint), a bundle, or "starter".
        ids: the scenes; None is every unlabelled one.
        device: as a plan says it.
        said: hears between tiles how many of how many are done; it may raise to give up.
        left_out: is told why, by scene, where the pictures of one are not those the project knows,
            cannot be read, or what was painted on it is lost: it keeps the label it has, and the
            others are labelled. Without it, or where all are such, nothing is labelled.

    Raises:
        ProjectError: a scene is unknown, none is left, the pictures of one are others, what was
            painted on one is lost, or a run is at work.
        CheckpointError, DeviceError, BadScene, LabelError: one sentence with the remedy.
    """
    folder = Path(folder)
    yield PhaseChanged(phase="preparing", text="loading the model", step=0)
    _refuse_while_training(folder)
    scenes, then, masks, manual_masks = _scenes_to_label(folder, ids, left_out)
    card = read_card(model)
    predictor = replace(load_labeller(model, device=device, frames=FrameStore()), said=said)
    masks = _masks_of(model, masks)
    shelf = place_in(folder, "pseudo")
    draft = shelf / f".labels.{uuid.uuid4().hex}"
    try:
        with drafted(draft, of=shelf):
            pool = yield from label_pool(
                predictor,
                scenes,
                pseudo=draft,
                masks=masks,
                origin=_origin(card),
                manual_masks=manual_masks,
                unreadable=left_out,
            )
        assert pool is not None
        _refuse_while_training(folder)
        with DecidedSince(folder, then) as decided:
            kept = [name for name in sorted(pool.labels) if decided(name)]
        _publish(folder, draft, shelf, sorted(set(pool.labels) - set(kept)))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    told = [f"{name}: was decided about meanwhile; its pseudo-label stays" for name in kept]
    if card.run == STARTER:
        told += _unlike(pool, scenes, predictor)
    yield replace(pool.finished, changes=(*pool.finished.changes, *told))


def _masks_of(model: AnyPath, masks: MaskSettings) -> MaskSettings:
    """The project's thresholds over patches of the size that the model's run counted by."""
    if is_bundle(model):
        return masks
    size = read_info(find_model(model)).plan.get("masks", {}).get("patch_size", masks.patch_size)
    return replace(masks, patch_size=int(size))


def _origin(card: ModelCard) -> Origin:
    return Origin(
        run=card.run,
        round=0,
        step=card.step,
        epoch=card.epoch,
        checkpoint=card.weights,
        network=card.network,
        uncertainty=card.uncertainty,
    )


def _refuse_while_training(folder: Path) -> None:
    """Its next round would mix with ours. Raises ProjectError."""
    busy = next((run.id for run in run_folders(folder) if is_at_work(run.path)), None)
    if busy is not None:
        raise ProjectError(
            f"{folder}: the run {busy} is at work and makes pseudo-labels itself; stop it first"
        )


def _publish(folder: Path, draft: Path, shelf: Path, scenes: Sequence[str]) -> None:
    """Every label of the draft in its place. Raises LabelError."""
    try:
        for scene in scenes:
            exr = place_in(shelf, f"{scene}.exr")
            if exr.is_file() and not _is_kept_by_run(folder, exr):
                move_to_trash(folder, exr)
            for suffix in (".exr", ".npz"):
                move(draft / f"{scene}{suffix}", place_in(shelf, f"{scene}{suffix}"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LabelError(
            f"{shelf}: cannot be written ({reason}); free some space or allow writing there, and "
            "label again"
        ) from None


def _is_kept_by_run(folder: Path, label: Path) -> bool:
    """Whether the run that made a label still has its round, so that it can be replayed."""
    with suppress(LabelError, ProjectError):
        of = read_provenance(label)
        return of.round > 0 and round_path(run_of(folder, of.run).path, number=of.round).is_file()
    return False


def _unlike(pool: LabelledPool, scenes: Sequence[Scene], predictor: Predictor) -> tuple[str, ...]:
    """Which scenes differ from those the starter model has learned from, and in what."""
    found = list(_clauses(pool, scenes, predictor))
    shown = [
        f"{name}: is unlike what the starter model was trained on; {' and '.join(clauses)}"
        for name, clauses in found[:_MOST_TOLD]
    ]
    if left := len(found) - len(shown):
        more = "1 more scene is" if left == 1 else f"{left} more scenes are"
        shown.append(f"{more} unlike what the starter model was trained on")
    return tuple(shown)


def _clauses(
    pool: LabelledPool, scenes: Sequence[Scene], predictor: Predictor
) -> Iterator[tuple[str, tuple[str, ...]]]:
    ranges = starter_card().ranges
    for scene in scenes:
        label = pool.labels.get(scene.id)
        if label is None or label.sigma is None:
            continue
        traits = traits_of(predictor.frames.bracket(scene), label.sigma)
        if clauses := unlike(traits, ranges):
            yield scene.id, clauses


def _scenes_to_label(
    folder: Path, ids: Sequence[str] | None, left_out: dict[str, str] | None
) -> tuple[list[Scene], Mapping[str, Status], MaskSettings, Mapping[str, Brush]]:
    """The scenes to label, all statuses, the thresholds of now, and what was painted on them.

    `left_out` is told of the others, as of `label_scenes`.
    """
    with Project.open(folder) as project:
        statuses, masks = project.statuses(), project.ledger().masks
        if unknown := sorted(set(ids or ()) - set(statuses)):
            raise ProjectError(
                f"{folder}: has no scene {unknown[0]}; see the names with: "
                f"{SEE_NAMES.of(PROJECT=folder)}"
            )
        if ids is None:
            ids = [name for name, status in statuses.items() if status is Status.UNLABELLED]
        if not ids:
            raise ProjectError(f"{folder}: no scene is unlabelled; demote or restore one first")
        scenes, painted = _sound(project, sorted(set(ids)), left_out)
    return scenes, statuses, masks, painted


def _sound(
    project: Project, ids: Sequence[str], left_out: dict[str, str] | None
) -> tuple[list[Scene], dict[str, Brush]]:
    """The scenes with the pictures the project knows, and what was painted on them.

    Raises ProjectError where `left_out` is not to be told of the others, or none is left.
    """
    refuse_without_dataset(project)
    pictures = project.compare_pictures(ids)
    if left_out is None or len(pictures.changed) == len(ids):
        pictures.refuse()
    why = {name: pictures.of_scene(name) for name in pictures.changed}
    painted = {}
    for name in set(ids) - set(why):
        try:
            painted[name] = project.person(name)
        except LostPainting as error:
            if left_out is None:
                raise
            why[name] = str(error)
    if len(why) == len(ids):
        raise ProjectError(why[ids[0]])
    if left_out is not None:
        left_out |= {name: why[name] for name in ids if name in why}
    scenes = [project.scene(name) for name in ids if name not in why]
    return scenes, {name: mask for name, mask in painted.items() if mask is not None}
