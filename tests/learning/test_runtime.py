"""A wish for a device is met or answered in a sentence."""

import pytest
import torch

from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.learning.runtime import (
    describe_devices,
    give_memory_back,
    pick_device,
    pick_precision,
    use_memory_kindly,
)


def test_what_auto_picks_is_the_first_device_described():
    assert describe_devices()[0].id.startswith(pick_device().type)


def test_the_processor_is_always_there():
    cpu = describe_devices()[-1]
    assert cpu.id == "cpu"
    assert pick_device("cpu") == torch.device("cpu")
    if cpu.free_bytes is not None and cpu.total_bytes is not None:
        assert 0 < cpu.free_bytes < cpu.total_bytes


@pytest.mark.parametrize("wish", ["tpu", "cuda:x", "", "cuda:999"])
def test_a_device_that_is_not_there_is_refused_with_the_remedy(wish):
    with pytest.raises(DeviceError, match="Choose auto"):
        pick_device(wish)


def test_a_processor_computes_in_full_precision_unless_asked_otherwise():
    cpu = torch.device("cpu")
    assert pick_precision(cpu) is torch.float32
    assert pick_precision(cpu, "bfloat16") is torch.bfloat16
    with pytest.raises(DeviceError, match="'float64'"):
        pick_precision(cpu, "float64")


def test_memory_can_be_asked_for_kindly_more_than_once():
    first = use_memory_kindly()
    assert use_memory_kindly() == first
    give_memory_back()
