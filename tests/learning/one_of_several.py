"""One of the processes that torchrun starts: trains, and the first keeps what it hears.

usage: one_of_several.py PROJECT PLAN.toml ANSWER.json [--resume RUN] [--stop-after STEP]
                         [--die-at STEP] [--round-after STEP]
"""

import argparse
import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import torch

from smarthdr_studio.core.environment import is_first_process
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.training.events import StepReported, as_json
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.steering import LearningRate, NextRound, Wishes
from smarthdr_studio.learning import compute
from smarthdr_studio.learning.train_state import TrainingRun
from smarthdr_studio.learning.trainer import train


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser()
    asked.add_argument("project", type=Path)
    asked.add_argument("plan")
    asked.add_argument("answer", type=Path)
    asked.add_argument("--resume")
    asked.add_argument("--stop-after", type=int)
    asked.add_argument("--die-at", type=int)
    asked.add_argument("--round-after", type=int)
    return asked.parse_args()


def _dying(step: int) -> None:
    """Makes this process die without a word when it is to take the step."""
    living = TrainingRun.take_step

    def take_step(run: TrainingRun):
        if run.progress.step == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return living(run)

    TrainingRun.take_step = take_step


def main() -> int:
    asked = _asked()
    torch.set_num_threads(1)
    compute.has_bfloat16_arithmetic = lambda: False  # as in every test
    # Torchrun ends the others so where one has died; as in a shell, a step is finished first.
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    if asked.die_at is not None and not is_first_process():
        _dying(asked.die_at)
    told, error, wishes = [], "", Wishes()
    running = train(load_preset(asked.plan), asked.project, resume=asked.resume, wishes=wishes)
    try:
        with closing(running) as events:
            for event in events:
                told.append(as_json(event))
                step = event.step if isinstance(event, StepReported) else -1
                if step == asked.round_after:
                    wishes.ask(NextRound())
                    wishes.ask(LearningRate(rate=5e-4))
                if step == asked.stop_after or asked_to_stop:
                    break
    except StudioError as refused:
        error = str(refused)
    if is_first_process():
        asked.answer.write_text(json.dumps({"events": told, "error": error}), encoding="utf-8")
    return int(bool(error))


if __name__ == "__main__":
    sys.exit(main())
