"""Parts, recomputing, formats and precisions change how a step is computed, not what is learned."""

import os

import pytest
import torch

from smarthdr_studio.core.environment import ProcessRank
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.training.plan import parse_plan
from smarthdr_studio.learning import mean_teacher
from smarthdr_studio.learning.compute import (
    Arithmetic,
    describe_devices,
    pick_device,
    pick_precision,
    release_memory,
    tune_allocator,
)
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.mean_teacher import MeanTeacher
from smarthdr_studio.learning.perceptual import PerceptualLoss

CPU = torch.device("cpu")


def _batch(*, seed: int, crops: int = 3, trusted: float = 0.6) -> CropBatch:
    generator = torch.Generator().manual_seed(seed)
    frames = [torch.rand(crops, 6, 16, 16, generator=generator) for _ in range(3)]
    mask = torch.rand(crops, 1, 16, 16, generator=generator) < trusted
    mask[1] = False  # a crop of which nothing counts
    return CropBatch(
        frames=(frames[0], frames[1], frames[2]),
        target=Target(torch.rand(crops, 3, 16, 16, generator=generator), mask),
        sigma=torch.zeros(crops, 1, 16, 16),
    )


def _step(*, network="light", perceptual=None, precision=torch.float32, halves=2, **compute):
    """The losses, the gradient and the weights of one step."""
    plan = parse_plan(
        {
            "network": {"name": network},
            "loss": {"perceptual_weight": 0.01 if perceptual else 0.0},
            "compute": compute,
        }
    )
    torch.manual_seed(0)
    learner = MeanTeacher(plan, device=CPU, precision=precision, perceptual=perceptual)
    unlabelled = _batch(seed=1, crops=4, trusted=0.3) if halves == 2 else None
    taken = learner.step(_batch(seed=0), unlabelled, rate=1e-3, step=0)
    gradients = [weight.grad.clone() for weight in learner.student.parameters()]
    return taken, gradients, list(learner.student.parameters())


def _nearly_the_same(found, wanted) -> None:
    assert found[0].losses == pytest.approx(wanted[0].losses, rel=1e-5)
    assert found[0].gradient_norm == pytest.approx(wanted[0].gradient_norm, rel=1e-4)
    # Of each tensor of weights, against its own size: some gradients are nothing but rounding.
    for one, other in zip(found[1], wanted[1], strict=True):
        assert (one - other).norm() <= 1e-4 * max(float(other.norm()), 1e-2)


@pytest.fixture(scope="module")
def looks():
    """Features that were never taught anything see differences all the same."""
    torch.manual_seed(5)
    return PerceptualLoss()


@pytest.mark.parametrize("parts", [2, 3, 4, 50])
def test_the_gradients_of_all_parts_add_up_to_that_of_the_whole_batch(looks, parts):
    whole = _step(perceptual=looks)
    _nearly_the_same(_step(perceptual=looks, accumulate=parts), whole)


def test_parts_of_labels_alone_add_up_as_well():
    _nearly_the_same(_step(halves=1, accumulate=2), _step(halves=1))


def test_one_part_is_bit_for_bit_the_whole():
    (taken, _, weights), (again, _, same) = _step(), _step(accumulate=1)
    assert taken == again
    assert all(torch.equal(one, other) for one, other in zip(weights, same, strict=True))


@pytest.mark.parametrize("network", ["light", "gfhdr"])
def test_what_is_computed_twice_teaches_the_same(network):
    # GFHDR leaves out branches by chance: the second time it must leave out the same ones.
    _nearly_the_same(_step(network=network, checkpointing=True), _step(network=network))


def test_blocks_that_are_computed_twice_keep_less(monkeypatch):
    kept = {}
    for checkpointing in (False, True):
        sizes: list[int] = []

        def pack(tensor, sizes=sizes):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            _step(network="gfhdr", checkpointing=checkpointing)
        kept[checkpointing] = sum(sizes)
    assert kept[True] < 0.75 * kept[False]


def test_the_format_of_memory_teaches_the_same():
    _nearly_the_same(_step(channels_last="on"), _step())


def test_half_the_bits_teach_nearly_the_same_on_a_processor():
    (taken, _, weights), (whole, _, _) = _step(precision=torch.bfloat16), _step()
    assert taken.losses == pytest.approx(whole.losses, rel=0.05, abs=0.05)
    assert all(weight.dtype is torch.float32 and weight.isfinite().all() for weight in weights)


def test_without_a_compiler_it_goes_on_and_says_so(monkeypatch):
    def no_compiler(network):
        def fail(*_):
            raise RuntimeError("InvalidCxxCompiler: no working C++ compiler\nlong story")

        return fail

    monkeypatch.setattr(mean_teacher.torch, "compile", no_compiler)
    plan = parse_plan({"network": {"name": "light"}, "compute": {"compile": "on"}})
    torch.manual_seed(0)
    learner = MeanTeacher(plan, device=CPU, precision=torch.float32, perceptual=None)
    before = torch.get_rng_state()
    assert learner.computation.compiles
    said = learner.computation.compiled()
    assert "computes without a compiler" in said
    assert "no working C++ compiler" in said
    assert "long story" not in said
    assert torch.equal(before, torch.get_rng_state())
    assert all(weight.grad is None for weight in learner.student.parameters())
    assert not learner.step(_batch(seed=0), None, rate=1e-3, step=0).wrong


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
