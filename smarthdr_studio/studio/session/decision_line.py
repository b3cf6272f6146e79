"""Decisions in the order they were taken, also while one of them takes its time."""

from collections import deque
from collections.abc import Callable


class DecisionLine:
    """Carries out one decision after the other; those taken meanwhile wait, none is forgotten."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], bool]] = deque()
        self._afterwards: deque[Callable[[], object]] = deque()
        self._at_work = self._going = False

    @property
    def at_rest(self) -> bool:
        """Whether everything that was decided is carried out."""
        return not (self._waiting or self._at_work or self._going)

    def take(self, begin: Callable[[], bool]) -> None:
        """One more decision, carried out now or when those before it are.

        `begin` carries it out; or it only begins to, answers True, and `over` is called at the end.
        """
        self._waiting.append(begin)
        self._go_on()

    def over(self) -> None:
        """The decision that took its time is carried out, or could not be."""
        self._at_work = False
        self._go_on()

    def afterwards(self, call: Callable[[], object]) -> None:
        """Call this as soon as nothing waits any more, be it now."""
        self._afterwards.append(call)
        self._say_all_is_done()

    def _go_on(self) -> None:
        if self._going:
            return
        self._going = True
        try:
            while self._waiting and not self._at_work:
                self._at_work = self._waiting.popleft()()
        finally:
            self._going = False
        self._say_all_is_done()

    def _say_all_is_done(self) -> None:
        while self._afterwards and self.at_rest:
            self._afterwards.popleft()()
