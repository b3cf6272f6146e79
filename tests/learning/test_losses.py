"""The loss counts trusted pixels, teaches whom it should, and never divides by nothing."""

import math

import pytest
import torch

from smarthdr_studio.core.training.plan_sections import LossPlan
from smarthdr_studio.learning.losses import (
    Target,
    by_name,
    half_loss,
    highlight_loss,
    masked_mean,
    nll_loss,
    reconstruction_loss,
    total_loss,
)
from smarthdr_studio.learning.networks import Prediction
from smarthdr_studio.learning.radiometry import mu_law


def _maps(*, batch: int = 2, size: int = 8, seed: int = 0) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    hdr = torch.rand(batch, 3, size, size, generator=generator).requires_grad_()
    target = torch.rand(batch, 3, size, size, generator=generator)
    sigma = (torch.rand(batch, 1, size, size, generator=generator) + 0.01).requires_grad_()
    trusted = torch.rand(batch, 1, size, size, generator=generator) > 0.5
    return hdr, target, sigma, trusted


def test_a_masked_mean_is_the_sum_over_trusted_by_their_number():
    values = torch.tensor([[[[1.0, 2.0], [3.0, 10.0]]]])
    trusted = torch.tensor([[[[True, True], [True, False]]]])
    assert masked_mean(values, trusted).item() == 2.0


def test_nothing_trusted_is_exactly_zero_even_where_values_are_no_numbers():
    values = torch.full((1, 1, 2, 2), float("nan"), requires_grad=True)
    mean = masked_mean(values, torch.zeros(1, 1, 2, 2, dtype=torch.bool))
    mean.backward()
    assert mean.item() == 0
    assert torch.equal(values.grad, torch.zeros_like(values))


@pytest.mark.parametrize("gradient", ["judge", "full", "beta"])
def test_untrusted_pixels_get_a_gradient_of_exactly_zero(gradient):
    hdr, target, sigma, trusted = _maps()
    loss = nll_loss(hdr, target, sigma, trusted=trusted, gradient=gradient)
    loss = loss + reconstruction_loss(hdr, target, trusted=trusted)
    loss.backward()
    outside = ~trusted
    assert hdr.grad.masked_select(outside).abs().max() == 0
    assert sigma.grad.masked_select(outside).abs().max() == 0
    assert sigma.grad.masked_select(trusted).abs().min() > 0


def test_a_crop_without_a_trusted_pixel_changes_nothing():
    hdr, target, sigma, trusted = _maps(batch=2)
    trusted = trusted.clone()
    trusted[1] = False
    plan = LossPlan(perceptual_weight=0)

    def loss(count: int) -> torch.Tensor:
        answer = Prediction(hdr[:count], sigma[:count])
        wanted = Target(target[:count], trusted[:count])
        terms = half_loss(answer, wanted, plan=plan, perceptual=None, with_nll=True)
        return total_loss(terms, None, plan=plan)

    assert torch.equal(loss(2), loss(1))


def test_the_likelihood_is_the_formula_of_the_paper():
    hdr, target, sigma, _ = _maps()
    error = (hdr - target).square().mean(1, keepdim=True)
    expected = (error / (2 * sigma**2) + 0.5 * torch.log(sigma**2)).mean()
    everywhere = torch.ones_like(sigma, dtype=torch.bool)
    torch.testing.assert_close(nll_loss(hdr, target, sigma, trusted=everywhere), expected)


def test_the_likelihood_is_least_where_sigma_is_the_error():
    error = 0.05
    hdr, target = torch.full((1, 3, 1, 1), 0.5 + error), torch.full((1, 3, 1, 1), 0.5)
    everywhere = torch.ones(1, 1, 1, 1, dtype=torch.bool)
    sigmas = torch.linspace(0.01, 0.2, 400)
    values = [
        nll_loss(hdr, target, sigma.view(1, 1, 1, 1), trusted=everywhere).item() for sigma in sigmas
    ]
    assert sigmas[int(torch.tensor(values).argmin())].item() == pytest.approx(error, abs=1e-3)


def test_the_gradient_kept_to_the_judge_leaves_the_picture_alone():
    hdr, target, sigma, trusted = _maps()
    nll_loss(hdr, target, sigma, trusted=trusted, gradient="judge").backward()
    assert hdr.grad is None
    assert sigma.grad.abs().sum() > 0


def test_beta_weighs_the_gradient_of_the_picture_down_where_sigma_is_small():
    gradients = {}
    for gradient in ("full", "beta"):
        hdr, target, sigma, trusted = _maps()
        nll_loss(hdr, target, sigma, trusted=trusted, gradient=gradient, beta=0.5).backward()
        gradients[gradient] = (hdr.grad, sigma.detach())
    full, sigma = gradients["full"]
    # σ^(2β) with β = ½ is σ itself (β-NLL, equation 3).
    torch.testing.assert_close(gradients["beta"][0], full * sigma)


def test_the_total_is_the_weighted_sum_of_the_terms_it_names():
    plan = LossPlan(perceptual_weight=0, unlabelled_weight=0.3, nll_weight=0.7)
    halves = []
    for seed in (0, 1):
        hdr, target, sigma, trusted = _maps(seed=seed)
        halves.append(
            half_loss(
                Prediction(hdr, sigma),
                Target(target, trusted),
                plan=plan,
                perceptual=None,
                with_nll=True,
            )
        )
    total = total_loss(halves[0], halves[1], plan=plan)
    named = {name: value.item() for name, value in by_name(total, *halves).items()}
    assert named["total"] == pytest.approx(
        named["labelled_reconstruction"]
        + 0.7 * named["labelled_nll"]
        + 0.3 * (named["unlabelled_reconstruction"] + 0.7 * named["unlabelled_nll"])
    )


def test_the_unlabelled_likelihood_can_be_switched_off():
    hdr, target, sigma, trusted = _maps()
    terms = half_loss(
        Prediction(hdr, sigma),
        Target(target, trusted),
        plan=LossPlan(perceptual_weight=0),
        perceptual=None,
        with_nll=False,
    )
    assert terms.nll is None
    assert "unlabelled_nll" not in by_name(terms.reconstruction, terms, terms)


def test_losses_are_float32_and_on_the_mu_law_inside_autocast():
    hdr, target, sigma, _ = _maps()
    everywhere = torch.ones_like(sigma, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = half_loss(
            Prediction(hdr.bfloat16(), sigma.bfloat16()),
            Target(target, everywhere),
            plan=LossPlan(perceptual_weight=0),
            perceptual=None,
            with_nll=True,
        )
    assert terms.reconstruction.dtype == torch.float32
    expected = (mu_law(hdr.bfloat16().float()) - mu_law(target)).abs().mean()
    torch.testing.assert_close(terms.reconstruction, expected)
    assert math.isfinite(terms.nll.item())


@pytest.mark.parametrize("gradient", ["judge", "full", "beta"])
def test_a_label_that_is_no_number_where_it_is_untrusted_spoils_no_gradient(gradient):
    hdr, target, sigma, trusted = _maps()
    clean = _gradients(hdr, target, sigma, trusted, gradient)
    target = torch.where(trusted, target, torch.full_like(target, float("nan")))
    spoilt = _gradients(hdr, target, sigma, trusted, gradient)
    assert all(torch.equal(a, b) for a, b in zip(clean, spoilt, strict=True))


def _gradients(hdr, target, sigma, trusted, gradient) -> list[torch.Tensor]:
    plan = LossPlan(perceptual_weight=0, nll_gradient=gradient, highlight_weight=0.5)
    answer, label = Prediction(hdr, sigma), Target(target, trusted)
    terms = half_loss(answer, label, plan=plan, perceptual=None, with_nll=True)
    total = total_loss(terms, None, plan=plan)
    return [total.detach(), *torch.autograd.grad(total, [hdr, sigma])]


def test_the_highlight_loss_is_the_error_in_linear_radiance():
    hdr, target, _, trusted = _maps()
    wanted = (hdr - target).abs().mean(1, keepdim=True)[trusted].mean()
    torch.testing.assert_close(highlight_loss(hdr, target, trusted=trusted), wanted)
    # At white the μ-law shows a tenth of the error, which the linear term shows whole.
    white, short = torch.ones(1, 3, 1, 1), torch.full((1, 3, 1, 1), 0.5)
    everywhere = torch.ones(1, 1, 1, 1, dtype=torch.bool)
    seen = reconstruction_loss(mu_law(short), mu_law(white), trusted=everywhere).item()
    assert seen < 0.1
    assert highlight_loss(short, white, trusted=everywhere).item() == 0.5


def test_the_unlabelled_half_counts_as_much_as_it_has_risen_to():
    hdr, target, sigma, trusted = _maps()
    plan = LossPlan(perceptual_weight=0, unlabelled_weight=2.0)
    terms = half_loss(
        Prediction(hdr, sigma), Target(target, trusted), plan=plan, perceptual=None, with_nll=True
    )
    labelled = total_loss(terms, None, plan=plan)
    risen = total_loss(terms, terms, plan=plan, ramp=0.25)
    torch.testing.assert_close(risen, labelled * (1 + 2.0 * 0.25))
