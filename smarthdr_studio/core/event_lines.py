"""Events of a run read back from the lines of its log."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, get_args

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.events import (
    RoundFinished,
    RunFinished,
    SceneRetention,
    TrainingEvent,
)
from smarthdr_studio.core.trust_files import masks_from_text

_KINDS: Final = {kind.__name__: kind for kind in get_args(TrainingEvent)}
_KNOWN: Final = {name: frozenset(f.name for f in fields(kind)) for name, kind in _KINDS.items()}
_BEGINNING: Final = b'{"time": '


def event_of(values: Mapping[str, Any]) -> TrainingEvent | None:
    """The event `as_json` was given; None of a kind or shape that is not known here."""
    name = str(values.get("event"))
    kind = _KINDS.get(name)
    if kind is None:
        return None
    known = _KNOWN[name]
    told: dict[str, Any] = {name: _frozen(value) for name, value in values.items() if name in known}
    try:
        if kind is RoundFinished:
            told["masks"] = masks_from_text(json.dumps(values["masks"]))
            told["scenes"] = tuple(SceneRetention(**scene) for scene in values.get("scenes", ()))
        elif kind is RunFinished:
            told["remedies"] = tuple(Remedy(**each) for each in values.get("remedies", ()))
        event: TrainingEvent = kind(**told)
    except (KeyError, TypeError, ValueError):
        return None
    return event


def events_in(lines: bytes) -> Iterator[TrainingEvent]:
    """Every event of some lines; a line cut short by a kill is passed over."""
    for values in values_in(lines):
        if (event := event_of(values)) is not None:
            yield event


def values_in(lines: bytes) -> Iterator[dict[str, Any]]:
    """Every line as plain values that name an event; what is no such line is passed over.

    Where a resumed run wrote behind a line that a kill or a full disk had cut, its own counts.
    """
    for line in lines.splitlines():
        values = _read(line)
        if values is None and (again := line.rfind(_BEGINNING)) > 0:
            values = _read(line[again:])
        if values is not None:
            yield values


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    return values if isinstance(values, dict) and "event" in values else None


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
