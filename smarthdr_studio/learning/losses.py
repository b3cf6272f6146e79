"""The loss terms of METHOD §3 over the pixels that count."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor

from smarthdr_studio.core.training.plan_sections import LossPlan
from smarthdr_studio.learning.networks import Prediction
from smarthdr_studio.learning.perceptual import PerceptualLoss
from smarthdr_studio.learning.radiometry import mu_law

NllGradient = Literal["judge", "full", "beta"]

TOTAL: Final = "total"


class Target(NamedTuple):
    """What a prediction is held against."""

    hdr: Tensor
    """B×3×H×W linear radiance in [0, 1]."""
    trusted: Tensor
    """B×1×H×W bool, True where the loss counts the pixel."""
    weight: Tensor | None = None
    """B×1×H×W in [0, 1], how much it counts a trusted pixel; None counts each whole."""

    @property
    def counted(self) -> Tensor:
        """How many pixels the loss counts, each by its weight: a scalar."""
        return (self.trusted if self.weight is None else self.weight * self.trusted).sum()


class Terms(NamedTuple):
    """One half of the loss, labelled or unlabelled; None is a term that is switched off."""

    reconstruction: Tensor
    perceptual: Tensor | None
    nll: Tensor | None
    highlights: Tensor | None = None
    structure: Tensor | None = None
    """What a method with stages teaches beside its labels, weighted already."""


def masked_mean(values: Tensor, trusted: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sum over trusted / number of trusted, of B×1×H×W; exactly 0 where nothing is trusted.

    With weights, B×1×H×W in [0, 1], both sums are weighed by them.

    An untrusted value takes no part even if it is not a number, and its gradient is exactly 0. What
    it was computed from may get a gradient that is no number all the same: see `counted`.
    """
    there = counted(values, trusted)
    if weight is None:
        return there.sum() / trusted.sum().clamp(min=1)
    return (there * weight).sum() / (weight * trusted).sum().clamp(min=1)


def counted(values: Tensor, trusted: Tensor, *, otherwise: float = 0.0) -> Tensor:
    """B×C×H×W values where B×1×H×W is trusted, a plain number elsewhere.

    Done to what a term reads, not to what it answers: a label that is no number at an untrusted
    pixel then takes no part in the gradient either (0 · ∞ is no number).
    """
    return torch.where(trusted, values, values.new_full((), otherwise))


def reconstruction_loss(
    hdr_mu: Tensor, target_mu: Tensor, *, trusted: Tensor, weight: Tensor | None = None
) -> Tensor:
    """L^r: mean |T(ĥ) − T(h)| of B×3×H×W μ-law values over the trusted pixels, by weight."""
    apart = counted(hdr_mu, trusted) - counted(target_mu, trusted)
    return masked_mean(apart.abs().mean(1, keepdim=True), trusted, weight)


def highlight_loss(
    hdr: Tensor, target: Tensor, *, trusted: Tensor, weight: Tensor | None = None
) -> Tensor:
    """L^h: mean |ĥ − h| of B×3×H×W linear radiance over the trusted pixels.

    Near white the μ-law turns an error of 0.1 into one of 0.01: where the reference is clipped,
    L^r hardly sees whether the under frame was believed, and PSNR-l is decided there.
    """
    apart = counted(hdr, trusted) - counted(target, trusted)
    return masked_mean(apart.abs().mean(1, keepdim=True), trusted, weight)


def nll_loss(  # noqa: PLR0913 - all that is in the formula
    hdr_mu: Tensor,
    target_mu: Tensor,
    sigma: Tensor,
    *,
    trusted: Tensor,
    weight: Tensor | None = None,
    gradient: NllGradient = "full",
    beta: float = 0.5,
) -> Tensor:
    """L^k: mean of e²/(2σ²) + ½ log σ² over the trusted pixels, e² the channel mean on μ-law.

    Args:
        hdr_mu: B×3×H×W prediction, μ-law.
        target_mu: B×3×H×W label, μ-law.
        sigma: B×1×H×W uncertainty in μ-law values, above 0.
        trusted: B×1×H×W bool.
        weight: B×1×H×W in [0, 1], how much a trusted pixel counts; None counts each whole.
        gradient: "full" as in the paper; "judge" teaches σ only, the error being taken as given
            (so that it stays in the judge, the network detaches its features as well);
            "beta" weighs each pixel by the detached σ^(2β) (β-NLL, ICLR 2022).
        beta: β of β-NLL.
    """
    if gradient == "judge":
        hdr_mu = hdr_mu.detach()
    apart = counted(hdr_mu, trusted) - counted(target_mu, trusted)
    squared_error = apart.square().mean(1, keepdim=True)
    sigma = counted(sigma, trusted, otherwise=1.0)
    likelihood = squared_error / (2 * sigma.square()) + sigma.log()
    if gradient == "beta":
        likelihood = likelihood * sigma.detach().pow(2 * beta)
    return masked_mean(likelihood, trusted, weight)


def half_loss(
    prediction: Prediction,
    target: Target,
    *,
    plan: LossPlan,
    perceptual: PerceptualLoss | None,
    with_nll: bool,
) -> Terms:
    """The terms of one half, in float32 whatever the network computed in."""
    with torch.autocast(prediction.hdr.device.type, enabled=False):
        hdr_mu, target_mu = mu_law(prediction.hdr.float()), mu_law(target.hdr.float())
        trusted, weight = target.trusted, target.weight
        nll = perceived = highlights = None
        if with_nll and plan.nll_weight:
            nll = nll_loss(
                hdr_mu,
                target_mu,
                prediction.sigma.float(),
                trusted=trusted,
                weight=weight,
                gradient=plan.nll_gradient,
                beta=plan.beta,
            )
        if perceptual is not None:
            perceived = perceptual(hdr_mu, target_mu, trusted=trusted, weight=weight)
        if plan.highlight_weight:
            highlights = highlight_loss(
                prediction.hdr.float(), target.hdr.float(), trusted=trusted, weight=weight
            )
        return Terms(
            reconstruction_loss(hdr_mu, target_mu, trusted=trusted, weight=weight),
            perceptual=perceived,
            nll=nll,
            highlights=highlights,
        )


def as_part(terms: Terms, share: Tensor) -> Terms:
    """The terms of a part of a batch, so that those of all parts add up to those of the batch.

    Each term is a sum over trusted pixels, divided by how many they are; `share`, a scalar, of
    those of the whole batch are in this part.
    """
    others = (None if term is None else term * share for term in terms[1:])
    return Terms(terms.reconstruction * share, *others)


def total_loss(
    labelled: Terms | None, unlabelled: Terms | None, *, plan: LossPlan, ramp: float = 1.0
) -> Tensor:
    """L = L_s^r + λ_v L_s^v + L_s^k + λ_u (L_u^r + λ_v L_u^v + L_u^k) (METHOD §3).

    A scalar. One of the halves may be missing; `ramp` is what λ_u has risen to, from 0 to 1.
    """
    if unlabelled is None:
        assert labelled is not None
        return _weighted(labelled, plan=plan)
    doubtful = ramp * plan.unlabelled_weight * _weighted(unlabelled, plan=plan)
    return doubtful if labelled is None else _weighted(labelled, plan=plan) + doubtful


def _weighted(terms: Terms, *, plan: LossPlan) -> Tensor:
    total = terms.reconstruction
    if terms.perceptual is not None:
        total = total + plan.perceptual_weight * terms.perceptual
    if terms.nll is not None:
        total = total + plan.nll_weight * terms.nll
    if terms.highlights is not None:
        total = total + plan.highlight_weight * terms.highlights
    if terms.structure is not None:
        total = total + terms.structure
    return total


def by_name(
    total: Tensor, labelled: Terms | None, unlabelled: Terms | None
) -> Mapping[str, Tensor]:
    """Every term that is on, a detached scalar each; "total" and names as "labelled_nll"."""
    named = {TOTAL: total.detach()}
    for half, terms in (("labelled", labelled), ("unlabelled", unlabelled)):
        if terms is not None:
            for name, value in zip(Terms._fields, terms, strict=True):
                if value is not None:
                    named[f"{half}_{name}"] = value.detach()
    return named
