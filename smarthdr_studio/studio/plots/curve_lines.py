"""The lines of one chart: their points, their styles, and which of them are switched off."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from smarthdr_studio.studio.plots.curve_words import Entry
from smarthdr_studio.studio.plots.line_styles import LineStyle, LineStyles
from smarthdr_studio.studio.plots.trace import Sight, Trace

Numbers = npt.NDArray[Any]


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
