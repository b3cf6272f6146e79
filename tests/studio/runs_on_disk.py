"""Runs as another process leaves them in a project: their logs, and the lock of one at work."""

import json
from datetime import UTC, datetime, timedelta

from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    Validated,
    as_json,
)
from smarthdr_studio.core.trust.masking import MaskSettings

PLAN = 'preset = "quick"\n[network]\nname = "light"\n'


class Log:
    """The folder of a run, and a pen for its events; a second lies between two of them."""

    NAME = "20261125-101112-quick"

    def __init__(self, project, name=NAME):
        self.name, self.folder = name, project / "runs" / name
        self.folder.mkdir(parents=True)
        (self.folder / "plan.toml").write_text(PLAN)
        self._time = datetime(2026, 11, 25, 10, 11, 12, tzinfo=UTC)

    def say(self, *events):
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            for event in events:
                self._time += timedelta(seconds=1)
                time = self._time.isoformat(timespec="milliseconds")
                file.write(json.dumps({"time": time, **as_json(event)}, default=str) + "\n")

    def begin(self, *, step=0):
        self.say(
            RunStarted(
                run=self.name,
                folder=str(self.folder),
                device="cpu",
                network="light",
                total_steps=40,
                total_epochs=4,
                step=step,
            ),
            PhaseChanged(phase="learning", text="epoch 1 of 4: learning from labels", step=step),
        )

    def steps(self, *numbers, epoch=0):
        self.say(*(step(number, epoch=epoch) for number in numbers))

    def end(self, outcome="done", message="trained"):
        self.say(RunFinished(run=self.name, outcome=outcome, step=40, message=message))


def step(number, *, epoch=0):
    return StepReported(
        step=number,
        epoch=epoch,
        losses={"total": 1 / number, "labelled_reconstruction": 0.5 / number},
        learning_rate=1e-3,
        images_per_second=10.0,
        seconds_left=60.0,
    )


def checked(number, psnr):
    return Validated(step=number, epoch=0, psnr_mu=psnr, psnr_l=psnr + 1)


def round_of(number, *, at):
    return RoundFinished(
        round=number,
        step=at,
        epoch=1,
        masks=MaskSettings(),
        retained=0.6,
        patches_retained=0.7,
        sigma_mean=0.03,
    )
