"""Why a pixel or a region is trusted or not: one sentence first, the numbers under it."""

from dataclasses import dataclass
from typing import Literal

Gate = Literal["", "patch", "pixel", "person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of numbers: "S_pa", "0.71", "τ_pa 0.40"; alarming where it speaks against trust."""

    name: str
    value: str
    beside: str = ""
    alarming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer to "why?" for what `subject` names ("pixel 397, 100"); plain text throughout.

    `gate` is who dropped it (of a region: who dropped most of it), "" where it is trusted.
    """

    subject: str
    sentence: str
    gate: Gate
    facts: tuple[Fact, ...] = ()
