"""Methods that learn in stages of their own, one file each; the others are settings of a plan."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final, Protocol

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.learning.crops import SceneLabel
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.mean_teacher import HalfLoss
from smarthdr_studio.learning.methods.selfhdr import SelfHdr

__all__ = ["STAGED", "StagedMethod", "staged_method"]


class StagedMethod(Protocol):
    """What a run asks of a method with stages; stages are counted from 1, in order.

    Each begins with a network as it was at the start of the run, and learns from every scene of
    the project that is neither test nor held out nor excluded.
    """

    names: Sequence[str]
    """What each stage is called, in the words of the window."""

    def stage_of(self, epoch: int) -> int:
        """The stage an epoch, counted from 0, belongs to."""
        ...

    def prepare(
        self, stage: int, *, scenes: Sequence[Scene], predictor: Predictor, run: AnyPath, step: int
    ) -> Generator[PhaseChanged, None, None]:
        """Writes what the stage learns from into the run's folder; `predictor` asks the teacher."""
        ...

    def labels(self, stage: int, *, run: AnyPath) -> Mapping[str, SceneLabel]:
        """What `prepare` wrote, by scene. Raises CheckpointError where it cannot be read."""
        ...

    def loss(self, stage: int) -> HalfLoss:
        """What the crops of the stage teach."""
        ...


STAGED: Final[Mapping[str, Callable[[TrainingPlan], StagedMethod]]] = {"selfhdr": SelfHdr}


def staged_method(plan: TrainingPlan) -> StagedMethod | None:
    """The method of a plan, None where rounds of pseudo-labels are all the stages it has."""
    make = STAGED.get(plan.system)
    return None if make is None else make(plan)
