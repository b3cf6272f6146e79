"""What a run asks of a method that learns in stages of its own, and where such a stage keeps files.

stages/3.safetensors        what a stage learns from
stages/3-00012.safetensors  the same of a stage that is made again, by the epoch it was made before
"""

from bisect import bisect_right
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np

from smarthdr_studio.core.files import AnyPath, place_in
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.round_files import SceneLabel
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.mean_teacher import HalfLosses

_FOLDER: Final = "stages"


class Stage(NamedTuple):
    """When a stage begins, and with what."""

    name: str
    """In the words of the window."""
    begins: int
    """The first epoch of it, counted from 0."""
    anew: bool = True
    """With a network as it was at the start of the run, not with what was learned so far."""
    remade: bool = False
    """Whether what it learns from is made again every `schedule.refresh_every` epochs."""


class StageScenes(NamedTuple):
    """The scenes of a project that may be learned from, by what they are."""

    labelled: Sequence[Scene]
    """With a ground truth or a promoted label."""
    unlabelled: Sequence[Scene]

    @property
    def all(self) -> list[Scene]:
        """Both, by name."""
        return sorted((*self.labelled, *self.unlabelled), key=lambda scene: scene.id)


def in_full(_epoch: int) -> float:
    """The weight of unlabelled crops in a stage where nothing changes it."""
    return 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """What the steps of a stage learn from, and how."""

    labels: Mapping[str, SceneLabel]
    """Of the scenes whose crops stand beside labelled ones; none where labels alone teach."""
    losses: HalfLosses
    """What labelled crops teach, None where they are not learned from, and what the others do."""
    weight: Callable[[int], float] = in_full
    """How many times λ_u the unlabelled crops count in an epoch."""
    shown: Callable[[CropBatch, int], CropBatch] | None = None
    """What the network sees of unlabelled crops in their place; chance follows from the number."""


def unlabelled_as_they_are(scenes: Sequence[Scene]) -> dict[str, SceneLabel]:
    """Scenes of which a stage needs no label: radiance 0, which takes no memory."""
    nothing = np.zeros((1, 1, 3), np.float16)
    return {
        scene.id: SceneLabel(hdr=np.broadcast_to(nothing, (scene.height, scene.width, 3)))
        for scene in scenes
    }


class StagedMethod(Protocol):
    """A method that learns in stages, which are counted from 1."""

    stages: Sequence[Stage]

    def prepare(
        self,
        stage: int,
        *,
        made: int,
        scenes: StageScenes,
        predictor: Predictor,
        run: AnyPath,
        step: int,
    ) -> Generator[PhaseChanged, None, None]:
        """Writes what the stage learns from into the run's folder; `predictor` asks the teacher.

        `made` is the epoch before which it is made.
        """
        ...

    def lesson(self, stage: int, *, made: int, scenes: StageScenes, run: AnyPath) -> Lesson:
        """What `prepare` wrote. Raises CheckpointError where it cannot be read."""
        ...


def stage_at(stages: Sequence[Stage], epoch: int) -> int:
    """The stage an epoch, counted from 0, belongs to."""
    return bisect_right([stage.begins for stage in stages], epoch)


def stage_file(run: AnyPath, name: str) -> Path:
    """Where a stage keeps what it learns from."""
    return place_in(run, _FOLDER) / f"{name}.safetensors"


def remade_file(run: AnyPath, stage: int, *, made: int) -> Path:
    """The same of a stage that is made again."""
    return stage_file(run, f"{stage}-{made:05d}")


def drop_remade(run: AnyPath, stages: Sequence[Stage], *, needed_from: int) -> None:
    """Removes what no checkpoint of this epoch or a later one goes on with."""
    for number, stage in enumerate(stages, start=1):
        if not stage.remade:
            continue
        files = {
            path: int(path.stem.partition("-")[2])
            for path in place_in(run, _FOLDER).glob(f"{number}-*.*")
        }
        # The last that was made before may still be in use then.
        oldest = max((made for made in files.values() if made < needed_from), default=0)
        for path, made in files.items():
            if made < oldest:
                with suppress(PermissionError):  # Windows, while somebody looks at it
                    path.unlink()


def preparing(
    stage: int, stages: Sequence[Stage], doing: str, *, done: int, total: int, step: int
) -> PhaseChanged:
    """That scene `done`, counted from 0, of `total` is worked on; `doing` ends before its name."""
    return PhaseChanged(
        phase="labelling",
        text=f"stage {stage} of {len(stages)}: {doing} scene {done + 1} of {total}",
        step=step,
        done=done,
        total=total,
    )
