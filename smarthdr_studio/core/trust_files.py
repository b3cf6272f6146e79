"""Mask settings and ranges as text, for the headers of files and the journal."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from smarthdr_studio.core.masking import Level, MaskSettings, Range


def masks_as_text(masks: MaskSettings) -> str:
    """Every setting as JSON; reading it back gives the same numbers to the last bit."""
    return json.dumps(asdict(masks), sort_keys=True)


def masks_from_text(text: str) -> MaskSettings:
    """What `masks_as_text` wrote; ValueError where it is something else."""
    values = json.loads(text)
    try:
        patches, pixels = (Level(**values.pop(name)) for name in ("patches", "pixels"))
        return MaskSettings(**values, patches=patches, pixels=pixels)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not mask settings: {error}") from None


def range_as_text(span: Range) -> str:
    """Low and high as JSON, exact."""
    return json.dumps([span.low, span.high])


def range_from_text(text: str) -> Range:
    """What `range_as_text` wrote; ValueError where it is something else."""
    values = json.loads(text)
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError(f"not a range: {text}")
    low, high = values
    return Range(float(low), float(high))


def plain(header: Mapping[str, Any], name: str) -> str:
    """A header value as text; ValueError naming what is missing."""
    if name not in header:
        raise ValueError(f"no {name} in the header")
    return str(header[name])
