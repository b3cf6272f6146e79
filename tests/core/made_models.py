"""Checkpoints of untrained networks, for tests that need weights and no training."""

import torch

from smarthdr_studio.learning.checkpoints import CheckpointInfo, save_checkpoint
from smarthdr_studio.learning.networks import build_network


def make_checkpoint(run, plan, *, step=12, network="light", psnr_mu=None):
    """run/checkpoints/step-N whose student and teacher differ; the folder."""
    torch.manual_seed(step)
    student, teacher = build_network(network), build_network(network)
    with torch.no_grad():
        for weights in teacher.parameters():
            weights.add_(0.01 * torch.randn_like(weights))
    info = CheckpointInfo(
        run=run.name,
        step=step,
        epoch=3,
        round=2,
        network=network,
        plan=plan.model_dump(mode="json"),
        metrics={} if psnr_mu is None else {"psnr_mu": psnr_mu},
    )
    state = {"roster": {"held_out": ["c"]}}
    return save_checkpoint(run / "checkpoints", info, student=student, teacher=teacher, state=state)


UNTRAINED = "20260101-000000-tiny"


def leave_untrained(project, *, step=5, seed=0, run=UNTRAINED):
    """A checkpoint of networks that learned nothing as the newest of a project; its folder."""
    torch.manual_seed(seed)
    plan = {"tile": 64, "precision": "float32"}
    info = CheckpointInfo(run=run, step=step, epoch=1, round=1, network="light", plan=plan)
    student, teacher = build_network("light"), build_network("light")
    torch.nn.init.normal_(teacher.judge.last.weight, std=0.5)  # else it is almost constant
    folder = project / "runs" / run / "checkpoints"
    return save_checkpoint(folder, info, student=student, teacher=teacher, state={})
