"""The columns of the evaluation table: what each is called, means, says and is sorted by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Final

from smarthdr_studio.studio.state import SceneFigures

MEAN: Final = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`value` of a scene's figures, printed by `form`; the first click sorts the worst first."""

    title: str
    tip: str
    value: Callable[[SceneFigures], float]
    form: str
    more_is_better: bool = True
    of_difference: bool = False  # coloured by its sign


def _minus(name: str) -> Callable[[SceneFigures], float]:
    return lambda row: float(getattr(row, name) - getattr(row, f"merge_{name}"))


COLUMNS: Final = (
    Column(title="PSNR-μ", tip="dB on μ-law values", value=lambda r: r.psnr_mu, form="{:.2f}"),
    Column(
        title="− merge",
        tip="How many dB of PSNR-μ it is better than the exposure-weighted merge",
        value=_minus("psnr_mu"),
        form="{:+.2f}",
        of_difference=True,
    ),
    Column(title="PSNR-l", tip="dB on linear radiance", value=lambda r: r.psnr_l, form="{:.2f}"),
    Column(
        title="− merge",
        tip="How many dB of PSNR-l it is better than the exposure-weighted merge",
        value=_minus("psnr_l"),
        form="{:+.2f}",
        of_difference=True,
    ),
    Column(
        title="SSIM-μ", tip="Similarity on μ-law values", value=lambda r: r.ssim_mu, form="{:.4f}"
    ),
    Column(
        title="− merge",
        tip="How much SSIM-μ is better than that of the exposure-weighted merge",
        value=_minus("ssim_mu"),
        form="{:+.4f}",
        of_difference=True,
    ),
    Column(
        title="SSIM-l",
        tip="Similarity on linear radiance",
        value=lambda r: r.ssim_l,
        form="{:.4f}",
    ),
    Column(
        title="− merge",
        tip="How much SSIM-l is better than that of the exposure-weighted merge",
        value=_minus("ssim_l"),
        form="{:+.4f}",
        of_difference=True,
    ),
    Column(
        title="AUSE",
        tip="Whether σ says where the absolute error is (|error| on the μ-law, mean over channels):"
        " area between its curve and the oracle's, 0 is best",
        value=lambda r: r.ause,
        form="{:.3f}",
        more_is_better=False,
    ),
    Column(
        title="ρ",
        tip="Rank correlation of σ and the absolute error (|error| on the μ-law, mean over"
        " channels), 1 is best",
        value=lambda r: r.spearman,
        form="{:.3f}",
    ),
)


def mean_of(rows: Sequence[SceneFigures]) -> SceneFigures:
    """The mean over scenes of every figure."""
    names = [each.name for each in fields(SceneFigures) if each.name != "id"]
    return SceneFigures(
        id=MEAN, **{name: fmean(getattr(row, name) for row in rows) for name in names}
    )
