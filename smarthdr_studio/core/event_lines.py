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


def event_of(values: Mapping[str, Any]) -> TrainingEvent | None:
    """The event `as_json` was given; None of a kind or shape that is not known here."""
    kind = _KINDS.get(str(values.get("event")))
    if kind is None:
        return None
    known = {field.name for field in fields(kind)}
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
    for line in lines.splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and (event := event_of(values)) is not None:
            yield event


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
