"""The columns of the evaluation table: what each is called, means, says and is sorted by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from statistics import fmean
from typing import Final

from PySide6.QtGui import QFont

from smarthdr_studio.studio.state import SceneFigures
from smarthdr_studio.studio.widgets.value_table import RIGHT, Column

SCENE: Final = "Scene"
MEAN: Final = "mean"
_SORTS: Final = "; a click here sorts"
_BETTER: Final = {
    "psnr_mu": "How many dB of PSNR-μ it is better than the exposure-weighted merge",
    "psnr_l": "How many dB of PSNR-l it is better than the exposure-weighted merge",
    "ssim_mu": "How much SSIM-μ is better than that of the exposure-weighted merge",
    "ssim_l": "How much SSIM-l is better than that of the exposure-weighted merge",
}


def mean_of(rows: Sequence[SceneFigures]) -> SceneFigures:
    """The mean over scenes of every figure."""
    names = [each.name for each in fields(SceneFigures) if each.name != "id"]
    return SceneFigures(
        id=MEAN, **{name: fmean(getattr(row, name) for row in rows) for name in names}
    )


def _figure(
    title: str, name: str, tip: str, *, form: str, more_is_better: bool = True
) -> Column[SceneFigures]:
    """A figure as it is; the first click sorts the worst first."""

    def value(row: SceneFigures) -> float:
        return float(getattr(row, name))

    return _number(title, tip, value, form=form, largest_first=not more_is_better)


def _difference(name: str, *, form: str) -> Column[SceneFigures]:
    """How much better than the plain merge; what is worse has a colour as well as its sign."""

    def value(row: SceneFigures) -> float:
        return float(getattr(row, name) - getattr(row, f"merge_{name}"))

    return _number(
        "− merge", _BETTER[name], value, form=form, tone=lambda row: "bad" if value(row) < 0 else ""
    )


def _number(
    title: str,
    tip: str,
    value: Callable[[SceneFigures], float],
    *,
    form: str,
    largest_first: bool = False,
    tone: Callable[[SceneFigures], str] | None = None,
) -> Column[SceneFigures]:
    """A number printed by `form`, a dash where it is none."""

    def key(row: SceneFigures) -> float | None:
        found = value(row)
        return found if math.isfinite(found) else None

    def text(row: SceneFigures) -> str:
        found = key(row)
        return "–" if found is None else form.format(found).replace("-", "−")

    return Column(
        title=title,
        tip=tip + _SORTS,
        text=text,
        key=key,
        side=RIGHT,
        largest_first=largest_first,
        tone=tone,
        font=_bold_mean,
    )


def _bold_mean(row: SceneFigures) -> QFont | None:
    """Only for the mean."""
    if row.id != MEAN:
        return None
    font = QFont()
    font.setBold(True)
    return font


COLUMNS: Final[tuple[Column[SceneFigures], ...]] = (
    Column(
        title=SCENE,
        tip="A click on a line shows the scene" + _SORTS,
        text=lambda row: row.id,
        font=_bold_mean,
    ),
    _figure("PSNR-μ", "psnr_mu", "dB on μ-law values", form="{:.2f}"),
    _difference("psnr_mu", form="{:+.2f}"),
    _figure("PSNR-l", "psnr_l", "dB on linear radiance", form="{:.2f}"),
    _difference("psnr_l", form="{:+.2f}"),
    _figure("SSIM-μ", "ssim_mu", "Similarity on μ-law values", form="{:.4f}"),
    _difference("ssim_mu", form="{:+.4f}"),
    _figure("SSIM-l", "ssim_l", "Similarity on linear radiance", form="{:.4f}"),
    _difference("ssim_l", form="{:+.4f}"),
    _figure(
        "AUSE",
        "ause",
        "Whether σ says where the absolute error is (|error| on the μ-law, mean over channels):"
        " area between its curve and the oracle's, 0 is best",
        form="{:.3f}",
        more_is_better=False,
    ),
    _figure(
        "ρ",
        "spearman",
        "Rank correlation of σ and the absolute error (|error| on the μ-law, mean over"
        " channels), 1 is best",
        form="{:.3f}",
    ),
)
