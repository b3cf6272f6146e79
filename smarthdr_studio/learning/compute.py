"""What a run computes on, device, precision and memory, and seeds that make it compute the same."""

import ctypes
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from smarthdr_studio.core.environment import (
    SINGLE_PROCESS,
    ProcessRank,
    collect_garbage,
    main_memory,
    processor_flags,
)
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.words import counted
from smarthdr_studio.learning.networks import FusionNetwork

PRECISIONS: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}

# From malloc.h of glibc.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDescription:
    """A device one can choose; bytes are None where the system does not tell."""

    id: str
    title: str
    free_bytes: int | None
    total_bytes: int | None


def pick_device(wish: str = "auto", *, place: ProcessRank = SINGLE_PROCESS) -> torch.device:
    """The device for a wish: "auto" (cuda, else mps, else cpu), "cpu", "cuda", "cuda:1", "mps".

    Of several processes that train together each has a GPU of its own, or all have the CPU.

    Raises:
        DeviceError: the wish is no device, or that device is not there.
    """
    if place.size > 1:
        wish = _device_of_process(wish, place)
    if wish == "auto":
        return torch.device(_best_device())
    kind, _, number = wish.partition(":")
    if kind not in {"cpu", "cuda", "mps"} or (number and not number.isdecimal()):
        raise DeviceError(f"{wish!r} names no device. Choose auto, cpu, cuda, cuda:N or mps.")
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.mps.is_available())}
    if int(number or 0) >= there[kind]:
        raise DeviceError(
            f"The device {wish!r} is not there: torch {torch.__version__} finds {there[kind]} of "
            f"that kind. Choose auto or cpu, or install the driver and a torch built for it."
        )
    return torch.device(wish)


def _device_of_process(wish: str, place: ProcessRank) -> str:
    """The wish of one process of several. Raises DeviceError where they would share a GPU."""
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    if wish == "cuda":
        return f"cuda:{place.local_rank}"
    if wish != "cpu":
        raise DeviceError(
            f"{counted(place.size, 'process', more='processes')} cannot share the device {wish!r}: "
            "choose auto, cuda or cpu, with as many processes on each machine as it has GPUs"
        )
    return wish


def pick_precision(device: torch.device, wish: str = "auto") -> torch.dtype:
    """What convolutions and attention compute in: bfloat16 under autocast, or float32.

    "auto" is bfloat16 on a CUDA device that has it in hardware. On a CPU it is float32, as long as
    no trial says otherwise (`choose_by_trial`).

    Raises:
        DeviceError: the wish is unknown, or the device cannot do it.
    """
    if wish == "auto":
        good = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if good else torch.float32
    if wish not in PRECISIONS:
        raise DeviceError(f"{wish!r} is no precision. Choose auto, float32 or bfloat16.")
    if wish == "bfloat16" and device.type == "mps":
        raise DeviceError("Precision bfloat16 is not used on mps. Choose auto or float32.")
    return PRECISIONS[wish]


def precision_name(precision: torch.dtype) -> str:
    """As a plan calls it."""
    return str(precision).removeprefix("torch.")


def describe_devices() -> tuple[DeviceDescription, ...]:
    """Every device a run can be given, the one "auto" picks first."""
    found = [_describe_cuda(number) for number in range(torch.cuda.device_count())]
    if torch.mps.is_available():
        found.append(_describe_mps())
    return (*found, _describe_cpu())


def tune_allocator() -> bool:
    """Let glibc keep freed memory for the next tile; True where that could be arranged.

    Otherwise every large tensor is mapped afresh and each of its pages faults on first use, which
    can double the time of a step. One arena, because the heaps of further arenas are too small
    for a tensor: call it before the thread that trains is started. Elsewhere than on Linux with
    glibc, nothing is done. Calling it again changes nothing.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    wishes = (
        (_MMAP_THRESHOLD, 1 << 30),
        (_TRIM_THRESHOLD, (1 << 31) - 1),
        (_TOP_PAD, 64 << 20),
        (_ARENA_MAX, 1),
    )
    answers = [mallopt(option, value) for option, value in wishes]
    return all(answer == 1 for answer in answers)


def release_memory() -> None:
    """After a run: return what caches hold, to the device and to the system."""
    collect_garbage()  # tensors in circles of references would keep their memory
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def memory_in_use(device: torch.device) -> int | None:
    """Bytes that this process holds on the device: of main memory for a CPU; None if not known."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.mps.is_available() else "cpu"


def _describe_cuda(number: int) -> DeviceDescription:
    free, total = torch.cuda.mem_get_info(number)
    name = torch.cuda.get_device_name(number)
    return DeviceDescription(id=f"cuda:{number}", title=name, free_bytes=free, total_bytes=total)


def _describe_mps() -> DeviceDescription:
    total = torch.mps.recommended_max_memory()
    free = total - torch.mps.current_allocated_memory()
    return DeviceDescription(id="mps", title="Apple GPU", free_bytes=free, total_bytes=total)


def _describe_cpu() -> DeviceDescription:
    threads = torch.get_num_threads()
    many = "1 thread" if threads == 1 else f"{threads} threads"
    return DeviceDescription(
        id="cpu",
        title=f"CPU {platform.machine()}, {many}",
        free_bytes=_main_memory_by_name("SC_AVPHYS_PAGES"),
        total_bytes=_main_memory_by_name("SC_PHYS_PAGES"),
    )


def _main_memory_by_name(pages: str) -> int | None:
    """Bytes of main memory by the name of a count of pages, where the system keeps that count."""
    if not hasattr(os, "sysconf") or pages not in os.sysconf_names:
        return None
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")


def devices_with_memory() -> tuple[DeviceDescription, ...]:
    """Every device, the one "auto" picks first; caches of files count as free main memory."""
    return tuple(
        DeviceDescription(
            id=device.id,
            title=device.title,
            free_bytes=main_memory() or device.free_bytes,
            total_bytes=device.total_bytes,
        )
        if device.id == "cpu"
        else device
        for device in describe_devices()
    )


def free_memory(device: torch.device) -> int | None:
    """Bytes free on a device; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    name = {"mps": "mps", "cpu": "cpu"}[device.type]
    found = (each.free_bytes for each in devices_with_memory() if each.id == name)
    return next(found, None)


_LENT: Final = threading.Lock()
_PATIENCE_S: Final = 60.0


@contextmanager
def global_generator_lent() -> Iterator[None]:
    """For whoever measures a run: torch's own generator is used, and no run begins meanwhile."""
    ours = _LENT.acquire(timeout=_PATIENCE_S)
    try:
        yield
    finally:
        if ours:
            _LENT.release()


def wait_for_global_generator() -> None:
    """Until nobody measures any more, before a run seeds the generator that all threads share."""
    with global_generator_lent():
        pass


class RandomState:
    """One generator each for labelled order, unlabelled order and augmentation, and torch's own.

    Making it seeds torch's global generator: weights at the start and stochastic depth use it.
    """

    def __init__(self, seed: int, *, device: torch.device) -> None:
        torch.manual_seed(seed)
        self._seed, self._device = seed, device
        self.labelled, self.unlabelled, self.moves = (
            torch.Generator().manual_seed(4 * seed + number) for number in (1, 2, 3)
        )

    def part_ways(self, *, rank: int, step: int) -> None:
        """Gives torch's generator of this process numbers of its own for one step.

        Orders and moves are drawn alike by all. The first goes on with the numbers it has, as one
        process alone does; those of the others follow from rank and step, so that nothing of theirs
        needs to be saved, and a run may go on with more or fewer processes.
        """
        if rank:
            torch.manual_seed((self._seed * 1_000_003 + step) * 1_009 + rank)

    def state(self) -> dict[str, Tensor]:
        """All states, as flat byte tensors that nothing changes later."""
        found = {
            "torch": torch.get_rng_state(),
            "labelled": self.labelled.get_state(),
            "unlabelled": self.unlabelled.get_state(),
            "moves": self.moves.get_state(),
        }
        if self._device.type == "cuda":
            found["device"] = torch.cuda.get_rng_state(self._device)
        return found

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continues where `state`, flat byte tensors, was taken, also on another kind of device."""
        torch.set_rng_state(state["torch"])
        self.labelled.set_state(state["labelled"])
        self.unlabelled.set_state(state["unlabelled"])
        self.moves.set_state(state["moves"])
        if self._device.type == "cuda" and "device" in state:
            torch.cuda.set_rng_state(state["device"], self._device)


# Without it cuBLAS may sum in another order each time.
_WORKSPACE: Final = "CUBLAS_WORKSPACE_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """What a plan asks of a GPU; a CPU always computes so."""

    exact: bool = False
    """float32 means float32: no product is rounded to TF32 on its way."""
    deterministic: bool = False
    """The same sums in the same order each time, which is slower."""

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """In force while the block lasts; what was in force before is so again afterwards."""
        if device.type != "cuda" or self == _DEFAULT_ARITHMETIC:
            yield
            return
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = (matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark)
        strict = torch.are_deterministic_algorithms_enabled()
        workspace = os.environ.get(_WORKSPACE)
        try:
            if self.exact:
                matmul.allow_tf32 = cudnn.allow_tf32 = False
            if self.deterministic:
                os.environ.setdefault(_WORKSPACE, ":4096:8")
                cudnn.deterministic, cudnn.benchmark = True, False
                torch.use_deterministic_algorithms(mode=True)
            yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before
            torch.use_deterministic_algorithms(mode=strict)
            if workspace is None:
                os.environ.pop(_WORKSPACE, None)


_DEFAULT_ARITHMETIC: Final = Arithmetic()


Shape = tuple[int, int]
"""How many crops go through the network at once, and their side in pixels."""

PassTimer = Callable[[torch.dtype, Shape], float]
"""Takes one pass over made-up crops in a precision; what this thread had of the processor, in s."""

_WINS_FROM: Final = 1.2
_TRIAL_S: Final = 4.0
_MOST_PAIRS, _LEAST_PAIRS = 3, 2  # of a pass in each precision; the first settles kernels
_SMALLEST: Final = 16  # px; networks fill up what is smaller
_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16", "bf16", "svebf16"})  # of x86 and of ARM


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionChoice:
    """What is computed in, and why, in words; "" where there is nothing to tell."""

    precision: torch.dtype
    why: str


def has_bfloat16_arithmetic() -> bool:
    """Whether the processor multiplies bfloat16 itself; it has not where nobody can tell."""
    if flags := processor_flags():
        return not flags.isdisjoint(_FLAGS)
    ask = getattr(torch.cpu, "get_capabilities", None)  # younger than the oldest torch we take
    known = {} if ask is None else ask()
    return any(known.get(flag, False) for flag in _FLAGS)


def training_shapes(plan: TrainingPlan) -> tuple[Shape, ...]:
    """What a trial passes through the network of a run, rising to the crops of a whole pass."""
    batch = plan.batch
    crops = -(-(batch.labelled + batch.unlabelled) // plan.compute.accumulate)
    return ((1, max(_SMALLEST, batch.crop // 4)), (1, batch.crop), (crops, batch.crop))


def choose_by_trial(timer: PassTimer, shapes: Sequence[Shape]) -> PrecisionChoice:
    """bfloat16 where the processor has it and `timer` finds it faster by enough, else float32.

    `shapes` rise. Whatever a trial stumbles over speaks for float32.
    """
    if not has_bfloat16_arithmetic():
        return PrecisionChoice(
            precision=torch.float32, why="this processor has no bfloat16 arithmetic"
        )
    try:
        gain = measured_gain(timer, shapes)
    except Exception as error:  # noqa: BLE001 - a kernel can fail anywhere inside
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        return PrecisionChoice(precision=torch.float32, why=f"bfloat16 fails here ({said})")
    return PrecisionChoice(
        precision=torch.bfloat16 if gain >= _WINS_FROM else torch.float32,
        why=f"in a short trial bfloat16 was {gain:.2f} times as fast as float32",
    )


def measured_gain(timer: PassTimer, shapes: Iterable[Shape]) -> float:
    """How many times as fast as float32 bfloat16 is, told from the largest shape there is time for.

    Passes in either precision take turns on a single thread, and the quickest of each count: what
    another program at work leaves of the processor decides nothing. Four seconds are kept to as
    well as smaller shapes can foretell what larger ones take.
    """
    left, for_each_pixel, gain = _TRIAL_S, 0.0, 1.0
    for shape in shapes:
        pixels = shape[0] * shape[1] ** 2
        if _LEAST_PAIRS * for_each_pixel * pixels > left:
            break
        with _on_one_thread():
            pairs = _timed_pairs(timer, shape, within=left)
        left -= sum(map(sum, pairs))
        if len(pairs) < _LEAST_PAIRS and for_each_pixel:
            break  # what could not be repeated tells less than a smaller shape has told
        single, half = (min(each) for each in zip(*(pairs[1:] or pairs), strict=True))
        for_each_pixel, gain = (single + half) / pixels, single / half
    return gain


@contextmanager
def _on_one_thread() -> Iterator[None]:
    """Inside, this thread computes alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _timed_pairs(timer: PassTimer, shape: Shape, *, within: float) -> list[tuple[float, float]]:
    """Seconds in float32 and in bfloat16, again while there is time for another pair."""
    pairs: list[tuple[float, float]] = []
    spent = latest = 0.0
    while not pairs or (len(pairs) < _MOST_PAIRS and spent + latest <= within):
        pairs.append((timer(torch.float32, shape), timer(torch.bfloat16, shape)))
        latest = sum(pairs[-1])
        spent += latest
    return pairs


def precision_to_predict(
    network: FusionNetwork, *, device: torch.device, wish: str, tile: int
) -> torch.dtype:
    """What a network on `device`, in evaluation mode, predicts in; tried once in a process.

    `wish` is the plan's, `tile` in pixels. Draws no random number, so that a run may go on beside.
    Raises DeviceError as `pick_precision`.
    """
    if wish != "auto" or device.type != "cpu":
        return pick_precision(device, wish)
    mark = (network.name, tile, torch.get_num_threads())
    if mark not in _predicting:
        shapes = ((1, max(_SMALLEST, tile // 4)), (1, tile))
        _predicting[mark] = choose_by_trial(partial(time_prediction, network), shapes)
    return _predicting[mark].precision


_predicting: Final[dict[tuple[str, int, int], PrecisionChoice]] = {}


def time_prediction(network: FusionNetwork, precision: torch.dtype, shape: Shape) -> float:
    """Takes one pass forward over made-up pictures, as a `PassTimer`; draws no random number."""
    crops, side = shape
    frames = torch.linspace(0, 1, 18 * crops * side**2).view(3, crops, 6, side, side)
    begun = time.thread_time()
    mixed = precision is not torch.float32
    with torch.inference_mode(), torch.autocast("cpu", dtype=precision, enabled=mixed):
        network(*frames)
    return time.thread_time() - begun
