"""The tensors' radiometry is the radiometry of core."""

import numpy as np
import pytest
import torch

from smarthdr_studio.core.imaging import radiometry
from smarthdr_studio.learning.radiometry import inverse_mu_law, merge, mu_law, six_channels


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65536, (3, 5, 7, 3), dtype=np.uint16)


def as_batch(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame.astype(np.int32)).permute(2, 0, 1)[None]


def test_the_six_channels_are_radiance_then_camera_values(frames):
    ldr = radiometry.unit_ldr(frames[0])
    six = six_channels(as_batch(frames[0]), stops=3.0)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(six[..., :3], radiometry.linear_radiance(ldr, stops=3.0), rtol=1e-6)
    np.testing.assert_allclose(six[..., 3:], ldr, rtol=1e-6)


def test_integers_and_unit_values_give_the_same_six_channels(frames):
    sixteen = six_channels(as_batch(frames[0]), stops=2.0)
    unit = six_channels(as_batch(frames[0]).float() / 65535, stops=2.0)
    torch.testing.assert_close(sixteen, unit)
    eight = torch.arange(256, dtype=torch.uint8).expand(1, 3, 1, 256)
    torch.testing.assert_close(six_channels(eight, stops=0.0)[0, 3, 0], torch.linspace(0, 1, 256))


def test_each_item_of_a_batch_has_its_own_exposure(frames):
    both = torch.cat([as_batch(frames[0]), as_batch(frames[1])])
    together = six_channels(both, stops=torch.tensor([1.0, 4.0]))
    for item, stops in enumerate((1.0, 4.0)):
        alone = six_channels(both[item : item + 1], stops=stops)
        torch.testing.assert_close(together[item : item + 1], alone)


def test_the_merge_of_tensors_is_the_merge_of_core(frames):
    stops = (0.0, 2.0, 4.0)
    six = [six_channels(as_batch(f), stops=s) for f, s in zip(frames, stops, strict=True)]
    merged = merge(*six)[0].permute(1, 2, 0).numpy()
    expected = radiometry.exposure_weighted_merge(list(frames), stops=stops)
    np.testing.assert_allclose(merged, expected, atol=1e-6)


def test_mu_law_is_that_of_core_and_can_be_undone():
    linear = torch.linspace(0, 1, 1001)
    np.testing.assert_allclose(mu_law(linear).numpy(), radiometry.mu_law(linear.numpy()), atol=1e-6)
    torch.testing.assert_close(inverse_mu_law(mu_law(linear)), linear, atol=1e-6, rtol=1e-5)
