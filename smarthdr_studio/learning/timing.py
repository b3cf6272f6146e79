"""How long a training step takes with a plan, and what share of it goes into making the batch."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.learning.crops import CropBatch, SceneLabel
from smarthdr_studio.learning.opening import prepare
from smarthdr_studio.learning.run import TrainingRun


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
    run = prepare(plan, project.expanduser().resolve())
    if run.learns_from_pseudo_labels:
        # What a pseudo-label says does not matter to the time it takes.
        run.unlabelled = run.material.unlabelled(
            {name: _blank(run, name) for name in run.roster.unlabelled}
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
        images = _count(labelled) + _count(unlabelled)
    return StepTimes(
        seconds=statistics.median(whole[2:]),
        data_seconds=statistics.median(data[2:]),
        images=images,
    )


def _blank(run: TrainingRun, name: str) -> SceneLabel:
    scene = run.material.scenes[name]
    return SceneLabel(hdr=np.zeros((scene.height, scene.width, 3), np.float16))


def _count(batch: CropBatch | None) -> int:
    return 0 if batch is None else len(batch.sigma)
