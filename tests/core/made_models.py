"""A checkpoint of untrained networks, for tests that need weights and no training."""

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
