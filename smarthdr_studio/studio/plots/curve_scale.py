"""Which steps and values a chart shows, and where they lie in its frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QRectF

from smarthdr_studio.studio.plots.axes import Axis, comfortable
from smarthdr_studio.studio.plots.trace import Doubles, Sight, Trace

BELOW_ZERO: Final = "linear: values below 0"
NOTHING_POSITIVE: Final = "linear: no value above 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Both axes; `fault` says why the upright one is not logarithmic though that was asked for."""

    across: Axis
    up: Axis
    fault: str = ""

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Across and up."""
        return self.across, self.up


def scaled(traces: Iterable[Trace], sight: Sight, *, frame: QRectF, log: bool) -> Scale:
    """Axes over the steps in sight and over the values these traces have there."""
    first, last = sight
    across = Axis(
        low=first,
        high=last if last > first else first + 1,
        first=frame.left(),
        last=frame.right(),
    )
    seen = [_seen(trace, (across.low, across.high), int(frame.width())) for trace in traces]
    values = np.concatenate(seen) if seen else np.zeros(1)
    fault = _fault(values) if log else ""
    log = log and not fault
    if log:
        values = values[values > 0]
    low, high = comfortable(float(values.min()), float(values.max()), log=log)
    up = Axis(low=low, high=high, first=frame.bottom(), last=frame.top(), log=log)
    return Scale(across=across, up=up, fault=fault)


def zoomed(sight: Sight, *, about: float, share: float, within: Sight) -> Sight | None:
    """Another share of what is seen, a step staying where it is; None once all is seen."""
    first = max(about - (about - sight[0]) * share, within[0])
    last = min(about + (sight[1] - about) * share, within[1])
    if first <= within[0] and last >= within[1]:
        return None
    return (first, last) if last - first >= 1 else sight


def _seen(trace: Trace, sight: Sight, columns: int) -> Doubles:
    """The values in sight; those at both ends where there is none between."""
    x, y = trace.outline(sight, columns=max(columns, 1))
    inside = y[(x >= sight[0]) & (x <= sight[1])]
    return inside if len(inside) else y


def _fault(values: Doubles) -> str:
    """Zeros are left out of a logarithmic chart; what is below tells another story."""
    if (values < 0).any():
        return BELOW_ZERO
    return "" if (values > 0).any() else NOTHING_POSITIVE
