"""What is known of one scene at a glance: its status, figures, tags and note."""

from collections.abc import Sequence
from dataclasses import dataclass

from smarthdr_studio.core.journal import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFacts:
    """One line of the scene list; None where nothing says. Shares lie in [0, 1].

    `rounds` are the retained shares of the newest run's rounds, oldest first; `trend` is how much
    the last of them rose above the one `TREND_ROUNDS` before. `motion` and `saturation` are
    shares of pixels that move, and that are saturated in the reference. `psnr_mu` is the
    pseudo-label against the ground truth in dB, where there is one. `painted` is the share of
    pixels a person's brush decides. `pixels` is how many the scene has; 0 where nobody said.
    """

    id: str
    status: Status
    retained: float | None = None
    trend: float | None = None
    sigma_mean: float | None = None
    motion: float | None = None
    saturation: float | None = None
    psnr_mu: float | None = None
    painted: float = 0.0
    rounds: tuple[float, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""
    reviewed: bool = False
    whole: bool = False
    pixels: int = 0


TREND_ROUNDS = 3


def trend_of(rounds: Sequence[float]) -> float | None:
    """How much the last share rose above the one `TREND_ROUNDS` before; None in a younger run."""
    return rounds[-1] - rounds[-1 - TREND_ROUNDS] if len(rounds) > TREND_ROUNDS else None
