"""Evidence about σ as a person reads it: one sentence, and figures beside what they should be."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.evidence import Evidence
from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.core.reliability import gaussian_coverage

DROPPED: Final = 0.1
GAUSSIAN: Final = (gaussian_coverage(1), gaussian_coverage(2), gaussian_coverage(3))
# Which share of what an oracle gains over chance the words ask for.
_KNOWS, _ROUGHLY, _HARDLY = 0.5, 0.2, 0.03

ABSOLUTE: Final = "absolute error: |error| on the μ-law, mean over channels"
RMS: Final = "RMS error: root of the mean over channels of the squared error on the μ-law"

TIPS: Final = {
    "AUSE": "Area between the curve by σ and the oracle's: 0 is as good as knowing the error"
    f" ({ABSOLUTE})",
    "AURG": f"Area between random and the curve by σ: 0 is no better than chance ({ABSOLUTE})",
    "Spearman": "Rank correlation of σ and the absolute error: 1 is the same order, 0 is none"
    f" ({ABSOLUTE})",
    "AUROC": "How well σ tells absolute errors above 10/255 from the rest: 1 always, 0.5 is"
    f" chance ({ABSOLUTE})",
    "ENCE": "How far σ is from the RMS error it predicts, on average over bins: 0 is calibrated"
    f" ({RMS})",
    "within σ": f"Share of pixels whose RMS error is within σ, 2σ and 3σ ({RMS})",
    "Gaussian": "What those shares would be if the errors of the three channels were independent"
    " Gaussians of standard deviation σ",
    "pixels": "How many pixels these figures rest on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Shares of the summed absolute error that go with the least sure `dropped` of the pixels."""

    dropped: float
    by_sigma: float
    oracle: float


def removed(shown: Evidence, *, dropped: float = DROPPED) -> Removed:
    """What dropping the least sure pixels removes of the summed absolute error.

    A curve y holds mean absolute error of the rest ÷ that of all, so the rest keeps
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
        f" {_percent(gone.dropped)} removes {_percent(gone.by_sigma)} of the absolute"
        f" error (an oracle {_percent(gone.oracle)})."
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
    """Coverage of 1, 2 and 3 σ, and what it would be of three independent Gaussian channels."""
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
    return ", ".join(map(_near_everything, shares)) + " %"


def _near_everything(share: float) -> str:
    if 0.9995 <= share < 1:
        return ">99.9"
    return f"{100 * share:.1f}" if 0.99 < share < 1 else f"{100 * share:.0f}"


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"
