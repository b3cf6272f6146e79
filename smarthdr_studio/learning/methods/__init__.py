"""Methods that learn in stages of their own, one file each; the others are settings of a plan."""

from collections.abc import Callable, Mapping
from typing import Final

from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.learning.methods.fshdr import FsHdr
from smarthdr_studio.learning.methods.selfhdr import SelfHdr
from smarthdr_studio.learning.methods.smae import Smae
from smarthdr_studio.learning.methods.staged import (
    Lesson,
    StagedMethod,
    StageScenes,
    drop_remade,
    stage_at,
)

__all__ = [
    "STAGED",
    "Lesson",
    "StageScenes",
    "StagedMethod",
    "drop_remade",
    "stage_at",
    "staged_method",
]

STAGED: Final[Mapping[str, Callable[[TrainingPlan], StagedMethod]]] = {
    "fshdr": FsHdr,
    "selfhdr": SelfHdr,
    "smae": Smae,
}


def staged_method(plan: TrainingPlan) -> StagedMethod | None:
    """The method of a plan, None where rounds of pseudo-labels are all the stages it has."""
    make = STAGED.get(plan.system)
    return None if make is None else make(plan)
