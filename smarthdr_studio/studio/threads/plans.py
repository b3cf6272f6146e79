"""Plans for the window, which starts a fifth of a second sooner for not knowing their schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.presets import about_preset, presets
from smarthdr_studio.studio.state.planning import PlanBook

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What is to be said of values by dotted key; the command is "" where there is no plan."""

    complaints: Mapping[str, str]
    idle: Mapping[str, str]
    differs: tuple[str, ...]
    command: str


def load_preset(
    name: str, *, changes: Mapping[str, Any], own: Path | None = None
) -> "TrainingPlan":
    """A preset with changes. Raises PlanError (see `core.plan.load_preset`)."""
    from smarthdr_studio.core import plan

    return plan.load_preset(name, changes=changes, own=own)


def read_book(*, own: Path) -> PlanBook:
    """Every setting and every preset; asked for on a thread, for what it loads."""
    from smarthdr_studio.core.plan_schema import flat, plan_fields

    values: dict[str, Mapping[str, Any]] = {}
    broken: dict[str, str] = {}
    found = []
    for name in presets(own):
        try:
            values[name] = flat(load_preset(name, changes={}, own=own))
            found.append(about_preset(name, own))
        except PlanError as error:
            broken[name] = str(error)
    return PlanBook(fields=plan_fields(), presets=tuple(found), values=values, broken=broken)


def weigh(
    values: Mapping[str, Any], *, preset: str, base: Mapping[str, Any], project: Path, own: Path
) -> Weighed:
    """Everything to be said of a plan, in a millisecond once a book was read."""
    from smarthdr_studio.core.plan_command import command_line
    from smarthdr_studio.core.plan_schema import check, idle

    complaints = check(values)
    differs = tuple(key for key, value in values.items() if value != base.get(key))
    command = ""
    if not complaints:
        command = command_line(project, plan_of(values), preset, own=own)
    return Weighed(
        complaints=complaints,
        idle={} if complaints else idle(values),
        differs=differs,
        command=command,
    )


def plan_of(values: Mapping[str, Any]) -> "TrainingPlan":
    """A plan from values by dotted key. Raises PlanError."""
    from smarthdr_studio.core.plan import parse_plan
    from smarthdr_studio.core.plan_schema import nested

    return parse_plan(nested(values))


def name_complaint(name: str) -> str:
    """Why a preset cannot be saved under a name; "" where it can."""
    from smarthdr_studio.core.own_presets import complaint_about_name

    return complaint_about_name(name)


def save_preset(
    name: str, values: Mapping[str, Any], *, base: str, description: str, own: Path
) -> Path:
    """Saves values by dotted key as a person's preset; where it lies now. Raises PlanError."""
    from smarthdr_studio.core import own_presets

    return own_presets.save_preset(
        name, plan_of(values), base=base, description=description, own=own
    )


def delete_preset(name: str, *, own: Path) -> Path:
    """Sets a person's preset aside; where it lies now. Raises PlanError."""
    from smarthdr_studio.core import own_presets

    return own_presets.delete_preset(name, own=own)
