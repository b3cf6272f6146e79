"""How long a run will still take, as it is told: settled first, and never jumping."""

from dataclasses import dataclass, replace
from typing import Final, Self

_SETTLED_AFTER: Final = (5, 8.0)  # steps and seconds since the first of them
_FOLLOWS_IN_S: Final = 20.0  # how slowly the told end follows the expected one
_JUMPS_BEYOND: Final = 0.5  # of what is left: a change of plans, not of weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """When a run is expected to end; times are seconds of one clock that never goes back."""

    first: float | None = None
    heard: float = 0.0
    steps: int = 0
    end: float = 0.0

    def after(self, seconds_left: float, *, now: float) -> Self:
        """The expectation after one more step said how much is left."""
        expected = now + seconds_left
        if self.first is None:
            return replace(self, first=now, heard=now, steps=1, end=expected)
        left = max(self.end - now, 1.0)
        share = min(1.0, (now - self.heard) / _FOLLOWS_IN_S)
        if not self._settled(now) or abs(expected - self.end) > max(_JUMPS_BEYOND * left, 10.0):
            share = 1.0
        end = self.end + share * (expected - self.end)
        return replace(self, heard=now, steps=self.steps + 1, end=end)

    def left(self, *, now: float) -> float | None:
        """Seconds left; None while too little is known to tell anybody."""
        return max(0.0, self.end - now) if self._settled(now) else None

    def _settled(self, now: float) -> bool:
        steps, seconds = _SETTLED_AFTER
        return self.first is not None and self.steps >= steps and now - self.first >= seconds


# Half a step is at most 6 % of what is told in it, or 10 s.
_STEPS: Final = ((95.0, 10.0), (500.0, 20.0), (5400.0, 60.0))


def coarse(seconds: float) -> float:
    """Seconds as anybody needs to know them: to the next of ever longer steps, 10 s at first."""
    step = next((step for below, step in _STEPS if seconds < below), 600.0)
    return max(step, round(seconds / step) * step)
