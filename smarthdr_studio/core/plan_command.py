"""A plan as the one command that trains by it."""

import shlex
from pathlib import Path
from typing import Any

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.plan import TrainingPlan, load_preset, parse_changes
from smarthdr_studio.core.plan_field import NONE
from smarthdr_studio.core.plan_schema import differences, flat
from smarthdr_studio.core.plan_toml import toml_value


def command_line(
    project: AnyPath, plan: TrainingPlan, preset: str, *, own: AnyPath | None = None
) -> str:
    """`smarthdr-studio train …` for a POSIX shell: the preset, and only what differs from it.

    `own` is where a person's presets lie. Raises PlanError where the preset cannot be read.
    """
    project = Path(project)
    own = None if own is None else Path(own)
    values, base = flat(plan), load_preset(preset, own=own)
    words = ["smarthdr-studio", "train", str(project), "--preset", preset]
    for key in differences(plan, base):
        words += ["--set", f"{key}={_written(values[key])}"]
    return shlex.join(words)


def _written(value: Any) -> str:  # noqa: ANN401 - as many types as there are settings
    """As `parse_changes` reads it; a word stands without quotes where it is read as one."""
    if value is None:
        return NONE
    if isinstance(value, str) and parse_changes([f"k={value}"])["k"] == value:
        return value
    return toml_value(value)
