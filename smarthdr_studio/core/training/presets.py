"""The plans that ship with the program and those a person saved, by name, over their bases."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from smarthdr_studio.core.environment import resource
from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.files import AnyPath, is_file, shown_name
from smarthdr_studio.core.records import read_toml

# Those of the paper first, then other methods, then what the paper left out to see what it did.
_ORDER: Final = (
    *("paper", "quick", "fast", "supervised", "mean-teacher", "fixmatch"),
    *("fshdr", "quick-fshdr", "smae", "quick-smae", "selfhdr", "quick-selfhdr"),
)
# What a preset says of itself; all else in it is a setting.
_ABOUT: Final = ("base", "description")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A plan by name: what it is for, which preset it changes ("" for none), and whose it is."""

    name: str
    description: str = ""
    base: str = ""
    own: bool = False


def own_presets_folder() -> Path:
    """Where the presets of this person lie."""
    return platformdirs.user_config_path("smarthdr-studio", appauthor=False) / "presets"


def shipped_presets() -> tuple[str, ...]:
    """The names of the plans that ship with the program."""
    names = sorted(path.stem for path in resource("presets").glob("*.toml"))
    known = {name: place for place, name in enumerate(_ORDER)}
    return tuple(sorted(names, key=lambda name: known.get(name, len(_ORDER))))


def presets(own: AnyPath | None = None) -> tuple[str, ...]:
    """The names of all plans, those that ship first; `own` is a person's folder of presets."""
    own = None if own is None else Path(own)
    shipped = shipped_presets()
    saved = sorted(path.stem for path in (own or own_presets_folder()).glob("*.toml"))
    return (*shipped, *(name for name in saved if name not in shipped))


def preset_file(name: str, own: AnyPath | None = None) -> Path:
    """Where a plan lies: a path that ends in .toml is one itself."""
    own = None if own is None else Path(own)
    if name.endswith(".toml"):
        return Path(name)
    shipped = resource("presets", f"{name}.toml")
    saved = (own or own_presets_folder()) / f"{name}.toml"
    return saved if not is_file(shipped) and is_file(saved) else shipped


def about_preset(name: str, own: AnyPath | None = None) -> Preset:
    """What a preset says of itself. Raises PlanError where it cannot be read."""
    own = None if own is None else Path(own)
    values = _read(name, own)
    return Preset(
        name=name,
        description=str(values.get("description", "")),
        base=str(values.get("base", "")),
        own=name not in shipped_presets(),
    )


def preset_values(name: str, own: AnyPath | None = None) -> dict[str, Any]:
    """The settings of a preset over those of the presets it is based on, nested as in TOML.

    Raises:
        PlanError: there is no such preset, it is not TOML, or its bases go round in a circle.
    """
    own = None if own is None else Path(own)
    chain: list[str] = []
    layers: list[dict[str, Any]] = []
    current = name
    while current:
        if current in chain:
            raise PlanError(
                f"{preset_file(name, own)}: is based on itself, {' → '.join([*chain, current])}; "
                "give one of them another base"
            )
        chain.append(current)
        layers.append(_read(current, own))
        current = _base_of(layers[-1], preset_file(current, own))
    for base in layers[1:]:
        base.pop("preset", None)  # which plan this is, its base does not know
    values: dict[str, Any] = {}
    for layer in reversed(layers):
        values = _laid_over(values, {k: v for k, v in layer.items() if k not in _ABOUT})
    return values


def _read(name: str, own: Path | None) -> dict[str, Any]:
    path = preset_file(name, own)
    if not is_file(path):
        if path == Path(name) or len(Path(name).parts) > 1:
            what = "is no plain file" if path.exists() or path.is_symlink() else "no such file"
            raise PlanError(f"{shown_name(name)}: {what}; choose one that is there")
        raise PlanError(
            f"{shown_name(name)}: no such preset; there are {', '.join(presets(own))}, or a .toml "
            "file"
        )
    try:
        values = read_toml(path)
    except ValueError as error:
        raise PlanError(f"{path}: not readable as TOML ({error}); mend that line") from None
    except OSError as error:
        raise PlanError(f"{path}: cannot be read ({error.strerror}); allow reading it") from None
    if not values:  # else a plan that was lost would be that of the paper, for days
        raise PlanError(f"{path}: is empty; bring it back from a copy, or choose another plan")
    return values


def _base_of(values: Mapping[str, Any], path: Path) -> str:
    base = values.get("base", "")
    if not isinstance(base, str):
        raise PlanError(f"{path}: base is {shown_name(repr(base))}; the name of a preset in quotes")
    # A file beside this one is meant as it lies, wherever the program was started.
    return str(path.parent / base) if base.endswith(".toml") else base


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            value = _laid_over(under, value)
        merged[key] = value
    return merged
