"""One question at a time: asked again before the answer is there, it is asked once more."""

from collections.abc import Callable


class Turns:
    """Keeps a slow question from being asked twice at once, and from being forgotten."""

    def __init__(self, begin: Callable[[], bool]) -> None:
        """`begin` asks, and says whether an answer will come."""
        self._begin = begin
        self._busy = self._again = False

    def ask(self) -> None:
        """Ask now, or once more when the answer under way has come."""
        if self._busy:
            self._again = True
        else:
            self._busy = self._begin()

    def over(self) -> None:
        """The answer has come, or there will be none."""
        self._busy = False
        if self._again:
            self._again = False
            self.ask()

    def forget(self) -> None:
        """Nobody waits for an answer any more."""
        self._busy = self._again = False
