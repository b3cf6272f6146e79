"""Training events as curves for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from torch.utils.tensorboard import SummaryWriter

from smarthdr_studio.core.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    StepSkipped,
    TrainingEvent,
    Validated,
)


class TensorboardLog:
    """One event file per start of a run; a resumed run adds another, hiding what it repeats."""

    def __init__(self, folder: Path, *, step: int) -> None:
        # Steps after `step` that an interrupted run already wrote are purged from the display.
        self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def write(self, event: TrainingEvent) -> None:
        """Adds the numbers of an event; events without numbers add nothing."""
        curves = _curves(event)
        for name, value in curves.items():
            self._writer.add_scalar(name, value, _step(event))

    def close(self) -> None:
        """Flushes and ends the writing thread."""
        self._writer.close()


def _curves(event: TrainingEvent) -> dict[str, float]:
    match event:
        case StepReported():
            curves = {f"loss/{name}": value for name, value in event.losses.items()}
            curves["speed/images_per_second"] = event.images_per_second
            return curves | _told(
                {
                    "learning_rate": event.learning_rate,
                    "gradient_norm": event.gradient_norm,
                    "student_teacher_distance": event.distance,
                    "speed/data_share": event.data_share,
                    "memory_bytes": event.memory_bytes,
                }
            )
        case StepSkipped():
            return {"skipped_steps": float(event.count)}
        case Validated():
            return _told(
                {
                    "validation/psnr_mu": event.psnr_mu,
                    "validation/psnr_l": event.psnr_l,
                    "validation/ssim_mu": event.ssim_mu,
                    "validation/ssim_l": event.ssim_l,
                    "validation/ause": event.ause,
                }
            )
        case RoundFinished():
            return {
                "round/retained": event.retained,
                "round/patches_retained": event.patches_retained,
                "round/sigma_mean": event.sigma_mean,
            }
        case RunStarted() | PhaseChanged() | Steered() | CheckpointSaved() | RunFinished():
            return {}
        case _:
            assert_never(event)


def _told(curves: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in curves.items() if value is not None}


def _step(event: TrainingEvent) -> int:
    return event.step
