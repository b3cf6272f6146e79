"""A plan written as TOML, so that `load_preset` reads the same plan back."""

from pathlib import Path

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.plan_schema import flat, nested
from smarthdr_studio.core.plan_toml import toml


def write_plan(path: AnyPath, plan: TrainingPlan) -> None:
    """Every setting, whether it differs from the default or not; whole or not at all.

    Raises ProjectError where it cannot be written.
    """
    path = Path(path)
    try:
        with replacing(path) as draft:
            draft.write_text(toml(nested(flat(plan))), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None
