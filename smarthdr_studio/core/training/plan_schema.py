"""The settings of a plan as a flat list, made from the plan itself; a plan as its command line."""

import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.training.plan import (
    CONTRADICTION,
    TrainingPlan,
    idle_settings,
    load_preset,
    parse_changes,
)
from smarthdr_studio.core.training.plan_fields import NONE, Kind, PlanField, toml_value

_RUN: Final = "Run"  # settings that stand in no section
_KINDS: Final[Mapping[type, Kind]] = {
    bool: "switch",
    int: "whole",
    float: "number",
    str: "words",
    Path: "path",
}


@cache
def plan_fields() -> tuple[PlanField, ...]:
    """Every setting of a plan, in its order; those in no section come first."""
    found = tuple(_fields(TrainingPlan, prefix="", section=_RUN))
    return (*(f for f in found if f.section == _RUN), *(f for f in found if f.section != _RUN))


def flat(plan: BaseModel) -> dict[str, Any]:
    """A plan as plain values by dotted key; paths are strings."""
    values: dict[str, Any] = {}
    for name, value in plan:
        if isinstance(value, BaseModel):
            values |= {f"{name}.{key}": below for key, below in flat(value).items()}
        else:
            values[name] = _path_in_words(value) if isinstance(value, Path) else value
    return values


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same in sections, as TOML has them and `parse_plan` takes them."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        section, dot, name = key.partition(".")
        if dot:
            found.setdefault(section, {})[name] = value
        else:
            found[key] = value
    return found


def differences(plan: TrainingPlan, other: TrainingPlan) -> tuple[str, ...]:
    """The keys of all settings in which two plans differ, in the plan's order."""
    theirs = flat(other)
    return tuple(key for key, value in flat(plan).items() if theirs[key] != value)


def check(values: Mapping[str, Any]) -> dict[str, str]:
    """Everything that is wrong with plain values by dotted key: a clause for each, all at once.

    Settings that are left out have their defaults. Contradictions are found between those values
    that are allowed by themselves; keys that are no settings are told as well.
    """
    known = {field.key: field for field in plan_fields()}
    found = {key: "no such setting" for key in values if key not in known}
    sound = {key: value for key, value in values.items() if key in known}
    for _ in range(2):  # values first; with what is left, whether they agree
        try:
            TrainingPlan.model_validate(nested(sound))
        except ValidationError as error:
            for key, words in _complaints(error, known):
                found[key] = words
                sound.pop(key, None)
        else:
            break
    return found


def idle(values: Mapping[str, Any]) -> dict[str, str]:
    """By dotted key, settings of an allowed plan that do nothing beside the others."""
    try:
        plan = TrainingPlan.model_validate(nested(values))
    except ValidationError:
        return {}
    return idle_settings(plan)


def _path_in_words(path: Path) -> str:
    """A file that is called as nothing is written keeps its name."""
    return f"./{path}" if str(path) == NONE else str(path)


def _complaints(
    error: ValidationError, known: Mapping[str, PlanField]
) -> Iterator[tuple[str, str]]:
    for each in error.errors(include_url=False):
        if each["type"] == CONTRADICTION:
            yield from each["ctx"]["found"].items()
            continue
        key = ".".join(str(part) for part in each["loc"])
        while key not in known and "." in key:  # of a union, the last part names the alternative
            key = key.rpartition(".")[0]
        if key in known:
            yield key, known[key].allowed


def _fields(model: type[BaseModel], *, prefix: str, section: str) -> Iterator[PlanField]:
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            title = (annotation.__doc__ or name).partition(":")[0]
            yield from _fields(annotation, prefix=f"{name}.", section=title)
        else:
            yield _field(f"{prefix}{name}", info, section=section)


def _field(key: str, info: FieldInfo, *, section: str) -> PlanField:
    title = key.rpartition(".")[2].replace("_", " ")
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kinds, words, bounds = _taken_apart(info)
    plain = [kind for kind in kinds if kind is not NoneType]
    default = info.get_default()
    return PlanField(
        key=key,
        section=section,
        title=info.title or f"{title[:1].upper()}{title[1:]}",
        description=info.description or "",
        kind=_KINDS[plain[0]] if plain else "choice",
        unit=str(extra.get("unit", "")),
        form=str(extra.get("form", "")),
        choices=() if plain else words,
        words=words if plain else (),
        default=str(default) if isinstance(default, Path) else default,
        nullable=NoneType in kinds,
        **_bounds(bounds),
    )


def _taken_apart(info: FieldInfo) -> tuple[list[type], tuple[str, ...], list[object]]:
    """The types, the words and the bounds of a setting, whatever they are wrapped in."""
    kinds: list[type] = []
    words: list[str] = []
    bounds = list(info.metadata)
    waiting: list[Any] = [info.annotation]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, type) and get_origin(part) is None:
            kinds.append(part)
        elif get_origin(part) is Literal:
            words += get_args(part)
        elif hasattr(part, "__metadata__"):
            waiting.append(part.__origin__)
            for mark in part.__metadata__:
                bounds += mark.metadata if isinstance(mark, FieldInfo) else [mark]
        else:
            waiting += get_args(part)
    return kinds, tuple(words), bounds


def _bounds(marks: list[object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mark in marks:
        match mark:
            case Ge():
                found["low"] = mark.ge
            case Gt():
                found |= {"low": mark.gt, "above": True}
            case Le():
                found["high"] = mark.le
            case Lt():
                found |= {"high": mark.lt, "below": True}
            case MultipleOf():
                found["step"] = mark.multiple_of
            case _:
                pass
    return found


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
