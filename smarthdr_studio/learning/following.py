"""A run in a process that is not the first: it hears no person, says nothing and writes nothing."""

from dataclasses import replace

from smarthdr_studio.core.events import RunFinished
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.course import course
from smarthdr_studio.learning.faults import in_words
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.runtime import give_memory_back
from smarthdr_studio.learning.steering import Steering
from smarthdr_studio.learning.wire import Dismissed


def follow_the_first(run: TrainingRun, folder: RunFolder) -> RunFinished:
    """Takes the course of the run beside the first process, until it ends or is ended there.

    Raises StudioError, FellowLost among them.
    """
    last = RunFinished(
        run=folder.id, outcome="stopped", step=0, message="the first process ended the run"
    )
    try:
        for event in course(run, folder, steering=Steering()):
            if isinstance(event, RunFinished):
                last = event
    except Dismissed:
        last = replace(last, step=run.progress.step)
    except Exception as error:
        known = in_words(error, run=folder.id, folder=folder.path)
        if known is None:
            raise
        raise known from error
    finally:
        give_memory_back()
    return last
