"""Folders of runs as training leaves them, made up in a moment."""

import json
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from smarthdr_studio.core.training.events import (
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    Validated,
    as_json,
)
from smarthdr_studio.core.trust.masking import MaskSettings, masks_as_text

PLAN = """
preset = "quick"
held_out = 1
[network]
name = "light"
[schedule]
epochs = {epochs}
warmup_epochs = 1
"""


def say(run, *events, at=None):
    """Append events to the log of a run, a second apart."""
    at = at or datetime(2026, 11, 25, 10, tzinfo=UTC)
    with (run / "events.jsonl").open("a", encoding="utf-8") as log:
        for number, event in enumerate(events):
            time = (at + timedelta(seconds=number)).isoformat(timespec="milliseconds")
            log.write(json.dumps({"time": time, **as_json(event)}) + "\n")


def started(name, *, labelled=("001",), unlabelled=("003", "004"), held_out=("002",), epochs=4):
    """The first word of a run."""
    return RunStarted(
        run=name,
        folder="",
        device="cpu",
        network="light",
        total_steps=epochs * 2,
        total_epochs=epochs,
        labelled=labelled,
        unlabelled=unlabelled,
        held_out=held_out,
    )


def checked(step, psnr_mu):
    """A check on held-out labels."""
    return Validated(step=step, epoch=step // 2, psnr_mu=psnr_mu, psnr_l=psnr_mu - 4)


def stepped(step):
    """A step of training."""
    return StepReported(
        step=step,
        epoch=step // 2,
        losses={"total": 1 / step},
        learning_rate=1e-3,
        images_per_second=10.0,
        seconds_left=1.0,
    )


def round_told(number, step, retained=0.5):
    """A round of pseudo-labels."""
    return RoundFinished(
        round=number,
        step=step,
        epoch=step // 2,
        masks=MaskSettings(),
        retained=retained,
        patches_retained=retained,
        sigma_mean=0.1,
    )


def over(name, outcome="done", *, message="trained", remedies=()):
    """The last word."""
    return RunFinished(run=name, outcome=outcome, step=8, message=message, remedies=remedies)


def fabricate(project, name, *events, epochs=4, journal=None, promoted=None, **stand):
    """A run in the folder of a project; `journal` is the entry after which it was started."""
    run = project / "runs" / name
    run.mkdir(parents=True)
    (run / "plan.toml").write_text(PLAN.format(epochs=epochs), encoding="utf-8")
    first = started(name, epochs=epochs)
    say(run, first, *events)
    if journal is not None:
        told = {
            "journal": journal,
            "labelled": list(stand.get("labelled", first.labelled)),
            "promoted": promoted or {},
            "unlabelled": list(stand.get("unlabelled", first.unlabelled)),
            "held_out": list(stand.get("held_out", first.held_out)),
            "masks": json.loads(masks_as_text(stand.get("masks", MaskSettings()))),
        }
        (run / "start.json").write_text(json.dumps(told), encoding="utf-8")
    return run


def preview(run, number, scene, grey):
    """A preview of one grey, as rounds leave them."""
    path = run / "previews" / f"{number:05d}" / f"{scene}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((12, 16, 3), grey, np.uint8))
