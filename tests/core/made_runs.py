"""Run folders written by hand: events of any kind, a second apart, as training logs them."""

import json
import zipfile
from datetime import UTC, datetime, timedelta

from smarthdr_studio.core.files import file_checksum
from smarthdr_studio.core.training.events import (
    RoundFinished,
    RunStarted,
    SceneRetention,
    StepReported,
    Validated,
    as_json,
)
from smarthdr_studio.core.training.run_folder import CHECKPOINT_ABOUT, CHECKPOINT_FILES, RunFolder
from smarthdr_studio.core.trust.masking import MaskSettings

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def a_run(project_folder, name="20261101-120000-quick", *, plan='preset = "quick"\n'):
    """An empty run with a plan."""
    run = RunFolder(project_folder / "runs" / name)
    run.path.mkdir(parents=True)
    run.plan_path.write_text(plan, encoding="utf-8")
    return run


def a_checkpoint(run, number):
    """A checkpoint of a network without weights, whole and summed."""
    folder = run.checkpoints / f"step-{number:08d}"
    folder.mkdir(parents=True)
    for name in CHECKPOINT_FILES[:2]:
        (folder / name).write_bytes((2).to_bytes(8, "little") + b"{}")
    with zipfile.ZipFile(folder / "state.pt", "w") as state:
        state.writestr("state/data.pkl", b"plain values")
    hashes = {name: file_checksum(folder / name) for name in CHECKPOINT_FILES}
    about = {"format": 1, "metrics": {}, "hashes": hashes}
    (folder / CHECKPOINT_ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return folder


def line(event, *, at=NOON):
    entry = {"time": at.isoformat(timespec="milliseconds"), **as_json(event)}
    return json.dumps(entry, ensure_ascii=False) + "\n"


def log(run, *events, begin=NOON):
    """Append events, a second apart."""
    with run.events_path.open("a", encoding="utf-8") as file:
        file.writelines(
            line(event, at=begin + timedelta(seconds=second)) for second, event in enumerate(events)
        )


def started(step=0, *, labelled=("a",), unlabelled=("b", "c", "d"), epochs=9):
    return RunStarted(
        run="a-run",
        folder="",
        device="cpu",
        network="light",
        total_steps=90,
        total_epochs=epochs,
        step=step,
        labelled=labelled,
        unlabelled=unlabelled,
    )


def step(number, *, epoch=0, **losses):
    return StepReported(
        step=number,
        epoch=epoch,
        losses=losses or {"total": 1.0 / number},
        learning_rate=1e-4,
        images_per_second=8.0,
        seconds_left=0.0,
        gradient_norm=0.5,
    )


def check(number, psnr, *, epoch=0):
    return Validated(step=number, epoch=epoch, psnr_mu=psnr, psnr_l=psnr - 2, ssim_mu=0.9)


def round_(number, at, retained, *, changes=(), **scenes):
    return RoundFinished(
        round=number,
        step=at,
        epoch=number,
        masks=MaskSettings(),
        retained=retained,
        patches_retained=0.8,
        sigma_mean=0.01,
        scenes=tuple(
            SceneRetention(id=name, retained=share, patches_retained=share, sigma_mean=0.01)
            for name, share in scenes.items()
        ),
        changes=changes,
    )
