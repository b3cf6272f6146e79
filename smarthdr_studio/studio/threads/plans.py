"""Plans for the window, which starts a fifth of a second sooner for not knowing their schema."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan


def load_preset(name: str, *, changes: Mapping[str, Any]) -> "TrainingPlan":
    """A preset with changes. Raises PlanError (see `core.plan.load_preset`)."""
    from smarthdr_studio.core import plan

    return plan.load_preset(name, changes=changes)
