"""What a run will take, told before it starts from a probe of about two seconds."""

import shutil
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final

import torch

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.run_estimate import Estimate, disk_warning, memory_warning
from smarthdr_studio.learning.crops import windows
from smarthdr_studio.learning.faults import in_words, let_go
from smarthdr_studio.learning.free_memory import free_memory
from smarthdr_studio.learning.opening import prepare
from smarthdr_studio.learning.probe import OF_TILE, Measured, probe, tiles_of
from smarthdr_studio.learning.progress import EpochLengths, Progress, Remaining, remaining
from smarthdr_studio.learning.randomness import chance_lent
from smarthdr_studio.learning.remedies import remedies
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.runtime import give_memory_back, pick_device, use_memory_kindly

_VGG: Final = "vgg16-397923af.pth"
_NO_VGG: Final = (
    "The VGG-16 weights are not here: the run fetches 528 MiB first, and every step takes longer "
    "than told; loss.vgg_weights names a file, loss.perceptual_weight 0 does without."
)
# Measured on runs: of a pixel of a scene, bytes in a round's file, in a pseudo-label and its
# statistics, and in memory while a round is made; of a step, bytes in the logs.
_ROUND_BYTES: Final = 9
_LABEL_BYTES: Final = 11
_DRAFT_BYTES: Final = 13
_STEP_BYTES: Final = 1400
_FRAME_BYTES, _TRUTH_BYTES = 18, 6  # of a pixel: three frames of 16 bits, one HDR of 16
_KEPT_CHECKPOINTS: Final = 4  # the last two, the best, and one that is being written


def estimate(
    plan: TrainingPlan, project: AnyPath
) -> Generator[PhaseChanged | Estimate, None, None]:
    """Says what it measures, and last an `Estimate`; nothing is written, and closing it stops it.

    The network is not compiled for it. Raises StudioError as `train` does at its start.
    """
    project = Path(project)
    begun = time.perf_counter()
    yield _phase("reading the project and its labels")
    use_memory_kindly()
    give_memory_back()
    measured, folder = Measured(), project.expanduser().resolve()
    quick, warning = _ready_at_once(plan)
    words = ""
    try:
        with chance_lent():
            measured.watch(pick_device(quick.device))
            run = prepare(quick, folder)
            for words in probe(run, measured):
                yield _phase(words)
            told = _told(run, plan, measured, warning=warning, begun=begun)
        yield told
    except Exception as error:
        helpful = remedies(plan, predicting=words == OF_TILE, could_bfloat16=False)
        known = in_words(error, run=None, remedies=helpful)
        let_go(error)
        if known is None or known is error:
            raise
        raise known from error
    finally:
        run = None  # type: ignore[assignment]
        give_memory_back()


def _ready_at_once(plan: TrainingPlan) -> tuple[TrainingPlan, str]:
    """The plan without what takes minutes at the start, and what that leaves out, in words."""
    compute = plan.compute.model_copy(update={"compile": "off"})
    quick = plan.model_copy(update={"compute": compute})
    cached = Path(torch.hub.get_dir()) / "checkpoints" / _VGG
    if not plan.loss.perceptual_weight or plan.loss.vgg_weights or cached.is_file():
        return quick, ""
    loss = plan.loss.model_copy(update={"perceptual_weight": 0.0})
    return quick.model_copy(update={"loss": loss}), _NO_VGG


def _told(
    run: TrainingRun, plan: TrainingPlan, measured: Measured, *, warning: str, begun: float
) -> Estimate:
    device, lengths, left = run.predictor.device, _lengths(run), _left(run)
    scene_pixels = _tile_pixels(run, run.roster.unlabelled)
    round_seconds = measured.tile_pixel * scene_pixels if left.rounds else None
    checked = measured.tile_pixel * _tile_pixels(run, run.roster.held_out)
    warm = min(plan.schedule.warmup_epochs, plan.schedule.epochs) if left.rounds else None
    warm_steps = lengths.labels_only * (plan.schedule.epochs if warm is None else warm)
    seconds = warm_steps * measured.label_step
    seconds += max(left.steps - warm_steps, 0) * measured.whole_step
    seconds += left.rounds * (round_seconds or 0.0) + left.validations * checked
    memory, free = _memory(run, measured), free_memory(device)
    disk, disk_free = _disk(run, left), shutil.disk_usage(run.project).free
    learns = warm is not None and warm < plan.schedule.epochs
    warnings = (
        warning,
        memory_warning(memory, free, device=str(device)),
        disk_warning(sum(disk.values()), disk_free),
    )
    return Estimate(
        device=str(device),
        precision=str(run.predictor.precision).removeprefix("torch."),
        steps=left.steps,
        epochs=plan.schedule.epochs,
        rounds=left.rounds,
        validations=left.validations,
        warmup_epoch_seconds=lengths.labels_only * measured.label_step if warm_steps else None,
        learning_epoch_seconds=lengths.with_pseudo_labels * measured.whole_step if learns else None,
        round_seconds=round_seconds,
        total_seconds=seconds,
        peak_memory_bytes=memory,
        free_memory_bytes=free,
        disk_bytes=disk,
        free_disk_bytes=disk_free,
        probe_seconds=time.perf_counter() - begun,
        measured=measured.in_words(),
        warnings=tuple(filter(None, warnings)),
    )


def _lengths(run: TrainingRun) -> EpochLengths:
    """Steps of an epoch, as if every crop of every unlabelled scene were trusted somewhere."""
    batch, cap = run.plan.batch, run.plan.schedule.steps_per_epoch
    labels_only = -(-len(run.labelled) // batch.labelled)
    learning = labels_only
    scenes = [run.material.scenes[name] for name in run.roster.unlabelled]
    if batch.unlabelled and scenes:
        learning = -(-len(windows(scenes, plan=batch)) // batch.unlabelled)
    if cap is not None:
        labels_only, learning = min(labels_only, cap), min(learning, cap)
    return EpochLengths(labels_only=labels_only, with_pseudo_labels=learning)


def _left(run: TrainingRun) -> Remaining:
    makes_rounds = run.learns_from_pseudo_labels and bool(run.roster.unlabelled)
    left = remaining(
        Progress(), schedule=run.plan.schedule, lengths=_lengths(run), makes_rounds=makes_rounds
    )
    held_out = left.validations if run.roster.held_out else 0
    return Remaining(steps=left.steps, rounds=left.rounds, validations=held_out)


def _tile_pixels(run: TrainingRun, names: tuple[str, ...]) -> int:
    sizes: dict[tuple[int, int], int] = {}
    multiple, tile = run.predictor.network.multiple, run.plan.tile
    total = 0
    for scene in map(run.material.scenes.__getitem__, names):
        size = scene.height, scene.width
        if size not in sizes:
            sizes[size] = tiles_of(scene, tile=tile, multiple=multiple)
        total += sizes[size]
    return total


def _memory(run: TrainingRun, measured: Measured) -> int | None:
    """What was measured, and what the scenes not read yet and a round's drafts will add."""
    if measured.memory is None:
        return None
    unlabelled = _pixels(run, run.roster.unlabelled) if run.learns_from_pseudo_labels else 0
    labels = _pixels(run, tuple(name for name, _ in run.roster.labels))
    frames = _FRAME_BYTES * (unlabelled + labels) + _TRUTH_BYTES * labels
    if run.predictor.device.type == "cuda":
        room = free_memory(run.predictor.device) or frames
        return measured.memory + min(frames, room * 2 // 5)
    to_come = max(0, min(frames, _frame_budget(run)) - run.material.frames.used_bytes)
    return measured.memory + to_come + _DRAFT_BYTES * unlabelled


def _frame_budget(run: TrainingRun) -> int:
    return max(run.material.frames.used_bytes, 2 * 2**30)


def _disk(run: TrainingRun, left: Remaining) -> Mapping[str, int]:
    """Bytes by what they are for. New pseudo-labels take the place of old ones."""
    weights = sum(value.nbytes for value in run.learner.student.state_dict().values())
    pixels = _pixels(run, run.roster.unlabelled)
    of_round = _ROUND_BYTES * pixels
    kept = max(min(run.plan.keep_rounds_mib * 2**20 // max(of_round, 1), left.rounds), 2)
    old = sum(
        path.stat().st_size
        for name in run.roster.unlabelled
        if (path := run.project / "pseudo" / f"{name}.exr").is_file()
    )
    made = left.rounds > 0
    return {
        "checkpoints": _KEPT_CHECKPOINTS * 4 * weights,  # student, teacher, and Adam's two
        "rounds": min(kept, left.rounds) * of_round,
        "pseudo-labels": max(0, _LABEL_BYTES * pixels - old) if made else 0,
        "log": _STEP_BYTES * left.steps,
    }


def _pixels(run: TrainingRun, names: tuple[str, ...]) -> int:
    scenes: list[Scene] = [run.material.scenes[name] for name in names]
    return sum(scene.height * scene.width for scene in scenes)


def _phase(text: str) -> PhaseChanged:
    return PhaseChanged(phase="preparing", text=text, step=0)
