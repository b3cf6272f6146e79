"""What a person in a terminal sees of a training run while it goes, and at its end."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from smarthdr_studio.cli.output import note, percent, print_table, progress
from smarthdr_studio.core.errors import Remedy
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
    """Repeats events: as JSON lines where `tell` is given, else as a bar on a terminal.

    The first line names the run: what is said before it has a name waits. The last one says how it
    ended, and with which exit status. A silent one only remembers.
    """

    def __init__(
        self, *, tell: Callable[[Mapping[str, Any]], None] | None, silent: bool = False
    ) -> None:
        self._tell = None if silent else tell
        self._silent = silent
        self._bar = progress()
        self._quiet = silent or tell is not None or self._bar.disable
        self._task = self._bar.add_task("preparing", total=None)
        self._waiting: list[TrainingEvent] = []
        self.run = ""
        self.outcome: Outcome = "stopped"
        self._step = 0
        self._last: RunFinished | None = None
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
            self._tell_in_order(event)
        elif not self._quiet:
            self._draw(event)

    def end(self, *, code: int) -> None:
        """The last word of a run, with the exit status; its driver says that of one it closed."""
        self.close()
        words = f"stopped at step {self._step}; resume to go on"
        last = self._last or RunFinished(
            run=self.run, outcome="stopped", step=self._step, message=words
        )
        if self._tell is not None:
            self._tell({**as_json(last), "exit": code})
        elif self._silent:
            return
        elif last.outcome == "done":
            print_table(("run", self.run), self._facts.items(), title="Trained", words=2)
        else:
            note(f"Stopped at step {self._step}.")

    def fail(self, message: str, *, code: int, remedies: tuple[Remedy, ...] = ()) -> None:
        """The last word of a run that failed, for scripts; a person reads it on stderr."""
        if self._tell is not None:
            last = RunFinished(
                run=self.run,
                outcome="failed",
                step=self._step,
                message=message,
                remedies=remedies,
            )
            self._tell({**as_json(last), "exit": code})

    def _tell_in_order(self, event: TrainingEvent) -> None:
        if not self.run:
            self._waiting.append(event)
            return
        if self._tell is not None and not isinstance(event, RunFinished):  # `end` says that
            for each in (event, *self._waiting):
                self._tell(as_json(each))
            self._waiting.clear()

    def _remember(self, event: TrainingEvent) -> None:
        match event:
            case RunStarted(run=run, step=step, network=network, device=device):
                self.run, self._step = run, step
                self._facts |= {"network": network, "device": device}
            case StepReported(step=step, losses=losses):
                self._step = step
                self._facts |= {"steps": str(step), "loss": f"{losses['total']:.4f}"}
            case RoundFinished(round=number, retained=retained):
                self._facts |= {"rounds": str(number + 1), "retained": percent(retained)}
            case Validated(psnr_mu=mu, psnr_l=linear):
                self._facts["held out"] = f"PSNR-μ {mu:.2f} dB, PSNR-l {linear:.2f} dB"
            case CheckpointSaved(folder=folder):
                self._facts["checkpoint"] = folder
            case RunFinished(outcome=outcome, message=message):
                self.outcome, self._last = outcome, event
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
