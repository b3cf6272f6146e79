"""A plan written as TOML, so that `load_preset` reads the same plan back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.plan import TrainingPlan


def write_plan(path: Path, plan: TrainingPlan) -> None:
    """Every setting, whether it differs from the default or not; whole or not at all.

    Raises ProjectError where it cannot be written.
    """
    values = plan.model_dump(mode="json")
    if plan.schedule.halve_at_epoch is None:
        # TOML knows no null, and left out it would become the default again.
        values["schedule"]["halve_at_epoch"] = plan.schedule.epochs + 1
    try:
        with replacing(path) as draft:
            draft.write_text("\n".join(_lines(values)) + "\n", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None


def _lines(values: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in values.items()
        if value is not None and not isinstance(value, Mapping)
    ]
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *_lines(value)]
    return lines
