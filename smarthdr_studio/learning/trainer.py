"""Training as a generator: it says what happens as it happens; closing it saves and stops."""

from collections.abc import Generator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

import torch

from smarthdr_studio.core.errors import DeviceError, Remedy, StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RunFinished,
    Steered,
    StepSkipped,
    TrainingEvent,
)
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.round_files import drop_later_rounds, drop_rounds
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.steering import Wishes
from smarthdr_studio.learning.compute import (
    pick_precision,
    release_memory,
    tune_allocator,
    wait_for_global_generator,
)
from smarthdr_studio.learning.distributed import Ranks, RunEnded
from smarthdr_studio.learning.event_log import (
    RunLog,
    begun_from,
    learning_phase,
    plan_changed,
    run_finished,
    run_started,
    stale_told,
)
from smarthdr_studio.learning.failures import (
    explain_failure,
    memory_remedies,
    release_tensors_of,
    save_skipped_batch,
)
from smarthdr_studio.learning.run_setup import open_run
from smarthdr_studio.learning.saved_state import has_unsaved_progress
from smarthdr_studio.learning.schedule import is_last_or_every, round_falls_due, round_is_planned
from smarthdr_studio.learning.steering import Steering, StopRequested, snapshot
from smarthdr_studio.learning.train_state import TrainingRun

_PREDICTING = frozenset({"labelling", "validating"})


def train(
    plan: TrainingPlan,
    project: AnyPath,
    *,
    resume: str | None = None,
    wishes: Wishes | None = None,
) -> Generator[TrainingEvent, None, None]:
    """Trains a mean teacher, saying what happens as it happens.

    Nobody asking for the next event is a pause. Closing the iterator saves a checkpoint from which
    `resume` goes on, bit for bit on a CPU; so does an error. After a kill the last checkpoint of
    an epoch serves.

    Args:
        plan: what to do; of a resumed run, the plan in its folder or one that differs in wishes
            such as device, epochs, batch, tile or precision, which then takes its place.
        project: the project folder.
        resume: the name of the run to go on with.
        wishes: what a person asks of the run while it goes; wishes left in its folder are heard
            too.

    Raises:
        StudioError: one sentence; at the start nothing has been written yet.
    """
    project = Path(project)
    yield PhaseChanged(phase="preparing", text="reading the project and its labels", step=0)
    tune_allocator()
    wait_for_global_generator()
    project = project.expanduser().resolve()
    with ExitStack() as lock, closing(Ranks.of_environment(plan.device)) as ranks:
        # Handed on, never held here: who hears of an error must not keep the run's memory.
        if ranks.is_first:
            yield from _logged_run(
                *_open_run(plan, project, resume=resume, ranks=ranks, lock=lock),
                steering=Steering(wishes),
            )
        else:
            yield follow_first_rank(
                *_open_run(plan, project, resume=resume, ranks=ranks, lock=lock)
            )


def _open_run(
    plan: TrainingPlan, project: Path, *, resume: str | None, ranks: Ranks, lock: ExitStack
) -> tuple[TrainingRun, RunFolder]:
    try:
        return open_run(plan, project, resume=resume, ranks=ranks, lock=lock)
    except Exception as error:
        known = explain_failure(error, run=resume)
        release_tensors_of(error)
        release_memory()
        if known is None or known is error:
            raise
        raise known from error


def _logged_run(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """The course of the run, logged; whatever ends it, it can be gone on with."""
    log, ending = _open_log(run, folder), RunEnding(folder)
    try:
        with closing(training_loop(run, folder, steering=steering)) as events:
            for event in events:
                run.hold.refuse_lost()
                ending.hear(event)
                log.write(event)
                yield event
    except StopRequested as asked:
        ending.of_wish(asked)
    except Exception as error:
        told = ending.of_error(error, run)
        if told is error:
            raise
        raise told from error
    finally:
        ending.save_and_say(run, log)
        with suppress(OSError):  # nothing waits to be written any more that could be lost here
            log.close()
        del run
        release_memory()
    if ending.last.outcome == "stopped":
        yield ending.last


def training_loop(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """The run from where it stands to its end."""
    yield run_started(run, folder)
    if (begun := begun_from(run)) is not None:
        yield begun
    if run.plan_changes:
        yield plan_changed(run)
    if (stale := stale_told(run, folder)) is not None:
        yield stale
    if run.hold.told:
        yield Steered(step=run.progress.step, epoch=run.progress.epoch, text=run.hold.told)
    yield from compile_student(run)
    while not run.is_over:
        yield from _train_epoch(run, folder, steering=steering)

    # What the finished teacher thinks of every unlabelled scene.
    if last_round_is_due(run):
        yield (yield from steering.amid(run.new_round(folder=folder), run, folder))
        yield snapshot(run, folder)
    if run.ranks.is_first:
        keep_bytes = run.plan.keep_rounds_mib * 2**20
        drop_rounds(folder.path, needed_from=run.progress.round + 1, keep_bytes=keep_bytes)
    yield run_finished(run, folder)


def _train_epoch(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """One epoch, or what is left of it."""
    # What the next stage of a method learns from, where the method has stages.
    if run.stage_due:
        yield from steering.amid(run.begin_stage(folder=folder), run, folder)

    # New pseudo-labels, masked with what the person has decided by now.
    if round_is_due(run):
        yield (yield from steering.amid(run.new_round(folder=folder), run, folder))

    # One pass over the crops.
    yield learning_phase(run)
    yield from _train_steps(run, folder, steering=steering)
    if run.progress.round_wanted and not run.progress.step_in_epoch:
        return  # a round was asked for before the first step: the epoch begins again

    # How good is the teacher on labels it never saw?
    is_best = False
    if validation_is_due(run):
        checked = yield from steering.amid(run.validate(), run, folder)
        is_best = checked.best
        yield checked

    # The epoch is over; a kill from here on costs nothing.
    run.end_epoch()
    if is_best or checkpoint_is_due(run):
        yield PhaseChanged(phase="saving", text="saving a checkpoint", step=run.progress.step)
        yield snapshot(run, folder)


def _train_steps(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """What is left of the epoch. Raises DeviceError where too many steps taught nothing."""
    while True:
        yield from steering.heed(run, folder)
        if epoch_is_over(run):
            return
        if round_is_due(run):
            yield (yield from steering.amid(run.new_round(folder=folder), run, folder))
            yield learning_phase(run)
            continue
        event = run.take_step()
        if isinstance(event, StepSkipped):
            event = _with_saved_batch(event, run, folder)
            yield event
            _refuse_many_skipped(event, run, folder)
        else:
            yield event


def epoch_is_over(run: TrainingRun) -> bool:
    """Whether the next step belongs to the next epoch."""
    at = run.progress
    return at.round_wanted or at.step_in_epoch >= run.steps_in_epoch


def round_is_due(run: TrainingRun) -> bool:
    """Whether new pseudo-labels are made before the next step."""
    at = run.progress
    if not run.learns_from_pseudo_labels:
        return False
    if round_falls_due(run.schedule, step=at.step, last_round_step=at.last_round_step):
        return True
    if at.step_in_epoch:
        return False
    planned = round_is_planned(run.schedule, epoch=at.epoch, last_round_at=at.last_round_at)
    return at.round_wanted or planned


def last_round_is_due(run: TrainingRun) -> bool:
    """Asked at the end of the run: whether the finished teacher has yet to say what it thinks."""
    at = run.progress
    makes_one = run.learns_from_pseudo_labels or run.method is not None
    return makes_one and at.epoch > (at.last_round_at or 0)


def validation_is_due(run: TrainingRun) -> bool:
    """Asked at the end of an epoch."""
    schedule = run.schedule
    return bool(run.validated()) and is_last_or_every(
        run.progress.epoch + 1, every=schedule.validate_every, last=schedule.epochs
    )


def checkpoint_is_due(run: TrainingRun) -> bool:
    """Asked when an epoch has ended; the best so far is always kept."""
    schedule = run.schedule
    return is_last_or_every(
        run.progress.epoch, every=schedule.checkpoint_every, last=schedule.epochs
    )


def compile_student(run: TrainingRun) -> Generator[PhaseChanged | Steered, None, None]:
    """Compiles the student where the plan asks for it; it can take minutes."""
    computation, at = run.learner.computation, run.progress
    if not computation.compiles:
        return
    yield PhaseChanged(phase="preparing", text="compiling the network", step=at.step)
    run.ranks.told(None)
    if complaint := computation.compiled():
        yield Steered(step=at.step, epoch=at.epoch, text=complaint)


def _with_saved_batch(event: StepSkipped, run: TrainingRun, folder: RunFolder) -> StepSkipped:
    """The event with the file in which its batch lies now."""
    wrong, run.wrong = run.wrong, None
    if wrong is None or not run.ranks.is_first:
        return event
    return replace(
        event, batch=save_skipped_batch(folder.path, wrong, keep=run.plan.faults.kept_batches)
    )


def _refuse_many_skipped(event: StepSkipped, run: TrainingRun, folder: RunFolder) -> None:
    count, at = run.skipped_in_a_row, run.progress.step
    if count == at == run.total_steps:
        raise DeviceError(
            f"{event.batch or folder.path}: {event.why} in every step, so that nothing was "
            "learned; lower the weights of the loss or schedule.learning_rate, and begin another"
        )
    if count <= run.plan.faults.skipped_steps:
        return
    run.skipped_in_a_row = 0  # who resumes has changed something, and may try as often again
    where = event.batch or folder.path
    steps = "1 step" if count == 1 else f"{count} steps in a row"
    raise DeviceError(
        f"{where}: {event.why} in {steps}; set loss.nll_gradient to beta or lower "
        f"schedule.learning_rate, and resume {folder.id}"
    )


class RunEnding:
    """The last word of a run; stopped by the person, until something else is heard of."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._phase = ""
        self.last = RunFinished(
            run=folder.id,
            outcome="stopped",
            step=0,
            message="stopped by the person; resume to go on",
        )

    def hear(self, event: TrainingEvent) -> None:
        """Every event of the run."""
        if isinstance(event, PhaseChanged):
            self._phase = event.phase
        elif isinstance(event, RunFinished):
            self.last = event

    def of_wish(self, asked: StopRequested) -> None:
        """Somebody wished for the end."""
        self.last = replace(self.last, message=str(asked))

    def of_error(self, error: Exception, run: TrainingRun) -> Exception:
        """What is to be raised for it, the error itself where it is no person's to mend.

        What a failed step holds is given back, so that there is memory to save in.
        """
        known = explain_failure(
            error, run=self._folder.id, folder=self._folder.path, remedies=self._remedies(run)
        )
        found = () if known is None else known.remedies
        message = str(known or error)
        self.last = replace(self.last, outcome="failed", message=message, remedies=found)
        release_tensors_of(error)
        run.learner.optimiser.zero_grad(set_to_none=True)
        release_memory()
        return known or error

    def save_and_say(self, run: TrainingRun, log: RunLog) -> None:
        """Of a run cut short: a checkpoint, and the last word, as far as the disk takes them.

        Nothing of a run that is another process's by now.
        """
        if self.last.outcome == "done" or not run.hold.is_held():
            return
        self.last = replace(self.last, step=run.progress.step)
        last_words: list[TrainingEvent] = []
        try:
            if has_unsaved_progress(run):
                last_words.append(snapshot(run, self._folder))
        except (OSError, RuntimeError, MemoryError, StudioError) as error:
            if self.last.outcome == "stopped":  # else the error that is under way says so
                why = explain_failure(error, run=self._folder.id, folder=self._folder.path) or error
                message = f"stopped, but the last steps could not be saved: {why}"
                self.last = replace(self.last, message=message)
        with suppress(OSError):  # what was saved is saved, whether the log can still say so or not
            for event in (*last_words, self.last):
                log.write(event)

    def _remedies(self, run: TrainingRun) -> tuple[Remedy, ...]:
        """What would help if memory ran out in this phase."""
        device, precision = run.predictor.device, run.predictor.precision
        return memory_remedies(
            run.plan,
            predicting=self._phase in _PREDICTING,
            could_bfloat16=precision is torch.float32 and pick_precision(device) is torch.bfloat16,
        )


def follow_first_rank(run: TrainingRun, folder: RunFolder) -> RunFinished:
    """Takes the course of the run beside the first process, until it ends or is ended there.

    Raises StudioError, ProcessLost among them.
    """
    last = RunFinished(
        run=folder.id, outcome="stopped", step=0, message="the first process ended the run"
    )
    try:
        for event in training_loop(run, folder, steering=Steering()):
            if isinstance(event, RunFinished):
                last = event
    except RunEnded:
        last = replace(last, step=run.progress.step)
    except Exception as error:
        known = explain_failure(error, run=folder.id, folder=folder.path)
        if known is None:
            raise
        raise known from error
    finally:
        release_memory()
    return last


def _open_log(run: TrainingRun, folder: RunFolder) -> RunLog:
    """The log of a run, and no trace of a past it does not share. Raises ProjectError."""
    try:
        drop_later_rounds(folder.path, than=run.progress.round)
        return RunLog(folder.path, step=run.progress.step)
    except OSError as error:
        raise explain_failure(error, run=folder.id, folder=folder.path) or error from error
