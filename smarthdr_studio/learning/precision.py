"""What "auto" computes in on a processor: bfloat16 where a trial of the network itself wins.

Few processors have bfloat16 arithmetic, and without it bfloat16 is a disaster; of those that have
it not all are faster for every network (decisions/0011). So the others are known by what they say
of themselves, at once, and these are tried for a moment.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch

from smarthdr_studio.core.environment import processor_flags
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.learning.compute import pick_precision
from smarthdr_studio.learning.networks import FusionNetwork

Shape = tuple[int, int]
"""How many crops go through the network at once, and their side in pixels."""

PassTimer = Callable[[torch.dtype, Shape], float]
"""Takes one pass over made-up crops in a precision; its seconds."""

_WINS_FROM: Final = 1.2
_TRIAL_S: Final = 2.0
_MOST_PAIRS, _LEAST_PAIRS = 4, 2  # of a pass in each precision; the first settles kernels
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

    Passes in either precision take turns, and the quickest of each count. Two seconds are kept to
    as well as smaller shapes can foretell what larger ones take.
    """
    left, for_each_pixel, gain = _TRIAL_S, 0.0, 1.0
    for shape in shapes:
        pixels = shape[0] * shape[1] ** 2
        if _LEAST_PAIRS * for_each_pixel * pixels > left:
            break
        pairs = _timed_pairs(timer, shape, within=left)
        left -= sum(map(sum, pairs))
        if len(pairs) < _LEAST_PAIRS and for_each_pixel:
            break  # what could not be repeated tells less than a smaller shape has told
        single, half = (min(each) for each in zip(*(pairs[1:] or pairs), strict=True))
        for_each_pixel, gain = (single + half) / pixels, single / half
    return gain


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
    """Seconds of one pass forward over made-up pictures; no random number is drawn."""
    crops, side = shape
    frames = torch.linspace(0, 1, 18 * crops * side**2).view(3, crops, 6, side, side)
    begun = time.perf_counter()
    mixed = precision is not torch.float32
    with torch.inference_mode(), torch.autocast("cpu", dtype=precision, enabled=mixed):
        network(*frames)
    return time.perf_counter() - begun
