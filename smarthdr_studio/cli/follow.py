"""What a person in a terminal sees of a training run while it goes, and at its end."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from smarthdr_studio.cli.output import note, percent, print_table, progress
from smarthdr_studio.core.events import (
    CheckpointSaved,
    Outcome,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    StepSkipped,
    TrainingEvent,
    Validated,
    as_json,
)


class Follower:
    """Repeats events: as JSON lines where `tell` is given, else as a bar on a terminal."""

    def __init__(self, *, tell: Callable[[Mapping[str, Any]], None] | None) -> None:
        self._tell = tell
        self._bar = progress()
        self._quiet = tell is not None or self._bar.disable
        self._task = self._bar.add_task("preparing", total=None)
        self.run = ""
        self.outcome: Outcome = "stopped"
        self.checkpoint: str | None = None
        self._step = 0
        self._facts: dict[str, str] = {}

    def __enter__(self) -> Self:
        if not self._quiet:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar off the screen."""
        self._bar.stop()

    def see(self, event: TrainingEvent) -> None:
        """Remember and repeat one event."""
        self._remember(event)
        if self._tell is not None:
            self._tell(as_json(event))
        elif not self._quiet:
            self._draw(event)

    def say_stopped(self) -> None:
        """The last event of a run that was closed early: its driver says it."""
        message = f"Stopped at step {self._step}."
        if self._tell is None:
            note(message)
        else:
            last = RunFinished(run=self.run, outcome="stopped", step=self._step, message=message)
            self._tell(as_json(last))

    def summarise(self) -> None:
        """The figures of a finished run as a small table."""
        if self._tell is None:
            print_table(("run", self.run), self._facts.items(), title="Trained", words=2)

    def _remember(self, event: TrainingEvent) -> None:
        match event:
            case RunStarted(run=run, step=step, network=network, device=device):
                self.run, self._step = run, step
                # A resumed run has the checkpoint it goes on from.
                self.checkpoint = event.folder if step else None
                self._facts |= {"network": network, "device": device}
            case StepReported(step=step, losses=losses):
                self._step = step
                self._facts |= {"steps": str(step), "loss": f"{losses['total']:.4f}"}
            case RoundFinished(round=number, retained=retained):
                self._facts |= {"rounds": str(number + 1), "retained": percent(retained)}
            case Validated(psnr_mu=mu, psnr_l=linear):
                self._facts["held out"] = f"PSNR-μ {mu:.2f} dB, PSNR-l {linear:.2f} dB"
            case CheckpointSaved(folder=folder):
                self.checkpoint = self._facts["checkpoint"] = folder
            case RunFinished(outcome=outcome, message=message):
                self.outcome = outcome
                self._facts["outcome"] = message
            case _:
                pass

    def _draw(self, event: TrainingEvent) -> None:
        match event:
            case RunStarted(total_steps=total, step=step):
                self._bar.update(self._task, total=total, completed=step)
            case PhaseChanged(text=text):
                self._bar.update(self._task, description=text)
            case StepReported(step=step, losses=losses):
                text = f"loss {losses['total']:.4f}"
                self._bar.update(self._task, completed=step, description=text)
            case RoundFinished(round=number, retained=retained):
                self._bar.console.print(f"round {number}: {percent(retained)} retained")
            case Validated(epoch=epoch, psnr_mu=mu):
                self._bar.console.print(f"epoch {epoch}: held-out PSNR-μ {mu:.2f} dB")
            case StepSkipped(step=step, why=why):
                self._bar.console.print(f"step {step} skipped: {why}")
            case Steered(text=text):
                self._bar.console.print(text)
            case _:
                pass
