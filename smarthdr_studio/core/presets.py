"""The plans that ship with the program, by name; reading one is `core.plan`'s."""

from pathlib import Path

from smarthdr_studio.core.resources import resource


def presets() -> tuple[str, ...]:
    """The names of the plans that ship with the program."""
    return tuple(sorted(path.stem for path in resource("presets").glob("*.toml")))


def preset_file(name: str) -> Path:
    """Where a plan lies: a path that ends in .toml is one itself."""
    return Path(name) if name.endswith(".toml") else resource("presets", f"{name}.toml")
