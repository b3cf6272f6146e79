"""A few real steps and tiles, timed: what one of each takes, and the memory they need."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.learning.crops import CropBatch, CropSet, SceneLabel
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.runtime import memory_held
from smarthdr_studio.learning.tiling import TiledPrediction, spans

OF_TILE: Final = "measuring: a tile of a prediction"

_STEPS_S: Final = 1.4  # how long whole steps are repeated
_PATIENCE_S: Final = 5.0  # a step that would take longer is told from a smaller one
_AT_ONCE_S: Final = 1.0  # a first step that took longer is not tried again
_FEW_SCENES: Final = 2  # whose crops stand for those of all unlabelled ones
_SMALL_TILE: Final = 128  # stands for larger ones where a step takes long


@dataclass(slots=True, kw_only=True)
class Measured:
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
        self._began_with = _held(device)

    def look(self, device: torch.device) -> None:
        """Notes what is held now, if it is more than before."""
        now = _held(device)
        if now is not None and self._began_with is not None:
            self.memory = max(self.memory or 0, now - self._began_with)

    def in_words(self) -> str:
        """What was timed."""
        if self.scaled:
            return "a step of 2 crops, scaled, because a whole one takes too long, and a tile"
        many = "1 step" if self.steps == 1 else f"{self.steps} steps"
        return f"{many} and a tile"


def probe(run: TrainingRun, measured: Measured) -> Iterator[str]:
    """Takes steps with the run, which is spoilt by it, into `measured`; words after each.

    Raises what a step raises.
    """
    device, sizes = run.predictor.device, run.plan.batch
    unlabelled = _stand_ins(run)
    crops = sizes.labelled + (sizes.unlabelled if unlabelled is not None else 0)
    measured.look(device)
    before = measured.memory or 0
    yield "measuring: a first step"
    first = _take(run, 1, unlabelled, min(1, sizes.unlabelled))
    if first < _AT_ONCE_S:  # it also filled caches and settled kernels
        first = _take(run, 1, unlabelled, min(1, sizes.unlabelled))
    measured.look(device)
    seen = 1 + (unlabelled is not None)
    expected = first * crops / seen
    if expected > _PATIENCE_S:
        _scale(run, measured, step=expected, crops=crops)
        if measured.memory is not None:
            grown, parts = measured.memory - before, run.plan.compute.accumulate
            measured.memory = before + grown * -(-crops // parts) // seen
    else:
        yield from _whole_steps(run, measured, unlabelled)
    yield OF_TILE
    measured.tile_pixel = _time_tile(run, most=_SMALL_TILE if measured.scaled else run.plan.tile)
    measured.look(device)


def _whole_steps(run: TrainingRun, measured: Measured, unlabelled: CropSet | None) -> Iterator[str]:
    """Steps on labels only, then on both, each kind as often as there is time for."""
    device, sizes = run.predictor.device, run.plan.batch
    yield "measuring: whole steps"
    halves = ((None, 0), (unlabelled, sizes.unlabelled))
    for half, count in halves if unlabelled is not None else halves[:1]:
        taken: list[float] = []
        while not taken or sum(taken) < _STEPS_S / 2:
            taken.append(_take(run, sizes.labelled, half, count))
            measured.look(device)
            measured.steps += 1
            yield f"measuring: {measured.steps} steps so far"
        seconds = float(np.median(taken))
        if half is None:
            measured.label_step = seconds
        measured.whole_step = seconds


def tiles_of(scene: Scene, *, tile: int, multiple: int) -> int:
    """How many pixels the tiles of a scene have, overlaps counted as often as they are seen."""
    overlap = min(32, tile // 3 // 8 * 8)
    rows, columns = (
        sum(span.stop - span.start for span in spans(n, tile=tile, overlap=overlap, grid=multiple))
        for n in (scene.height, scene.width)
    )
    return rows * columns


def _take(run: TrainingRun, labelled: int, unlabelled: CropSet | None, count: int) -> float:
    """The seconds of one step, its batch included."""
    begun = time.perf_counter()
    first = run.labelled.batch(labelled)
    second: CropBatch | None = None
    if unlabelled is not None and count:
        second = unlabelled.batch(count)
    run.learner.step(first, second, rate=1e-6, step=0)
    return time.perf_counter() - begun


def _scale(run: TrainingRun, measured: Measured, *, step: float, crops: int) -> None:
    """All times from a step of all crops that would take `step` seconds."""
    sizes = run.plan.batch
    measured.scaled = True
    measured.whole_step = step
    measured.label_step = step * sizes.labelled / crops


def _time_tile(run: TrainingRun, *, most: int) -> float:
    """Seconds for each pixel of a tile of the first scene, no larger than `most`."""
    predictor, size = run.predictor, min(run.plan.tile, most)
    names: Sequence[str] = run.roster.unlabelled or tuple(run.material.scenes)
    bracket = predictor.frames.bracket(run.material.scenes[names[0]])
    picture = TiledPrediction(
        predictor.network,
        bracket.frames,
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


def _stand_ins(run: TrainingRun) -> CropSet | None:
    """Crops of some unlabelled scenes; what a pseudo-label says does not matter to its time."""
    names = run.roster.unlabelled[:_FEW_SCENES]
    if not run.learns_from_pseudo_labels or not names:
        return None
    scenes = [run.material.scenes[name] for name in names]
    blank = {
        scene.id: SceneLabel(hdr=np.zeros((scene.height, scene.width, 3), np.float16))
        for scene in scenes
    }
    return run.material.unlabelled(blank)


def _held(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return memory_held(device)
