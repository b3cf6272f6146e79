"""A wish for a device is met or answered in a sentence."""

import os

import pytest
import torch

from smarthdr_studio.core.environment import ProcessRank
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.learning.compute import (
    Arithmetic,
    describe_devices,
    pick_device,
    pick_precision,
    release_memory,
    tune_allocator,
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
    first = tune_allocator()
    assert tune_allocator() == first
    release_memory()


def test_processes_that_train_together_have_a_device_each():
    second = ProcessRank(rank=3, size=4, local_rank=1)
    if not torch.cuda.is_available():
        assert pick_device("auto", place=second) == torch.device("cpu")
    assert pick_device("cpu", place=second) == torch.device("cpu")
    for shared in ("cuda:0", "mps"):
        with pytest.raises(DeviceError, match="4 processes cannot share"):
            pick_device(shared, place=second)
    with pytest.raises(DeviceError, match="not there"):
        pick_device("cuda", place=ProcessRank(rank=999, size=1000, local_rank=999))


def _arithmetic() -> tuple[object, ...]:
    return (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.deterministic,
        torch.are_deterministic_algorithms_enabled(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


def _failing_step() -> None:
    assert _arithmetic()[:4] == (False, False, True, True)
    assert _arithmetic()[4]
    raise ZeroDivisionError


def test_how_a_gpu_computes_is_set_for_a_step_and_put_back_whatever_happens():
    gpu, before = torch.device("cuda"), _arithmetic()
    with pytest.raises(ZeroDivisionError), Arithmetic(exact=True, deterministic=True).on(gpu):
        _failing_step()
    assert _arithmetic() == before
    with Arithmetic(exact=True, deterministic=True).on(torch.device("cpu")), Arithmetic().on(gpu):
        assert _arithmetic() == before
