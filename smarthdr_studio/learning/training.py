"""Training as a generator: it says what happens as it happens; closing it saves and stops."""

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from smarthdr_studio.core.errors import OutOfMemory, StudioError
from smarthdr_studio.core.events import PhaseChanged, RunFinished, TrainingEvent
from smarthdr_studio.core.liveness import at_work
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.core.steering import Wishes
from smarthdr_studio.learning.course import course
from smarthdr_studio.learning.faults import in_words
from smarthdr_studio.learning.keeping import has_unsaved_progress
from smarthdr_studio.learning.opening import open_run
from smarthdr_studio.learning.rounds import forget_later
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.run_log import RunLog
from smarthdr_studio.learning.runtime import give_memory_back, use_memory_kindly
from smarthdr_studio.learning.steering import Steering, StopAsked, snapshot


def train(
    plan: TrainingPlan,
    project: Path,
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
            such as device or epochs.
        project: the project folder.
        resume: the name of the run to go on with.
        wishes: what a person asks of the run while it goes; wishes left in its folder are heard
            too.

    Raises:
        StudioError: one sentence; at the start nothing has been written yet.
    """
    yield PhaseChanged(phase="preparing", text="reading the project and its labels", step=0)
    use_memory_kindly()
    run, folder = open_run(plan, project.expanduser().resolve(), resume=resume)
    with at_work(folder.path):
        yield from _watched(run, folder, steering=Steering(wishes))


def _watched(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """The course of the run, logged; whatever ends it, it can be gone on with."""
    forget_later(folder.path, than=run.progress.round)
    log = _begun(run, folder)
    last = RunFinished(
        run=folder.id, outcome="stopped", step=0, message="stopped by the person; resume to go on"
    )
    try:
        with closing(course(run, folder, steering=steering)) as events:
            for event in events:
                if isinstance(event, RunFinished):
                    last = event
                log.write(event)
                yield event
    except StopAsked as asked:
        last = replace(last, message=str(asked))
    except Exception as error:
        known = in_words(error, run=folder.id)
        remedies = known.remedies if isinstance(known, OutOfMemory) else ()
        last = replace(last, outcome="failed", message=str(known or error), remedies=remedies)
        if known is None:
            raise
        raise known from error
    finally:
        with closing(log):
            if last.outcome != "done":
                last = replace(last, step=run.progress.step)
                _save_and_say(run, folder, log=log, last=last)
        del run
        give_memory_back()
    if last.outcome == "stopped":
        yield last


def _begun(run: TrainingRun, folder: RunFolder) -> RunLog:
    """The log of a run. Raises ProjectError where it cannot be written."""
    try:
        return RunLog(folder.path, step=run.progress.step)
    except OSError as error:
        raise in_words(error, run=folder.id) or error from error


def _save_and_say(run: TrainingRun, folder: RunFolder, *, log: RunLog, last: RunFinished) -> None:
    """The last words of a run cut short: nobody listens any more, but the log keeps them."""
    # A disk that is full also refuses this checkpoint; the error that is under way says so.
    with suppress(OSError, RuntimeError, StudioError):
        if has_unsaved_progress(run):
            log.write(snapshot(run, folder))
        log.write(last)
