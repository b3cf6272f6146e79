"""The columns of the table of scenes: what each is called, means, says and is sorted by."""

from dataclasses import dataclass
from typing import Final, Literal

from smarthdr_studio.core.curation.sorting import SortKey
from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.state import SceneFacts
from smarthdr_studio.studio.widgets.value_table import RIGHT, Column

Look = Literal["name", "status", "bar", "text", "trend", "rounds"]

_STEADY: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneColumn(Column[SceneFacts]):
    """A figure of every scene.

    `sort` is its order, which the list keeps; `look` is how a cell is painted, `width` in digits.
    """

    sort: SortKey
    width: int
    look: Look = "text"


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


COLUMNS: Final[tuple[SceneColumn, ...]] = (
    SceneColumn(
        title="Scene",
        tip="Its id",
        sort=SortKey.ID,
        text=lambda facts: facts.id,
        width=12,
        look="name",
    ),
    SceneColumn(
        title="Status",
        tip="What it is to training",
        sort=SortKey.STATUS,
        text=lambda facts: f"{facts.status}, whole" if facts.whole else str(facts.status),
        width=11,
        look="status",
    ),
    SceneColumn(
        title="Kept",
        tip="Share of its pixels that is trusted",
        sort=SortKey.RETAINED,
        text=lambda facts: percent(facts.retained),
        width=11,
        look="bar",
        side=RIGHT,
    ),
    SceneColumn(
        title="Trend",
        tip="By how many points the kept share rose over the last three rounds",
        sort=SortKey.TREND,
        text=lambda facts: trend_in_words(facts.trend),
        width=5,
        look="trend",
        side=RIGHT,
    ),
    SceneColumn(
        title="Rounds",
        tip="The kept share in every round of the newest run; sorted by its trend",
        sort=SortKey.TREND,
        text=lambda facts: " ".join(percent(share) for share in facts.rounds[-8:]),
        width=8,
        look="rounds",
    ),
    SceneColumn(
        title="σ",
        tip="Mean uncertainty of its pseudo-label",
        sort=SortKey.SIGMA,
        text=lambda facts: small(facts.sigma_mean),
        width=6,
        side=RIGHT,
    ),
    SceneColumn(
        title="Motion",
        tip="Share of its pixels that move",
        sort=SortKey.MOTION,
        text=lambda facts: percent(facts.motion),
        width=6,
        side=RIGHT,
    ),
    SceneColumn(
        title="Saturated",
        tip="Share of its pixels that are saturated in the reference",
        sort=SortKey.SATURATION,
        text=lambda facts: percent(facts.saturation),
        width=8,
        side=RIGHT,
    ),
    SceneColumn(
        title="PSNR-μ",
        tip="Its pseudo-label against its ground truth, in dB",
        sort=SortKey.PSNR,
        text=lambda facts: decibels(facts.psnr_mu),
        width=7,
        side=RIGHT,
    ),
    SceneColumn(
        title="Painted",
        tip="Share of its pixels that the brush decides",
        sort=SortKey.PAINTED,
        text=lambda facts: percent(facts.painted) if facts.painted else "–",
        width=7,
        side=RIGHT,
    ),
    SceneColumn(
        title="Tags",
        tip="Words of your own",
        sort=SortKey.TAGS,
        text=lambda facts: ", ".join(facts.tags),
        width=14,
    ),
    SceneColumn(
        title="Note",
        tip="What was written about it",
        sort=SortKey.NOTE,
        text=lambda facts: " ".join(facts.note.split()),
        width=24,
    ),
)
