"""The columns of the table of scenes: what each is called, means, says and is sorted by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtCore import Qt

from smarthdr_studio.core.curation.sorting import SortKey
from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.state import SceneFacts

Look = Literal["name", "status", "bar", "text", "trend", "rounds"]

_LEFT: Final = Qt.AlignmentFlag.AlignLeft
_RIGHT: Final = Qt.AlignmentFlag.AlignRight
_STEADY: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One figure of every scene; `look` is how a cell is painted, `width` is in digits."""

    title: str
    tip: str
    key: SortKey
    text: Callable[[SceneFacts], str]
    width: int
    look: Look = "text"
    side: Qt.AlignmentFlag = _RIGHT

    def told(self, facts: SceneFacts) -> str:
        """The cell in words."""
        return f"{self.title}: {self.text(facts) or 'none'}"


def trend_in_words(trend: float | None) -> str:
    """By how many points the kept share rose or fell, with an arrow."""
    if trend is None:
        return "–"
    if abs(trend) < _STEADY:
        return "► 0"
    return f"{'▲' if trend > 0 else '▼'} {abs(trend) * 100:.0f}"


def decibels(value: float | None) -> str:
    """A ratio in dB with one decimal; a dash where there is none."""
    return "–" if value is None else f"{value:.1f}"


COLUMNS: Final = (
    Column(
        title="Scene",
        tip="Its id",
        key=SortKey.ID,
        text=lambda facts: facts.id,
        width=12,
        look="name",
        side=_LEFT,
    ),
    Column(
        title="Status",
        tip="What it is to training",
        key=SortKey.STATUS,
        text=lambda facts: f"{facts.status}, whole" if facts.whole else str(facts.status),
        width=11,
        look="status",
        side=_LEFT,
    ),
    Column(
        title="Kept",
        tip="Share of its pixels that is trusted",
        key=SortKey.RETAINED,
        text=lambda facts: percent(facts.retained),
        width=11,
        look="bar",
    ),
    Column(
        title="Trend",
        tip="By how many points the kept share rose over the last three rounds",
        key=SortKey.TREND,
        text=lambda facts: trend_in_words(facts.trend),
        width=5,
        look="trend",
    ),
    Column(
        title="Rounds",
        tip="The kept share in every round of the newest run; sorted by its trend",
        key=SortKey.TREND,
        text=lambda facts: " ".join(percent(share) for share in facts.rounds[-8:]),
        width=8,
        look="rounds",
        side=_LEFT,
    ),
    Column(
        title="σ",
        tip="Mean uncertainty of its pseudo-label",
        key=SortKey.SIGMA,
        text=lambda facts: small(facts.sigma_mean),
        width=6,
    ),
    Column(
        title="Motion",
        tip="Share of its pixels that move",
        key=SortKey.MOTION,
        text=lambda facts: percent(facts.motion),
        width=6,
    ),
    Column(
        title="Saturated",
        tip="Share of its pixels that are saturated in the reference",
        key=SortKey.SATURATION,
        text=lambda facts: percent(facts.saturation),
        width=8,
    ),
    Column(
        title="PSNR-μ",
        tip="Its pseudo-label against its ground truth, in dB",
        key=SortKey.PSNR,
        text=lambda facts: decibels(facts.psnr_mu),
        width=7,
    ),
    Column(
        title="Painted",
        tip="Share of its pixels that the brush decides",
        key=SortKey.PAINTED,
        text=lambda facts: percent(facts.painted) if facts.painted else "–",
        width=7,
    ),
    Column(
        title="Tags",
        tip="Words of your own",
        key=SortKey.TAGS,
        text=lambda facts: ", ".join(facts.tags),
        width=14,
        side=_LEFT,
    ),
    Column(
        title="Note",
        tip="What was written about it",
        key=SortKey.NOTE,
        text=lambda facts: " ".join(facts.note.split()),
        width=24,
        side=_LEFT,
    ),
)
