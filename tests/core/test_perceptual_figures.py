"""PU21 is the published encoding, and its PSNR has the peak it says."""

import math

import numpy as np
import pytest

from smarthdr_studio.core.imaging.metrics import psnr_pu, pu21


def test_pu21_gives_the_published_values():
    found = pu21(np.array([0.0, 0.005, 100.0, 10_000.0, 50_000.0]))
    # Nothing at the darkest luminance, about 256 at the white of an ordinary display.
    np.testing.assert_allclose(found, [0, 0, 256.38, 595.39, 595.39], atol=0.01)
    luminance = np.geomspace(0.005, 10_000, 200)
    assert (np.diff(pu21(luminance)) > 0).all()


def test_its_psnr_is_for_a_peak_of_256_with_radiance_1_at_1000_candela():
    truth, picture = np.full((4, 4, 3), 0.1), np.full((4, 4, 3), 1.0)
    apart = 420.09692 - 256.38390  # PU21 of 1000 and of 100 cd/m²
    assert psnr_pu(picture, truth) == pytest.approx(20 * math.log10(256 / apart), abs=1e-4)
    assert math.isinf(psnr_pu(truth, truth))
