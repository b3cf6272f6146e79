"""A σ that errors were drawn with is calibrated: it is measured with what it is trained to be."""

import math

import numpy as np
import pytest
import torch

from smarthdr_studio.core.imaging.radiometry import mu_law
from smarthdr_studio.core.trust.reliability import (
    error_map,
    evidence,
    gaussian_coverage,
    squared_error_map,
)
from smarthdr_studio.learning.losses import nll_loss


def gaussian_errors(count: int, *, alike: bool) -> tuple[np.ndarray, np.ndarray]:
    """σ, and e of three channels drawn from N(0, σ²): each for itself, or the same for all."""
    rng = np.random.default_rng(7)
    sigma = np.exp(rng.uniform(np.log(0.003), np.log(0.1), count))
    drawn = rng.normal(size=(count, 1 if alike else 3))
    return sigma, sigma[:, None] * np.broadcast_to(drawn, (count, 3))


@pytest.mark.parametrize("alike", [True, False])
def test_a_sigma_the_errors_were_drawn_with_is_calibrated(alike):
    sigma, difference = gaussian_errors(200_000, alike=alike)
    error, squares = np.abs(difference).mean(1), np.square(difference).mean(1)
    found = evidence(sigma, error=error, squares=squares)
    assert found.ence < 0.02
    np.testing.assert_allclose(found.predicted, found.observed, rtol=0.03)
    one_gaussian = [math.erf(times / math.sqrt(2)) for times in (1, 2, 3)]
    expected = one_gaussian if alike else [gaussian_coverage(times) for times in (1, 2, 3)]
    assert found.coverage == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize("wrong", [0.5, 2.0])
def test_a_sigma_that_is_too_small_or_too_large_is_not_calibrated(wrong):
    sigma, difference = gaussian_errors(50_000, alike=False)
    error, squares = np.abs(difference).mean(1), np.square(difference).mean(1)
    found = evidence(wrong * sigma, error=error, squares=squares)
    assert found.ence == pytest.approx(abs(wrong - 1) / wrong, abs=0.02)


def test_what_the_likelihood_is_least_for_is_calibrated():
    sigma, difference = gaussian_errors(50_000, alike=False)
    squares = np.square(difference).mean(1)
    scales = np.linspace(0.8, 1.2, 41)
    losses = [(squares / (2 * (s * sigma) ** 2) + np.log(s * sigma)).mean() for s in scales]
    best = scales[int(np.argmin(losses))] * sigma
    assert evidence(best, error=np.abs(difference).mean(1), squares=squares).ence < 0.02


def test_the_coverage_of_three_channels_is_the_integral_of_maxwells_density():
    for times in (0.3, 1.0, 2.0, 3.0):
        t = np.linspace(0, math.sqrt(3) * times, 20_001)
        density = math.sqrt(2 / math.pi) * t**2 * np.exp(-(t**2) / 2)
        assert gaussian_coverage(times) == pytest.approx(np.trapezoid(density, t), abs=1e-7)
    assert gaussian_coverage(0) == 0


def test_the_squared_error_is_what_the_loss_holds_sigma_to():
    rng = np.random.default_rng(8)
    picture, truth = rng.uniform(size=(2, 5, 6, 3)).astype(np.float32)
    squares = squared_error_map(picture, truth)
    hdr_mu, target_mu = (
        torch.from_numpy(mu_law(each).transpose(2, 0, 1)[None].copy()) for each in (picture, truth)
    )
    sigma = torch.from_numpy(np.sqrt(squares))[None, None].requires_grad_()
    nll_loss(hdr_mu, target_mu, sigma, trusted=torch.ones(1, 1, 5, 6, dtype=torch.bool)).backward()
    # At σ = RMS error the loss is least: nothing pulls σ either way.
    assert float((sigma.grad * sigma.detach()).abs().max()) < 1e-5
    assert (error_map(picture, truth) <= np.sqrt(squares) + 1e-6).all()
