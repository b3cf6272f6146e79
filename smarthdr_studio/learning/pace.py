"""How long a run will still take, from how long its parts took lately."""

import statistics
from collections import deque

from smarthdr_studio.learning.progress import Remaining


class Pace:
    """Times of the latest steps, rounds and validations; medians, so that one hiccup passes."""

    def __init__(self) -> None:
        self._steps: deque[float] = deque(maxlen=50)
        self._rounds: deque[float] = deque(maxlen=3)
        self._validations: deque[float] = deque(maxlen=3)

    def step_took(self, seconds: float) -> None:
        """Notes one gradient step."""
        self._steps.append(seconds)

    def round_took(self, seconds: float) -> None:
        """Notes one labelling of the whole pool."""
        self._rounds.append(seconds)

    def validation_took(self, seconds: float) -> None:
        """Notes one validation."""
        self._validations.append(seconds)

    @property
    def step_seconds(self) -> float:
        """The median of the latest steps; 0 before the first."""
        return statistics.median(self._steps) if self._steps else 0.0

    def seconds_left(self, left: Remaining) -> float:
        """What is left at this pace; parts that were not seen yet count nothing."""
        return (
            left.steps * self.step_seconds
            + left.rounds * (statistics.median(self._rounds) if self._rounds else 0.0)
            + left.validations * (statistics.median(self._validations) if self._validations else 0)
        )
