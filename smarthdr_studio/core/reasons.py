"""Why an area is hard: saturation, motion, darkness, or two networks that disagree."""

from enum import IntEnum


class Reason(IntEnum):
    """The chief reason why a pixel is not trusted; the number is what a map of reasons holds."""

    TRUSTED = 0
    SATURATED = 1
    MOVING = 2
    DARK = 3
    DISPUTED = 4
    UNEXPLAINED = 5
    PERSON = 6

    @property
    def words(self) -> str:
        """What the screen calls it."""
        return _WORDS[self]


_WORDS = {
    Reason.TRUSTED: "trusted",
    Reason.SATURATED: "saturated",
    Reason.MOVING: "motion",
    Reason.DARK: "dark and noisy",
    Reason.DISPUTED: "teacher and student differ",
    Reason.UNEXPLAINED: "no visible cause",
    Reason.PERSON: "a person's brush",
}
