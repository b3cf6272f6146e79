"""The lines of one chart of curves: their points, their styles, and the scale that shows them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QPen

from smarthdr_studio.studio.plots.axes import Doubles, comfortable
from smarthdr_studio.studio.plots.heading import Entry, LineStyle, LineStyles
from smarthdr_studio.studio.plots.trace import Sight, Trace

Numbers = npt.NDArray[Any]
_FEW: Final = 60  # measured values in sight that get a dot each


class CurveLines:
    """Traces by name; a name keeps its style whatever else comes and goes."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names` are those of lines in the order of their styles; others come after."""
        self._traces: dict[str, Trace] = {}
        self._styles, self._hidden = LineStyles(names), set[str]()

    def __len__(self) -> int:
        return len(self._traces)

    def take(self, name: str, x: float, y: float) -> None:
        """Append a point to a line, which begins with its first one."""
        trace = self._traces.get(name)
        if trace is None:
            trace = self._traces[name] = Trace()
        trace.add(x, y)

    def extend(self, name: str, x: Numbers, y: Numbers) -> None:
        """Append many points by rising x."""
        self._traces.setdefault(name, Trace()).extend(x, y)

    def put_before(self, name: str, x: Numbers, y: Numbers) -> None:
        """Take in what was known of a line before its first point here."""
        self._traces.setdefault(name, Trace()).put_before(x, y)

    def show(
        self, series: Mapping[str, tuple[Numbers, Numbers]], styles: LineStyles | None
    ) -> None:
        """These lines and no others; styles may be shared with other charts."""
        self._styles = styles or self._styles
        self._traces = {}
        for name, (x, y) in series.items():
            self.extend(name, x, y)

    def clear(self) -> None:
        """Forget every line."""
        self._traces.clear()

    def switch(self, name: str) -> None:
        """Show a line, or do not."""
        self._hidden ^= {name}

    def switch_off(self, names: Iterable[str]) -> None:
        """These lines are off, all others on."""
        self._hidden = set(names)

    @property
    def hidden(self) -> frozenset[str]:
        """The names of lines that are switched off, be there such lines now or not."""
        return frozenset(self._hidden)

    @property
    def traces(self) -> dict[str, Trace]:
        """Every line in the order of styles."""
        return dict(sorted(self._traces.items(), key=lambda item: self.style(item[0]).number))

    @property
    def shown(self) -> dict[str, Trace]:
        """Those that have points and are not switched off."""
        return {n: trace for n, trace in self.traces.items() if n not in self._hidden and trace}

    def style(self, name: str) -> LineStyle:
        """How a line is drawn."""
        return self._styles.of(name)

    @property
    def span(self) -> Sight | None:
        """The first and the last step of all lines."""
        spans = [span for trace in self._traces.values() if (span := trace.reach) is not None]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None

    def entries(self, at: float | None, *, smooth: float) -> list[Entry]:
        """The legend, with the values at a step; None is now."""
        step = math.inf if at is None else at
        return [
            Entry(
                name=name,
                value=trace.near(step, smooth=smooth),
                style=self.style(name),
                hidden=name in self._hidden,
            )
            for name, trace in self.traces.items()
        ]


BELOW_ZERO: Final = "linear: values below 0"
NOTHING_POSITIVE: Final = "linear: no value above 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What is seen; `fault` says why it is not logarithmic though that was asked for."""

    across: Sight
    up: tuple[float, float]
    log: bool = False
    fault: str = ""

    def shows(self, step: float) -> bool:
        """Whether a step is seen."""
        return self.across[0] <= step <= self.across[1]

    @property
    def powers(self) -> tuple[float, float]:
        """`up` as a plot has it."""
        low, high = self.up
        return (math.log10(low), math.log10(high)) if self.log else self.up


def scaled(
    traces: Iterable[Trace], sight: Sight, *, columns: int, log: bool, smooth: float = 0.0
) -> Scale:
    """The steps in sight, and the values that what is drawn of these traces has there."""
    first, last = sight
    across = first, last if last > first else first + 1
    traces = tuple(traces)
    seen = [_seen(trace, across, columns) for trace in traces]
    # A mean may lie beyond all it was made of that is in sight, never beyond all there is.
    beyond = [t for t in traces if t.reach and (t.reach[0] < first or t.reach[1] > last)]
    seen += [_seen(trace, across, columns, smooth) for trace in beyond if smooth]
    values = np.concatenate(seen) if seen else np.zeros(1)
    fault = _fault(values) if log else ""
    log = log and not fault
    if log:
        values = values[values > 0]
    up = comfortable(float(values.min()), float(values.max()), log=log)
    return Scale(across=across, up=up, log=log, fault=fault)


def zoomed(sight: Sight, *, about: float, share: float, within: Sight) -> Sight | None:
    """Another share of what is seen, a step staying where it is; None once all is seen."""
    first = max(about - (about - sight[0]) * share, within[0])
    last = min(about + (sight[1] - about) * share, within[1])
    if first <= within[0] and last >= within[1]:
        return None
    return (first, last) if last - first >= 1 else sight


def _seen(trace: Trace, sight: Sight, columns: int, smooth: float = 0.0) -> Doubles:
    """The values in sight, and those where the line enters and leaves it."""
    x, y = trace.outline(sight, columns=max(columns, 1), smooth=smooth)
    seen = [cut(x, y, sight)[1]]
    if (y > 0).all():  # between two points it is another value where the axis is logarithmic
        seen.append(np.exp2(cut(x, np.log2(y), sight)[1]))
    return np.concatenate(seen)


def cut(x: Doubles, y: Doubles, sight: Sight) -> tuple[Doubles, Doubles]:
    """A line that ends where what is seen ends: its first and last piece are shortened."""
    if len(x) < 2 or (x[0] >= sight[0] and x[-1] <= sight[1]):
        return x, y
    ends = np.clip(x[[0, -1]], *sight)
    heights = np.interp(ends, x, y)
    inner = (x > sight[0]) & (x < sight[1])
    x = np.concatenate([ends[:1], x[inner], ends[1:]])
    return x, np.concatenate([heights[:1], y[inner], heights[1:]])


def _fault(values: Doubles) -> str:
    """Zeros are left out of a logarithmic chart; what is below tells another story."""
    if (values < 0).any():
        return BELOW_ZERO
    return "" if (values > 0).any() else NOTHING_POSITIVE


def mapped(x: Doubles, y: Doubles, scale: Scale) -> tuple[Doubles, Doubles]:
    """In the units of the plot; what a logarithm cannot show is left out."""
    if not scale.log:
        return x, y
    shown = y > 0
    return x[shown], np.log10(y[shown])


def spot(x: float, y: float, scale: Scale, **look: object) -> list[dict[str, Any]]:
    """A mark on a line, as pyqtgraph wants it; none where nothing of it is seen."""
    if not scale.shows(x) or (scale.log and y <= 0):
        return []
    return [{"pos": (x, float(np.log10(y)) if scale.log else y), **look}]


def spots_of(trace: Trace, scale: Scale, *, pen: QPen) -> list[dict[str, Any]]:
    """A small dot on each value, where there are few."""
    x, y = trace.points
    inside = (x >= scale.across[0]) & (x <= scale.across[1])
    if inside.sum() > _FEW:
        return []
    x, y = mapped(x[inside], y[inside], scale)
    return [
        {"pos": place, "size": 4, "pen": pen, "brush": pen.color()}
        for place in zip(x.tolist(), y.tolist(), strict=True)
    ]
