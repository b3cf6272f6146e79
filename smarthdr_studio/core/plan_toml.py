"""Plain values written as TOML; what has no value is written as "none"."""

import json
from collections.abc import Mapping
from typing import Any

from smarthdr_studio.core.plan_field import NONE


def toml(values: Mapping[str, Any]) -> str:
    """The text of a TOML file of settings, and of sections of settings."""
    return "\n".join(_lines(values)) + "\n"


def toml_value(value: object) -> str:
    """One value as TOML writes it."""
    if value is None:
        return json.dumps(NONE)
    # Strings of JSON are strings of TOML, but for one sign that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(values: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{key} = {toml_value(value)}"
        for key, value in values.items()
        if not isinstance(value, Mapping)
    ]
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *_lines(value)]
    return lines
