"""What a run will take in time, memory and disk, from a few real steps and tiles."""

import shutil
import statistics
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from smarthdr_studio.core.files import AnyPath, place_in
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.round_files import SceneLabel
from smarthdr_studio.core.training.run_estimate import Estimate, disk_warning, memory_warning
from smarthdr_studio.core.words import counted
from smarthdr_studio.learning.compute import (
    free_memory,
    global_generator_lent,
    memory_in_use,
    pick_device,
    precision_name,
    release_memory,
    tune_allocator,
)
from smarthdr_studio.learning.crops import CropBatch, CropSet, crop_windows
from smarthdr_studio.learning.failures import explain_failure, memory_remedies, release_tensors_of
from smarthdr_studio.learning.inference import TiledPrediction, spans
from smarthdr_studio.learning.label_set import stale_sentence
from smarthdr_studio.learning.networks import passes_of
from smarthdr_studio.learning.perceptual import FETCH, are_cached
from smarthdr_studio.learning.run_setup import prepare_run, settle_precision
from smarthdr_studio.learning.schedule import EpochLengths, Progress, Remaining, remaining
from smarthdr_studio.learning.train_state import TrainingRun

MEASURING_TILE: Final = "measuring: a tile of a prediction"

_STEPS_S: Final = 1.4  # how long whole steps are repeated
_PATIENCE_S: Final = 5.0  # a step that would take longer is told from a smaller one
_AT_ONCE_S: Final = 1.0  # a first step that took longer is not tried again
_FEW_SCENES: Final = 2  # whose crops stand for those of all unlabelled ones
_SMALL_TILE: Final = 128  # stands for larger ones where a step takes long


@dataclass(slots=True, kw_only=True)
class Measurements:
    """Seconds of one step of each kind and of one pixel of a tile; bytes above the start."""

    label_step: float = 0.0
    whole_step: float = 0.0
    tile_pixel: float = 0.0
    memory: int | None = None
    steps: int = 0
    scaled: bool = False  # told from a step of two crops
    _began_with: int | None = field(default=None)

    def watch(self, device: torch.device) -> None:
        """The memory held now counts for nothing: only what comes on top."""
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self._began_with = _peak_memory(device)

    def look(self, device: torch.device) -> None:
        """Notes what is held now, if it is more than before."""
        now = _peak_memory(device)
        if now is not None and self._began_with is not None:
            self.memory = max(self.memory or 0, now - self._began_with)

    def in_words(self) -> str:
        """What was timed."""
        if self.scaled:
            return "a step of 2 crops, scaled, because a whole one takes too long, and a tile"
        many = "1 step" if self.steps == 1 else f"{self.steps} steps"
        return f"{many} and a tile"


def measure_run(run: TrainingRun, measured: Measurements) -> Iterator[str]:
    """Takes steps with the run, which is spoilt by it, into `measured`; words after each.

    Raises what a step raises.
    """
    device, sizes = run.predictor.device, run.plan.batch
    unlabelled = _stand_in_crops(run)
    crops = 0 if run.labelled is None else sizes.labelled
    crops += sizes.unlabelled if unlabelled is not None else 0
    measured.look(device)
    before = measured.memory or 0
    yield "measuring: a first step"
    first = _time_step(run, 1, unlabelled, min(1, sizes.unlabelled))
    if first < _AT_ONCE_S:  # it also filled caches and settled kernels
        first = _time_step(run, 1, unlabelled, min(1, sizes.unlabelled))
    measured.look(device)
    seen = (run.labelled is not None) + (unlabelled is not None)
    expected = first * crops / seen
    if expected > _PATIENCE_S:
        _scale(run, measured, step=expected, crops=crops)
        if measured.memory is not None:
            grown, parts = measured.memory - before, run.plan.compute.accumulate
            measured.memory = before + grown * -(-crops // parts) // seen
    else:
        yield from _whole_steps(run, measured, unlabelled)
    yield MEASURING_TILE
    measured.tile_pixel = _time_tile(run, most=_SMALL_TILE if measured.scaled else run.plan.tile)
    measured.look(device)


def _whole_steps(
    run: TrainingRun, measured: Measurements, unlabelled: CropSet | None
) -> Iterator[str]:
    """Steps on labels only, then on both, each kind as often as there is time for."""
    device, sizes = run.predictor.device, run.plan.batch
    yield "measuring: whole steps"
    halves: list[tuple[CropSet | None, int]]
    halves = [(unlabelled, sizes.unlabelled)] if unlabelled is not None else []
    if run.labelled is not None:
        halves.insert(0, (None, 0))
    for half, count in halves:
        taken: list[float] = []
        while not taken or sum(taken) < _STEPS_S / 2:
            taken.append(_time_step(run, sizes.labelled, half, count))
            measured.look(device)
            measured.steps += 1
            yield f"measuring: {counted(measured.steps, 'step')} so far"
        seconds = float(np.median(taken))
        if half is None or run.labelled is None or run.method is not None:
            measured.label_step = seconds
        measured.whole_step = seconds


def tiled_pixels(scene: Scene, *, tile: int, multiple: int) -> int:
    """How many pixels the tiles of a scene have, overlaps counted as often as they are seen."""
    overlap = min(32, tile // 3 // 8 * 8)
    rows, columns = (
        sum(span.stop - span.start for span in spans(n, tile=tile, overlap=overlap, grid=multiple))
        for n in (scene.height, scene.width)
    )
    return rows * columns


def _time_step(run: TrainingRun, labelled: int, unlabelled: CropSet | None, count: int) -> float:
    """The seconds of one step, its batch included."""
    begun = time.perf_counter()
    first = None if run.labelled is None else run.labelled.batch(labelled)
    second: CropBatch | None = None
    if unlabelled is not None and count:
        second = unlabelled.batch(count)
    run.learner.step(first, second, rate=1e-6, step=0)
    return time.perf_counter() - begun


def _scale(run: TrainingRun, measured: Measurements, *, step: float, crops: int) -> None:
    """All times from a step of all crops that would take `step` seconds."""
    sizes = run.plan.batch
    measured.scaled = True
    measured.whole_step = step
    halves = run.labelled is not None and run.method is None
    measured.label_step = step * sizes.labelled / crops if halves else step


def _time_tile(run: TrainingRun, *, most: int) -> float:
    """Seconds for each pixel of a tile of the first scene, no larger than `most`."""
    predictor, size = run.predictor, min(run.plan.tile, most)
    names: Sequence[str] = run.label_set.unlabelled or tuple(run.material.scenes)
    bracket = predictor.frames.bracket(run.material.scenes[names[0]])
    picture = TiledPrediction(
        predictor.network,
        [frame[:size, :size] for frame in bracket.frames],
        stops=bracket.stops,
        device=predictor.device,
        precision=predictor.precision,
    )
    rows, columns = picture.tiles(tile=size, overlap=min(32, size // 3 // 8 * 8))[0]
    seconds: list[float] = []
    while not seconds or (
        len(seconds) < 2 and seconds[0] < _AT_ONCE_S
    ):  # the first settles kernels
        begun = time.perf_counter()
        picture.add(rows, columns)
        seconds.append(time.perf_counter() - begun)
    return min(seconds) / ((rows.stop - rows.start) * (columns.stop - columns.start))


def _stand_in_crops(run: TrainingRun) -> CropSet | None:
    """Crops of some unlabelled scenes; what a pseudo-label says does not matter to its time."""
    names = run.learned_from[:_FEW_SCENES]
    if (run.method is None and not run.learns_from_pseudo_labels) or not names:
        return None
    return run.material.unlabelled({name: _blank_label(run, name) for name in names})


def _peak_memory(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return memory_in_use(device)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """Medians over the measured steps; `seconds` is whole steps, `data_seconds` their batches."""

    seconds: float
    data_seconds: float
    images: int

    @property
    def data_share(self) -> float:
        """The share of a step that goes into cutting, moving and converting crops."""
        return self.data_seconds / self.seconds


def time_steps(plan: TrainingPlan, project: AnyPath, *, steps: int = 8) -> StepTimes:
    """Takes some steps with labels and pseudo-labels and forgets them; nothing is written.

    Raises StudioError as `train` does.
    """
    project = Path(project)
    run = prepare_run(plan, project.expanduser().resolve())
    settle_precision(run)
    if run.learns_from_pseudo_labels or run.method is not None:
        # What a pseudo-label says does not matter to the time it takes.
        run.unlabelled = run.material.unlabelled(
            {name: _blank_label(run, name) for name in run.learned_from}
        )
    whole: list[float] = []
    data: list[float] = []
    images = 0
    for step in range(steps + 2):  # the first two also fill caches
        begun = time.perf_counter()
        labelled, unlabelled = run.batches()
        cut = time.perf_counter()
        run.learner.step(labelled, unlabelled, rate=1e-6, step=step)
        whole.append(time.perf_counter() - begun)
        data.append(cut - begun)
        images = _crop_count(labelled) + _crop_count(unlabelled)
    return StepTimes(
        seconds=statistics.median(whole[2:]),
        data_seconds=statistics.median(data[2:]),
        images=images,
    )


def _blank_label(run: TrainingRun, name: str) -> SceneLabel:
    scene = run.material.scenes[name]
    return SceneLabel(hdr=np.zeros((scene.height, scene.width, 3), np.float16))


def _crop_count(batch: CropBatch | None) -> int:
    return 0 if batch is None else len(batch.sigma)


_NO_VGG: Final = (
    "The VGG-16 weights are not here: every step takes longer than told, and the run begins only "
    "where loss.vgg_weights names their file or says fetch (528 MiB); loss.perceptual_weight 0 "
    "does without."
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
    tune_allocator()
    release_memory()
    measured, folder = Measurements(), project.expanduser().resolve()
    quick, warning = _without_downloads(plan)
    words = ""
    try:
        with global_generator_lent():
            measured.watch(pick_device(quick.device))
            run = prepare_run(quick, folder)
            settle_precision(run)
            for words in measure_run(run, measured):
                yield _phase(words)
            told = _estimate_of(run, plan, measured, warning=warning, begun=begun)
        yield told
    except Exception as error:
        helpful = memory_remedies(plan, predicting=words == MEASURING_TILE, could_bfloat16=False)
        known = explain_failure(error, run=None, remedies=helpful)
        release_tensors_of(error)
        if known is None or known is error:
            raise
        raise known from error
    finally:
        run = None  # type: ignore[assignment]
        release_memory()


def _without_downloads(plan: TrainingPlan) -> tuple[TrainingPlan, str]:
    """The plan without what takes minutes at the start, and what that leaves out, in words."""
    compute = plan.compute.model_copy(update={"compile": "off"})
    quick = plan.model_copy(update={"compute": compute})
    weights = plan.loss.vgg_weights
    if not plan.loss.perceptual_weight or weights not in (None, FETCH) or are_cached():
        return quick, ""
    loss = plan.loss.model_copy(update={"perceptual_weight": 0.0})
    return quick.model_copy(update={"loss": loss}), _NO_VGG


def _estimate_of(
    run: TrainingRun, plan: TrainingPlan, measured: Measurements, *, warning: str, begun: float
) -> Estimate:
    device, lengths, left = run.predictor.device, _epoch_lengths(run), _remaining_of(run)
    scene_pixels = _tile_pixels(run, run.label_set.unlabelled)
    scene_pixels *= passes_of(plan.teacher.views, plan.teacher.uncertainty)
    round_seconds = measured.tile_pixel * scene_pixels if left.rounds else None
    checked = measured.tile_pixel * _tile_pixels(run, run.label_set.held_out)
    checked *= passes_of(1, plan.teacher.uncertainty)
    warm = min(plan.schedule.warmup_epochs, plan.schedule.epochs) if left.rounds else None
    warm_steps = left.steps if warm is None else lengths.labels_only * warm
    seconds = warm_steps * measured.label_step
    seconds += max(left.steps - warm_steps, 0) * measured.whole_step
    seconds += left.rounds * (round_seconds or 0.0) + left.validations * checked
    memory, free = _peak_memory_of_run(run, measured), free_memory(device)
    disk, disk_free = _disk_bytes(run, left), shutil.disk_usage(run.project).free
    learns = warm is not None and warm < plan.schedule.epochs
    warnings = (
        warning,
        memory_warning(memory, free, device=str(device)),
        disk_warning(sum(disk.values()), disk_free),
        stale_sentence(run.project, run.label_set),
        short_epochs(run),
    )
    return Estimate(
        device=str(device),
        precision=precision_name(run.predictor.precision),
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


def _epoch_lengths(run: TrainingRun) -> EpochLengths:
    """Steps of an epoch, as if every crop of every unlabelled scene were trusted somewhere."""
    passes, cap = _whole_passes(run), run.plan.schedule.steps_per_epoch
    if cap is None:
        return passes
    return EpochLengths(
        labels_only=min(passes.labels_only, cap),
        with_pseudo_labels=min(passes.with_pseudo_labels, cap),
    )


def short_epochs(run: TrainingRun) -> str:
    """That epochs end before `schedule.steps_per_epoch`, as crops are few; "" where none does."""
    plan, told = run.plan.schedule, list[str]()
    cap = plan.steps_per_epoch
    if cap is None:
        return ""
    passes = _whole_passes(run)
    if passes.labels_only == passes.with_pseudo_labels:
        if 0 < passes.labels_only < cap:
            told = [f"an epoch has {counted(passes.labels_only, 'step')}"]
    else:
        if plan.warmup_epochs and 0 < passes.labels_only < cap:
            told = [f"an epoch on labels alone has {counted(passes.labels_only, 'step')}"]
        if 0 < passes.with_pseudo_labels < cap:
            steps = counted(passes.with_pseudo_labels, "step")
            told.append(f"one with pseudo-labels at most {steps}")
    why = "as a pass over the crops there are ends it"
    return f"{' and '.join(told)}, not {cap:,} (schedule.steps_per_epoch), {why}" if told else ""


def _whole_passes(run: TrainingRun) -> EpochLengths:
    """Steps of one pass over all crops, however many the plan wants of an epoch."""
    batch, together = run.plan.batch, run.ranks.size
    labels_only = (
        0 if run.labelled is None else -(-len(run.labelled) // (batch.labelled * together))
    )
    learning = labels_only
    scenes = [run.material.scenes[name] for name in run.learned_from]
    if batch.unlabelled and scenes:
        learning = -(-len(crop_windows(scenes, plan=batch)) // (batch.unlabelled * together))
    if run.method is not None:
        labels_only = learning
    return EpochLengths(labels_only=labels_only, with_pseudo_labels=learning)


def _remaining_of(run: TrainingRun) -> Remaining:
    makes_rounds = run.learns_from_pseudo_labels and bool(run.label_set.unlabelled)
    left = remaining(
        Progress(),
        schedule=run.plan.schedule,
        lengths=_epoch_lengths(run),
        makes_rounds=makes_rounds,
    )
    held_out = left.validations if run.label_set.held_out else 0
    return replace(left, validations=held_out)


def _tile_pixels(run: TrainingRun, names: tuple[str, ...]) -> int:
    sizes: dict[tuple[int, int], int] = {}
    multiple, tile = run.predictor.network.multiple, run.plan.tile
    total = 0
    for scene in map(run.material.scenes.__getitem__, names):
        size = scene.height, scene.width
        if size not in sizes:
            whole = run.predictor.network.whole
            sizes[size] = (
                scene.height * scene.width
                if whole
                else tiled_pixels(scene, tile=tile, multiple=multiple)
            )
        total += sizes[size]
    return total


def _peak_memory_of_run(run: TrainingRun, measured: Measurements) -> int | None:
    """What was measured, and what the scenes not read yet and a round's drafts will add."""
    if measured.memory is None:
        return None
    unlabelled = _pixels(run, run.label_set.unlabelled) if run.learns_from_pseudo_labels else 0
    labels = _pixels(run, tuple(name for name, _ in run.label_set.labels))
    frames = _FRAME_BYTES * (unlabelled + labels) + _TRUTH_BYTES * labels
    if run.predictor.device.type == "cuda":
        room = free_memory(run.predictor.device) or frames
        return measured.memory + min(frames, room * 2 // 5)
    to_come = max(0, min(frames, _frame_budget(run)) - run.material.frames.used_bytes)
    return measured.memory + to_come + _DRAFT_BYTES * unlabelled


def _frame_budget(run: TrainingRun) -> int:
    return max(run.material.frames.used_bytes, 2 * 2**30)


def _disk_bytes(run: TrainingRun, left: Remaining) -> Mapping[str, int]:
    """Bytes by what they are for. New pseudo-labels take the place of old ones."""
    weights = sum(value.nbytes for value in run.learner.student.state_dict().values())
    pixels = _pixels(run, run.label_set.unlabelled)
    of_round = _ROUND_BYTES * pixels
    kept = max(min(run.plan.keep_rounds_mib * 2**20 // max(of_round, 1), left.rounds), 2)
    old = sum(
        path.stat().st_size
        for name in run.label_set.unlabelled
        if (path := place_in(run.project, "pseudo", f"{name}.exr")).is_file()
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
