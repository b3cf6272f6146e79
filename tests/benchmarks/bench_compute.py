"""What makes a training step fast: each choice of a plan's compute section against plain, by turns.

usage: bench_compute.py [--long]
"""

import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from fabricated import project_over, write_dataset
from skipped import skipped
from table import Row, row, show

from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.learning.compute import tune_allocator
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.estimate import time_steps
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.mean_teacher import MeanTeacher
from smarthdr_studio.synthetic.settings import SampleSettings

CHOICES: Mapping[str, Mapping[str, Any]] = {
    "channels_last": {"compute.channels_last": "on"},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16 and channels_last": {"precision": "bfloat16", "compute.channels_last": "on"},
    "checkpointing": {"compute.checkpointing": True},
    "two parts": {"compute.accumulate": 2},
}
PRECISION = {"auto": torch.float32, "bfloat16": torch.bfloat16}


def learner(network: str, *, crops: int, changes: Mapping[str, Any]) -> MeanTeacher:
    """One that computes on the CPU as the changes say."""
    plain = {"network.name": network, "batch.labelled": crops, "batch.unlabelled": 0}
    plan = load_preset("quick", changes={**plain, **changes})
    torch.manual_seed(0)
    return MeanTeacher(
        plan, device=torch.device("cpu"), precision=PRECISION[plan.precision], perceptual=None
    )


def batch(crops: int, *, side: int = 128) -> CropBatch:
    """Made-up crops, all of their pixels trusted."""
    under, reference, over = (torch.rand(crops, 6, side, side) for _ in range(3))
    trusted = torch.ones(crops, 1, side, side, dtype=torch.bool)
    return CropBatch(
        frames=(under, reference, over),
        target=Target(torch.rand(crops, 3, side, side), trusted),
        sigma=torch.zeros(crops, 1, side, side),
    )


def step_seconds(taught: MeanTeacher, crops: CropBatch, step: int) -> float:
    """One whole step: forward, backward, the optimiser and the teacher."""
    begun = time.perf_counter()
    taught.step(crops, None, rate=1e-6, step=step)
    return time.perf_counter() - begun


def against_plain(network: str, *, crops: int, times: int) -> list[Row]:
    """Each choice ÷ plain: both are measured again in every turn, so that both meet one weather."""
    crop_batch, rows = batch(crops), []
    plain = learner(network, crops=crops, changes={})
    for name, changes in CHOICES.items():
        chosen = learner(network, crops=crops, changes=changes)
        for each in (plain, chosen):
            step_seconds(each, crop_batch, 0)
        ratios = [
            step_seconds(chosen, crop_batch, k) / step_seconds(plain, crop_batch, k)
            for k in range(1, times + 1)
        ]
        what = f"{network}, {crops} crops: step with {name} ÷ plain"
        rows.append(row(what, ratios, unit="×", reach="–", stretch="–"))
    return rows


def fused_against_plain(*, times: int) -> Row:
    """Adam's own time for the weights of GFHDR: one fused call ÷ a loop over tensors."""
    weights = [
        w.detach().clone() for w in learner("gfhdr", crops=1, changes={}).student.parameters()
    ]
    ways = []
    for choice in ({"fused": True}, {"foreach": False, "fused": False}):
        own = [weight.clone().requires_grad_() for weight in weights]
        for weight in own:
            weight.grad = torch.rand_like(weight)
        ways.append(torch.optim.Adam(own, **choice))
    ratios = []
    for _ in range(times):
        seconds = []
        for way in ways:
            begun = time.perf_counter()
            way.step()
            seconds.append(time.perf_counter() - begun)
        ratios.append(seconds[0] / seconds[1])
    what = "Adam's step for GFHDR's weights, fused ÷ a loop"
    return row(what, ratios[1:], unit="×", reach="–", stretch="–")


def compiled_against_plain(network: str, *, crops: int, times: int) -> list[Row]:
    """A compiled step ÷ plain, and how long the compiler takes before the first."""
    plain = learner(network, crops=crops, changes={})
    chosen = learner(network, crops=crops, changes={"compute.compile": "on"})
    crop_batch, begun = batch(crops), time.perf_counter()
    why = chosen.computation.compiled()
    warm_up = time.perf_counter() - begun
    what = f"{network}, {crops} crops: compiled step ÷ plain"
    if why:
        return [skipped(what, reason=why)]
    for each in (chosen, plain):
        step_seconds(each, crop_batch, 0)
    ratios = [
        step_seconds(chosen, crop_batch, k) / step_seconds(plain, crop_batch, k)
        for k in range(1, times + 1)
    ]
    before = f"{network}: seconds until the compiler is done"
    return [
        row(what, ratios, unit="×", reach="–", stretch="–"),
        row(before, [warm_up], unit="s", reach="–", stretch="–"),
    ]


def data_share(network: str, *, steps: int) -> Row:
    """Percent of a step of 8 + 8 crops that goes into cutting, moving and converting them."""
    with tempfile.TemporaryDirectory() as folder:
        small = SampleSettings(scenes=6, labelled=3, test=1, width=512, height=384)
        project = project_over(Path(folder) / "p.shdr", write_dataset(Path(folder) / "data", small))
        sizes = {"batch.labelled": 8, "batch.unlabelled": 8}
        plan = load_preset("quick", changes={"device": "cpu", "network.name": network, **sizes})
        share = [100 * time_steps(plan, project, steps=steps).data_share for _ in range(3)]
    what = f"{network}, 8 + 8 crops: data, share of a step"
    return row(what, [statistics.median(share)], unit="%", reach="5 %", stretch="2 %")


def main(*, long: bool = False) -> list[Row]:
    """Rows of the light network; with `long` also of GFHDR, and of compiled networks."""
    tune_allocator()
    rows = [*against_plain("light", crops=4, times=15 if long else 7), fused_against_plain(times=9)]
    rows.append(data_share("light", steps=6))
    if not long:
        return rows
    rows += against_plain("gfhdr", crops=1, times=5)
    rows += compiled_against_plain("light", crops=4, times=7)
    return rows


if __name__ == "__main__":
    import sys

    show(main(long="--long" in sys.argv))
