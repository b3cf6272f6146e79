"""Why a pixel or a region is trusted or not: one sentence first, the numbers under it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.trust.causes import (
    DARK,
    DISPUTED,
    MOVING,
    NOTABLE,
    Area,
    Box,
    Causes,
    Clues,
    causes,
    joined,
)
from smarthdr_studio.core.trust.masking import MaskSettings, Range, Trust, expand, scores
from smarthdr_studio.core.words import percent, tau_words

Gate = Literal["", "patch", "pixel", "person"]
Flags = npt.NDArray[np.bool_]

_CLOSE: Final = 0.9  # of a threshold: trusted, but only just
_HALF: Final = 0.5  # of a weight: less is worth a warning
_WELL_BELOW: Final = 0.5  # of a threshold
_SAMPLED: Final = 1_000_000  # pixels a rank is counted over at most, evenly strided


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExplainedScene:
    """What is known of one scene; maps are H×W, `means` are the patches' mean σ, rows×columns.

    `dispute` is |T(teacher) − T(student)| and `error` |T(ĥ) − T(h)|, channel means.
    """

    trust: Trust
    masks: MaskSettings
    sigma: Floats
    means: Floats
    bracket: Bracket | None = None
    clues: Clues | None = None
    dispute: Floats | None = None
    error: Floats | None = None

    def causes(self, area: Area) -> Causes:
        """What the frames and both networks say about an area."""
        return causes(area, bracket=self.bracket, clues=self.clues, dispute=self.dispute)

    def kept_patches(self, box: Box) -> Flags:
        """Of each pixel of a box, whether its patch is retained; h×w of the box."""
        return self.of_patches(self.trust.patch_mask, box)

    def of_patches(self, values: npt.NDArray[Any], box: Box) -> npt.NDArray[Any]:
        """Values of patches, rows×columns, for each pixel of a box."""
        size = self.masks.patch_size
        rows, columns = (slice(side.start // size, -(-side.stop // size)) for side in box)
        height, width = (side.stop - side.start // size * size for side in box)
        whole = expand(values[rows, columns], size=size, height=height, width=width)
        return np.asarray(whole[box[0].start % size :, box[1].start % size :])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """Both scores of one pixel, what each gate says, and what holds in the end."""

    patch: float
    pixel: float
    kept_patch: bool
    kept_pixel: bool
    trusted: bool
    weight: float

    @property
    def of_gates(self) -> Gate:
        """The first gate that drops it."""
        return "patch" if not self.kept_patch else "" if self.kept_pixel else "pixel"

    @property
    def gate(self) -> Gate:
        """Who dropped it, the brush included."""
        return "" if self.trusted else self.of_gates or "person"


def explain_pixel(scene: ExplainedScene, at: tuple[int, int]) -> Explanation:
    """Why the pixel at (x, y) is trusted or not; quick enough for every move of the mouse."""
    x, y = at
    size, (height, width) = scene.masks.patch_size, scene.sigma.shape
    pixel = Area(box=(slice(y, y + 1), slice(x, x + 1)))
    top, left = y // size * size, x // size * size
    patch = Area(box=(slice(top, min(top + size, height)), slice(left, min(left + size, width))))
    verdict, in_patch, here = _verdict_at(scene, at), scene.causes(patch), scene.causes(pixel)
    match verdict.gate:
        case "patch":
            sentence = f"Dropped with its patch: {_patch_words(scene, verdict, in_patch)}."
        case "pixel":
            sentence = f"Dropped as a pixel: {_pixel_words(scene, at, here)}."
        case "person":
            sentence = "Dropped by a person, with the brush; both gates would trust it."
        case _:
            sentence = f"Trusted{_trust_words(scene, verdict, here)}."
    return Explanation(
        subject=f"pixel {x}, {y}",
        sentence=sentence,
        gate=verdict.gate,
        facts=(
            *_score_facts(scene.masks, verdict),
            *_weight_fact(scene, at),
            Fact(name="σ", value=number(float(scene.sigma[y, x]))),
            *cause_facts(
                in_patch if verdict.gate == "patch" else here, saturated_in=in_patch, where="patch"
            ),
            *error_fact(scene, pixel),
        ),
    )


def cause_facts(seen: Causes, *, saturated_in: Causes, where: str) -> Iterator[Fact]:
    """What frames and networks say as figures; saturation is always counted over `where`."""
    if saturated_in.saturated is not None:
        shares = [percent(share).removesuffix(" %") for share in saturated_in.saturated]
        yield Fact(
            name="saturated",
            value=f"{' / '.join(shares)} %",
            beside=f"of the {where}: under / ref. / over",
            alarming=saturated_in.saturated[1] >= NOTABLE,
        )
    figures = (
        ("motion", seen.motion, seen.moving, f"moving above {MOVING:.2f}"),
        ("noise", seen.noise, seen.dark, f"noisy above {DARK:.2f}"),
        ("teacher − student", seen.dispute, seen.disputed, f"differ above {DISPUTED:.2f}"),
    )
    for name, mean, share, beside in figures:
        if mean is not None and share is not None:
            yield Fact(
                name=name,
                value=number(mean),
                beside=beside if seen.single else f"{percent(share)} {beside}",
                alarming=share >= NOTABLE,
            )


def error_fact(scene: ExplainedScene, area: Area) -> Iterator[Fact]:
    """The mean absolute error where ground truth is known."""
    if scene.error is not None:
        mean = float(area.of(scene.error).mean(dtype=np.float64))
        yield Fact(name="error", value=number(mean), beside="absolute, on the μ-law")


def number(value: float) -> str:
    """A value on the μ-law with three digits that count."""
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def score_words(value: float, tau: float) -> str:
    """A score with two decimals, or as many more as tell it from its threshold."""
    decimals = (2, 3, 4)
    shown = (f"{value:.{d}f}" for d in decimals if f"{value:.{d}f}" != f"{tau:.{d}f}")
    return next(shown, f"{value:.2f}") if value != tau else f"{value:.2f}"


def _verdict_at(scene: ExplainedScene, at: tuple[int, int]) -> _Verdict:
    x, y = at
    trust, place = scene.trust, (y // scene.masks.patch_size, x // scene.masks.patch_size)
    return _Verdict(
        patch=float(scores(scene.means[place], trust.patch_range)),
        pixel=float(scores(scene.sigma[y, x], trust.pixel_range)),
        kept_patch=bool(trust.patch_mask[place]),
        kept_pixel=bool(trust.pixel_mask[y, x]),
        trusted=bool(trust.trusted[y, x]),
        weight=float(trust.weights[y, x]),
    )


def _patch_words(scene: ExplainedScene, verdict: _Verdict, seen: Causes) -> str:
    if not isfinite(verdict.patch):
        return "σ is not a number in some of it"
    tau = scene.masks.tau_patch
    if seen.clauses():
        return joined(seen.clauses())
    above = f"S_pa {score_words(verdict.patch, tau)} is above τ_pa {tau_words(tau)}"
    return f"{above}; nothing in the frames explains it" if seen.complete else above


def _pixel_words(scene: ExplainedScene, at: tuple[int, int], seen: Causes) -> str:
    sigma = float(scene.sigma[at[1], at[0]])
    if not isfinite(sigma):
        return "σ is not a number there"
    if seen.clauses():
        return joined(seen.clauses())
    rank = _rank(scene.sigma, sigma)
    among = (
        f"is among the {percent(max(rank, 0.01))} least sure of this scene"
        if rank < 0.5
        else "is nothing unusual in this scene"
    )
    words = f"σ {number(sigma)} {among}"
    return f"{words}; nothing in the frames explains it" if seen.complete else words


def _trust_words(scene: ExplainedScene, verdict: _Verdict, seen: Causes) -> str:
    """What follows "Trusted"."""
    if verdict.of_gates:
        return f" by a person, with the brush; the {verdict.of_gates} gate would drop it"
    if not (_known(scene.trust.patch_range) or _known(scene.trust.pixel_range)):
        return ": σ is the same everywhere, so nothing is known to be worse than anything else"
    if scene.masks.soft is not None:
        though = f", although {joined(seen.clauses())}" if seen.clauses() else ""
        whole = "whole" if verdict.weight >= 1 else f"by {percent(verdict.weight)}"
        return f" and counted {whole}: pixels are weighed by S_pi, not dropped{though}"
    if scene.masks.tau_exposure is not None:
        return ": both scores are within the thresholds, of which τ_pi goes by the exposure"
    pairs = _pairs(scene.masks, verdict)
    for score, value, threshold, tau, _ in pairs:
        if _CLOSE * tau < value and tau < 1:
            shown = score_words(value, tau)
            return f", but only just: {score} {shown} is close to {threshold} {tau_words(tau)}"
    well = all(value <= _WELL_BELOW * tau for _, value, _, tau, _ in pairs)
    though = f", although {joined(seen.clauses())}" if seen.clauses() else ""
    return f": both scores are {'well below' if well else 'within'} their thresholds{though}"


def _score_facts(masks: MaskSettings, verdict: _Verdict) -> tuple[Fact, ...]:
    beside = {"τ_pa": f"τ_pa {tau_words(masks.tau_patch)}", "τ_pi": pixel_threshold_words(masks)}
    return tuple(
        Fact(
            name=name,
            value=score_words(value, tau),
            beside=beside[threshold],
            alarming=not kept,
        )
        for name, value, threshold, tau, kept in _pairs(masks, verdict)
    )


def _weight_fact(scene: ExplainedScene, at: tuple[int, int]) -> Iterator[Fact]:
    """How much the loss counts the pixel, where that is no yes or no."""
    if scene.trust.weight is not None:
        weight = float(scene.trust.weight[at[1], at[0]])
        yield Fact(name="weight", value=f"{weight:.2f}", alarming=weight < _HALF)


def pixel_threshold_words(masks: MaskSettings) -> str:
    """What S_pi is held against."""
    if masks.soft is not None:
        return f"weighed around {masks.soft.mean:.2f}"
    if masks.tau_exposure is not None:
        return (
            "τ_pi " + " / ".join(f"{tau_words(tau)}" for tau in masks.tau_exposure) + " by exposure"
        )
    return f"τ_pi {tau_words(masks.tau_pixel)}"


def _pairs(
    masks: MaskSettings, verdict: _Verdict
) -> tuple[tuple[str, float, str, float, bool], ...]:
    """Score, its value, threshold, its value, and whether the gate lets pass; patch, then pixel."""
    return (
        ("S_pa", verdict.patch, "τ_pa", masks.tau_patch, verdict.kept_patch),
        ("S_pi", verdict.pixel, "τ_pi", masks.tau_pixel, verdict.kept_pixel),
    )


def _known(spread: Range) -> bool:
    """Whether a range tells surer from less sure."""
    return spread.high > spread.low


def _rank(sigma: Floats, value: float) -> float:
    """The share of the pixels that are as unsure or less sure; of a sample where they are many."""
    step = max(1, round((sigma.size / _SAMPLED) ** 0.5))
    sampled = sigma[::step, ::step]
    return float(np.count_nonzero(sampled >= value) / sampled.size)
