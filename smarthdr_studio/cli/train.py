"""The verb `train`: a run begun or resumed, followed in a terminal to its end, or estimated."""

import math
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

import typer

from smarthdr_studio.cli import BAD_INPUT, BROKEN_OFF, DONE, FAILED, STOPPED
from smarthdr_studio.cli.options import refuse_beside
from smarthdr_studio.cli.output import (
    LINE_EVERY,
    Json,
    duration,
    percent,
    print_error,
    print_json,
    print_line,
    print_note,
    print_table,
    progress,
)
from smarthdr_studio.cli.plans import PlanRequest, requested_plan
from smarthdr_studio.core.environment import is_first_process
from smarthdr_studio.core.errors import Remedy, StudioError
from smarthdr_studio.core.training.events import (
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
from smarthdr_studio.core.training.plan_fields import NONE, toml_value
from smarthdr_studio.core.training.run_estimate import size_in_words
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.core.training.plan import TrainingPlan
    from smarthdr_studio.core.training.run_estimate import Estimate

_NOT_BEGUN: Final = "Stopped before a run began; the same command begins it."
_HANG_UP: Final[signal.Signals | None] = getattr(signal, "SIGHUP", None)


class StopSignals:
    """The signals that asked to stop so far."""

    def __init__(self) -> None:
        self._heard: list[int] = []
        self.saves = True  # whether there is something yet that stopping saves

    def __bool__(self) -> bool:
        return bool(self._heard)

    @property
    def hung_up(self) -> bool:
        """Whether the terminal is gone, so that nothing can be said any more."""
        return _HANG_UP in self._heard

    def hear(self, number: int, _: FrameType | None) -> None:
        """A handler for signals; a second one kills, as the last save is whole."""
        self._heard.append(number)
        signal.signal(number, signal.SIG_DFL)
        if is_first_process():
            with suppress(OSError):
                when = "after this step and saving" if self.saves else "before a run begins"
                print_note(f"Stopping {when}; once more kills.")


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Hears the signals that ask to stop while the block lasts; nohup is respected."""
    asked = StopSignals()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if _HANG_UP is not None and signal.getsignal(_HANG_UP) != signal.SIG_IGN:
        numbers.append(_HANG_UP)
    before = {number: signal.signal(number, asked.hear) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def file_errors_told_once() -> Iterator[None]:
    """Keeps threads quiet about files: what the log's thread stumbles over is raised here too."""
    tell = threading.excepthook

    def unless_files(failure: threading.ExceptHookArgs) -> None:
        if not issubclass(failure.exc_type, OSError):
            tell(failure)

    threading.excepthook = unless_files
    try:
        yield
    finally:
        threading.excepthook = tell


_SETTLED_AFTER: Final = 10  # steps, the first of which set everything up


class RunReporter:
    """Repeats events: as JSON lines where `tell` is given, else as a bar on a terminal.

    Where stderr is no terminal (a log, a batch system) there is no bar, but a line for each round
    and check, for what is prepared, and for steps and scenes one every few seconds.

    The first line of JSON names the run: what is said before it has a name waits. The last one says
    how it ended, and with which exit status. A silent one only remembers.
    """

    def __init__(
        self, *, tell: Callable[[Mapping[str, Any]], None] | None, silent: bool = False
    ) -> None:
        self._tell = None if silent else tell
        self._silent = silent
        self._bar = progress(lines=False)
        self._quiet = silent or tell is not None
        self._lines_only = self._bar.disable
        self._last_line = -math.inf
        self._task = self._bar.add_task("preparing", total=None)
        self._waiting: list[TrainingEvent] = []
        self.run = ""
        self.outcome: Outcome = "stopped"
        self._step = self._total = self._told = 0
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
            print_note(f"Stopped at step {self._step}.")

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
            case RunStarted(run=run, step=step, network=network):
                self.run, self._step = run, step
                self._facts |= {"network": network, "device": f"{event.device}, {event.precision}"}
            case StepReported(step=step, losses=losses):
                self._step = step
                self._facts |= {"steps": str(step), "loss": f"{losses['total']:.4f}"}
            case RoundFinished(round=number, retained=retained):
                self._facts |= {"rounds": str(number), "retained": percent(retained)}
            case Validated(psnr_mu=mu, psnr_l=linear):
                self._facts["held out"] = f"PSNR-μ {mu:.2f} dB, PSNR-l {linear:.2f} dB"
            case CheckpointSaved(folder=folder):
                self._facts["checkpoint"] = folder
            case RunFinished(outcome=outcome, message=message):
                self.outcome, self._last = outcome, event
                self._facts["outcome"] = message
            case _:
                pass

    def _begin(self, event: RunStarted) -> None:
        self._bar.update(self._task, total=event.total_steps, completed=event.step)
        self._total = event.total_steps
        if self._lines_only:
            print_note(f"run {event.run}")
        for sentence in filter(None, (event.arithmetic, event.short_epochs)):
            self._say(sentence)

    def _say(self, sentence: str) -> None:
        """A line that stays: above the bar, or in the log."""
        if self._lines_only:
            print_note(sentence)
        else:
            self._bar.console.print(sentence)

    def _step_told(self, event: StepReported) -> None:
        loss = f"loss {event.losses['total']:.4f}"
        self._told += 1
        known = event.seconds_left if self._told >= _SETTLED_AFTER else None
        self._bar.update(self._task, completed=event.step, description=loss, seconds_left=known)
        left = f", {duration(event.seconds_left)} left" if event.seconds_left > 0 else ""
        self._log(f"step {event.step:,} of {self._total:,}: {loss}{left}")

    def _phase_told(self, event: PhaseChanged) -> None:
        self._bar.update(self._task, description=event.text)
        # What is prepared may take a minute, and one such thing is unlike the other.
        self._log(event.text, at_once=event.phase == "preparing")

    def _log(self, line: str, *, at_once: bool = False) -> None:
        """A line where there is no bar, unless there was one a moment ago."""
        now = time.monotonic()
        if self._lines_only and (at_once or now - self._last_line >= LINE_EVERY):
            self._last_line = now
            print_note(line)

    def _draw(self, event: TrainingEvent) -> None:
        match event:
            case RunStarted():
                self._begin(event)
            case PhaseChanged():
                self._phase_told(event)
            case StepReported():
                self._step_told(event)
            case RoundFinished(round=number, retained=retained):
                self._say(f"round {number}: {percent(retained)} retained")
            case Validated(epoch=epoch, psnr_mu=mu):
                self._say(f"epoch {epoch + 1}: held-out PSNR-μ {mu:.2f} dB")
            case StepSkipped(step=step, why=why):
                self._say(f"step {step} skipped: {why}")
            case Steered(text=text):
                self._say(text)
            case _:
                pass


def run_training(
    plan: "TrainingPlan", project: Path, *, resume: str | None = None, as_json: bool = False
) -> int:
    """Trains, or goes on with a run; the answer is the exit status (see `EXIT_CODES`).

    Of several processes started by torchrun only the first one speaks. Raises StudioError where
    the run could not begin.
    """
    first = is_first_process()
    if first and (busy := _at_work_besides(project, resume)):
        print_note(
            f"{busy} is at work in this project too: both go on, each more slowly, and of each "
            "scene the window shows the pseudo-label that came last."
        )
    follower = RunReporter(tell=print_json if as_json else None, silent=not first)
    with follower, file_errors_told_once(), stop_signals() as asked:
        asked.saves = resume is not None
        try:
            _report_events(plan, project, resume=resume, follower=follower, asked=asked)
        except StudioError as error:
            follower.close()
            if not follower.run:
                follower.fail(str(error), code=BAD_INPUT)
                raise
            return _report_failure(error, project, follower, first=first)
        except OSError:
            if not asked.hung_up:  # writing to a terminal that is gone fails, and does no harm
                raise
        except Exception as error:  # a fault of ours: its traceback is for whoever mends it
            follower.fail(str(error), code=FAILED)
            raise
    return _report_end(project, follower, resume=resume, first=first)


def _at_work_besides(project: Path, resume: str | None) -> str:
    """The runs that other processes train in this project now."""
    from smarthdr_studio.core.training.run_folder import run_folders
    from smarthdr_studio.core.training.run_lock import is_at_work

    others = (run for run in run_folders(project) if run.id != resume)
    return ", ".join(run.id for run in others if is_at_work(run.path))


def _report_end(project: Path, follower: RunReporter, *, resume: str | None, first: bool) -> int:
    """A run that is done or was stopped, maybe before it had begun; the exit status."""
    if follower.outcome == "done":
        follower.end(code=DONE)
        return DONE
    name = follower.run or resume
    if name is None:
        with suppress(OSError):
            follower.fail(_NOT_BEGUN, code=BAD_INPUT)
            if first:
                print_error(_NOT_BEGUN)
        return BAD_INPUT
    with suppress(OSError):
        follower.end(code=STOPPED)
        if first:
            print_note(f"Resume with: {resume_command(project, name)}")
    return STOPPED


def resume_command(project: Path, run: str, changes: Mapping[str, Any] | None = None) -> str:
    """The command that goes on with a run, with changes of its plan by dotted key."""
    words = ["smarthdr-studio", "train", str(project), "--resume", run]
    for key, value in (changes or {}).items():
        words += ["--set", f"{key}={NONE if value is None else toml_value(value)}"]
    return shlex.join(words)


def _report_events(
    plan: "TrainingPlan",
    project: Path,
    *,
    resume: str | None,
    follower: RunReporter,
    asked: StopSignals,
) -> None:
    from smarthdr_studio.learning.trainer import train as learn

    # Closing the generator is what saves; it happens before anything is said about the end.
    with closing(learn(plan, project, resume=resume)) as events:
        for event in events:
            if not asked.hung_up:
                follower.see(event)
            asked.saves = asked.saves or bool(follower.run)
            if asked:
                return


def _report_failure(
    error: StudioError, project: Path, follower: RunReporter, *, first: bool
) -> int:
    """A run that had begun: it is kept, and what helps is said as a command."""
    remedies = error.remedies
    follower.fail(str(error), code=BROKEN_OFF, remedies=remedies)
    print_error(str(error))
    if first:
        for remedy in remedies:
            command = resume_command(project, follower.run, remedy.changes)
            print_note(f"{remedy.text}: {command}")
        print_note(f"Resume with: {resume_command(project, follower.run)}")
    return BROKEN_OFF


def show_estimate(plan: "TrainingPlan", project: Path, *, as_json: bool) -> None:
    """Measure and say; nothing is trained or written. Raises StudioError as `train` does."""
    from smarthdr_studio.learning.estimate import estimate

    found: Estimate | None = None
    with progress() as bar:
        task = bar.add_task("measuring", total=None)
        for event in estimate(plan, project):
            if isinstance(event, PhaseChanged):
                bar.update(task, description=event.text)
            else:
                found = event
    if found is None:
        return
    if as_json:
        print_json({"estimate": {**asdict(found), "all_disk_bytes": found.all_disk_bytes}})
        return
    _print_estimate(found)


def _print_estimate(found: "Estimate") -> None:
    rows = [
        ("device", f"{found.device}, {found.precision}"),
        ("steps", f"{found.steps:,} in {counted(found.epochs, 'epoch')}"),
        ("rounds, checks", f"{found.rounds}, {found.validations}"),
        ("an epoch on labels only", _duration_or_none(found.warmup_epoch_seconds)),
        ("an epoch", _duration_or_none(found.learning_epoch_seconds)),
        ("a round", _duration_or_none(found.round_seconds)),
        ("altogether", _duration_or_none(found.total_seconds)),
        (
            "memory at its peak",
            _size_of_free(found.peak_memory_bytes, free=found.free_memory_bytes),
        ),
        ("disk", _size_of_free(found.all_disk_bytes, free=found.free_disk_bytes)),
    ]
    print_table(("what", "about"), rows, title="What this run will take", words=2)
    for sentence in (found.measured, *found.warnings):
        print_note(f"{sentence.rstrip('.')}.")


def _duration_or_none(seconds: float | None) -> str:
    return "none" if seconds is None else duration(seconds)


def _size_of_free(count: int | None, *, free: int | None) -> str:
    if count is None:
        return "not known"
    return size_in_words(count) + ("" if free is None else f" of {size_in_words(free)} free")


def train(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    preset: Annotated[
        str | None,
        typer.Option(help="quick, paper, supervised …, one of yours, or a .toml file."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as schedule.epochs=20."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same losses.")] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run; last is the newest that can be."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="A new run with the plan of this one; starter begins from the model that ships.",
        ),
    ] = None,
    with_weights: Annotated[
        bool,
        typer.Option("--with-weights", help="With --from: begin with its best teacher."),
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what it would take, and train nothing.")
    ] = False,
    print_command: Annotated[
        bool, typer.Option("--print-command", help="Say the plan as one command, train nothing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Train; Ctrl-C saves and stops.

    So do SIGTERM and a closed terminal; a second signal kills. Exit status: 0 done; 2 not begun,
    and why in one sentence; 3 stopped and saved; 4 failed, with what helps. After 3 and 4 the
    command that goes on is printed. With --json every event is a line: the first names the run,
    the last says how it ended, and with which exit status.
    """
    refuse_beside("--print-command", {"--estimate": estimate and print_command})
    wanted = PlanRequest(
        preset=preset,
        resume=resume,
        base=base,
        with_weights=with_weights,
        settings=changes or (),
        device=device,
        seed=seed,
    )
    plan, run = requested_plan(project, wanted)
    if print_command:
        _print_command(_equivalent_command(plan, project, wanted, run=run), as_json=as_json)
        return DONE
    if estimate:
        show_estimate(plan, project, as_json=as_json)
        return DONE
    return run_training(plan, project, resume=run, as_json=as_json)


def _equivalent_command(
    plan: "TrainingPlan", project: Path, wanted: PlanRequest, *, run: str | None
) -> str:
    if run is not None:
        return resume_command(project, run, wanted.changes())
    from smarthdr_studio.core.training.plan_schema import command_line

    return command_line(project, plan, wanted.preset or plan.preset)


def _print_command(command: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"command": command})
    else:
        print_line(command)
