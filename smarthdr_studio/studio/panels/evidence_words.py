"""Evidence about σ as a person reads it: one sentence, and figures beside what they should be."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.evidence import Evidence
from smarthdr_studio.core.explanation import Fact

DROPPED: Final = 0.1
# Shares of pixels within 1, 2 and 3 σ where errors are Gaussian.
GAUSSIAN: Final = (0.6827, 0.9545, 0.9973)
# Which share of what an oracle gains over chance the words ask for.
_KNOWS, _ROUGHLY, _HARDLY = 0.5, 0.2, 0.03

TIPS: Final = {
    "AUSE": "Area between the curve by σ and the oracle's: 0 is as good as knowing the error",
    "AURG": "Area between random and the curve by σ: 0 is no better than chance",
    "Spearman": "Rank correlation of σ and error: 1 is the same order, 0 is none",
    "AUROC": "How well σ tells errors above 10/255 from the rest: 1 always, 0.5 is chance",
    "ENCE": "How far σ is from the error it predicts, on average over bins: 0 is calibrated",
    "within σ": "Share of pixels whose error is within σ, 2σ and 3σ",
    "Gaussian": "What those shares would be if σ were the standard deviation of a Gaussian error",
    "pixels": "How many pixels these figures rest on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Shares of the whole error that go when the least sure `dropped` of the pixels goes."""

    dropped: float
    by_sigma: float
    oracle: float


def removed(shown: Evidence, *, dropped: float = DROPPED) -> Removed:
    """What dropping the least sure pixels removes of the summed error.

    A curve y holds mean error of the rest ÷ mean error of all, so the rest keeps
    (1 − dropped)·y of the sum.
    """
    return Removed(
        dropped=dropped,
        by_sigma=1 - (1 - dropped) * _at(shown.by_sigma, dropped),
        oracle=1 - (1 - dropped) * _at(shown.oracle, dropped),
    )


def sentence(shown: Evidence) -> str:
    """Whether σ knows where the errors are, said with numbers."""
    if shown.pixels == 0:
        return "There are no such pixels here."
    gone = removed(shown)
    if not (math.isfinite(gone.by_sigma) and math.isfinite(gone.oracle)):
        return "There is no error here to be found."
    room = gone.oracle - gone.dropped
    if room < 0.01:
        return "All errors are alike here: there is nothing for σ to know."
    return (
        f"{_verdict((gone.by_sigma - gone.dropped) / room)}: dropping the least sure"
        f" {_percent(gone.dropped)} removes {_percent(gone.by_sigma)} of the error"
        f" (an oracle {_percent(gone.oracle)})."
    )


def figures(shown: Evidence) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Two columns of figures."""
    first = (
        Fact(name="AUSE", value=_number(shown.ause)),
        Fact(name="Spearman", value=_number(shown.spearman)),
        Fact(name="ENCE", value=_number(shown.ence)),
    )
    second = (
        Fact(name="AURG", value=_number(shown.aurg)),
        Fact(name="AUROC", value=_number(shown.auroc)),
        Fact(name="pixels", value=count(shown.pixels)),
    )
    return first, second


def coverage(shown: Evidence) -> tuple[Fact, ...]:
    """Coverage of 1, 2 and 3 σ, and what it would be of a Gaussian."""
    return (
        Fact(name="within σ", value=_three(shown.coverage), beside="1, 2, 3 σ"),
        Fact(name="Gaussian", value=_three(GAUSSIAN)),
    )


def count(pixels: int) -> str:
    """How many, short: 40,000 or 1.21 M."""
    return f"{pixels:,}" if pixels < 1_000_000 else f"{pixels / 1_000_000:.2f} M"


def _verdict(gain: float) -> str:
    """`gain` is 1 for an oracle and 0 for chance."""
    if gain >= _KNOWS:
        return "σ knows where the errors are"
    if gain >= _ROUGHLY:
        return "σ knows roughly where the errors are"
    if gain >= _HARDLY:
        return "σ hardly knows where the errors are"
    return "σ does not know where the errors are"


def _at(curve: npt.NDArray[np.float64], dropped: float) -> float:
    return float(np.interp(dropped, np.linspace(0, 1, len(curve)), curve))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _three(shares: tuple[float, float, float]) -> str:
    """Whole percent, and tenths near everything, where tenths tell."""
    words = (f"{100 * s:.1f}" if 0.99 < s < 1 else f"{100 * s:.0f}" for s in shares)
    return ", ".join(words) + " %"


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"
