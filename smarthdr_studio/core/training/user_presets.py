"""Presets that a person saves and deletes; what is deleted is set aside, and can be had again."""

import re
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.files import AnyPath, move, replacing
from smarthdr_studio.core.training.plan import TrainingPlan, load_preset
from smarthdr_studio.core.training.plan_fields import toml
from smarthdr_studio.core.training.plan_schema import differences, flat, nested
from smarthdr_studio.core.training.presets import (
    about_preset,
    own_presets_folder,
    presets,
    shipped_presets,
)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_ASIDE: Final = "deleted"


def complaint_about_name(name: str) -> str:
    """Why a preset cannot have this name, as a clause; "" where it can."""
    if not name:
        return "give it a name"
    if not _NAME.fullmatch(name) or name.endswith((".", ".toml")) or _RESERVED.fullmatch(name):
        return "small letters, digits, - _ and . only, beginning with a letter or digit"
    if name in shipped_presets():
        return f"{name} ships with the program; take another name"
    return ""


def save_preset(
    name: str,
    plan: TrainingPlan,
    *,
    base: str,
    description: str = "",
    own: AnyPath | None = None,
) -> Path:
    """Writes what a plan changes of a preset under a name of its own, whole or not at all.

    An own preset of that name is replaced; one that is saved over itself keeps its base. `own` is
    a person's folder of presets. Raises PlanError: the name is not allowed, or nothing can be
    written there.
    """
    own = None if own is None else Path(own)
    if complaint := complaint_about_name(name):
        raise PlanError(f"{name or 'a preset'}: {complaint}")
    if name == base:
        base = about_preset(name, own).base
    folder = own or own_presets_folder()
    path = folder / f"{name}.toml"
    below = load_preset(base, own=own) if base else TrainingPlan()
    values = flat(plan)
    changed = {key: values[key] for key in differences(plan, below) if key != "preset"}
    about: dict[str, Any] = {"description": " ".join(description.split())}
    if base:
        about["base"] = base
    # A base that is built on this one would go round in a circle from now on.
    _refuse_circle(name, base, own=own)
    try:
        with replacing(path) as draft:
            draft.write_text(toml({**about, **nested(changed)}), encoding="utf-8")
    except OSError as error:
        raise PlanError(
            f"{path}: cannot be written ({error.strerror}); free some space or allow writing there"
        ) from None
    return path


def delete_preset(name: str, *, own: AnyPath | None = None) -> Path:
    """Sets an own preset aside; answers where its file lies now.

    Raises PlanError: it ships with the program, is not there, or others are based on it.
    """
    own = None if own is None else Path(own)
    folder = own or own_presets_folder()
    path = folder / f"{name}.toml"
    if name in shipped_presets():
        raise PlanError(f"{name}: ships with the program and stays")
    if not path.is_file():
        raise PlanError(f"{name}: no preset of yours; yours lie in {folder}")
    if built := [other for other in _own(own) if _base_of(other, own) == name]:
        raise PlanError(f"{name}: {', '.join(built)} is based on it; delete that one first")
    aside = folder / _ASIDE / path.name
    number = 1
    while aside.exists():
        number += 1
        aside = folder / _ASIDE / f"{name}-{number}.toml"
    try:
        move(path, aside)
    except OSError as error:
        raise PlanError(
            f"{path}: cannot be moved ({error.strerror}); allow writing there"
        ) from None
    return aside


def _own(own: Path | None) -> tuple[str, ...]:
    return tuple(name for name in presets(own) if name not in shipped_presets())


def _base_of(name: str, own: Path | None) -> str:
    try:
        return about_preset(name, own).base
    except PlanError:  # a broken file stands on nothing
        return ""


def _refuse_circle(name: str, base: str, *, own: Path | None) -> None:
    seen: set[str] = set()
    while base and base not in seen:
        if base == name:
            raise PlanError(f"{name}: would be based on itself; take another name or base")
        seen.add(base)
        base = _base_of(base, own)
