"""Plans of runs held against each other, or against the preset they were made from, in words."""

from collections.abc import Sequence
from typing import Final

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.training.plan import TrainingPlan, load_preset
from smarthdr_studio.core.training.plan_fields import as_text
from smarthdr_studio.core.training.plan_schema import flat, plan_fields
from smarthdr_studio.core.training.run_comparison import read_plan, settled_plan
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.core.words import unit_for
from smarthdr_studio.studio.state import Contrast

Told = tuple[tuple[Contrast, ...], str]


_NO_SETTING: Final = frozenset({"preset"})  # says where the plan is from


def plan_contrasts(rows: Sequence[RunRow]) -> Told:
    """The settings in which the plans of these runs differ, and how many are the same."""
    try:
        plans = [settled_plan(RunFolder(row.folder)) for row in rows]
    except PlanError as error:
        return (), str(error)
    contrasts = _contrasts(plans)
    if not contrasts:
        return (), "The plans of these runs are the same."
    same = sum(field.key not in _NO_SETTING for field in plan_fields()) - len(contrasts)
    return contrasts, f"{_settings(len(contrasts))}, {same} are the same."


def against_preset(row: RunRow) -> Told:
    """Where the plan of a run differs from its preset: the preset's value, then the run's."""
    try:
        plan = read_plan(RunFolder(row.folder))
    except PlanError as error:
        return (), str(error)
    try:
        preset, name = load_preset(row.preset), f"the preset {row.preset}"
    except PlanError:  # it was somebody's own, and is not here
        preset, name = TrainingPlan(), "the paper's plan"
    contrasts = _contrasts([preset, plan])
    if not contrasts:
        return (), f"The plan is that of {name}."
    return contrasts, f"{_settings(len(contrasts))} from {name}."


def _contrasts(plans: Sequence[TrainingPlan]) -> tuple[Contrast, ...]:
    told = [flat(plan) for plan in plans]
    found = []
    for field in plan_fields():
        values = [settings[field.key] for settings in told]
        if field.key not in _NO_SETTING and any(value != values[0] for value in values):
            words = tuple(_with_unit(value, field.unit) for value in values)
            found.append(Contrast(name=f"{field.section}: {field.title}", values=words))
    return tuple(found)


def _with_unit(value: object, unit: str) -> str:
    words = as_text(value)
    return f"{words} {unit_for(words, unit)}" if unit and isinstance(value, int | float) else words


def _settings(count: int) -> str:
    return "1 setting differs" if count == 1 else f"{count} settings differ"
