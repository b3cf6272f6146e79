"""Training as a generator: it says what happens as it happens; closing it saves and stops."""

from collections.abc import Generator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from smarthdr_studio.core.events import PhaseChanged, TrainingEvent
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.core.steering import Wishes
from smarthdr_studio.learning.course import course
from smarthdr_studio.learning.ending import Ending
from smarthdr_studio.learning.faults import in_words, let_go
from smarthdr_studio.learning.following import follow_the_first
from smarthdr_studio.learning.opening import open_run
from smarthdr_studio.learning.randomness import wait_for_chance
from smarthdr_studio.learning.ranks import Ranks
from smarthdr_studio.learning.rounds import forget_later
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.run_log import RunLog
from smarthdr_studio.learning.runtime import (
    give_memory_back,
    use_memory_kindly,
)
from smarthdr_studio.learning.steering import Steering, StopAsked


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
    use_memory_kindly()
    wait_for_chance()
    project = project.expanduser().resolve()
    with ExitStack() as lock, closing(Ranks.of_environment(plan.device)) as ranks:
        # Handed on, never held here: who hears of an error must not keep the run's memory.
        if ranks.is_first:
            yield from _watched(
                *_opened(plan, project, resume=resume, ranks=ranks, lock=lock),
                steering=Steering(wishes),
            )
        else:
            yield follow_the_first(*_opened(plan, project, resume=resume, ranks=ranks, lock=lock))


def _opened(
    plan: TrainingPlan, project: Path, *, resume: str | None, ranks: Ranks, lock: ExitStack
) -> tuple[TrainingRun, RunFolder]:
    try:
        return open_run(plan, project, resume=resume, ranks=ranks, lock=lock)
    except Exception as error:
        known = in_words(error, run=resume)
        let_go(error)
        give_memory_back()
        if known is None or known is error:
            raise
        raise known from error


def _watched(
    run: TrainingRun, folder: RunFolder, *, steering: Steering
) -> Generator[TrainingEvent, None, None]:
    """The course of the run, logged; whatever ends it, it can be gone on with."""
    log, ending = _begun(run, folder), Ending(folder)
    try:
        with closing(course(run, folder, steering=steering)) as events:
            for event in events:
                ending.hear(event)
                log.write(event)
                yield event
    except StopAsked as asked:
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
        give_memory_back()
    if ending.last.outcome == "stopped":
        yield ending.last


def _begun(run: TrainingRun, folder: RunFolder) -> RunLog:
    """The log of a run, and no trace of a past it does not share. Raises ProjectError."""
    try:
        forget_later(folder.path, than=run.progress.round)
        return RunLog(folder.path, step=run.progress.step)
    except OSError as error:
        raise in_words(error, run=folder.id, folder=folder.path) or error from error
